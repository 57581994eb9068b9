"""One pytest process, and the conversation with it: what it may say, and how it fails, is silent or is ended."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.protocol import (
    Begun,
    Calibrate,
    Ended,
    Failed,
    Finished,
    Message,
    NoMessage,
    OfCase,
    Ready,
    Said,
    Skipped,
    decode,
)
from parabola.machine import ending

CONFTEST = "ImportError while loading conftest"  # pytest's words, to which it gives the exit code of bad options
GRACE_SECONDS, HURRIED_SECONDS, POLL_SECONDS = 10, 4, 0.01
LAST_LINES = 30  # of its output that are shown when it fails

Kind = TypeVar("Kind", bound=Message)


class Side:
    """One pytest process, and the line to it.

    Attributes:
        name: "base" or "head".
        ahead: the cases that it was told to run, and has not begun.
        doing: what it was doing when it last said anything, for the reason of a failure.
        case: the case whose test has begun and is not over; empty for none.
    """

    def __init__(self, name: str, process: "subprocess.Popen[bytes]", connection: socket.socket, log: Path) -> None:
        self.name, self.process, self.connection, self.log = name, process, connection, log
        self.received = b""
        self.waiting: Said | None = None
        self.ahead: list[str] = []
        self.doing, self.case = "starting", ""
        self.asked_to_end = self.ended = False
        self.ending = threading.Lock()

    def peek(self) -> Said:
        """Wait for what it says next, and leave it there.

        Raises:
            SideFailed: if it failed, hangs or is gone, or if what it says is no message.
        """
        while self.waiting is None:
            message = self._receive()
            self.waiting = None if isinstance(message, Begun) else message
        return self.waiting

    def hear(self, kind: type[Kind], case: str | None = None) -> Kind:
        """Wait for what it says next, and take it.

        Args:
            kind: the only kind of message that fits now.
            case: the only case that the message may be about; None for any.

        Raises:
            SideFailed: if it says anything else, failed, hangs, or is gone.
        """
        message = self.peek()
        of_another = case is not None and isinstance(message, OfCase) and message.case != case
        if not isinstance(message, kind) or of_another:
            raise self._misfit(message, f'"{kind.kind()}"' + (f" of {case}" if case else ""))
        self.waiting = None
        return message

    def expect(self, kind: type[Kind], case: str) -> Kind | None:
        """Wait for what it says next of a case, and take it, as `hear` does; None if it gives the case up instead."""
        self.peek()
        return None if self.gives_up(case) else self.hear(kind, case)

    def gives_up(self, case: str) -> bool:
        """Return whether the last that was heard is that the case was skipped or failed; this is left to be taken."""
        return isinstance(self.waiting, Skipped | Failed) and self.waiting.case == case

    def next_case(self) -> str | None:
        """Wait for the case that it comes to next, and leave it there; None if it has ended.

        Raises:
            SideFailed: if it says anything else, or comes to a case that it was not told to run, or not twice.
        """
        message = self.peek()
        if isinstance(message, Ended):
            return None
        if isinstance(message, Calibrate | Ready | Skipped | Failed) and message.case in self.ahead:
            return message.case
        raise self._misfit(message, f"one of {len(self.ahead)} cases that are left to run")

    def tell(self, **message: Any) -> None:
        """Send it a message, a line of JSON; if the process is gone, the failure comes when it is listened to."""
        with suppress(OSError):
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def _receive(self) -> Said:
        while b"\n" not in self.received:
            try:
                more = self.connection.recv(1 << 16)
            except TimeoutError:
                limit = self.connection.gettimeout()
                raise self._failure(f"hangs: silent for {limit:.0f} s, {self.doing}", self.case) from None
            except OSError:
                more = b""
            if not more:
                raise self.death()
            self.received += more
        line, self.received = self.received.split(b"\n", 1)
        try:
            message = decode(line)
        except NoMessage as reason:
            raise self._failure(f"said what is no message, {self.doing}: {reason}") from None
        if isinstance(message, OfCase):
            self.doing = f"in {message.case}"
            self.case = "" if isinstance(message, Finished | Skipped | Failed) else message.case
        return message

    def _misfit(self, message: Message, expected: str) -> SideFailed:
        """Return the failure of a side that says what does not fit; one that has ended is asked how."""
        if isinstance(message, Ended):
            return self.death()
        if isinstance(message, Failed):  # of what was not planned
            where = message.case or "collecting"
            return SideFailed(f"{self.name} failed in {where}: {message.why}", output=message.output)
        return self._failure(f"said {message}, where {expected} was expected")

    def death(self) -> SideFailed:
        """Return the failure of a process that ended when it should not have, with how it ended."""
        try:
            code = self.process.wait(timeout=GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return self._failure(f"closed its connection, {self.doing}", self.case)
        if code < 0:
            names = {known.value: known.name for known in signal.Signals}  # real-time signals have none
            return self._failure(f"was killed by {names.get(-code, f'signal {-code}')}, {self.doing}", self.case)
        lines = [text.strip() for text in self._written() if text.strip()]
        errors = [text for text in lines if "error" in text.lower()]
        last = (errors or lines or ["no word"])[-1]
        options = code == 4 and not any(text.startswith(CONFTEST) for text in lines)
        return self._failure(f"ended with exit code {code}, {self.doing}: {last}", self.case, usage=options)

    def _failure(self, what: str, case: str = "", usage: bool = False) -> SideFailed:
        return SideFailed(f"{self.name} {what}", usage, self._written()[-LAST_LINES:], case)

    def _written(self) -> list[str]:
        """Return the lines that it has written so far; none if a suite has removed its temporary folder."""
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []

    def wait(self) -> None:
        """Wait until the process, which has said its last, has written all that it writes."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=GRACE_SECONDS)

    def ask_to_end(self) -> None:
        """Ask the process to end itself, so that it tears down what its session has set up; once."""
        if not self.asked_to_end:
            self.asked_to_end = True
            self.process.terminate()

    def end(self) -> None:
        """End the process and its group: by asking, and by force once it has had its time, less where a user waits."""
        self.ask_to_end()
        with self.ending:
            if self.ended:
                return
            self.ended = True  # killed once, as its number may then be another's
            asked = time.monotonic()
            while self.process.poll() is None and time.monotonic() < asked + (
                HURRIED_SECONDS if ending.asked() else GRACE_SECONDS
            ):
                time.sleep(POLL_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.connection.close()
