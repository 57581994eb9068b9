"""The noise of series of benchmark times: their scales, how neighbours correlate, and the series without outliers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parabola.records.levels.search import Floats, search

WINDOW = 15  # values of the running median: up to seven bad values in a row do not move it
REACH = 2.0  # noise scales to either side of the running median, to which values beyond are clipped
FAR = 4  # commits between the values whose differences, beside those of neighbours, tell the correlation
FARTHEST = 4.2  # medians of such differences: normal noise differs by more than that in 0.5 % of pairs, outliers do
USUAL = 0.2  # correlation of neighbours that is assumed as long as little is known, as of hosted runners
WORTH = 30  # number of values for which this assumption counts
OTHERS = 100  # number of values for which counts what all series of the machine say of the correlation of one
CLEAR = 10.0  # variance of means, in squares of the scale of differences, beyond which steps are no noise: that of 0.6
FREEDOM = 0.7  # degrees of freedom a value: differences of neighbours know the scale less well than values do
CORRELATIONS = np.linspace(0, 0.97, 195).tolist()


@dataclass(frozen=True)
class Tamed:
    """A series without outliers, and how far its values differ.

    Attributes:
        values: shape (n,): the series, clipped to the reach about its running median.
        near: half the mean square of the differences of neighbours.
        growth: how many times as large that is of values that lie four apart; 1 where neighbours do not correlate.
    """

    values: Floats
    near: float
    growth: float


@dataclass(frozen=True)
class Noise:
    """The noise of logarithms of times.

    Attributes:
        scale: its scale; for normal noise the standard deviation.
        inflation: how many times larger the variance of a mean is than for noise whose neighbours do not correlate.
        freedom: degrees of freedom with which the scale is known.
    """

    scale: float
    inflation: float
    freedom: float


def tame(logs: Floats, events: Sequence[int] = ()) -> Tamed:
    """Return a series without outliers, clipped to the reach about its running median, and how far its values differ.

    Differences are taken within levels alone: not across steps too large for any noise.

    Args:
        logs: shape (n,), n at least 3: logarithms of times, in their order. The clipped series has the same shape.
        events: indices at which the level changes for certain, so that the running median begins anew.
    """
    from scipy.ndimage import median_filter

    steps = np.abs(np.diff(logs)) / 2**0.5
    # Where times are coarse most neighbours may be equal, so a larger quantile is taken; no clock tells a millionth.
    scale = max(1.4826 * (np.median(steps) or np.quantile(steps, 0.8)), 1e-6)
    parts = np.split(logs, events)
    center = np.concatenate([median_filter(part, WINDOW, mode="mirror") for part in parts if len(part)])
    clipped = np.clip(logs, center - REACH * scale, center + REACH * scale)
    starts = search(clipped / (scale * CLEAR**0.5), 3 * np.log(len(logs)))
    near, far = (_half_mean_square(logs, lag, starts) for lag in (1, FAR))
    growth = max(far / near, 1.0) if near and far is not None else _growth(USUAL)
    wide = REACH * scale * growth**0.5
    values = np.clip(logs, center - wide, center + wide)
    return Tamed(values, float(max(near or 0.0, scale**2)), float(growth))


def _half_mean_square(logs: Floats, lag: int, starts: Sequence[int]) -> float | None:
    """Return half the mean square of the differences of values so far apart; of outliers' differences none counts.

    Args:
        logs: shape (n,): logarithms of times.
        lag: 1 for neighbours.
        starts: indices of new levels, across which no difference is taken.

    Returns:
        None if fewer than three differences are left.
    """
    differences = np.abs(logs[lag:] - logs[:-lag])
    within = np.ones(len(differences), bool)
    for start in starts:
        within[max(0, start - lag) : start] = False
    differences = differences[within]
    if len(differences) < 3:
        return None
    usual = np.median(differences) or np.quantile(differences, 0.8)
    return float(np.mean(differences**2 * (differences <= FARTHEST * usual))) / 2


def _growth(correlation: float) -> float:
    """Return how many times larger squared differences are of values four apart: (1 - r⁴) / (1 - r)."""
    return 1 + correlation + correlation**2 + correlation**3


def noises(series: Sequence[Tamed]) -> list[Noise]:
    """Return the noise of each of the series, which are measured in the same sessions.

    If neighbours have a correlation r, values four apart have r⁴, and their squared differences are in the proportion
    of 1 - r to 1 - r⁴. Few values tell this badly, so a short series goes by what all series together say, and a few
    short series go by what is usual.
    """
    lengths = np.array([len(tamed.values) for tamed in series], float)
    growths = np.array([tamed.growth for tamed in series])
    common = (lengths @ growths + WORTH * _growth(USUAL)) / (lengths.sum() + WORTH)
    own = (lengths * growths + OTHERS * common) / (lengths + OTHERS)
    correlations: list[float] = np.interp(own, [_growth(r) for r in CORRELATIONS], CORRELATIONS).tolist()
    return [
        Noise((tamed.near / (1 - r)) ** 0.5, (1 + r) / (1 - r), FREEDOM * len(tamed.values))
        for tamed, r in zip(series, correlations, strict=True)
    ]
