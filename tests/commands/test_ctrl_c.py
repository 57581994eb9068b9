"""A signal ends any run at once: in a pipe and on a terminal, amid a compiled program, while importing."""

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parabola.machine import host
from tests import made_records
from tests.commands.test_door import ROOT, environment
from tests.conftest import git

SECONDS = 2.0  # of the CPU, as others may use it, too: what the processes may take from the signal to their end
IMPORTING_SECONDS = 5.0

COMMANDS = {
    "native": "parabola train --engine native --epochs 2000000 --batch-size 999",
    "one long epoch": "parabola train --engine native --epochs 1 --samples 20000000",
    "compiled": "parabola train --engine compiled --epochs 2000000 --batch-size 999",
    "map": "parabola map --seeds 2000 --learning-rates 0.1,0.01 --batch-sizes 1 --json map.json",
}


def cpu_seconds(number: int) -> float:
    """Return how long a process has worked, from the system's own count."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended(typed: str, sent: signal.Signals, after: float, on_terminal: bool, folder: Path) -> tuple[int, float, bytes]:
    """Return the code, the CPU's seconds from a signal to the end, and the output of a command.

    Args:
        typed: a module's name and its options.
        sent: the signal.
        after: how many of the CPU's seconds the command works until the signal is sent.
        on_terminal: whether its output is a terminal's, or else a pipe's.
        folder: where it runs.
    """
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, "-m", *typed.split()],
        cwd=folder, env={**environment(), "TERM": "xterm"}, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    until = time.monotonic() + 120
    while cpu_seconds(process.pid) < after and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert process.poll() is None, os.read(ours, 1 << 16)
    worked = cpu_seconds(process.pid)
    process.send_signal(sent)
    try:
        process.wait(60)
    finally:
        process.kill()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = os.read(ours, 1 << 16)
    os.close(ours)
    return process.returncode, now.ru_utime + now.ru_stime - before.ru_utime - before.ru_stime - worked, said


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="the CPU's seconds as Linux tells them")
@pytest.mark.parametrize(
    ("name", "sent", "after", "on_terminal"),
    [
        ("native", signal.SIGINT, 3.0, False),
        ("native", signal.SIGINT, 3.0, True),
        ("one long epoch", signal.SIGTERM, 5.0, False),
        ("map", signal.SIGHUP, 8.0, True),
    ],
)
def test_a_run_ends_at_once(name: str, sent: signal.Signals, after: float, on_terminal: bool, tmp_path: Path) -> None:
    """With the code of the signal, without a traceback, and with nothing left beside what is there in any case."""
    code, seconds, said = ended(COMMANDS[name], sent, after, on_terminal, tmp_path)

    assert code == 128 + sent, said
    assert seconds < SECONDS * host.usable_cores()
    assert b"Traceback" not in said
    assert os.listdir(tmp_path) == []


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="the CPU's seconds as Linux tells them")
def test_a_round_that_takes_long_ends_at_once(tmp_path: Path) -> None:
    """It is one call, which nothing within the process can cut short, or pytest ends; no record is left as whole."""
    cases = f"{ROOT}/benchmarks/bench_epoch_time.py --engine native --batch-size 1 --epochs 1000000"
    typed = f"pytest -q -p no:cacheprovider --benchmark-only {cases} --rounds 1 --all --benchmark-json record.json"
    code, seconds, said = ended(typed, signal.SIGINT, 5.0, False, tmp_path)

    assert code in (pytest.ExitCode.INTERRUPTED, 130), said
    assert seconds < SECONDS * host.usable_cores()
    assert b"Traceback" not in said
    assert not (tmp_path / "record.json").exists()


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="the CPU's seconds as Linux tells them")
@pytest.mark.parametrize("after", [0.5, 4.0])
def test_importing_and_compiling_end_soon(after: float, tmp_path: Path) -> None:
    """Wherever the command is on its way to its run."""
    code, seconds, said = ended(COMMANDS["compiled"], signal.SIGINT, after, False, tmp_path)

    assert code == 130, said
    assert seconds < IMPORTING_SECONDS * host.usable_cores()
    assert b"Traceback" not in said


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="the CPU's seconds as Linux tells them")
@pytest.mark.parametrize(
    ("typed", "after"), [("train --engine fit", 0.3), ("map", 0.3), ("report .", 0.1), ("compare --self-test", 0.1)]
)
def test_a_command_ends_amid_its_imports(typed: str, after: float, tmp_path: Path) -> None:
    """Quietly, where Python itself may not have begun to listen; a map may say by then what it keeps."""
    code, seconds, said = ended(f"parabola {typed}", signal.SIGINT, after, False, tmp_path)

    assert code in (130, -signal.SIGINT), said
    assert said in (b"", b"learning_map.json keeps 0 of 200 cells; the same command goes on from there\n")
    assert seconds < IMPORTING_SECONDS * host.usable_cores()


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found as on Linux alone")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_what_git_talks_through_ends_with_keep(sent: signal.Signals, tmp_path: Path) -> None:
    """Though the signal is sent to the command alone, and an ssh that hangs does not notice that git is gone."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "first")
    (tmp_path / "record.json").write_text(json.dumps(made_records.record()))
    pid = tmp_path / "pid"
    ssh = {"GIT_SSH_COMMAND": f"echo $$ > {pid}; exec sleep 300 #", "GIT_SSH_VARIANT": "simple"}
    process = subprocess.Popen(
        [sys.executable, "-m", "parabola", "keep", "record.json", "--remote", "ssh://nobody@host.invalid/x"],
        cwd=tmp_path, env={**environment(), **ssh}, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not (pid.exists() and pid.read_text().strip()) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(sent)
    try:
        _, complaint = process.communicate(timeout=60)
        ended = subprocess.run(["ps", "-p", pid.read_text().strip(), "-o", "stat="], capture_output=True, text=True)
    finally:
        process.kill()
        subprocess.run(["pkill", "-s", str(process.pid)], check=False)

    assert process.returncode == 128 + sent, complaint
    assert b"Traceback" not in complaint
    assert ended.stdout.strip() in ("", "Z"), "what git has started still runs"


CALLS = """
import hashlib, sys, time
from parabola.machine import ending
ending.end_as_by_ctrl_c()
print("calls", flush=True)
{}
hashlib.pbkdf2_hmac("sha256", b"", b"", 1 << 30)
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_call_that_does_not_return_is_ended(sent: signal.Signals) -> None:
    """Python's handler would wait for it: some minutes here."""
    command = [sys.executable, "-c", CALLS.format("")]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(sent)
    try:
        _, complaint = process.communicate(timeout=30)
    finally:
        process.kill()

    assert (process.returncode, complaint) == (128 + sent, b"")


@pytest.mark.end_to_end
def test_what_clears_up_has_its_time() -> None:
    """A block that no signal may interrupt is not cut short, however long it takes."""
    steps = "print('clears', flush=True)", "time.sleep(2.5)", "print('cleared', flush=True)"
    clearing = f"with ending.uninterrupted(): {'; '.join(steps)}"
    process = subprocess.Popen(
        [sys.executable, "-c", CALLS.format(clearing)], env=environment(), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert [process.stdout.readline(), process.stdout.readline()] == [b"calls\n", b"clears\n"]
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)

    assert (process.returncode, said) == (143, b"cleared\n")
