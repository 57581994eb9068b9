"""A terminal that a test can read, with its width."""

import io
import sys
from typing import Any

import pytest
from rich.console import Console


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def as_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Make standard output and standard error one terminal of 71 columns that knows colours, and return it."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "71", "LINES": "30", "TERM": "xterm", "COLORTERM": ""}.items():
        monkeypatch.setenv(name, value)
    both = Screen()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    return both


def printed(show: Any, *arguments: Any, width: int = 200) -> str:
    """Return what a function prints on a console, without the spaces at the ends of lines."""
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
