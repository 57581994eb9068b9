"""Did a change make it slower? Launches of two checkouts, until every case is decided or the time is used up."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from parabola import statistics
from parabola.compare.sides.checkouts import Checkout, Repository, others
from parabola.compare.sides.environments import Setup
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.compare.sides.side import SideFailed
from parabola.compare.verdicts import FEWEST_LAUNCHES, MINIMUM_EFFECT, Referee
from parabola.records.fingerprint import short_name

POLL_SECONDS = 0.2
MOST_LAUNCHES = 1000  # what is further from its decision comes last


@dataclass(frozen=True)
class Options:
    """How to compare.

    Attributes:
        base, head: revisions; None for the working tree as it stands.
        pytest_options: for both sides.
        budget_seconds: after which nothing is measured any more.
        minimum_effect: 0.05 calls times that differ by less than 5 % the same.
        limit_seconds: how long a side may be silent.
        cores_per_launch: on which both sides of a launch run, in turn.
        launches_at_once: side by side, each on its own cores; None for as many as the cores allow.
        slower: share of extra work to plant on the side of head, by case or a part of its name that no other has.
    """

    base: str | None
    head: str | None = None
    pytest_options: tuple[str, ...] = ()
    budget_seconds: float = 300.0
    minimum_effect: float = MINIMUM_EFFECT
    limit_seconds: float = 300.0
    cores_per_launch: int = 1
    launches_at_once: int | None = None
    slower: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """What is going on, for a line on the terminal: times in seconds, how many cases are decided, those in work."""

    seconds: float
    launches: int
    decided: int
    cases: int
    doing: str

    def __str__(self) -> str:
        cases = f", {self.decided} of {self.cases} cases decided" if self.cases else ""
        return f"launch {self.launches + 1}{cases}: {self.doing}"


@dataclass(frozen=True)
class Outcome:
    """What was measured, and how it ended.

    Attributes:
        base, head: the two sides.
        launches: that are over, in the order in which they ended.
        referee: what they say of the cases.
        control: what they say of the control.
        only: by side, the cases that the other does not have.
        unmeasured: cases that both have, but that a side skips.
        ended: "decided", "budget", "failed" or "interrupted".
        why: where it failed.
        usage: it failed since pytest refused its options.
        disturbed: another comparison ran on this machine meanwhile.
        seconds: from beginning to end.
    """

    base: Checkout
    head: Checkout
    launches: Sequence[Launch]
    referee: Referee
    control: Referee
    only: Mapping[str, Sequence[str]]
    unmeasured: Sequence[str]
    ended: str
    why: str
    usage: bool
    disturbed: bool
    seconds: float


def compare(options: Options, folder: Path, progress: Callable[[Progress], None] | None = None) -> Outcome:
    """Compare two commits of the repository that a folder lies in.

    Leaves no process and no checkout behind. What was measured comes back, whatever ended it: a side that fails and
    Ctrl-C, too.

    Args:
        options: how.
        folder: pytest runs in the same folder of each checkout.
        progress: called some times a second.

    Raises:
        ValueError: if there is no repository, or no such revision.
    """
    repository = Repository.find(folder)
    with repository.checkouts(options.base, options.head) as (base, head, scratch):
        setup = Setup(
            base=base,
            head=head,
            scratch=scratch,
            elsewhere=repository.top.resolve(),
            pytest_options=options.pytest_options,
            slower=options.slower,
            limit_seconds=options.limit_seconds,
        )
        return _Comparison(options, setup).run(progress)


class _Comparison:
    """The launches of a comparison, as they come in."""

    def __init__(self, options: Options, setup: Setup) -> None:
        self.options, self.setup = options, setup
        self.referee = Referee((), options.minimum_effect)
        self.control = Referee((CONTROL,), options.minimum_effect, decides=False)
        self.over: list[Launch] = []
        self.running: dict[Future[None], Launch] = {}
        self.begun: list[Launch] = []
        self.disturbed = False
        self.started = time.monotonic()

    def run(self, progress: Callable[[Progress], None] | None) -> Outcome:
        """Measure until every case is decided, the time is used up, a side fails, or Ctrl-C."""
        ended, why, usage = "decided", "", False
        groups = core_groups(self.options.cores_per_launch)
        with ThreadPoolExecutor(len(groups)) as pool:
            try:
                self._measure(pool, groups[: self.options.launches_at_once], progress)
            except SideFailed as failure:
                ended, why, usage = "failed", str(failure), failure.usage
            except KeyboardInterrupt:
                ended = "interrupted"
            finally:
                self._stop()
        if ended == "decided" and self._undecided():
            ended = "budget"
        if ended == "decided" and not self.referee.decided:
            ended, why = "failed", "no case was measured on both sides"
        first = next((launch for launch in self.over if launch.plan), None)
        return Outcome(
            base=self.setup.base,
            head=self.setup.head,
            launches=self.over,
            referee=self.referee,
            control=self.control,
            only=first.only if first else {"base": [], "head": []},
            unmeasured=self._unmeasured(),
            ended=ended,
            why=why,
            usage=usage,
            disturbed=self.disturbed,
            seconds=time.monotonic() - self.started,
        )

    def _measure(
        self, pool: ThreadPoolExecutor, free: list[list[int]], progress: Callable[[Progress], None] | None
    ) -> None:
        at_once = len(free)
        while self._seconds_left() > 0 and (self._undecided() or not self.referee.log_ratios):
            while free and (cases := self._next_cases(at_once)) != []:
                launch = Launch(self.setup, len(self.begun), free.pop(0), cases)
                self.begun.append(launch)  # before its thread exists: Ctrl-C may come in between
                self.running[pool.submit(launch.run)] = launch
            if not self.running:
                return
            done, _ = wait(self.running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                launch = self.running.pop(future)
                free.append(launch.cores)
                self._take(launch)
                future.result()
            if progress:
                progress(self._progress())

    def _stop(self) -> None:
        """End what runs, and keep what it finished."""
        for launch in self.begun:
            launch.stop()
        wait(self.running)
        for launch in self.running.values():
            self._take(launch)

    def _take(self, launch: Launch) -> None:
        """Take in a launch that is over."""
        self.over.append(launch)
        self.disturbed = self.disturbed or bool(others(besides=self.setup.scratch))
        if not self.referee.log_ratios:
            self.referee = Referee(launch.plan[1:], self.options.minimum_effect)
        log_ratios = {
            case: statistics.launch_log_ratio(measured.seconds["base"], measured.seconds["head"])
            for case, measured in launch.measured.items()
        }
        self.control.add({case: log_ratio for case, log_ratio in log_ratios.items() if case == CONTROL})
        self.referee.add({case: log_ratio for case, log_ratio in log_ratios.items() if case != CONTROL})

    def _unmeasured(self) -> list[str]:
        """Return the cases that finished launches should have measured and none did: a side skips them."""
        planned = dict.fromkeys(case for launch in self.over if launch.finished for case in launch.plan)
        return [case for case in planned if not any(case in launch.measured for launch in self.over)]

    def _undecided(self) -> list[str]:
        unmeasured = self._unmeasured()
        return [case for case in self.referee.undecided if case not in unmeasured]

    def _seconds_left(self) -> float:
        return self.options.budget_seconds - (time.monotonic() - self.started)

    def _next_cases(self, at_once: int) -> list[str] | None:
        """Choose what the next launch measures: None for all there is, an empty list for no launch.

        What looks changed is in every launch: a slowdown that is not confirmed in time would be missed. Of the others
        those that are nearest to their decision come first, and more while the time left would decide them, too.
        """
        if not self.referee.log_ratios:
            return None
        overhead, costs = self._costs()
        needed = {case: self._needed(case) for case in self._undecided()}
        changed = {case for case in needed if self.referee.looks_changed(case)}
        in_order = sorted(needed, key=lambda case: (case not in changed, needed[case] * costs[case]))
        chosen, spent = list[str](), 0.0
        for case in in_order:
            spent += needed[case] * costs[case]
            launches = max(needed[one] for one in [*chosen, case])
            late = (spent + launches * overhead) / at_once > self._seconds_left()
            if chosen and late and case not in changed:
                break
            chosen.append(case)
        if chosen and overhead + costs[chosen[0]] > self._seconds_left():
            return []  # not even that would be finished
        return chosen

    def _needed(self, case: str) -> int:
        found = self.referee.verdict(case)
        if found.launches_needed is None:
            return FEWEST_LAUNCHES + 2 - found.launches if found.launches < FEWEST_LAUNCHES else MOST_LAUNCHES
        return found.launches_needed

    def _costs(self) -> tuple[float, dict[str, float]]:
        """Return what launches took so far, in seconds, by the median: up to the first case, and for each case.

        The first case of a launch pays for what is made once in a process, so its cost is taken from where it is later,
        or else from the others.
        """
        starts, by_case = list[float](), dict[str, list[float]]()
        for launch in self.over:
            ends = [(measured.ended_at, case) for case, measured in launch.measured.items() if case != CONTROL]
            starts += [ended_at for ended_at, _ in ends[:1]]
            for (before, _), (after, case) in pairwise(ends):
                by_case.setdefault(case, []).append(after - before)
        costs = {case: float(np.median(took)) for case, took in by_case.items()}
        typical = float(np.median(list(costs.values()) or [0.0]))
        costs = {case: costs.get(case, typical) for case in self.referee.log_ratios}
        return max(0.0, float(np.median(starts or [0.0])) - typical), costs

    def _progress(self) -> Progress:
        return Progress(
            seconds=time.monotonic() - self.started,
            launches=len(self.over),
            decided=len(self.referee.decided),
            cases=len(self.referee.log_ratios),
            doing=" and ".join(dict.fromkeys(short_name(launch.doing) for launch in self.running.values())),
        )


def core_groups(cores_per_launch: int) -> list[list[int]]:
    """Return the cores that each launch at once has to itself; one group of none where cores cannot be chosen.

    Raises:
        ValueError: if there are not so many cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return [[]]
    cores = sorted(os.sched_getaffinity(0))
    if not 1 <= cores_per_launch <= len(cores):
        raise ValueError(f"cores must be 1 to {len(cores)}, which this machine has. Received: {cores_per_launch}")
    whole = len(cores) // cores_per_launch
    return [cores[number * cores_per_launch : (number + 1) * cores_per_launch] for number in range(whole)]
