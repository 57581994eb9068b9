"""Which cases the next launch of a comparison measures, and on which cores: from plain numbers, without a process."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from parabola.compare.referee import MOST_NEEDED, Referee
from parabola.machine import cores

FIRST_GUESS = 12  # launches that a case is thought to need before any has measured it
SELF_TEST_LAUNCHES = 40  # which tell a spread within 12 %: one standard error of it


@dataclass(frozen=True)
class Costs:
    """What the launches so far took, in seconds, by the median.

    Attributes:
        overhead: the time from the start of a launch to the beginning of its first case.
        by_case: the time that each case takes, by its name.
    """

    overhead: float
    by_case: Mapping[str, float]

    @classmethod
    def of(cls, launches: Iterable[Mapping[str, float]], cases: Iterable[str]) -> "Costs":
        """Work out what launches cost.

        The first case of a launch pays for what is made once in a process, so its cost is taken from launches in which
        it comes later, or else from the other cases.

        Args:
            launches: for each launch when its cases ended, in seconds since it began, in the order in which they ran.
            cases: all cases whose costs are wanted, measured or not.
        """
        starts, by_case = list[float](), dict[str, list[float]]()
        for launch in launches:
            starts += [*launch.values()][:1]
            for (_, before), (case, after) in pairwise(launch.items()):
                by_case.setdefault(case, []).append(after - before)
        medians = {case: float(np.median(seconds)) for case, seconds in by_case.items()}
        typical = float(np.median([*medians.values()] or [0.0]))
        overhead = max(0.0, float(np.median(starts or [0.0])) - typical)
        return cls(overhead, {case: medians.get(case, typical) for case in cases})


def choose(
    referee: Referee,
    undecided: Sequence[str],
    costs: Costs,
    seconds_left: float,
    launches_at_once: int,
    again: Sequence[str] = (),
) -> list[str]:
    """Return the cases that the next launch measures, in order; none where not even one would be finished in time.

    What looks changed is in every launch: a slowdown that is not decided in time would be missed. Of the other cases
    those that are nearest to their decision come first, and more while the time left would decide them, too.

    Args:
        referee: what the launches so far say of the cases.
        undecided: the cases that are still to be measured.
        costs: how long launches and cases take.
        seconds_left: what is left of the comparison's budget.
        launches_at_once: how many launches run side by side.
        again: those of them whose test has failed, and which one more launch is to confirm.
    """

    def more(cases: Sequence[str]) -> dict[str, int]:
        """Return how many more launches of these cases each of them needs."""
        return dict.fromkeys(set(cases) & set(again), 1) | launches_needed(
            referee, [case for case in cases if case not in again]
        )

    needed = more(undecided)
    changed = {case for case in needed if case in again or referee.looks_changed(case)}
    in_order = sorted(undecided, key=lambda case: (case not in changed, needed[case] * costs.by_case[case]))

    def late(number: int) -> bool:
        """Return whether the first so many cases would not all be decided in time if launches measured no other."""
        launches = more(in_order[:number])
        spent = sum(launches[case] * costs.by_case[case] for case in launches)
        return (spent + max(launches.values()) * costs.overhead) / launches_at_once > seconds_left

    in_time = bisect_left(range(1, len(in_order) + 1), True, key=late)
    chosen = in_order[: max(1, len(changed), in_time)]
    if chosen and costs.overhead + costs.by_case[chosen[0]] > seconds_left:
        return []
    return chosen


def launches_needed(referee: Referee, cases: Sequence[str]) -> dict[str, int]:
    """Return how many more launches of these cases decide each; if nobody can tell, few before any, then very many."""
    known = referee.launches_needed(cases)
    return {case: known[case] or (MOST_NEEDED if referee.log_ratios[case] else FIRST_GUESS) for case in cases}


def core_groups(cores_per_launch: int) -> list[list[int]]:
    """Return the groups of cores for launches that run side by side, each of which has a group to itself.

    Each launch has physical cores of its own, and one logical CPU of each; only a launch that needs more than there are
    has the others, too. There are no more groups than the time that the cgroup grants is enough for.

    Args:
        cores_per_launch: how many cores a group has.

    Returns:
        As many groups as the cores allow; one empty group if the system does not let a process choose its cores.

    Raises:
        ValueError: if there are fewer cores than one group needs.
    """
    physical = cores.physical_cores()
    if not physical:
        return [[]]
    first, others = [core[0] for core in physical], [cpu for core in physical for cpu in core[1:]]
    most = len(first) + len(others)
    if not 1 <= cores_per_launch <= most:
        raise ValueError(f"cores must be 1 to {most}, which this machine has. Received: {cores_per_launch}")
    quota = cores.cpu_quota() or most
    groups = max(1, min(len(first), int(quota)) // cores_per_launch)
    return [[*first, *others][number * cores_per_launch : (number + 1) * cores_per_launch] for number in range(groups)]


def throttled(cores_per_launch: int) -> list[str]:
    """Say where the cgroup grants less time than one launch's cores have, and what to do: one sentence, or none."""
    quota = cores.cpu_quota()
    if quota is None or quota >= cores_per_launch:
        return []
    granted = f"the container's quota is {quota:g} CPU, and a launch keeps {cores_per_launch} busy"
    return [f"{granted}: the system stops both sides now and then, and their times are too long: raise the quota"]


def unplaced() -> list[str]:
    """Say where the system, as macOS, lets no process choose its cores, and what that means: one sentence, or none."""
    if cores.physical_cores():
        return []
    return ["this system lets no process choose its cores: launches run one at a time, and other work moves them more"]
