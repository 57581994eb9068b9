"""What is told to the conductor: a line of JSON at a time, and why a test failed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

CONDUCTOR_GONE = 70
LAST_LINES = 30  # of pytest's report on a test that failed


class Line:
    """The conversation with the conductor: a JSON object a line, either way. Ends the process when nobody is there.

    A process that a benchmark forks has no part in it: the line is closed there, and who speaks or listens is ended.
    """

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.socket.set_inheritable(False)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.over = False
        os.register_at_fork(after_in_child=self.close)

    def close(self) -> None:
        """Close this process' end, and leave its own end to whoever has forked it."""
        self.file.close()
        self.socket.close()
        if signal.getsignal(signal.SIGTERM) == self.end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def end(self, number: int, frame: Any) -> None:
        """End the session as Ctrl-C does, so that its fixtures are torn down; from now on nothing more is said."""
        self.over = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """End the process if the line is closed: a fork would go on with its parent's tests."""
        if self.file.closed:
            os._exit(CONDUCTOR_GONE)

    def say(self, kind: str, **message: Any) -> None:
        """Tell the conductor."""
        if self.over:
            return
        self.check()
        try:
            self.file.write(json.dumps({"kind": kind, **message}, default=plain) + "\n")
            self.file.flush()
        except OSError:
            os._exit(CONDUCTOR_GONE)

    def hear(self) -> dict[str, Any]:
        """Wait, off the CPU, for what the conductor says next. A timer, such as pytest-timeout's, waits, too."""
        if self.over:  # and Python has dropped what the signal raised
            raise KeyboardInterrupt
        self.check()
        left = signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            said = self.file.readline()
        except OSError:
            said = ""
        finally:
            signal.setitimer(signal.ITIMER_REAL, *left)
        if not said:
            os._exit(CONDUCTOR_GONE)
        answer: dict[str, Any] = json.loads(said)
        return answer


def plain(value: Any) -> Any:
    """Return what JSON can hold in a value's place: of a NumPy scalar, the number."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else str(value)


def writable(info: Any) -> dict[str, Any]:
    """Return what a suite tells of a case, as JSON can hold it: a key becomes a word, and an odd value is left out."""
    told = dict[str, Any]()
    for key, value in info.items() if isinstance(info, Mapping) else ():
        with suppress(Exception):  # whatever the suite's own objects raise when they are written
            told[str(key)] = json.loads(json.dumps(value, default=plain))
    return told


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the line of a report that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longreprtext).strip().splitlines()
    lines = [text.strip() for text in said if text.strip()] or ["no reason given"]
    errors = [text.removeprefix("E ").strip() for text in lines if text.startswith("E ")]
    return lines[0] if crash else (errors or lines)[-1]


def skip_reason(report: pytest.CollectReport) -> str:
    """Return why a file skips itself, and what to do about it if it lacks a package."""
    said = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longreprtext
    why = said.removeprefix("Skipped: ").strip()
    lacks = re.search(r"could not import '([\w.]+)'", why)
    package = lacks[1].partition(".")[0].replace("_", "-") if lacks else ""
    return f"{why}; add {package} to what the suite is measured with" if package else why


def last_lines(report: pytest.TestReport | pytest.CollectReport) -> list[str]:
    """Return the end of a report on what went wrong."""
    return str(report.longreprtext).splitlines()[-LAST_LINES:]


def of_file(report: pytest.CollectReport, why: str, output: list[str]) -> dict[str, Any]:
    """Return the message that a file was not collected, as of a case that failed."""
    return {"kind": "failed", "case": report.nodeid, "why": why, "output": output}
