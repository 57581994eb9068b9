"""Where a series of benchmark times, one a commit, changes its level.

Outliers are tamed, levels searched for by least squares, changes placed, and those that noise may explain dropped.
The constants were chosen on series made as in the tests. A penalty of 2 log(n) instead of 3 log(n) would find steps of
one noise scale in 92 % of series instead of 84 %, and make false alarms in 3 % instead of 0.3 %.
"""

from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from parabola.statistics import CONFIDENCE, trimmed

Floats = npt.NDArray[np.float64]
SHORTEST = 5  # values at one level: the fewest whose trimmed mean has an error worth the name
FEWEST = 2 * SHORTEST  # values of a series that can have a change
WINDOW = 15  # of the running median: up to seven bad values in a row do not carry it
REACH = 2.0  # noise scales about the running median; what is beyond is clipped
PENALTY = 3.0  # times log(n): how much of the squared error, in variances of the noise, a change must save
MOST = 2000  # values searched one by one: the search takes up to n² steps, so longer series are searched in blocks
FREEDOM = 3  # of Student's t, whose tails hold the outliers


@dataclass(frozen=True)
class Change:
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


def find_changes(seconds: npt.ArrayLike) -> list[Change]:
    """Return the changes, in order; none in a series of fewer than ten values.

    All are clear: their intervals leave out 1. As long as one is not, the least clear is dropped, and those beside it
    are judged anew. Three odd values in a row pass for outliers, eight for a level, or five at an end.

    Args:
        seconds: shape (n,), positive, one value a commit, in order.
    """
    logs = np.log(np.asarray(seconds, float))
    if len(logs) < FEWEST:
        return []
    logs -= np.median(logs)
    tamed, scale, inflation = tame(logs)
    edges = [0, *search(tamed / (scale * inflation**0.5)), len(logs)]
    judge = cache(partial(_judge, logs, scale, inflation))
    while True:
        inner = range(1, len(edges) - 1)
        for index in [*inner, *inner]:  # twice, as the place of each depends on those beside it
            edges[index] = judge(*edges[index - 1 : index + 2])[0]
        changes = [judge(*edges[index - 1 : index + 2])[1] for index in inner]
        clear = [max(change.low, 1 / change.high) for change in changes]
        if min(clear, default=np.inf) > 1:
            return changes
        del edges[1 + int(np.argmin(clear))]


def tame(logs: Floats) -> tuple[Floats, float, float]:
    """Return the logs with outliers clipped, the scale of the noise, and the inflation of a mean's variance by it.

    From differences, in which a change of level is one among many. If neighbours have a correlation r and the next
    ones r², their squared differences are as 1 - r to 1 - r², and the inflation is (1 + r) / (1 - r).
    """
    from scipy.ndimage import median_filter

    steps = np.abs(np.diff(logs)) / 2**0.5
    # Of coarse times most neighbours may be equal; and no clock tells a millionth.
    scale = max(1.4826 * (np.median(steps) or np.quantile(steps, 0.8)), 1e-6)
    center = median_filter(logs, WINDOW, mode="mirror")
    tamed = np.clip(logs, center - REACH * scale, center + REACH * scale)

    def square(lag: int) -> float:
        differences = tamed[lag:] - tamed[:-lag]
        within = np.abs(differences) <= 2.001 * REACH * scale  # what is beyond it, a change of the median has made
        return float(np.mean(differences**2 * within)) + 1e-9 * scale**2

    correlation = min(max(square(2) / square(1) - 1, 0), 0.6)
    return tamed, float(scale / (1 - correlation) ** 0.5), (1 + correlation) / (1 - correlation)


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


def _judge(logs: Floats, scale: float, inflation: float, start: int, at: int, end: int) -> tuple[int, Change]:
    """Return where the change between start and end is likeliest, and the change at `at`.

    Source: for the bound of the range, Hansen, "Sample splitting and threshold estimation", Econometrica 2000.
    """
    from scipy.special import stdtrit

    before, error_before, freedom_before = trimmed(logs[start:at])
    after, error_after, freedom_after = trimmed(logs[at:end])
    loss_before, loss_after = (
        (FREEDOM + 1) * np.log1p(((logs[start:end] - level) / scale) ** 2 / FREEDOM) for level in (before, after)
    )
    deviance = np.cumsum(loss_before - loss_after)[SHORTEST - 1 : -SHORTEST]
    bound = -2 * np.log(1 - CONFIDENCE**0.5) * inflation
    likely = start + SHORTEST + np.flatnonzero(deviance <= deviance.min() + bound)
    error = np.hypot(error_before, error_after) * inflation**0.5
    reach = error * stdtrit(min(freedom_before, freedom_after), (1 + CONFIDENCE) / 2)
    ends = after - before + np.array([0, -reach, reach])
    ratio, low, high = np.exp(np.clip(ends, -700, 700)).tolist()  # floats reach no farther
    best = start + SHORTEST + int(np.argmin(deviance))
    return best, Change(at, min(int(likely[0]), at), max(int(likely[-1]), at), ratio, low, high)
