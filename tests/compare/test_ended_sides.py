"""Sides that are ended before they have come to their end: what their sessions have set up is torn down, and goes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import git

ROOT = Path(__file__).parents[2]
SUITE = """
import os, subprocess, sys, time
import pytest
SLEEPS = [sys.executable, "-c", "import time; time.sleep(600)"]
FORKS = f"import subprocess; subprocess.Popen({SLEEPS!r}, start_new_session=True)"
def note(word):
    with open(os.path.join(os.environ["NOTES"], os.environ["PARABOLA_SIDE"]), "a") as file:
        file.write(word + "\\n")
@pytest.fixture(scope="session")
def service():
    subprocess.Popen(SLEEPS, start_new_session=True)  # as a server that nobody ends
    subprocess.run([sys.executable, "-c", FORKS], check=True)  # as a daemon that has left its parent
    note("up")
    yield
    time.sleep(0.2)
    note("down")
def test_long(benchmark, service):
    note("begins")
    benchmark.pedantic(time.sleep, (ROUND,), rounds=10_000)
"""


def running(folder: Path) -> list[str]:
    """Return the command lines of the processes whose temporary folder lies in a folder, without its own comparison."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            line = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if any(one.startswith(os.fsencode(f"TMPDIR={folder}/")) for one in variables):
            found.append(line)
    return found


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
@pytest.mark.skipif(not Path("/proc").exists(), reason="a system that tells the environment of a process")
@pytest.mark.parametrize("ends", ["budget", "SIGTERM"])
def test_what_a_session_has_set_up_is_torn_down(ends: str, project: Callable[..., Path], tmp_path: Path) -> None:
    """A side is asked to end, and its fixtures do their part; what it started in sessions of its own goes, too."""
    notes, temporary = tmp_path / "notes", tmp_path / "temporary"
    notes.mkdir()
    temporary.mkdir()
    folder = project(test_it=SUITE.replace("ROUND", "0.05"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "NOTES": str(notes)}
    command = [sys.executable, "-m", "parabola", "compare", "main", "main", "--at-once", "1"]
    process = subprocess.Popen(
        [*command, "--budget", "6s" if ends == "budget" else "1h"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while "".join(path.read_text() for path in notes.iterdir()).count("begins") < 2 and time.monotonic() < until:
        time.sleep(0.05)
    there = running(temporary)
    if ends != "budget":
        process.send_signal(signal.Signals[ends])
    said, complaint = process.communicate(timeout=60)

    assert len([line for line in there if "sleep(600)" in line]) >= 2
    assert process.returncode == (0 if ends == "budget" else 128 + signal.Signals[ends]), said + complaint
    assert complaint == ""
    begun = [path.read_text().split() for path in notes.iterdir()]
    assert begun
    assert all(words[-1] == "down" for words in begun)
    assert running(temporary) == []
    assert list(temporary.iterdir()) == []
    assert len(git(folder, "worktree", "list").splitlines()) == 1
