"""One pytest process, and the line to it."""

import json
import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any


class SideFailed(Exception):
    """A side could not be measured.

    Attributes:
        usage: since the options were wrong.
    """

    def __init__(self, said: str, usage: bool = False) -> None:
        super().__init__(said)
        self.usage = usage


class Side:
    """One pytest process, and the line to it."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", connection: socket.socket, log: Path) -> None:
        self.name, self.process, self.connection, self.log = name, process, connection, log
        self.received = b""
        self.waiting: dict[str, Any] | None = None
        self.doing = "starting"
        self.killed = False

    def peek(self) -> dict[str, Any]:
        """Wait for what it says next, and leave it there.

        Raises:
            SideFailed: if it failed, ended or is silent for too long.
        """
        if self.waiting is None:
            self.waiting = self._receive()
        return self.waiting

    def take(self) -> dict[str, Any]:
        """Wait for what it says next, and take it."""
        said = self.peek()
        self.waiting = None
        return said

    def tell(self, **message: Any) -> None:
        """Tell it; if it is gone, its next words are what fails."""
        with suppress(OSError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self.received:
            try:
                more = self.connection.recv(1 << 16)
            except TimeoutError:
                limit = self.connection.gettimeout()
                raise SideFailed(f"{self.name} hangs: silent for {limit:.0f} s, {self.doing}") from None
            except OSError:
                more = b""
            if not more:
                raise self.death()
            self.received += more
        first, self.received = self.received.split(b"\n", 1)
        said: dict[str, Any] = json.loads(first)
        if said["kind"] == "failed":
            raise SideFailed(f"{self.name} failed in {said['case'] or 'collecting'}: {said['why']}")
        self.doing = f"in {said['case']}" if "case" in said else self.doing
        return said

    def death(self) -> SideFailed:
        """Say how a process ended that should not have."""
        try:
            code = self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return SideFailed(f"{self.name} closed its connection, {self.doing}")
        if code < 0:
            names = {known.value: known.name for known in signal.Signals}  # real-time signals have none
            return SideFailed(f"{self.name} was killed by {names.get(-code, f'signal {-code}')}, {self.doing}")
        lines = [text.strip() for text in self.log.read_text(errors="replace").splitlines() if text.strip()]
        errors = [text for text in lines if "error" in text.lower()]
        last = (errors or lines or ["no word"])[-1]
        return SideFailed(f"{self.name} ended with exit code {code}, {self.doing}: {last}", usage=code == 4)

    def kill(self) -> None:
        """End the process and all it has started; once, as its number may then be another's."""
        if self.killed:
            return
        self.killed = True
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()
