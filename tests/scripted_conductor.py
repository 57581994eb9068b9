"""The other end of the plugin's line: a conductor with a script, and what imports the plugin into this process."""

import importlib.util
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.sides.start import PLUGIN

Load = Callable[..., Any]


class Exited(Exception):
    """What stands in for the end of the process."""


class Conductor:
    """The conversation, as it went: what the plugin said and heard, and what a test adds of its own doing."""

    def __init__(self, answers: list[dict[str, Any]] | None = None) -> None:
        self.journal, self.answers = list[Any](), answers or []
        self.collecting_seconds = list[float]()

    def say(self, kind: str, **message: Any) -> None:
        if kind == "collected":
            self.collecting_seconds.append(message.pop("seconds"))
        self.journal.append((kind, message))

    def end(self, number: int, frame: Any) -> None:
        """There is no signal in a test without a process."""

    def check(self) -> None:
        """There is no fork in a test without a process."""

    def hear(self) -> dict[str, Any]:
        self.journal.append("hear")
        return self.answers.pop(0) if self.answers else {"go": True}


class Clock:
    """Seconds that pass only when somebody works or looks."""

    def __init__(self, per_look: float = 0.0) -> None:
        self.now, self.per_look = 10.0, per_look

    def perf_counter(self) -> float:
        self.now += self.per_look
        return self.now


@contextmanager
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return what imports the plugin afresh, as a side's pytest does; the other end of its line is `conductor`."""
    opened = list[Any]()
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None, raising=False)  # these are this process' own

    def exits(code: int) -> None:
        raise Exited(code)

    def made(cores: tuple[int, ...] = (), conductor: Conductor | None = None, wanted: Path | None = None) -> Any:
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        folders = {"elsewhere": "elsewhere", "scratch": "elsewhere/scratch", "top": "elsewhere/scratch/head"}
        given = {"socket": theirs.detach(), "cores": list(cores), "wanted": str(wanted or "")}
        given |= {"projects": [], "modules": [], "allowed": []}
        given |= {name: str(tmp_path / folder) for name, folder in folders.items()}
        monkeypatch.setenv("LOCKSTEP", json.dumps(given))
        for name in ("", ".addopts", ".collecting", ".strangers", ".telling", ".work"):
            monkeypatch.delitem(sys.modules, f"lockstep_plugin{name}", raising=False)
        spec = importlib.util.spec_from_file_location("lockstep_plugin", PLUGIN / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        plugin: Any = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "lockstep_plugin", plugin)
        spec.loader.exec_module(plugin)
        plugin.conductor = ours
        opened.extend([ours, plugin.line.file, plugin.line.socket])
        monkeypatch.setattr("os._exit", exits)
        if conductor:
            plugin.line = conductor
        return plugin

    yield made
    for one in opened:
        one.close()
