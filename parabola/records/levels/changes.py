"""Where a series of benchmark times, one a commit, changes its level.

Outliers are clipped, levels are searched for by least squares, each change is put where it is likeliest, and those that
noise may explain are dropped. The level of a report is shared by all places of all its series, so that a report of
nothing but noise has any change with a probability of at most ALARMS.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from parabola.records.levels.judging import LevelChange, judge
from parabola.records.levels.noise import Noise, Tamed, noises, tame
from parabola.records.levels.search import FEWEST, SHORTEST, Floats, search

ALARMS = 0.05  # largest share of reports of unchanged series that have any change
BACK = 0.25  # of a step: how far from its start a series may come to lie that has stepped back
FLIPS = 3  # steps there and back again from which on they are states, not changes


# From the first level's start, the second's, and the second's end: the change where they meet, and the index at which
# the new level likeliest begins.
Judge = Callable[[int, int, int], tuple[LevelChange, int]]


def find_level_changes(seconds: npt.ArrayLike, family: int = 1) -> list[LevelChange]:
    """Return the changes of a series that is judged by itself, in order; none if it has fewer than ten values.

    All are clear: their intervals leave out 1. Up to three unusual values in a row are treated as outliers; eight in a
    row (five at either end) count as a new level. Three steps in a row or more between the same two levels are no
    changes, but states that it flips between.

    Args:
        seconds: shape (n,), positive, one value a commit, in order.
        family: number of series of the report, which share the level.
    """
    logs = np.log(np.asarray(seconds, float))
    if len(logs) < FEWEST:
        return []
    logs -= np.median(logs)
    tamed = tame(logs)
    return lasting(changes_between(logs, tamed, noises([tamed])[0], family))[0]


def changes_between(
    logs: Floats, tamed: Tamed, noise: Noise, family: int, events: Sequence[int] = ()
) -> list[LevelChange]:
    """Return the clear changes of a series, in order.

    Args:
        logs: shape (n,), n at least 10: logarithms of the times.
        tamed, noise: the series without outliers, and its noise.
        family: number of series of the report, which share the level.
        events: indices at which other cases change, too. Of these a change is told if its interval leaves out 1; other
            changes, which may be anywhere, have to be clear at their share of the level.
    """
    least = evidence_needed(len(logs), noise.freedom, family)
    values = tamed.values / (noise.scale * noise.inflation**0.5)
    edges = [0, *events, len(logs)]
    starts = [start + found for start, end in pairwise(edges) for found in search(values[start:end], least)]
    if not starts and not events:
        return []
    weigh = partial(evidence, values)
    return _clear_changes(sorted([*edges, *starts]), events, cache(partial(judge, logs, noise)), weigh, least)


def evidence_needed(values: int, freedom: float, family: int) -> float:
    """Return the squared t that a change has to reach, at one of so many places in one of so many series.

    Each place has the same share of the level (Bonferroni), to either side.
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - ALARMS / (2 * family * values)) ** 2)


def evidence(values: Floats, start: int, at: int, end: int) -> float:
    """Return the squared difference of two levels' means, in variances; the values' means vary as of variance 1."""
    difference = values[at:end].mean() - values[start:at].mean()
    return float(difference**2 / (1 / (at - start) + 1 / (end - at)))


def _clear_changes(
    edges: Sequence[int], events: Sequence[int], judge: Judge, weigh: Callable[[int, int, int], float], least: float
) -> list[LevelChange]:
    """Return the changes that are clear: as long as one is not, drop the least clear, and judge those beside it anew.

    Args:
        edges: where levels begin, and the end of the series.
        events: those of the edges that stay, clear or not.
        judge: function that judges two levels that meet.
        weigh: function that returns the evidence that they differ.
        least: the evidence that a change must have which is no event.
    """
    left = list(edges)
    while True:
        left = _placed(left, events, judge)
        meetings = [*zip(left, left[1:], left[2:], strict=False)]
        weights = {
            meeting: weigh(*meeting) if judge(*meeting)[0].clear else 0.0
            for meeting in meetings
            if meeting[1] not in events
        }
        if min(weights.values(), default=np.inf) > least:
            break
        left.remove(min(weights, key=lambda meeting: weights[meeting])[1])
    long = [meeting for meeting in meetings if min(np.diff(meeting)) >= SHORTEST]
    return [change for change, _ in (judge(*meeting) for meeting in long) if change.clear]


def _placed(edges: Sequence[int], events: Sequence[int], judge: Judge) -> list[int]:
    """Return the edges, each change where it is likeliest; placed twice, as that depends on the changes beside it."""
    placed = list(edges)
    for _ in range(2):
        for index in range(1, len(placed) - 1):
            if placed[index] not in events:
                _, placed[index] = judge(*placed[index - 1 : index + 2])
    return placed


def lasting(changes: Sequence[LevelChange]) -> tuple[list[LevelChange], list[LevelChange]]:
    """Return the changes that last, and those that flip between two states: three or more in a row, there and back."""
    steps = np.log([change.ratio for change in changes])
    back = np.abs(steps[1:] + steps[:-1]) <= BACK * np.maximum(np.abs(steps[1:]), np.abs(steps[:-1]))
    flips, start = set[int](), 0
    for end in range(1, len(steps) + 1):
        if end == len(steps) or not back[end - 1]:
            if end - start >= FLIPS:
                flips |= set(range(start, end))
            start = end
    stay = [change for place, change in enumerate(changes) if place not in flips]
    return stay, [changes[place] for place in sorted(flips)]
