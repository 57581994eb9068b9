"""A command that is run in a checkout before the first launch: it can be interrupted, and what it wrote is kept."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.side import LAST_LINES
from parabola.machine import ending

POLL_SECONDS = 0.1
Tell = Callable[[str], None]  # is told several times a second what is going on


@dataclass(frozen=True)
class Runner:
    """What runs commands for a side.

    Attributes:
        side: "base" or "head".
        folder: the folder that commands run in.
        log: the file that all their output is added to.
        scratch: the comparison's own folder, in which they have their temporary files; by these, what they have
            started is found when the comparison ends.
        tell: what is told several times a second what is going on, and for how long.
    """

    side: str
    folder: Path
    log: Path
    scratch: Path
    tell: Tell

    def run(self, name: str, command: str | Sequence[str], variables: Mapping[str, str]) -> list[str]:
        """Run a command to its end, with all that it starts.

        Args:
            name: what messages call it.
            command: for a shell if it is a text, else a program with its arguments.
            variables: the environment variables that it gets.

        Returns:
            The lines that it wrote.

        Raises:
            SideFailed: if it fails; the message has its last line, and the failure the last of its lines.
            KeyboardInterrupt: if this program is asked to end; the command, and what it has started, is killed.
        """
        temporary = self.scratch / "environments" / f"{self.side}_tmp"
        for folder in (self.log.parent, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as output:
            before = output.tell()
            process = subprocess.Popen(
                command,
                shell=isinstance(command, str),
                cwd=self.folder,
                env={**variables, "PARABOLA_SIDE": self.side, "TMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = self._wait(process, name)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        lines = self.log.read_bytes()[before:].decode(errors="replace").splitlines()
        if code:
            last = next((line.strip() for line in reversed(lines) if line.strip()), "no word")
            why = f"{self.side}: {name} ended with exit code {code}: {last}"
            raise SideFailed(why, output=lines[-LAST_LINES:])
        return lines

    def _wait(self, process: "subprocess.Popen[bytes]", name: str) -> int:
        began = time.monotonic()
        while True:
            self.tell(f"{self.side}: {name}, {time.monotonic() - began:.0f} s")
            with suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=POLL_SECONDS)
            ending.end_if_asked()
