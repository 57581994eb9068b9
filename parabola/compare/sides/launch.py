"""Two checkouts measured in turn: one launch is a fresh pytest process for each, whose rounds alternate."""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.environments import Setup, start_side
from parabola.compare.sides.side import Side, SideFailed

CONTROL = "control"  # the plugin's name for what no change can touch
KINDS = ("calibrate", "ready", "finished")  # what a side says of a case, in this order


@dataclass(frozen=True)
class Measured:
    """One case in one launch.

    Attributes:
        seconds: by side, of each round in order; where a side has more rounds than the other, its last are unpaired.
        extra_info: by side, what the suite says of the case.
        ended_at: seconds on the launch's own clock.
    """

    seconds: BySide[list[float]]
    extra_info: BySide[dict[str, Any]]
    ended_at: float


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
        self.only = BySide[list[str]](base=[], head=[])
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
        self.sides.append(start_side(self.setup, checkout, self.cores, scratch))
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
            if not offers[name]:
                raise SideFailed(f"{name} has no benchmarks ({getattr(self.setup, name).revision})")
        base, head = offers["base"], offers["head"]
        self.only = BySide([case for case in base if case not in head], [case for case in head if case not in base])
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
            words = {side.name: words for side, words in zip(sides, said, strict=True)}
            self.measured[case] = Measured(
                seconds=BySide(words["base"]["seconds"], words["head"]["seconds"]),
                extra_info=BySide(words["base"]["extra_info"], words["head"]["extra_info"]),
                ended_at=time.perf_counter() - self.started,
            )
