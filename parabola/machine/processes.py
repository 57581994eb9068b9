"""Processes found by their temporary folder, whatever has become of those that started them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MARK = "PARABOLA_STARTED"  # names what a block has started, in the environment

# A process that was killed takes a moment to be gone, and may just have started another.
ATTEMPTS, POLL_SECONDS = 40, 0.05


def kill_those_in(folder: Path) -> None:
    """Kill every process whose TMPDIR lies in a folder, as that of all that a side of a comparison has started.

    A process that has left its parent, its process group and its session still has its environment. Only a system
    with /proc, as Linux, tells the environment of a process; on others nothing is done.

    Args:
        folder: an absolute path, that of no folder which others use.
    """
    _kill_those_with(f"TMPDIR={folder}/")


@contextmanager
def none_left() -> Iterator[None]:
    """Kill what a block has started where a signal interrupts it, with all that this has started.

    git ends by itself where it is asked to, and leaves the ssh behind that it talks through. Nothing is killed where
    the block ends otherwise, as ssh may have left a connection open for the next one.
    """
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    os.environ[MARK] = mark
    try:
        yield
    except KeyboardInterrupt:
        _kill_those_with(f"{MARK}={mark}/")
        raise
    finally:
        del os.environ[MARK]


def _kill_those_with(variable: str) -> None:
    """Kill every process of whose environment a variable begins so, where a slash stands at its end."""
    for _ in range(ATTEMPTS):
        found = list(_those_with(os.fsencode(variable)))
        if not found:
            return
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _those_with(beginning: bytes) -> Iterator[int]:
    """Yield the numbers of such processes; one that has ended tells no environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            variables = path.read_bytes().split(b"\0")
            if any((variable + b"/").startswith(beginning) for variable in variables):
                yield int(path.parent.name)
