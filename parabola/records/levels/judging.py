"""How surely two levels of a series differ where they meet, by how much, and among which commits they meet."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parabola.records.levels.noise import Noise
from parabola.records.levels.search import SHORTEST, Floats
from parabola.statistics import CONFIDENCE, Trimmed, trimmed

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

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 1."""
        return self.low > 1 or self.high < 1


def judge(logs: Floats, noise: Noise, start: int, at: int, end: int) -> tuple[LevelChange, int]:
    """Return how surely two levels differ where they meet, and the index at which the new one likeliest begins.

    Args:
        logs: shape (n,): logarithms of the series.
        noise: the noise of the series.
        start, at, end: the first level is measured from start up to at, the second from at up to end.
    """
    before, after = trimmed(logs[start:at]), trimmed(logs[at:end])
    error = float(np.hypot(before.error, after.error) * noise.inflation**0.5)
    ratio, low, high = _ratio_interval(after.mean - before.mean, error, _freedom(before, after))
    deviance = _deviance(logs[start:end], noise.scale, before.mean, after.mean)
    likely = start + SHORTEST + _likely(deviance, noise.inflation)
    likeliest = start + SHORTEST + int(np.argmin(deviance))
    return LevelChange(at, min(int(likely[0]), at), max(int(likely[-1]), at), ratio, low, high), likeliest


def _freedom(before: Trimmed, after: Trimmed) -> float:
    """Return the degrees of freedom of the difference of two trimmed means.

    Source: Welch, "The generalization of Student's problem when several different population variances are involved",
    Biometrika 1947; for trimmed means Yuen 1974.
    """
    parts = [level.error**2 for level in (before, after)]
    if not 0 < sum(parts) < np.inf:
        return min(before.freedom, after.freedom)
    return float(sum(parts) ** 2 / (parts[0] ** 2 / before.freedom + parts[1] ** 2 / after.freedom))


def _ratio_interval(difference: float, error: float, freedom: float) -> tuple[float, float, float]:
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
