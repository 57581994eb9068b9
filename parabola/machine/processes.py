"""Processes found by their temporary folder, whatever has become of those that started them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# A process that was killed takes a moment to be gone, and may just have started another.
ATTEMPTS, POLL_SECONDS = 40, 0.05


def kill_those_in(folder: Path) -> None:
    """Kill every process whose TMPDIR lies in a folder, as that of all that a side of a comparison has started.

    A process that has left its parent, its process group and its session still has its environment. Only a system
    with /proc, as Linux, tells the environment of a process; on others nothing is done.

    Args:
        folder: an absolute path, that of no folder which others use.
    """
    for _ in range(ATTEMPTS):
        found = list(_those_in(folder))
        if not found:
            return
        for number in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _those_in(folder: Path) -> Iterator[int]:
    """Yield the numbers of such processes; one that has ended tells no environment."""
    within = os.fsencode(f"TMPDIR={folder}/")
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            variables = path.read_bytes().split(b"\0")
            if any((variable + b"/").startswith(within) for variable in variables):
                yield int(path.parent.name)
