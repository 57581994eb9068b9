"""A launch: a fresh pytest process for each of two checkouts, whose rounds alternate until it is over or stopped."""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.cases import lost, named, planted
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.failure import Failure, SideFailed, failure_of, in_words
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.sides.protocol import Collected, Ended, Finished
from parabola.compare.sides.side import Side
from parabola.compare.sides.start import Setup, start_side
from parabola.compare.sides.turns import measure
from parabola.machine import processes

CONTROL = "control"  # the plugin's name for what no change can touch


@dataclass(frozen=True)
class Measured:
    """One case in one launch.

    Attributes:
        seconds: of each side, those of each round in order; if a side has more rounds, its last have no partner.
        extra_info: of each side, what the suite says of the case.
        ended_at: when the case was over, in seconds since the launch began.
    """

    seconds: BySide[list[float]]
    extra_info: BySide[dict[str, Any]]
    ended_at: float

    @property
    def log_ratio(self) -> float:
        """The log of the ratio head : base of the seconds."""
        return launch_log_ratio(self.seconds.base, self.seconds.head)


class Launch:
    """One pair of fresh processes.

    Attributes:
        number: how many launches were made before; it decides which side begins.
        measured: by case, what both sides finished; grows while it runs.
        failed: by case, why it has no times, where that is not because a side skipped it; grows while it runs.
        only: the cases of each side that the other does not offer.
        files: of each side, by case those that say what it measures, its own first.
        finished: whether it came to its own end.
        died: how a side ended within a case, which is failed; if it collected a part of the suite, also elsewhere.
        plan: the cases that it measures, the control first.
        slower: by case the share of extra work that is planted in head.
        collects_part: whether its sides collect the cases that it was made for alone.
        starting_seconds, collecting_seconds: what came before the sides had collected, and how long the slower took.
        doing: the case that is being measured.
    """

    def __init__(self, setup: Setup, number: int, cores: Sequence[int], cases: Sequence[str] | None) -> None:
        """Make one.

        Args:
            setup: what all launches of the comparison have in common.
            number: how many launches were made before; base begins the even ones, head the odd ones.
            cores: the cores that both sides run on; empty for any.
            cases: the cases to measure; None for all that both sides have.
        """
        self.setup, self.number, self.cores, self.cases = setup, number, list(cores), cases
        self.measured, self.failed = dict[str, Measured](), dict[str, Failure]()
        self.only = BySide[list[str]](base=[], head=[])
        self.slower, self.collects_part = setup.slower, cases is not None and not setup.collects_all
        self.starting_seconds = self.collecting_seconds = 0.0
        self.files = BySide[dict[str, list[str]]](base={}, head={})
        self.plan, self.doing = list[str](), "starting"
        self.sides: list[Side] = []
        self.stopped = self.finished = False
        self.died: SideFailed | None = None
        self.started = time.perf_counter()

    def run(self) -> None:
        """Measure. What is finished stays in `measured`, whatever happens.

        Raises:
            SideFailed: if a side could not be measured, and this is not one case's doing.
        """
        scratch = Path(tempfile.mkdtemp(dir=self.setup.scratch, prefix="launch-"))
        try:
            for checkout in self._in_turn((self.setup.base, self.setup.head)):
                self._start(checkout, scratch)
            self._agree_on_cases()
            self._conduct()
            self.finished = True
        except SideFailed as failed:
            if self.stopped or not (self.collects_part or failed.case in self.plan[1:]):
                raise
            self.died, self.failed[failed.case or CONTROL] = failed, failed.failure
        finally:
            self.stop()
            processes.kill_those_in(scratch)
            shutil.rmtree(scratch, ignore_errors=True)

    def ask_to_end(self) -> None:
        """Ask both processes to end; may be called at any time, from any thread."""
        self.stopped = True
        for side in list(self.sides):
            side.ask_to_end()

    def stop(self) -> None:
        """End both processes, and wait until they are gone; may be called at any time, from any thread."""
        self.ask_to_end()
        for side in list(self.sides):
            side.end()

    def _in_turn(self, pair: Sequence[Any]) -> Sequence[Any]:
        return pair if self.number % 2 == 0 else pair[::-1]

    def _start(self, checkout: Checkout, scratch: Path) -> None:
        part = self.cases if self.collects_part else None
        self.sides.append(start_side(self.setup, checkout, self.number, self.cores, scratch, part))
        if self.stopped:  # while it was being started
            self.sides[-1].end()

    def _agree_on_cases(self) -> None:
        collected = self._collected()
        self.collecting_seconds = max(said.seconds for said in collected.values())
        self.starting_seconds = time.perf_counter() - self.started - self.collecting_seconds
        self.files = BySide(collected["base"].files, collected["head"].files)
        for name, said in collected.items():
            if not said.cases and not self.collects_part:
                raise SideFailed(f"{name} has no benchmarks ({getattr(self.setup, name).revision})")
        base, head = collected["base"].cases, collected["head"].cases
        self.failed |= (without := lost(collected))
        self.only = BySide(
            base=[case for case in base if case not in {*head, *without}],
            head=[case for case in head if case not in {*base, *without}],
        )
        both = [case for case in head if case in base]
        if not both and not self.collects_part:
            raise SideFailed("base and head have no benchmark in common")
        asked = named(self.setup.wanted, both) if self.cases is None else self.cases
        self.plan = [CONTROL, *(case for case in both if case in asked)]
        self.slower = self.slower if self.collects_part else planted(self.slower, [CONTROL, *both])
        for side in self.sides:
            side.ahead = list(self.plan)
            side.tell(run=self.plan[1:], slower=self.slower if side.name == "head" else {})

    def _collected(self) -> dict[str, Collected]:
        """Return by side, in turn, what it says of its cases."""
        collected, failures = dict[str, Collected](), list[SideFailed]()
        for side in self.sides:
            try:
                said = collected[side.name] = side.hear(Collected)
                _refuse(side, said.strangers)
                for broken in said.uncollected if not said.cases else ():
                    where = broken.case or "collecting"
                    raise SideFailed(f"{side.name} failed in {where}: {broken.why}", output=broken.output)
            except SideFailed as failure:
                failures.append(failure)
        if failures:  # options are to blame only if neither side takes them
            usage = [failure.usage for failure in failures] == [True, True]
            raise SideFailed(in_words(failures, self.setup.laid), usage, failures[0].output)
        return collected

    def _conduct(self) -> None:
        """Measure case by case: the first in the plan that a side is at, with both sides if both are at it."""
        while True:
            at = {side: side.next_case() for side in self.sides}
            cases = [case for case in at.values() if case is not None]
            if not cases:
                break
            self.doing = min(cases, key=self.plan.index)
            self._measure(self.doing, [side for side in self.sides if at[side] == self.doing])
        for side in self.sides:
            _refuse(side, side.hear(Ended).strangers)
            if self.setup.logs:
                side.wait()

    def _measure(self, case: str, sides: Sequence[Side]) -> None:
        """Measure a case on the sides that are at it, and keep what both of them finish, or why there are no times."""
        ends = {side.name: message for side, message in measure(case, sides).items()}
        base, head, failure = ends.get("base"), ends.get("head"), failure_of(ends)
        if failure:
            self.failed[case] = failure
        elif isinstance(base, Finished) and isinstance(head, Finished):
            self.measured[case] = Measured(
                seconds=BySide(base.seconds, head.seconds),
                extra_info=BySide(base.extra_info, head.extra_info),
                ended_at=time.perf_counter() - self.started,
            )


def _refuse(side: Side, strangers: Mapping[str, str]) -> None:
    """Raise SideFailed if a side has imported a module that is not its own: it measures neither commit."""
    for module, file in strangers.items():
        says = f"{side.name} imported {module} from {file}, not from its own tree"
        raise SideFailed(f"{says}; name its own folder in PYTHONPATH, or allow this one: --allow {module}")
