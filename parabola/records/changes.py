"""Where a series of benchmark times, one a commit, changes its level.

Outliers are clipped, levels are searched for by least squares, each change is put where it is likeliest, and those that
noise may explain are dropped. The constants were chosen on series made as in the tests. A penalty of 2 log(n) instead
of 3 log(n) would find steps of one noise scale in 92 % of series instead of 84 %, and make false alarms in 3 % instead
of 0.3 %.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from parabola.records.noise import Floats, Noise, tame
from parabola.statistics import CONFIDENCE, trimmed

SHORTEST = 5  # values of a level: the fewest whose trimmed mean has an error worth the name
FEWEST = 2 * SHORTEST  # values of a series that can have a change
PENALTY = 3.0  # times log(n): how much of the squared error, in variances of the noise, a change must save
MOST = 2000  # values searched one by one: the search takes up to n² steps, so longer series are searched in blocks
FREEDOM = 3  # degrees of freedom of Student's t, whose tails hold the outliers


@dataclass(frozen=True)
class LevelChange:
    """A change of level.

    Attributes:
        at: index of the first value at the new level.
        first, last: range in which that lies at 95 % confidence, first <= at <= last.
        ratio: level after : level before.
        low, high: its 95 % interval.
    """

    at: int
    first: int
    last: int
    ratio: float
    low: float
    high: float


# From the first level's start, the second's, and the second's end: the change where they meet, and the index at which
# the new level likeliest begins.
Judge = Callable[[int, int, int], tuple[LevelChange, int]]


def find_level_changes(seconds: npt.ArrayLike) -> list[LevelChange]:
    """Return the changes, in order; none in a series of fewer than ten values.

    All are clear: their intervals leave out 1. Up to three unusual values in a row are treated as outliers; eight in a
    row (five at either end) count as a new level.

    Args:
        seconds: shape (n,), positive, one value a commit, in order.
    """
    logs = np.log(np.asarray(seconds, float))
    if len(logs) < FEWEST:
        return []
    logs -= np.median(logs)
    clipped, noise = tame(logs)
    starts = search(clipped / (noise.scale * noise.inflation**0.5))
    return _clear_changes([0, *starts, len(logs)], cache(partial(judge, logs, noise)))


def search(values: Floats) -> list[int]:
    """Return the indices of new levels that have the least squared error plus penalty; of blocks, in a long series.

    Args:
        values: shape (n,), with noise whose means vary as those of independent values of variance 1.

    Source: Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear computational cost",
    JASA 2012, as in ruptures.
    """
    from ruptures import KernelCPD

    block = -(-len(values) // MOST)
    means = values[: len(values) // block * block].reshape(-1, block).mean(axis=1)
    detector = KernelCPD("linear", min_size=-(-SHORTEST // block)).fit(means * block**0.5)
    return [int(edge) * block for edge in detector.predict(pen=PENALTY * np.log(len(values)))[:-1]]


def _clear_changes(edges: Sequence[int], judge: Judge) -> list[LevelChange]:
    """Return the changes that are clear: as long as one is not, drop the least clear, and judge those beside it anew.

    Args:
        edges: where levels begin, and the end of the series.
        judge: function that judges two levels that meet.
    """
    left = list(edges)
    while True:
        left = _placed(left, judge)
        changes = [judge(*meeting)[0] for meeting in zip(left, left[1:], left[2:], strict=False)]
        clearness = [max(change.low, 1 / change.high) for change in changes]
        if min(clearness, default=np.inf) > 1:
            return changes
        del left[1 + int(np.argmin(clearness))]


def _placed(edges: Sequence[int], judge: Judge) -> list[int]:
    """Return the edges, each change where it is likeliest; placed twice, as that depends on the changes beside it."""
    placed = list(edges)
    for _ in range(2):
        for index in range(1, len(placed) - 1):
            _, placed[index] = judge(*placed[index - 1 : index + 2])
    return placed


def judge(logs: Floats, noise: Noise, start: int, at: int, end: int) -> tuple[LevelChange, int]:
    """Return how surely two levels differ where they meet, and the index at which the new one likeliest begins.

    Args:
        logs: shape (n,): logarithms of the series.
        noise: the noise of the series.
        start, at, end: the first level is measured from start up to at, the second from at up to end.
    """
    before, error_before, freedom_before = trimmed(logs[start:at])
    after, error_after, freedom_after = trimmed(logs[at:end])
    error = float(np.hypot(error_before, error_after) * noise.inflation**0.5)
    ratio, low, high = _ratio_interval(after - before, error, min(freedom_before, freedom_after))
    deviance = _deviance(logs[start:end], noise.scale, before, after)
    likely = start + SHORTEST + _likely(deviance, noise.inflation)
    likeliest = start + SHORTEST + int(np.argmin(deviance))
    return LevelChange(at, min(int(likely[0]), at), max(int(likely[-1]), at), ratio, low, high), likeliest


def _ratio_interval(difference: float, error: float, freedom: int) -> tuple[float, float, float]:
    """Return a ratio and its interval, from the difference of logarithms and its standard error, by Student's t."""
    from scipy.special import stdtrit

    reach = error * stdtrit(freedom, (1 + CONFIDENCE) / 2)
    ends = difference + np.array([0, -reach, reach])
    ratio, low, high = np.exp(np.clip(ends, -700, 700)).tolist()  # floats reach no farther
    return ratio, low, high


def _deviance(logs: Floats, scale: float, before: float, after: float) -> Floats:
    """Return -2 log likelihood, up to a constant, of two levels that meet at each place that leaves SHORTEST values.

    Args:
        logs: shape (n,): the values that have the two levels.
        scale: scale of the noise, which is Student's t.
        before, after: the levels.

    Returns:
        Shape (n - 2 SHORTEST + 1,), for the places from SHORTEST on.
    """
    loss_before, loss_after = (
        (FREEDOM + 1) * np.log1p(((logs - level) / scale) ** 2 / FREEDOM) for level in (before, after)
    )
    deviance: Floats = np.cumsum(loss_before - loss_after)[SHORTEST - 1 : -SHORTEST]
    return deviance


def _likely(deviance: Floats, inflation: float) -> npt.NDArray[np.int_]:
    """Return the indices of the places that 95 % confidence does not rule out.

    Source: Hansen, "Sample splitting and threshold estimation", Econometrica 2000.
    """
    bound = -2 * np.log(1 - CONFIDENCE**0.5) * inflation
    return np.flatnonzero(deviance <= deviance.min() + bound)
