"""Records of other suites, as pytest-benchmark 3.4.1, 4.0.0 and 5.1.0 left them, are read by value."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parabola.records import history, reading, schema
from parabola.records.foreign.case import ForeignCase, Params
from parabola.records.foreign.naming import told_apart
from parabola.records.record import Measurement, Record
from tests import made_records

FOLDER = Path(__file__).parent / "foreign"
VERSIONS = "3.4.1", "4.0.0", "5.1.0"


def content(suite: str, version: str = "5.1.0") -> dict[str, Any]:
    """Return the JSON of a record."""
    made: dict[str, Any] = json.loads((FOLDER / f"{suite}_{version}.json").read_text(encoding="utf-8"))
    return made


def params(measurement: Measurement) -> Params:
    """Return the parameters of a case of another suite."""
    assert isinstance(measurement.case, ForeignCase)
    return measurement.case.params


def written(folder: Path, *contents: dict[str, Any]) -> list[Record]:
    """Return the records that such contents are read as."""
    return [reading.read(path) for path in made_records.write(folder, *contents)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("suite", "cases"), [("codecs", 10), ("trees", 20), ("odd", 6)])
def test_every_case_has_its_times(suite: str, cases: int, version: str) -> None:
    """Median, quartiles and rounds are those of the file, under the full name, and groups are kinds."""
    record = reading.read(FOLDER / f"{suite}_{version}.json")
    told = content(suite, version)["benchmarks"]

    assert len(record.measurements) == record.planned == record.over == len(told) == cases
    for measurement, one in zip(record.measurements, told, strict=True):
        times, stats, case = measurement.times, one["stats"], measurement.case
        assert (case.name, measurement.unit) == (one["fullname"], "seconds")
        assert case.kind == ("time" if one["group"] is None else f"group {one['group']}")
        assert (times.median, times.low_quartile, times.high_quartile) == (stats["median"], stats["q1"], stats["q3"])
        assert times.rounds == stats["rounds"]
        assert (case.engine, case.device, measurement.answer.verdict, measurement.answer.seeds) == ("", "", None, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_commit_date_and_machine_are_pytest_benchmarks(version: str) -> None:
    """Older versions write a date without a time zone, which is UTC; without a repository there is no commit."""
    codecs, odd = (reading.read(FOLDER / f"{suite}_{version}.json") for suite in ("codecs", "odd"))

    assert (len(codecs.commit), codecs.commit[:9]) == (40, "4e7dc2c74")
    assert codecs.committed == datetime(2024, 3, 1, 9, tzinfo=UTC)
    assert (codecs.project, odd.project, codecs.dirty) == ("codecs", "odd", False)
    assert codecs.measured.replace(microsecond=0).isoformat().startswith("2026-11-26T11:22:")
    assert (odd.commit, odd.committed) == ("", None)
    assert {fact: value for fact, value in codecs.fingerprint if value} == {
        "cpu_model": "Intel(R) Xeon(R) Processor",
        "cores": "2",
        "system": "Linux",
        "kernel": "6.8.0-45-generic",
        "python": "3.11.7",
    }


@pytest.mark.parametrize(
    ("machine", "facts"),
    [
        ({"cpu": {"brand": "Old CPU", "count": 4}}, {"cpu_model": "Old CPU", "cores": "4"}),
        ({"cpu": {}, "processor": "x86 Family 6", "machine": "AMD64"}, {"cpu_model": "x86 Family 6"}),
        ({"cpu": None, "processor": "", "machine": "aarch64"}, {"cpu_model": "aarch64"}),
        ({"cpu": "?"}, {"cpu_model": "unknown"}),
        (
            {"python_implementation": "PyPy", "python_version": "3.10.1"},
            {"cpu_model": "unknown", "python": "PyPy 3.10.1"},
        ),
    ],
)
def test_any_machine_info_is_read(machine: dict[str, Any], facts: dict[str, str], tmp_path: Path) -> None:
    """The keys of py-cpuinfo differ from release to release, and what it does not know stays unknown."""
    (record,) = written(tmp_path, {**content("codecs"), "machine_info": machine})

    assert {fact: value for fact, value in record.fingerprint if value} == facts


def test_only_plain_parameters_are_kept() -> None:
    """Words and numbers are; an object's address, long text and what JSON has no word for are not."""
    trees, codecs = (reading.read(FOLDER / f"{suite}_5.1.0.json") for suite in ("trees", "codecs"))
    kept = {measurement.case.name.partition("::")[2]: params(measurement) for measurement in trees.measurements[:8]}

    assert kept == {
        "TestSorted::test_build[None]": (),
        "TestSorted::test_build[abs]": (),
        "TestSorted::test_build[key2]": (),
        "TestSorted::test_build[0.30000000000000004]": (("key", 0.30000000000000004),),
        "TestSorted::test_build[True]": (("key", True),),
        "TestSorted::test_build[key5]": (),
        f"TestSorted::test_build[{'x' * 90}]": (),
        "TestSorted::test_build[bytes]": (),
    }
    assert params(codecs.measurements[1]) == (("items", 10), ("codec", "pickle"))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_pythons_numbers_that_json_lacks_are_read(value: str, tmp_path: Path) -> None:
    """pytest-benchmark writes them for a parameter; no time is lost for that."""
    path = tmp_path / "a.json"
    text = (FOLDER / "odd_4.0.0.json").read_text(encoding="utf-8")
    path.write_text(text.replace('"params":{"size":1}', f'"params":{{"size":{value}}}'), encoding="utf-8")
    before, after = reading.read(FOLDER / "odd_4.0.0.json"), reading.read(path)

    assert params(after.measurements[0]) != params(before.measurements[0])
    assert [one.times for one in after.measurements] == [one.times for one in before.measurements]


