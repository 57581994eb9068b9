"""Two checkouts measured in turn: one launch is a fresh pytest process for each, whose rounds alternate."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parabola.compare.sides.checkouts import Checkout

PLUGIN = Path(__file__).with_name("lockstep_plugin.py")
CONTROL = "control"  # the plugin's name for what no change can touch
KINDS = ("calibrate", "ready", "finished")  # what a side says of a case, in this order


class SideFailed(Exception):
    """A side could not be measured.

    Attributes:
        usage: since the options were wrong.
    """

    def __init__(self, said: str, usage: bool = False) -> None:
        super().__init__(said)
        self.usage = usage


@dataclass(frozen=True)
class Setup:
    """What every launch of a comparison has in common.

    Attributes:
        base, head: the two sides.
        scratch: a folder for sockets and logs.
        elsewhere: the folder from which neither side may import: the repository's own.
        pytest_options: for both sides.
        slower: share of extra work to plant in a case of head.
        limit_seconds: how long a side may be silent.
    """

    base: Checkout
    head: Checkout
    scratch: Path
    elsewhere: Path
    pytest_options: Sequence[str] = ()
    slower: Mapping[str, float] = field(default_factory=dict)
    limit_seconds: float = 300.0


@dataclass(frozen=True)
class Measured:
    """One case in one launch.

    Attributes:
        seconds: by side, of each round in order; where a side has more rounds than the other, its last are unpaired.
        extra_info: by side, what the suite says of the case.
        ended_at: seconds on the launch's own clock.
    """

    seconds: dict[str, list[float]]
    extra_info: dict[str, dict[str, Any]]
    ended_at: float


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


class Launch:
    """One pair of fresh processes.

    Attributes:
        number: from 0; decides which side begins.
        measured: by case, what both sides finished; grows while it runs.
        only: by side, the cases that the other does not offer.
        finished: it came to its own end.
        plan: the cases it measures, the control first.
        doing: the case that is being measured.
    """

    def __init__(self, setup: Setup, number: int, cores: Sequence[int], cases: Sequence[str] | None) -> None:
        """Make one.

        Args:
            setup: of the comparison.
            number: from 0.
            cores: on which both sides run; empty for any.
            cases: which to measure; None for all that both sides have.
        """
        self.setup, self.number, self.cores, self.cases = setup, number, list(cores), cases
        self.measured: dict[str, Measured] = {}
        self.only: dict[str, list[str]] = {}
        self.plan: list[str] = []
        self.doing = "starting"
        self.sides: list[Side] = []
        self.stopped = self.finished = False
        self.started = time.perf_counter()

    def run(self) -> None:
        """Measure. What is finished stays in `measured`, whatever happens.

        Raises:
            SideFailed: if a side could not be measured.
        """
        scratch = Path(tempfile.mkdtemp(dir=self.setup.scratch, prefix="launch-"))
        try:
            for checkout in self._in_turn((self.setup.base, self.setup.head)):
                self._start(checkout, scratch)
            self._agree_on_cases()
            self._conduct()
            self.finished = True
        finally:
            self.stop()
            shutil.rmtree(scratch, ignore_errors=True)

    def stop(self) -> None:
        """End both processes; may be called at any time, from any thread."""
        self.stopped = True
        for side in list(self.sides):
            side.kill()

    def _in_turn(self, pair: Sequence[Any]) -> Sequence[Any]:
        return pair if self.number % 2 == 0 else pair[::-1]

    def _start(self, checkout: Checkout, scratch: Path) -> None:
        plugins = scratch / "plugin"
        plugins.mkdir(exist_ok=True)
        shutil.copy(PLUGIN, plugins)
        paths = [
            plugins,
            *_own_paths(checkout.top, self.setup.elsewhere),
            *filter(None, [os.environ.get("PYTHONPATH")]),
        ]
        ours, theirs = socket.socketpair()
        ours.settimeout(self.setup.limit_seconds)
        given = {
            "socket": theirs.fileno(),
            "cores": self.cores,
            "elsewhere": str(self.setup.elsewhere),
            "scratch": str(self.setup.scratch),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_XDIST", "GIT_"))}
        log = scratch / f"{checkout.name}.log"
        temporary = scratch / f"{checkout.name}_tmp"  # what a suite leaves in it goes with the launch
        temporary.mkdir()
        command = [sys.executable, "-m", "pytest", "-p", "lockstep_plugin", "-o", f"cache_dir={temporary / 'cache'}"]
        own = {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "LOCKSTEP": json.dumps(given),
            "TMPDIR": str(temporary),
        }
        with open(log, "wb") as output, theirs:
            process = subprocess.Popen(
                [*command, "--benchmark-only", *self.setup.pytest_options],
                cwd=checkout.folder,
                env={**inherited, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self.sides.append(Side(checkout.name, process, ours, log))
        if self.stopped:  # while it was being started
            self.sides[-1].kill()

    def _agree_on_cases(self) -> None:
        failures = list[SideFailed]()
        for side in self.sides:
            try:
                if side.peek()["kind"] != "collected":
                    raise side.death()
            except SideFailed as failure:
                failures.append(failure)
        if failures:  # options are to blame only if neither side takes them
            raise SideFailed(str(failures[0]), usage=[failure.usage for failure in failures] == [True, True])
        offers = {side.name: side.take()["cases"] for side in self.sides}
        for name in offers:
            (other,) = set(offers) - {name}
            self.only[name] = [case for case in offers[name] if case not in offers[other]]
            if not offers[name]:
                raise SideFailed(f"{name} has no benchmarks ({getattr(self.setup, name).revision})")
        both = [case for case in offers["head"] if case in offers["base"]]
        if not both:
            raise SideFailed("base and head have no benchmark in common")
        self.plan = [CONTROL, *(both if self.cases is None else [case for case in both if case in self.cases])]
        slower = {self._name(part, [CONTROL, *both]): share for part, share in self.setup.slower.items()}
        for side in self.sides:
            side.tell(run=self.plan[1:], slower=slower if side.name == "head" else {})

    def _name(self, part: str, cases: Sequence[str]) -> str:
        """Return the one case that has such a part in its name."""
        found = [part] if part in cases else [case for case in cases if part in case]
        if len(found) != 1:
            raise SideFailed(f"--inject plants in one case, but {len(found)} have {part!r} in their name", usage=True)
        return found[0]

    def _conduct(self) -> None:
        while True:
            for side in self.sides:
                side.peek()
            front = min(self._position(side) for side in self.sides)
            there = [side for side in self.sides if self._position(side) == front]
            said = [side.take() for side in there]
            case, kind = said[0].get("case", ""), said[0]["kind"]
            self.doing = case or self.doing
            if kind == "calibrate":
                self._calibrate(there)
            elif kind == "ready":
                self._take_turns(there, said)
            elif kind == "finished":
                self._finish(there, said, case)
            else:
                strangers = {side.name: words["strangers"] for side, words in zip(there, said, strict=True)}
                for name, modules in strangers.items():
                    if modules:
                        module, file = next(iter(modules.items()))
                        raise SideFailed(f"{name} imported {module} from {file}, not from its own tree")
                return

    def _position(self, side: Side) -> tuple[int, int]:
        said = side.peek()
        if said["kind"] == "ended":
            return len(self.plan), 0
        return self.plan.index(said["case"]), KINDS.index(said["kind"])

    def _calibrate(self, sides: Sequence[Side]) -> None:
        """Let the sides find how many calls make a round, one after the other, and give all the larger number."""
        found = []
        for side in sides:
            side.tell(go=True)
            found.append(side.take()["iterations"])
        for side in sides:
            side.tell(iterations=max(found))

    def _take_turns(self, sides: Sequence[Side], said: Sequence[Mapping[str, Any]]) -> None:
        """Give the sides their turns: first what one warms up longer, then in pairs, then what one has more of."""
        warmups = [words["warmup_rounds"] for words in said]
        rounds = [words["rounds"] for words in said]
        for side, own in zip(sides, warmups, strict=True):
            self._turns(side, own - min(warmups))
        for pair in range(min(warmups) + min(rounds)):
            for side in sides if pair % 2 == 0 else sides[::-1]:
                self._turns(side, 1)
        for side, own in zip(sides, rounds, strict=True):
            self._turns(side, own - min(rounds))
        for side in sides:
            side.tell(go_on=True)

    def _turns(self, side: Side, turns: int) -> None:
        for _ in range(turns):
            side.tell(go=True)
            said = side.take()
            assert said["kind"] == "passed", said

    def _finish(self, sides: Sequence[Side], said: Sequence[Mapping[str, Any]], case: str) -> None:
        if len(sides) == 2:
            self.measured[case] = Measured(
                seconds={side.name: words["seconds"] for side, words in zip(sides, said, strict=True)},
                extra_info={side.name: words["extra_info"] for side, words in zip(sides, said, strict=True)},
                ended_at=time.perf_counter() - self.started,
            )


def _own_paths(top: Path, elsewhere: Path) -> list[Path]:
    """Return where a checkout's own modules are found: as the repository's are, by what is on the path within it."""
    inside = [Path(entry).resolve() for entry in sys.path if entry]
    within = [path.relative_to(elsewhere) for path in inside if elsewhere == path or elsewhere in path.parents]
    prefix = Path(sys.prefix).resolve()
    own = [top, top / "src", *(top / path for path in within if prefix not in (elsewhere / path).parents)]
    return [path for path in dict.fromkeys(own) if path.is_dir()]
