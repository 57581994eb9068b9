"""The noise of a series of benchmark times: its scale, how neighbours correlate, and the series without outliers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
WINDOW = 15  # values of the running median: up to seven bad values in a row do not move it
REACH = 2.0  # noise scales to either side of the running median, to which values beyond are clipped
MOST_CORRELATION = 0.6  # a slow wave counts as noise of at most this correlation between neighbours


@dataclass(frozen=True)
class Noise:
    """The noise of logarithms of times.

    Attributes:
        scale: its scale; for normal noise the standard deviation.
        inflation: how many times larger the variance of a mean is than for noise whose neighbours do not correlate.
    """

    scale: float
    inflation: float


def tame(logs: Floats) -> tuple[Floats, Noise]:
    """Return a series without outliers, clipped to the reach about its running median, and its noise about the levels.

    The noise is estimated from differences of neighbours, because a change of level affects only one of them. If
    neighbours have a correlation r, values two apart have r². The mean squares of these differences are then as
    1 - r to 1 - r², and the inflation is (1 + r) / (1 - r).

    Args:
        logs: shape (n,), n at least 3: logarithms of times, in their order. The clipped series has the same shape.
    """
    from scipy.ndimage import median_filter

    steps = np.abs(np.diff(logs)) / 2**0.5
    # Where times are coarse most neighbours may be equal, so a larger quantile is taken; no clock tells a millionth.
    scale = max(1.4826 * (np.median(steps) or np.quantile(steps, 0.8)), 1e-6)
    center = median_filter(logs, WINDOW, mode="mirror")
    clipped = np.clip(logs, center - REACH * scale, center + REACH * scale)
    ratio = _mean_square(clipped, 2, float(scale)) / _mean_square(clipped, 1, float(scale))
    correlation = min(max(ratio - 1, 0), MOST_CORRELATION)
    noise = Noise(float(scale / (1 - correlation) ** 0.5), (1 + correlation) / (1 - correlation))
    return clipped, noise


def _mean_square(logs: Floats, lag: int, scale: float) -> float:
    """Return the mean square of the differences of values so far apart; those that only a change can make count as 0.

    Args:
        logs: shape (n,): clipped values.
        lag: 1 for neighbours, 2 for values two apart.
        scale: scale of the noise to which the values were clipped.
    """
    differences = logs[lag:] - logs[:-lag]
    within = np.abs(differences) <= 2.001 * REACH * scale
    return float(np.mean(differences**2 * within)) + 1e-9 * scale**2
