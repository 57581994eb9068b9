"""Intervals for shares and medians, and tests with known error rates, from plain numbers; SciPy does the work."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95


@lru_cache(maxsize=4096)
def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the ends of Wilson's interval for the share of trials that succeed, such as a pass rate.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927, as in SciPy,
    whose scipy.stats takes a second to import.
    """
    from scipy.special import ndtri

    z = float(ndtri(0.5 + 0.5 * confidence))
    share, doubled = successes / trials, 2 * (trials + z**2)
    center = (2 * trials * share + z**2) / doubled
    reach = z / doubled * (4 * trials * share * (1 - share) + z**2) ** 0.5
    return center - reach if successes else 0.0, center + reach if successes < trials else 1.0


def median_interval(values: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Return the median of one or more values and an interval for it, from their ranks alone.

    An end of the interval is infinite where the values are too few for the confidence.

    Source: Conover, "Practical nonparametric statistics", 1999, section 3.2, as in SciPy.
    """
    from scipy.stats import quantile_test

    values = np.asarray(values, float)
    low, high = quantile_test(values, p=0.5).confidence_interval(confidence)
    return float(np.median(values)), float(-np.inf if np.isnan(low) else low), float(np.inf if np.isnan(high) else high)


@lru_cache(maxsize=4096)
def same_share_p_value(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return Fisher's exact two-sided p-value for two samples having the same share of successes.

    The test is exact and conservative: under equal shares, at most a share p of samples has a p-value of at most p.

    Args:
        first: number of successes and number of trials of the one sample.
        second: number of successes and number of trials of the other sample.

    Source: Fisher, "Statistical methods for research workers", 1934, section 21.02, as in SciPy.
    """
    from scipy.stats import fisher_exact

    table = [[successes, trials - successes] for successes, trials in (first, second)]
    return float(fisher_exact(table).pvalue)


TRIMMED_SHARE = 0.1  # of the launches, at each end: about one launch in ten or twelve is off by itself


class Trimmed(NamedTuple):
    """A trimmed mean.

    Attributes:
        mean: the mean of the values that are not trimmed.
        error: its standard error.
        freedom: the degrees of freedom of the error.
    """

    mean: float
    error: float
    freedom: int


def trimmed(values: npt.ArrayLike) -> Trimmed:
    """Return the trimmed mean of one or more values, its standard error and its degrees of freedom.

    At each end a tenth of the values, and at least one, is left out of the mean. For the error these values are moved
    to the outermost of the others, so that no single one can carry the mean, or make it seem exact. Below four values
    the mean is their median, and its error is infinite.

    Source: Tukey and McLaughlin, "Less vulnerable confidence and significance procedures for location based on a
    single sample", Sankhya 1963; Yuen, "The two-sample trimmed t for unequal population variances", Biometrika 1974.
    """
    return _trimmed(tuple(np.ravel(values).tolist()))


@lru_cache(maxsize=4096)  # after a launch the same values are asked for three times: p-value, interval and middle
def _trimmed(values: tuple[float, ...]) -> Trimmed:
    ordered = np.sort(values)
    number = len(ordered)
    cut = max(1, int(TRIMMED_SHARE * number))
    kept = number - 2 * cut
    if kept < 2:
        return Trimmed(float(np.median(ordered)), float("inf"), 1)
    winsorized = np.clip(ordered, ordered[cut], ordered[-cut - 1])
    error = winsorized.std(ddof=1) / (kept / number * np.sqrt(number))
    return Trimmed(float(ordered[cut:-cut].mean()), float(error), kept - 1)
