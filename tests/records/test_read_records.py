"""A record is read whole, value by value, and what is none is never misread."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from parabola.records import fingerprint, reading, schema
from parabola.records import record as record_of_records
from parabola.records.case import Case
from parabola.records.extra_info import Answer
from tests import made_records

GOOD = made_records.record()
NO_RECORD = "not a record of pytest-benchmark"
KNOWN = "this parabola reads versions 1 to 2"


def version(version: object, **changed: object) -> str:
    """Return a record that says that it is of such a version."""
    return json.dumps({**GOOD, "parabola": {**GOOD["parabola"], "version": version}, **changed})


def foreign(ours: object, *benchmarks: object) -> str:
    """Return a record without the part that this project adds."""
    return json.dumps({**GOOD, "parabola": ours, "benchmarks": benchmarks})


BAD = {
    "empty": ("", "empty"),
    "blank": (" \n\t", "empty"),
    "cut off": (json.dumps(GOOD)[:500], "not JSON, or cut off ("),
    "damaged and cut off": ('{"machine_info": 7, "benchmarks": [', "not JSON, or cut off ("),
    "binary": ("\x00\x01", "not JSON, or cut off ("),
    "nested": ("[" * 100_000, "not JSON, or cut off ("),
    "a list": ("[]", NO_RECORD),
    "a number": ("7", NO_RECORD),
    "another tool's": ('{"context": {}, "benchmarks": []}', NO_RECORD),
    "without a machine": (json.dumps({**GOOD, "machine_info": 7}), "damaged: Expected `object`"),
    "of a machine alone": ('{"machine_info": {}, "parabola": {"version": 2}}', NO_RECORD),
    "of benchmarks alone": ('{"benchmarks": [], "parabola": {"version": 2}}', NO_RECORD),
    "another suite's without times": (
        json.dumps({**GOOD, "parabola": None, "benchmarks": [{}]}),
        "damaged: Object missing",
    ),
    "another suite's without cases": (
        json.dumps({**GOOD, "parabola": [2], "benchmarks": []}),
        "no case has a time in it",
    ),
    "of version 0": (version(0), f"of version 0; {KNOWN}"),
    "of the next version": (version(3), f"of version 3; {KNOWN}"),
    "of the next version, with other cases": (version(3, benchmarks=[{}]), f"of version 3; {KNOWN}"),
    "of half a version": (version(1.5), f"of version 1.5; {KNOWN}"),
    "of a version in letters": (version("2"), f"of version 2; {KNOWN}"),
    "of no version": (json.dumps({**GOOD, "parabola": {}}), f"of version None; {KNOWN}"),
    "without a case": (json.dumps({**GOOD, "benchmarks": []}), "no case has a time in it"),
    "without facts": (json.dumps({**GOOD, "machine_info": {}}), "damaged: 'cpu_model'"),
    "without a date": (json.dumps({**GOOD, "datetime": "soon"}), "damaged: Invalid isoformat string: 'soon'"),
    "a case without axes": (json.dumps({**GOOD, "benchmarks": [{"extra_info": {}}]}), "damaged: Object missing"),
    "a case that is none": (json.dumps({**GOOD, "benchmarks": [None]}), "damaged: Expected `object`, got `null`"),
}


@pytest.mark.parametrize(("text", "reason"), BAD.values(), ids=list(BAD))
def test_what_is_no_record_is_named_and_left_as_it_is(text: str, reason: str, tmp_path: Path) -> None:
    """The reason is said, all of it where it is ours, and the file is not touched."""
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(schema.Unreadable) as error:
        reading.read(path)
    (found,) = reading.read_all([("", path)])

    theirs = reason.startswith("damaged: ") or reason.endswith("(")
    assert str(error.value).startswith(reason) if theirs else str(error.value) == reason
    assert str(error.value).endswith(")") or not reason.endswith("(")
    assert isinstance(found, schema.Unreadable)
    assert str(found) == f"{path}: {error.value}"
    assert path.read_text() == text


@pytest.mark.parametrize(("name", "reason"), [("gone.json", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_cannot_be_opened_is_named(name: str, reason: str, tmp_path: Path) -> None:
    """It is no record, and the system's reason is said."""
    with pytest.raises(schema.Unreadable) as error:
        reading.read(tmp_path / name)

    assert str(error.value) == reason


