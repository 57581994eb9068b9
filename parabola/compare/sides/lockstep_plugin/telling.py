"""What is told to the conductor: a line of JSON at a time, and why a test failed."""

import json
import os
import socket
from typing import Any

import pytest

CONDUCTOR_GONE = 70


class Line:
    """The conversation with the conductor: a JSON object a line, either way. Ends the process when nobody is there."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.socket.set_inheritable(False)
        self.file = self.socket.makefile("rw", encoding="utf-8")

    def say(self, kind: str, **message: Any) -> None:
        """Tell the conductor."""
        try:
            self.file.write(json.dumps({"kind": kind, **message}, default=plain) + "\n")
            self.file.flush()
        except OSError:
            os._exit(CONDUCTOR_GONE)

    def hear(self) -> dict[str, Any]:
        """Wait, off the CPU, for what the conductor says next."""
        try:
            said = self.file.readline()
        except OSError:
            said = ""
        if not said:
            os._exit(CONDUCTOR_GONE)
        answer: dict[str, Any] = json.loads(said)
        return answer


def plain(value: Any) -> Any:
    """Return what JSON can hold in a value's place: of a NumPy scalar, the number."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else str(value)


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the line of a report that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longreprtext).strip().splitlines()
    lines = [text for text in said if text.strip()]
    return (lines[0] if crash else lines[-1]).strip() if lines else "no reason given"
