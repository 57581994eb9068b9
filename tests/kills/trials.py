"""One trial: a command is begun, ended by a signal at some moment, and looked at; after SIGKILL, once it ran again."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from parabola.compare.sides.leftovers import PREFIX
from tests.conftest import FEW_PLUGINS, users_environment
from tests.kills.commands import COMMANDS, FOLDERS

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)
MOST_SECONDS = 600.0  # that a command may take on a busy machine


@dataclass(frozen=True)
class Trial:
    """What became of a command.

    Attributes:
        name, sent: the command's name and the signal that it was sent.
        moment: the share of its usual time after which that was.
        seconds: from the signal to its end.
        ended: whether the signal ended it; otherwise it was over before, or nearly.
        fault: what should not be; empty if all is well.
    """

    name: str
    sent: signal.Signals
    moment: float
    seconds: float
    ended: bool
    fault: str


@contextmanager
def place(name: str) -> Iterator[tuple[Path, Path]]:
    """Yield a new folder in which a command can run, and one for what is temporary."""
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as made:
        folder, temporary = Path(made).resolve() / "folder", Path(made).resolve() / "temporary"
        folder.mkdir()
        temporary.mkdir()
        COMMANDS[name].prepare(folder)
        try:
            yield folder, temporary
        finally:
            for number in processes(temporary):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)


def begin(name: str, folder: Path, temporary: Path) -> "subprocess.Popen[str]":
    """Start a command, with pipes to read what it says."""
    environment = {**users_environment(), **FEW_PLUGINS, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-m", "parabola", *COMMANDS[name].typed.split()],
        cwd=folder / FOLDERS.get(name, ""), env=environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_heed,
    )  # fmt: skip


def _heed() -> None:
    """Ignore no signal, though a shell or nohup has this process ignore some: what is ignored stays so."""
    for number in SIGNALS[:3]:
        signal.signal(number, signal.SIG_DFL)


def usual_seconds(name: str) -> float:
    """Return how long a command takes that nobody ends, and hold that all is well after it."""
    with place(name) as (folder, temporary):
        started = time.monotonic()
        process = begin(name, folder, temporary)
        _, said = process.communicate(timeout=MOST_SECONDS)
        assert process.returncode in COMMANDS[name].codes, said
        assert not left(name, folder, temporary)
        return time.monotonic() - started


def trial(name: str, sent: signal.Signals, moment: float, usual: float) -> Trial:
    """Begin a command, send it a signal at a moment, and look at what it leaves.

    Args:
        name: the command's.
        sent: the signal.
        moment: when it is sent, as a share of the usual time.
        usual: how many seconds the command usually takes.
    """
    with place(name) as (folder, temporary):
        process = begin(name, folder, temporary)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment * usual)
        early = not _has_begun(process.pid)
        process.send_signal(sent)
        asked = time.monotonic()
        _, said = process.communicate(timeout=MOST_SECONDS)
        seconds = time.monotonic() - asked
        code, fault = process.returncode, ""
        ended = code in (-sent, 128 + sent)
        if not ended and code not in COMMANDS[name].codes and not (early and "KeyboardInterrupt" in said):
            fault = f"exit code {code}"
        if "Traceback" in said and not early:
            fault = f"a traceback: {said.strip().splitlines()[-1]}"
        if sent == signal.SIGKILL:
            fault = fault or _lost(name, folder)
            again = begin(name, folder, temporary)
            _, said = again.communicate(timeout=MOST_SECONDS)
            if again.returncode not in COMMANDS[name].codes:
                fault = fault or f"the next run has exit code {again.returncode}: {said.strip()[-200:]}"
        return Trial(name, sent, moment, seconds, ended, fault or left(name, folder, temporary))


def _has_begun(number: int) -> bool:
    """Return whether a process has come so far that this package is responsible: Typer has been loaded."""
    with suppress(OSError):
        return "pydantic" in (text := Path(f"/proc/{number}/maps").read_text()) or "_json" in text or "_ssl" in text
    return True


def _lost(name: str, folder: Path) -> str:
    """Return what is not whole in a folder; empty if all is, where nothing has cleared up."""
    if name == "compare":  # its worktrees are there still
        return ""
    try:
        COMMANDS[name].holds(folder)
    except (AssertionError, ValueError, OSError, subprocess.CalledProcessError) as error:
        return f"lost: {error}"
    return ""


def left(name: str, folder: Path, temporary: Path) -> str:
    """Return what a command has lost or left; empty if nothing."""
    try:
        COMMANDS[name].holds(folder)
    except (AssertionError, ValueError, OSError, subprocess.CalledProcessError) as error:
        return f"lost: {error}"
    drafts = [path.name for path in folder.rglob(".parabola-*")]
    folders = [path.name for path in temporary.glob(f"{PREFIX}*")] + [path.name for path in temporary.glob("*error*")]
    running = processes(temporary)
    return f"left: {drafts}, {folders}, processes {running}" if drafts or folders or running else ""


def processes(temporary: Path) -> list[int]:
    """Return the numbers of the processes whose temporary folder is, or lies in, another."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            variables = path.read_bytes().split(b"\0")
            if any((one + b"/").startswith(os.fsencode(f"TMPDIR={temporary}/")) for one in variables):
                found.append(int(path.parent.name))
    return found
