"""Records: safe on disk, read by others, and never misread."""

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from parabola.tracking import records
from tests import made_records
from tests.conftest import users_environment
from tests.test_suite import QUICK, ROOT, run_pytest

NATIVE = ["--benchmark-only", "--engine", "native", "--epochs", "99", "--rounds", "3", "-k", "epoch_time"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record that the suite left: six cases of the native engine."""
    path = tmp_path_factory.mktemp("real") / "record.json"
    answer = run_pytest(*NATIVE, f"--benchmark-json={path}")
    assert answer.returncode == 0, answer.stdout
    return path


@pytest.mark.end_to_end
def test_a_real_record_is_read(real: Path) -> None:
    """Every case has its axes, its time with quartiles, and its answer; the session came to its end."""
    content, record = json.loads(real.read_text()), records.read(real)

    assert not record.cut_short
    assert record.planned == record.over == len(record.measurements) == 6
    assert dict(record.fingerprint)["tensorflow"] == content["machine_info"]["tensorflow"]
    assert record.commit == content["commit_info"]["id"] or not (ROOT / ".git").exists()
    for one, benchmark in zip(record.measurements, content["benchmarks"], strict=True):
        info, stats = benchmark["extra_info"], benchmark["stats"]
        assert (one.kind, one.unit, one.engine, one.device) == ("epoch time", "seconds per epoch", "native", "cpu")
        assert (one.median, one.low_quartile, one.high_quartile) == (stats["median"], stats["q1"], stats["q3"])
        assert (one.batch_size, one.learning_rate) == (info["batch_size"], info["learning_rate"])
        assert (one.verdict == "pass") == info["passed"]


@pytest.mark.end_to_end
def test_pytest_benchmark_compares_it(real: Path, tmp_path: Path) -> None:
    """Its own command reads the record and prints the times."""
    files = [str(real), shutil.copy(real, tmp_path / "again.json")]
    command = [str(Path(sys.executable).with_name("pytest-benchmark")), "compare", *files]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("native-cpu-batch_111-learning_rate_0.001") == 2


@pytest.mark.end_to_end
def test_github_action_benchmark_reads_it(real: Path) -> None:
    """With `tool: pytest` it shows the name, iterations a second with their deviation, the mean and the rounds."""
    for benchmark in json.loads(real.read_text())["benchmarks"]:
        stats = benchmark["stats"]
        shown = {
            "name": benchmark["fullname"],
            "value": stats["ops"],
            "unit": "iter/sec",
            "range": f"stddev: {stats['stddev']}",
            "extra": f"mean: {stats['mean']} sec\nrounds: {stats['rounds']}",
        }

        assert shown["name"].startswith("benchmarks/bench_epoch_time.py::bench_epoch_time[")
        assert shown["value"] == pytest.approx(1 / stats["mean"])
        assert re.fullmatch(r"stddev: \d\S*", shown["range"])
        assert re.fullmatch(r"mean: \d\S* sec\nrounds: 3", shown["extra"])


@pytest.mark.end_to_end
def test_bencher_reads_it(real: Path) -> None:
    """Its adapter python_pytest wants these keys, and numbers in them."""
    content = json.loads(real.read_text())

    assert isinstance(content["machine_info"], dict)
    assert isinstance(content["commit_info"], dict)
    assert isinstance(content["datetime"], str)
    assert isinstance(content["version"], str)
    for benchmark in content["benchmarks"]:
        assert isinstance(benchmark["fullname"], str)
        numbers = [benchmark["stats"][name] for name in ("mean", "stddev", "median", "iqr")]
        assert all(isinstance(number, float) and number >= 0 for number in numbers)


@pytest.mark.end_to_end
def test_codspeed_runs_the_suite(tmp_path: Path) -> None:
    """With pytest-codspeed in pytest-benchmark's place every case is timed, checked and in its results."""
    suite = "benchmarks/bench_epoch_time.py"
    answer = run_pytest(suite, "--codspeed", *QUICK[1:], "--rounds", "2", "--epochs", "9", folder=tmp_path)
    refused = run_pytest("--codspeed", *QUICK)

    assert answer.returncode == 0, answer.stdout
    assert "1 benchmarked" in answer.stdout
    assert refused.returncode == 4
    assert "leave --benchmark-only out" in refused.stderr


def wait_for_a_case(folder: Path) -> Path:
    """Return the record that grows in a folder, once it is there."""
    for _ in range(1200):
        if found := list(folder.glob("record.unfinished-*.json")):
            assert json.loads(found[0].read_text())["benchmarks"]
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no record grew in {folder}")


def begin(*options: str) -> subprocess.Popen[str]:
    """Start a session of six cases that takes some seconds after its first."""
    slow = ["--benchmark-only", "--engine", "native", "--epochs", "4000", "--rounds", "10", "-k", "epoch_time"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *slow, *options]
    environment = users_environment()
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.end_to_end
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_session_cut_short_keeps_every_finished_case(sent: signal.Signals, tmp_path: Path) -> None:
    """Killed, or ended by Ctrl-C: what was over is a valid record, and says that the session did not end."""
    path = tmp_path / "record.json"
    session = begin(f"--benchmark-json={path}")
    growing = wait_for_a_case(tmp_path)
    session.send_signal(sent)
    session.communicate(timeout=60)
    left = [file.name for file in tmp_path.glob("*.json")]
    record = records.read(tmp_path / left[0])

    assert left == [growing.name if sent == signal.SIGKILL else path.name]
    assert record.cut_short
    assert 1 <= len(record.measurements) == record.over < record.planned == 6
    said = subprocess.run(
        [sys.executable, "-m", "parabola", "report", str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert said.returncode == 0, said.stderr
    assert f"was cut short: {record.over} of 6 tests were over" in said.stdout


@pytest.mark.end_to_end
def test_two_sessions_at_once_lose_nothing(tmp_path: Path) -> None:
    """Both write where they were told; the later one beside the earlier, which it leaves alone, and says so."""
    path, store = tmp_path / "record.json", tmp_path / "store"
    options = [f"--benchmark-json={path}", f"--benchmark-storage={store}", "--benchmark-save=same"]
    sessions = [begin(*options) for _ in range(2)]
    said = [session.communicate(timeout=120)[0] for session in sessions]
    written = [*tmp_path.glob("*.json"), *store.rglob("*.json")]

    assert [session.returncode for session in sessions] == [0, 0], said
    assert sorted(file.name for file in written) == [
        "0001_same.json",
        "0002_same.json",
        "record-2.json",
        "record.json",
    ]
    assert all(len(records.read(file).measurements) == 6 for file in written)
    assert sum("was written by another session meanwhile, and is left as it is" in text for text in said) == 1


@pytest.mark.end_to_end
def test_a_record_again_replaces_it_whole(real: Path, tmp_path: Path) -> None:
    """As pytest-benchmark does; but a session that is killed first leaves the old one."""
    path = tmp_path / "record.json"
    path.write_bytes(real.read_bytes())
    session = begin(f"--benchmark-json={path}")
    wait_for_a_case(tmp_path)
    session.kill()
    session.communicate(timeout=60)
    assert path.read_bytes() == real.read_bytes()

    answer = run_pytest(*QUICK, "--rounds", "3", "--epochs", "9", f"--benchmark-json={path}")
    assert answer.returncode == 0, answer.stdout
    assert len(records.read(path).measurements) == 1


@pytest.mark.end_to_end
def test_a_file_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    """No session is lost since its folder is not there."""
    answer = run_pytest(*QUICK, f"--benchmark-json={tmp_path}/nowhere/record.json")

    assert answer.returncode == 4
    assert f"--benchmark-json: cannot write {tmp_path}/nowhere/record.json" in answer.stderr
    assert "passed" not in answer.stdout


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["RECORD.JSON", "record", "/dev/null"])
def test_any_name_will_do(name: str, tmp_path: Path) -> None:
    """Whatever its suffix; a device stays one, and nothing is left beside it; a link leads on."""
    (tmp_path / "real").mkdir()
    (tmp_path / "RECORD.JSON").symlink_to(tmp_path / "real/record.json")
    answer = run_pytest(*QUICK, "--rounds", "3", "--epochs", "9", f"--benchmark-json={tmp_path / name}")
    assert answer.returncode == 0, answer.stdout + answer.stderr

    if name == "/dev/null":
        assert Path(name).is_char_device()
        assert not list(Path("/dev").glob("*unfinished*"))
    else:
        assert len(records.read(tmp_path / name).measurements) == 1
        assert (tmp_path / "RECORD.JSON").is_symlink()


@pytest.mark.end_to_end
def test_failed_cases_are_named(tmp_path: Path) -> None:
    """A benchmark whose answer is wrong has no time, and the record says that it failed."""
    path = tmp_path / "record.json"
    answer = run_pytest(*NATIVE, f"--benchmark-json={path}", "--epochs=400", plant="wrong", folder=tmp_path)
    record = records.read(path)

    assert answer.returncode == 1
    assert len(record.failed) == 1
    assert record.failed[0] not in [one.case for one in record.measurements]
    assert len(record.measurements) == 5
    assert not record.cut_short


GOOD = made_records.record()
BAD = {
    "empty": ("", "empty"),
    "cut off": (json.dumps(GOOD)[:500], "not JSON, or cut off"),
    "binary": ("\x00\x01", "not JSON, or cut off"),
    "a list": ("[]", "not a record of pytest-benchmark"),
    "a number": ("7", "not a record of pytest-benchmark"),
    "another tool's": ('{"context": {}, "benchmarks": []}', "not a record of pytest-benchmark"),
    "another suite's": (json.dumps({**GOOD, "parabola": None}), "a record of another suite"),
    "newer": (json.dumps({**GOOD, "parabola": {"version": 99}}), "of version 99; this parabola reads versions 1 to 2"),
    "of no version": (json.dumps({**GOOD, "parabola": {}}), "of version None"),
    "without a case": (json.dumps({**GOOD, "benchmarks": []}), "no case has a time in it"),
    "without facts": (json.dumps({**GOOD, "machine_info": {}}), "damaged: 'cpu_model'"),
    "without a date": (json.dumps({**GOOD, "datetime": "soon"}), "damaged: Invalid isoformat string: 'soon'"),
    "a case without axes": (
        json.dumps({**GOOD, "benchmarks": [{"extra_info": {}}]}),
        "damaged: Object missing",
    ),
    "a case that is none": (
        json.dumps({**GOOD, "benchmarks": [None]}),
        "damaged: Expected `object`, got `null`",
    ),
    "nested": ("[" * 100_000, "not JSON, or cut off"),
}


@pytest.mark.parametrize("text", [text for text, _ in BAD.values()], ids=list(BAD))
def test_what_is_no_record_is_named_and_left_as_it_is(text: str, tmp_path: Path) -> None:
    """The reason is said, and the file is not touched."""
    path = tmp_path / "bad.json"
    path.write_text(text)
    reason = next(reason for content, reason in BAD.values() if content == text)

    with pytest.raises(records.Unreadable, match=re.escape(reason)):
        records.read(path)
    (found,) = records.read_all([("", path)])
    assert isinstance(found, records.Unreadable)
    assert str(found).startswith(f"{path}: ")
    assert path.read_text() == text


@pytest.mark.parametrize("median", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_no_record(median: float, tmp_path: Path) -> None:
    """A picture with a logarithmic axis could not show it, and no ratio could be taken."""
    content = made_records.record()
    content["benchmarks"][0]["stats"]["median"] = median
    (path,) = made_records.write(tmp_path, content)

    with pytest.raises(records.Unreadable, match=r"damaged: a time of|not JSON"):
        records.read(path)


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

    with pytest.raises(records.Unreadable, match=f"damaged: no {axis} in benchmarks/"):
        records.read(path)


@pytest.mark.parametrize(("settled", "seeds"), [(None, 40), (50, 40), (3, None), (0, 0), (-1, 40)])
def test_impossible_counts_are_no_record(settled: int | None, seeds: int | None, tmp_path: Path) -> None:
    """They would end the whole report."""
    content = made_records.record()
    content["benchmarks"][3]["extra_info"] |= {"settled_seeds": settled, "seeds": seeds}
    (path,) = made_records.write(tmp_path, content)

    with pytest.raises(records.Unreadable, match=f"damaged: {settled} of {seeds} seeds in benchmarks/"):
        records.read(path)


@pytest.mark.end_to_end
def test_a_place_that_does_not_last_or_is_none(tmp_path: Path) -> None:
    """A store that cannot be is said before anything runs; a folder that goes away costs the growing record alone."""
    (tmp_path / "file").write_text("")
    refused = run_pytest(*QUICK, f"--benchmark-storage={tmp_path}/file/store", "--benchmark-save=x")
    (tmp_path / "here").mkdir()
    session = begin(f"--benchmark-json={tmp_path}/here/record.json")
    wait_for_a_case(tmp_path / "here")
    shutil.rmtree(tmp_path / "here")
    time.sleep(0.5)
    (tmp_path / "here").mkdir()
    said, _ = session.communicate(timeout=120)

    assert refused.returncode == 4
    assert "--benchmark-storage: cannot write" in refused.stderr
    assert session.returncode == 0, said
    assert len(records.read(tmp_path / "here/record.json").measurements) == 6


def test_version_1_is_read(tmp_path: Path) -> None:
    """It did not say whether its session came to an end: it counts as whole."""
    (path,) = made_records.write(tmp_path, {**GOOD, "parabola": {"version": 1, "grid": {}, "left_out": []}})

    assert not records.read(path).cut_short


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
    record = records.read(path)

    assert record.committed is not None
    assert record.committed.isoformat() == record.measured.isoformat() == moment


def test_files_folders_and_globs(tmp_path: Path) -> None:
    """Each is found once; the name before = is the machine's; what is still being written is not taken."""
    made_records.write(tmp_path, GOOD, GOOD)
    (tmp_path / ".parabola-draft").mkdir()
    (tmp_path / ".parabola-draft/draft.json").write_text("half")
    first, second = tmp_path / "0001_made.json", tmp_path / "0002_made.json"
    (tmp_path / "a=b.json").write_text("{}")

    assert [path for _, path in records.find([str(tmp_path), str(first)])] == [first, second, tmp_path / "a=b.json"]
    assert records.find([f"cpu={tmp_path}/0*.json"]) == [("cpu", first), ("cpu", second)]
    assert records.find([f"{tmp_path}/a=b.json"]) == [("", tmp_path / "a=b.json")]
    (tmp_path / "link.json").symlink_to(first)
    assert [path for _, path in records.find([str(first), f"cpu={tmp_path}/link.json"])] == [tmp_path / "link.json"]
    with pytest.raises(ValueError, match=r"a record belongs to one name. Received: .* as 'a' and as 'b'"):
        records.find([f"a={first}", f"b={first}"])
    with pytest.raises(ValueError, match=r"no record there: .* Received: 'gone\.json'"):
        records.find(["gone.json"])
    with pytest.raises(ValueError, match=r"no record under"):
        records.newest(tmp_path / ".parabola-draft/none")
    assert records.newest(tmp_path)[0][1] == second


def test_many_files_are_read_in_their_order(tmp_path: Path) -> None:
    """A bad one among them stays at its place."""
    paths = made_records.write(tmp_path, *[made_records.record(commit=number) for number in range(9)])
    paths[7].write_text("")
    found = list(records.read_all([("", path) for path in paths]))

    assert isinstance(found[7], records.Unreadable)
    del found[7]
    assert [one.path for one in found if isinstance(one, records.Record)] == [
        str(path) for path in paths if path != paths[7]
    ]


@pytest.mark.parametrize("name", records.FINGERPRINT)
def test_a_difference_in_any_fact_is_said(name: str, tmp_path: Path) -> None:
    """Two records are comparable, or the reason why not is said."""
    same = made_records.write(tmp_path, GOOD, made_records.record(commit=5))
    first, second = map(records.read, same)
    assert records.differences(first, second) == []

    (path,) = made_records.write(tmp_path, made_records.record(machine={name: "other"}))
    said = records.differences(first, records.read(path))
    assert said == [f"{name.replace('_', ' ')}: {made_records.MACHINE[name]}, not other"]


def test_sessions_of_one_commit_are_merged_and_others_are_not(tmp_path: Path) -> None:
    """All cases and counts are in the whole; another commit or machine is named."""
    for name in ("whole", "other", "later"):
        (tmp_path / name).mkdir()
    paths = made_records.write(tmp_path, GOOD, made_records.record(commit=0))
    first, second = map(records.read, paths)
    (whole_path,) = made_records.write(tmp_path / "whole", records.merge(paths))
    whole = records.read(whole_path)
    assert whole.measurements == first.measurements + second.measurements
    assert whole.planned == first.planned + second.planned

    (other,) = made_records.write(tmp_path / "other", made_records.record(machine={"gpu": "other"}))
    with pytest.raises(ValueError, match="not of one machine and commit: gpu: none, not other"):
        records.merge([*paths, other])
    (later,) = made_records.write(tmp_path / "later", made_records.record(commit=5))
    with pytest.raises(ValueError, match="not of one machine and commit: "):
        records.merge([*paths, later])


def test_writing_at_once_creates_every_file(tmp_path: Path) -> None:
    """Threads that want one name get different ones, and no text is lost."""
    from itertools import count

    from parabola.tracking import files

    def names() -> Any:
        return (tmp_path / f"{number}.json" for number in count())

    threads = [threading.Thread(target=lambda n=n: files.create_text(str(n), names())) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(path.read_text()) for path in tmp_path.iterdir()) == list(range(20))
