"""The record of a session, as it is run: safe on disk from its first case on, whole at its end, and read by others."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parabola.records import reading
from tests.conftest import users_environment
from tests.suite.test_suite import QUICK, ROOT, run_pytest

NATIVE = ["--benchmark-only", "--engine", "native", "--epochs", "99", "--rounds", "3", "-k", "epoch_time"]
# Two cases; the second takes some twenty times as long as the first.
TWO = ["--batch-size", "999", "--batch-size", "1", "--learning-rate", "0.001"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record that the suite left: three cases of the native engine."""
    path = tmp_path_factory.mktemp("real") / "record.json"
    answer = run_pytest(*NATIVE, "--batch-size=1", "--batch-size=111", f"--benchmark-json={path}")
    assert answer.returncode == 0, answer.stdout
    return path


@pytest.mark.end_to_end
def test_a_real_record_is_read(real: Path) -> None:
    """Every case has its axes, its time with quartiles, and its answer; the session came to its end."""
    content, record = json.loads(real.read_text()), reading.read(real)

    assert not record.cut_short
    assert record.planned == record.over == len(record.measurements) == 3
    assert dict(record.fingerprint)["tensorflow"] == content["machine_info"]["tensorflow"]
    assert record.commit == content["commit_info"]["id"] or not (ROOT / ".git").exists()
    for one, benchmark in zip(record.measurements, content["benchmarks"], strict=True):
        info, stats = benchmark["extra_info"], benchmark["stats"]
        case, times = one.case, one.times
        assert (case.kind, one.unit, case.engine, case.device) == ("epoch time", "seconds per epoch", "native", "cpu")
        assert (times.median, times.low_quartile, times.high_quartile) == (stats["median"], stats["q1"], stats["q3"])
        assert (case.batch_size, case.learning_rate) == (info["batch_size"], info["learning_rate"])
        assert (one.answer.verdict == "pass") == info["passed"]
        assert case.parameters == case.id


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
@pytest.mark.parametrize("options", [["--codspeed"], ["--codspeed", *QUICK], []])
def test_codspeed_is_refused_in_a_line(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for by its option, beside ours, or by its variable: nothing is run, and the way to time is named."""
    monkeypatch.setenv("CODSPEED_ENV", "1") if not options else monkeypatch.delenv("CODSPEED_ENV", raising=False)
    answer = run_pytest(*options)
    says = "--codspeed would keep the times of runs that are found to be wrong: use --benchmark-only"

    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert answer.stderr.splitlines() == [f"ERROR: {says}", ""]
    assert answer.stdout == ""


def wait_for_a_case(folder: Path) -> Path:
    """Return the record that grows in a folder, once it is there."""
    for _ in range(1200):
        if found := list(folder.glob("record.unfinished-*.json")):
            assert json.loads(found[0].read_text())["benchmarks"]
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no record grew in {folder}")


def begin(*options: str, rounds: int = 10) -> subprocess.Popen[str]:
    """Start a session of two cases that takes some seconds after its first, and longer with more rounds."""
    slow = ["--benchmark-only", "--engine", "native", "--epochs", "4000", f"--rounds={rounds}", "-k", "epoch_time"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *slow, *TWO, *options]
    environment = users_environment()
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.mark.end_to_end
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_session_cut_short_keeps_every_finished_case(sent: signal.Signals, tmp_path: Path) -> None:
    """Killed, or ended by Ctrl-C: what was over is a valid record, and says that the session did not end."""
    path = tmp_path / "record.json"
    session = begin(f"--benchmark-json={path}", rounds=200)  # of which the second case has half a minute
    growing = wait_for_a_case(tmp_path)
    session.send_signal(sent)
    session.communicate(timeout=60)
    left = [file.name for file in tmp_path.glob("*.json")]
    record = reading.read(tmp_path / left[0])

    assert left == [growing.name if sent == signal.SIGKILL else path.name]
    assert record.cut_short
    assert [one.case.batch_size for one in record.measurements] == [999]
    assert (record.over, record.planned) == (1, 2)
    said = subprocess.run(
        [sys.executable, "-m", "parabola", "report", str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert said.returncode == 0, said.stderr
    assert "was cut short: 1 of 2 tests were over" in said.stdout


@pytest.mark.end_to_end
def test_two_sessions_at_once_lose_nothing(tmp_path: Path) -> None:
    """Both write where they were told; the later one beside the earlier, which it leaves alone, and says so."""
    path, store = tmp_path / "record.json", tmp_path / "store"
    options = [f"--benchmark-json={path}", f"--benchmark-storage={store}", "--benchmark-save=same", "--epochs=99"]
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
    assert all(len(reading.read(file).measurements) == 2 for file in written)
    assert sum("was written by another session meanwhile, and is left as it is" in text for text in said) == 1


@pytest.mark.end_to_end
def test_a_record_again_replaces_it_whole(real: Path, tmp_path: Path) -> None:
    """As pytest-benchmark does, whatever its suffix; but a session that is killed first leaves the old one."""
    path = tmp_path / "record"
    path.write_bytes(real.read_bytes())
    session = begin(f"--benchmark-json={path}")
    wait_for_a_case(tmp_path)
    session.kill()
    session.communicate(timeout=60)
    assert path.read_bytes() == real.read_bytes()

    answer = run_pytest(*QUICK, "--rounds", "3", "--epochs", "9", f"--benchmark-json={path}")
    assert answer.returncode == 0, answer.stdout
    assert len(reading.read(path).measurements) == 1


@pytest.mark.end_to_end
def test_a_file_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    """No session is lost since its folder is not there."""
    answer = run_pytest(*QUICK, f"--benchmark-json={tmp_path}/nowhere/record.json")

    assert answer.returncode == 4
    assert f"--benchmark-json: cannot write {tmp_path}/nowhere/record.json" in answer.stderr
    assert "passed" not in answer.stdout


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["RECORD.JSON", "/dev/null"])
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
        assert len(reading.read(tmp_path / name).measurements) == 1
        assert (tmp_path / "RECORD.JSON").is_symlink()


@pytest.mark.end_to_end
def test_failed_cases_are_named(tmp_path: Path) -> None:
    """A benchmark whose answer is wrong has no time, and the record says that it failed."""
    path = tmp_path / "record.json"
    answer = run_pytest(*NATIVE, *TWO, f"--benchmark-json={path}", "--epochs=400", plant="wrong", folder=tmp_path)
    record = reading.read(path)

    assert answer.returncode == 1
    assert len(record.failed) == 1
    assert record.failed[0] not in [one.case.name for one in record.measurements]
    assert len(record.measurements) == 1
    assert not record.cut_short


@pytest.mark.end_to_end
def test_a_place_that_does_not_last_or_is_none(tmp_path: Path) -> None:
    """A store that cannot be is said before anything runs; a folder that goes away costs the growing record alone."""
    (tmp_path / "file").write_text("")
    refused = run_pytest(*QUICK, f"--benchmark-storage={tmp_path}/file/store", "--benchmark-save=x")
    (tmp_path / "here").mkdir()
    session = begin(f"--benchmark-json={tmp_path}/here/record.json", "--epochs=1000")
    wait_for_a_case(tmp_path / "here")
    shutil.rmtree(tmp_path / "here")
    time.sleep(0.5)
    (tmp_path / "here").mkdir()
    said, _ = session.communicate(timeout=120)

    assert refused.returncode == 4
    assert "--benchmark-storage: cannot write" in refused.stderr
    assert session.returncode == 0, said
    assert len(reading.read(tmp_path / "here/record.json").measurements) == 2