def test_a_time_that_is_not_positive_leaves_out_its_case_alone(tmp_path: Path) -> None:
    """A coarse clock may read 0; the other cases keep their times, and a record without any is none."""
    made = content("codecs")
    made["benchmarks"][3]["stats"]["q1"] = 0.0
    (record,) = written(tmp_path, made)

    assert record.untimed == (made["benchmarks"][3]["fullname"],)
    assert len(record.measurements) == 9
    for one in made["benchmarks"]:
        one["stats"]["median"] = 0.0
    with pytest.raises(schema.Unreadable, match=r"^no case has a time in it$"):
        written(tmp_path, made)


def test_a_suite_that_mentions_parabola_is_foreign_even_so(tmp_path: Path) -> None:
    """What counts is the part of a record that this project adds, not the word."""
    made = content("codecs")
    made["commit_info"]["project"] = "parabola"
    (record,) = written(tmp_path, {**made, "parabola": None})

    assert record.project == "parabola"
    assert all(isinstance(measurement.case, ForeignCase) for measurement in record.measurements)


def test_names_are_as_long_as_it_takes_to_tell_them_apart() -> None:
    """Classes and files have tests of one name; a name that is alone stays short, whichever record it is in."""
    records = told_apart([reading.read(FOLDER / f"{suite}_3.4.1.json") for suite in ("trees", "codecs")])
    labels = [measurement.case.label for record in records for measurement in record.measurements]

    assert len(set(labels)) == len(labels) == 30
    assert labels[4] == "test_more_trees.py::TestSorted::test_build[True]"
    assert labels[16:20] == ["TestReversed::test_build", "TestHashed::test_build", "test_walk", "test_fails"]
    assert labels[20] == "test_encode[10-json]"


def test_each_project_and_machine_has_a_history_of_its_own(tmp_path: Path) -> None:
    """Commits of two repositories are in no order, and three machines are not pooled."""
    contents = []
    for day, cpu in enumerate(("CPU A", "CPU B", "CPU A", "CPU C"), start=1):
        made = content("codecs")
        made["machine_info"]["cpu"]["brand_raw"] = cpu
        made["commit_info"] |= {"id": f"{day:040x}", "time": f"2024-03-0{day}T00:00:00+00:00"}
        contents.append(made)
    found = history.histories(written(tmp_path, *contents, content("trees")))

    told = {(one.records[0].project, dict(one.records[0].fingerprint)["cpu_model"]): len(one.commits) for one in found}
    assert told == {
        ("codecs", "CPU A"): 2,
        ("codecs", "CPU B"): 1,
        ("codecs", "CPU C"): 1,
        ("trees", "Intel(R) Xeon(R) Processor"): 1,
    }