def test_every_part_of_a_record_is_read(tmp_path: Path) -> None:
    """Each value of the file lands in the field that is meant for it."""
    facts = {name: f"<{name}>" for name in fingerprint.FINGERPRINT} | {"cores": 12, "memory_gib": 31}
    stats = {"min": 1, "q1": 1.5, "median": 2.0, "q3": 4.0, "max": 9, "mean": 3, "rounds": 7}
    answer = {"coefficient_error": 0.25, "verdict": "fail", "seeds": 41, "settled_seeds": 36, "passed": False}
    axes = {"engine": "native", "device": "gpu:1", "batch_size": 9, "learning_rate": 0.01, "samples": 99, "members": 5}
    one = {"fullname": "b/x.py::one[a-b]", "group": "epoch time: seconds: of it", "stats": stats}
    two = {"fullname": "b/x.py::two", "group": "compile time", "stats": {**stats, "q1": 1, "median": 1, "rounds": 1}}
    path = tmp_path / "a.json"
    content = {
        "machine_info": {**facts, "node": "host"},
        "commit_info": {"id": "c0ffee", "time": "2026-03-01T00:30:00+01:00", "dirty": True, "branch": "main"},
        "benchmarks": [
            {**one, "extra_info": {**axes, **answer}},
            {**two, "extra_info": {"engine": "fit", "device": "cpu"}},
        ],
        "datetime": "2026-03-02T10:00:00+00:00",
        "parabola": {
            "version": 2,
            "session": {"planned": 9, "over": 8, "failed": ["b/x.py::z", "b/x.py::a"]},
            "grid": {"epochs": 30, "rounds": 3},
        },
    }
    path.write_text(json.dumps(content))

    assert reading.read(path) == record_of_records.Record(
        path=str(path),
        name="",
        fingerprint=(
            *(("cpu_model", "<cpu_model>"), ("gpu", "<gpu>"), ("cuda", "<cuda>"), ("cores", "12")),
            *(("cores_usable", "<cores_usable>"), ("cpu_quota", "<cpu_quota>"), ("memory_gib", "31")),
            *(("system", "<system>"), ("kernel", "<kernel>")),
            *(("python", "<python>"), ("backend", "<backend>"), ("tensorflow", "<tensorflow>"), ("keras", "<keras>")),
            *(("numpy", "<numpy>"), ("numba", "<numba>"), ("threads", "<threads>"), ("xla_flags", "<xla_flags>")),
            ("onednn", "<onednn>"),
        ),
        commit="c0ffee",
        committed=datetime(2026, 2, 28, 23, 30, tzinfo=UTC),
        dirty=True,
        measured=datetime(2026, 3, 2, 10, tzinfo=UTC),
        planned=9,
        over=8,
        failed=("b/x.py::z", "b/x.py::a"),
        measurements=(
            record_of_records.Measurement(
                case=Case(
                    name="b/x.py::one[a-b]",
                    kind="epoch time",
                    epochs=30,
                    engine="native",
                    device="gpu:1",
                    batch_size=9,
                    learning_rate=0.01,
                    samples=99,
                    members=5,
                ),
                unit="seconds: of it",
                times=schema.Times(median=2.0, low_quartile=1.5, high_quartile=4.0, rounds=7),
                answer=Answer(
                    engine="native",
                    device="gpu:1",
                    batch_size=9,
                    learning_rate=0.01,
                    samples=99,
                    members=5,
                    coefficient_error=0.25,
                    verdict="fail",
                    seeds=41,
                    settled_seeds=36,
                ),
            ),
            record_of_records.Measurement(
                case=Case(
                    name="b/x.py::two",
                    kind="compile time",
                    epochs=None,
                    engine="fit",
                    device="cpu",
                    batch_size=None,
                    learning_rate=None,
                    samples=None,
                    members=None,
                ),
                unit="",
                times=schema.Times(median=1.0, low_quartile=1.0, high_quartile=4.0, rounds=1),
                answer=Answer(
                    engine="fit",
                    device="cpu",
                    batch_size=None,
                    learning_rate=None,
                    samples=None,
                    members=None,
                    coefficient_error=None,
                    verdict=None,
                    seeds=None,
                    settled_seeds=None,
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("commit", "found"),
    [
        (None, ("", None, False)),
        ({}, ("", None, False)),
        ({"id": "unversioned", "time": None, "dirty": None}, ("", None, False)),
        ({"id": "unknown", "dirty": True}, ("", None, True)),
        ({"id": "a1", "time": "2026-03-01T00:00:00", "dirty": None}, ("a1", datetime(2026, 3, 1, tzinfo=UTC), False)),
    ],
)
def test_without_a_date_there_is_no_commit(
    commit: dict[str, object] | None, found: tuple[str, datetime | None, bool], tmp_path: Path
) -> None:
    """An id alone, as pytest-benchmark makes up where there is no repository, is none."""
    (path,) = made_records.write(tmp_path, {**GOOD, "commit_info": commit})
    record = reading.read(path)

    assert (record.commit, record.committed, record.dirty) == found


@pytest.mark.parametrize(("backend", "read"), [({}, "tensorflow"), ({"backend": "jax 0.8"}, "jax 0.8")])
def test_a_record_without_a_backend_is_of_tensorflow(backend: dict[str, str], read: str, tmp_path: Path) -> None:
    """Records were written before there was another one, and one that is named is kept."""
    facts = {name: value for name, value in made_records.MACHINE.items() if name != "backend"}
    (path,) = made_records.write(tmp_path, {**GOOD, "machine_info": {**facts, **backend}})

    assert dict(reading.read(path).fingerprint)["backend"] == read


@pytest.mark.parametrize(
    ("gpu", "written", "read"),
    [("none", "12.9.79", "none"), ("none", "none", "none"), ("NVIDIA H200, driver 580.65", "12.9.79", "12.9.79")],
)
def test_cuda_is_no_fact_of_a_machine_without_a_gpu(gpu: str, written: str, read: str, tmp_path: Path) -> None:
    """Older records name the CUDA of an installed wheel even so; they compare with those that say "none"."""
    records = [made_records.record(machine={"gpu": gpu, "cuda": cuda}) for cuda in (written, read)]
    old, new = map(reading.read, made_records.write(tmp_path, *records))

    assert dict(old.fingerprint)["cuda"] == read
    assert fingerprint.differences(old, new) == []


@pytest.mark.parametrize(("over", "cut_short"), [(0, True), (16, True), (17, False)])
def test_a_session_is_whole_only_with_its_last_test(over: int, cut_short: bool, tmp_path: Path) -> None:
    """One test short, and it was cut short."""
    content = made_records.record()
    content["parabola"]["session"] = {"planned": 17, "over": over, "failed": []}
    (path,) = made_records.write(tmp_path, content)

    assert reading.read(path).cut_short is cut_short


@pytest.mark.parametrize("name", ["q1", "median", "q3"])
@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_time_that_is_none_is_no_record(name: str, seconds: float, tmp_path: Path) -> None:
    """A picture with a logarithmic axis could not show it, and no ratio could be taken."""
    content = made_records.record()
    content["benchmarks"][2]["stats"][name] = seconds
    (path,) = made_records.write(tmp_path, content)
    with pytest.raises(schema.Unreadable) as error:
        reading.read(path)

    assert str(error.value) == f"damaged: a time of {seconds} in {content['benchmarks'][2]['fullname']}"


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_time_that_is_not_finite_is_not_json(seconds: float, tmp_path: Path) -> None:
    """What Python writes for it no other reader takes."""
    content = made_records.record()
    content["benchmarks"][2]["stats"]["median"] = seconds
    (path,) = made_records.write(tmp_path, content)

    with pytest.raises(schema.Unreadable, match=r"^not JSON"):
        reading.read(path)


def test_any_positive_time_is_one(tmp_path: Path) -> None:
    """Down to the smallest number that there is, and up to the largest."""
    content, smallest, largest = made_records.record(), 5e-324, sys.float_info.max
    content["benchmarks"][2]["stats"] |= {"q1": smallest, "median": 1.0, "q3": largest}
    (path,) = made_records.write(tmp_path, content)
    one = reading.read(path).measurements[2]

    assert (one.times.low_quartile, one.times.median, one.times.high_quartile) == (smallest, 1.0, largest)


EPOCH_TIME, MEMBERS = "native-cpu-batch_27-learning_rate_0.001", "cpu-members_64"


@pytest.mark.parametrize(
    ("case", "axis"),
    [
        *((EPOCH_TIME, axis) for axis in ("batch_size", "learning_rate", "samples")),
        *((MEMBERS, axis) for axis in ("members", "batch_size", "learning_rate", "samples")),
    ],
)
def test_a_case_that_lacks_an_axis_is_no_record(case: str, axis: str, tmp_path: Path) -> None:
    """It could stand in no table: the file is named and skipped."""
    content = made_records.record()
    del made_records.named(content["benchmarks"], case)["extra_info"][axis]
    (path,) = made_records.write(tmp_path, content)

    with pytest.raises(schema.Unreadable) as error:
        reading.read(path)

    kind = "members" if case == MEMBERS else "epoch_time"
    assert str(error.value) == f"damaged: no {axis} in benchmarks/bench_{kind}.py::bench_{kind}[{case}]"


def test_a_case_of_another_kind_needs_no_axis(tmp_path: Path) -> None:
    """Whatever it measured, engine and device are enough."""
    content = made_records.record([made_records.benchmark("x", "y", 1.0, engine="fit", device="cpu")])
    (path,) = made_records.write(tmp_path, content)
    (one,) = reading.read(path).measurements

    case = one.case
    assert (case.kind, case.engine, case.device, case.samples, case.learning_rate) == ("x", "fit", "cpu", None, None)


@pytest.mark.parametrize(
    ("settled", "seeds"), [(None, 40), (None, 0), (41, 40), (3, None), (0, None), (0, 0), (1, 0), (-1, 40)]
)
def test_impossible_counts_are_no_record(settled: int | None, seeds: int | None, tmp_path: Path) -> None:
    """They would end the whole report."""
    content = made_records.record()
    content["benchmarks"][3]["extra_info"] |= {"settled_seeds": settled, "seeds": seeds}
    (path,) = made_records.write(tmp_path, content)
    with pytest.raises(schema.Unreadable) as error:
        reading.read(path)

    assert str(error.value) == f"damaged: {settled} of {seeds} seeds in {content['benchmarks'][3]['fullname']}"


@pytest.mark.parametrize(("settled", "seeds"), [(None, None), (0, 1), (0, 40), (40, 40), (1, 1)])
def test_possible_counts_are_read(settled: int | None, seeds: int | None, tmp_path: Path) -> None:
    """None or all of the seeds may pass, and a case may count none."""
    content = made_records.record()
    content["benchmarks"][3]["extra_info"] |= {"settled_seeds": settled, "seeds": seeds}
    (path,) = made_records.write(tmp_path, content)
    one = reading.read(path).measurements[3]

    assert (one.answer.settled_seeds, one.answer.seeds) == (settled, seeds)


@pytest.mark.parametrize(("grid", "epochs"), [({"epochs": 30}, 30), ({"epochs": None}, None), ({}, None), (None, None)])
def test_epochs_that_were_asked_for_make_other_cases_of_epoch_times_alone(
    grid: dict[str, int | None] | None, epochs: int | None, tmp_path: Path
) -> None:
    """What the grid says of them holds for epoch times, and for no other kind."""
    content = made_records.record()
    content["parabola"]["grid"] = grid
    (path,) = made_records.write(tmp_path, content)
    found = {(one.case.kind, one.case.epochs) for one in reading.read(path).measurements}

    assert found == {("epoch time", epochs), ("members", None), ("time to accuracy", None)}


def test_version_1_is_read(tmp_path: Path) -> None:
    """It did not say whether its session came to an end: it counts as whole."""
    (path,) = made_records.write(tmp_path, {**GOOD, "parabola": {"version": 1, "grid": {}, "left_out": []}})
    record = reading.read(path)

    assert not record.cut_short
    assert record.planned == record.over == 15
    assert record.failed == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T00:30:00+13:00", "2026-02-28T11:30:00+00:00"),
        ("2026-02-28T23:30:00-03:30", "2026-03-01T03:00:00+00:00"),
        ("2026-02-28T23:30:00Z", "2026-02-28T23:30:00+00:00"),
        ("2026-02-28T23:30:00.250000", "2026-02-28T23:30:00.250000+00:00"),
    ],
)
def test_moments_are_told_in_utc(text: str, moment: str, tmp_path: Path) -> None:
    """A commit's date and the end of a session are put into UTC, in which they are when they name no time zone."""
    content = made_records.record(datetime=text)
    content["commit_info"] |= {"time": text, "author_time": "1999-12-31T00:00:00+00:00"}
    (path,) = made_records.write(tmp_path, content)
    record = reading.read(path)

    assert record.committed is not None
    assert record.committed.isoformat() == record.measured.isoformat() == moment
