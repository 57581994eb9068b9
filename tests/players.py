"""What plays the two pytest processes of a launch: a thread for each, which says and hears what a side does."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.start import Setup


@dataclass(frozen=True)
class Case:
    """A benchmark of a side that is played; one without calls to find is pedantic."""

    name: str
    rounds: int = 1
    warmup_rounds: int = 0
    calls: int | None = None
    seconds: Sequence[float] = (1.0,)
    extra_info: Mapping[str, Any] = field(default_factory=dict)
    skips: bool = False
    fails: str = ""  # after its rounds, and why


class Player:
    """A side's process: it ends with the code that its play returns, or when it is killed."""

    def __init__(self, name: str, pid: int, options: Mapping[str, Any], journal: list[str]) -> None:
        self.name, self.pid, self.options, self.journal = name, pid, options, journal
        self.heard = list[dict[str, Any]]()
        self.code: int | None = None
        self.waited = list[float | None]()
        self.asked = 0  # to end
        self.line = socket.socket(fileno=os.dup(json.loads(options["env"]["LOCKSTEP"])["socket"]))
        self.file = self.line.makefile("r", encoding="utf-8")

    def begin(self, play: Callable[["Player"], int | None]) -> None:
        """Play, in a thread of its own."""

        def run() -> None:
            try:
                code = play(self)
                self.code = code if self.code is None else self.code
            except (EOFError, OSError):
                pass
            finally:
                self.file.close()
                self.line.close()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def say(self, kind: str, **message: Any) -> None:
        self.line.sendall(json.dumps({"kind": kind, **message}).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        text = self.file.readline()
        if not text:
            raise EOFError
        self.heard.append(json.loads(text))
        return self.heard[-1]

    def log(self, text: bytes) -> None:
        Path(self.options["stdout"].name).write_bytes(text)

    def wait(self, timeout: float | None = None) -> int:
        """Wait as a Popen does; a play that returned no code goes on for ever."""
        self.waited.append(timeout)
        self.thread.join(5)  # first: a play says its last words just before it has its code
        if self.code is None:
            raise subprocess.TimeoutExpired("pytest", timeout or 0.0)
        return self.code

    def poll(self) -> int | None:
        """Return its code as a Popen does."""
        return self.code

    def terminate(self) -> None:
        """End it as SIGTERM does."""
        self.asked += 1
        with suppress(ProcessLookupError):
            self.kill(-15)

    def kill(self, code: int = -9) -> None:
        """End it, wherever its play is."""
        self.code = code if self.code is None else self.code
        try:
            self.line.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended
            raise ProcessLookupError from None


def suite(*cases: Case, strangers: Mapping[str, Mapping[str, str]] | None = None) -> Callable[[Player], int]:
    """Return the play of a whole session, in which each turn is written down in the journal.

    Args:
        cases: in their order.
        strangers: by the message that tells of them.
    """
    told_of = strangers or {}

    def play(player: Player) -> int:
        offered = [case.name for case in cases if case.name != "control"]
        player.say("collected", cases=offered, strangers=dict(told_of.get("collected", {})))
        told = player.hear()["run"]
        by_name = {"control": Case("control"), **{case.name: case for case in cases}}
        for case in [by_name[name] for name in ("control", *told)]:
            if case.skips:
                player.say("skipped", case=case.name)
                continue
            if case.calls is not None:
                player.say("calibrate", case=case.name)
                player.hear()
                player.journal.append(f"{player.name} finds {case.name}")
                player.say("calibrated", iterations=case.calls)
                player.hear()
            player.say("ready", case=case.name, rounds=case.rounds, warmup_rounds=case.warmup_rounds)
            for _ in range(case.warmup_rounds + case.rounds):
                player.hear()
                player.journal.append(f"{player.name} {case.name}")
                player.say("passed")
            player.hear()
            if case.fails:
                player.say("failed", case=case.name, why=case.fails, output=["E", player.name])
            else:
                player.say("finished", case=case.name, seconds=case.seconds, extra_info=case.extra_info)
        player.say("ended", strangers=dict(told_of.get("ended", {})))
        return 0

    return play


class Stage:
    """Starts players where a launch starts processes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **plays: Callable[[Player], int | None]) -> None:
        self.plays = plays
        self.players = list[Player]()
        self.commands = list[list[str]]()
        self.journal = list[str]()
        self.killed = list[tuple[int, int]]()
        self.at_start: Callable[[Player], None] = lambda player: None
        monkeypatch.setattr("subprocess.Popen", self.start)
        monkeypatch.setattr("os.killpg", self.kill)

    def start(self, command: list[str], **options: Any) -> Player:
        name = Path(options["stdout"].name).stem
        player = Player(name, 7001 + len(self.players), options, self.journal)
        self.commands.append(command)
        self.players.append(player)
        self.at_start(player)
        player.begin(self.plays[name])
        return player

    def kill(self, pid: int, sent: int) -> None:
        self.killed.append((pid, sent))
        self.players[pid - 7001].kill()

    def player(self, name: str) -> Player:
        (player,) = [player for player in self.players if player.name == name]
        return player

    def turns(self, case: str) -> str:
        """Return whose turn it was in a case, in order, by first letters."""
        return "".join(turn[0] for turn in self.journal if turn.endswith(f" {case}") and "finds" not in turn)


def setup_of(folder: Path, **changes: Any) -> Setup:
    """Make what launches have in common, with two checkouts in a folder."""
    scratch = folder / "scratch"
    (scratch / "base/docs").mkdir(parents=True)
    (scratch / "head/docs").mkdir(parents=True)
    base = Checkout("base", "v1", "a" * 40, "first", scratch / "base", scratch / "base/docs")
    head = Checkout("head", "working tree", "b" * 40, "second", scratch / "head", scratch / "head/docs")
    return Setup(base, head, scratch, **{"elsewhere": folder / "repository", "limit_seconds": 20.0, **changes})
