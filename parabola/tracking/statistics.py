"""Shares, quantiles and tests with known error rates, from plain numbers; SciPy underneath."""

from bisect import bisect_left
from functools import lru_cache

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95


def share_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return Wilson's interval for a share, such as a pass rate.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927, as in SciPy.
    """
    from scipy.stats import binomtest

    low, high = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(low), float(high)


def median_interval(values: npt.ArrayLike, confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Return the median of one or more values and an interval for it, from their ranks alone.

    Where they are too few for the confidence, an end is infinite.

    Source: Conover, "Practical nonparametric statistics", 1999, section 3.2, as in SciPy.
    """
    from scipy.stats import quantile_test

    values = np.asarray(values, float)
    low, high = quantile_test(values, p=0.5).confidence_interval(confidence)
    return float(np.median(values)), float(-np.inf if np.isnan(low) else low), float(np.inf if np.isnan(high) else high)


@lru_cache(maxsize=4096)
def same_share_p_value(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Return Fisher's exact two-sided p-value for two samples having one share.

    Exact and, as the counts are whole, conservative: under equal shares it is at most p in at most a share p of cases.

    Args:
        first: successes, trials.
        second: successes, trials.

    Source: Fisher, "Statistical methods for research workers", 1934, section 21.02, as in SciPy.
    """
    from scipy.stats import fisher_exact

    table = [[successes, trials - successes] for successes, trials in (first, second)]
    return float(fisher_exact(table).pvalue)


def critical_counts(baseline: tuple[int, int], trials: int, level: float) -> tuple[int, int]:
    """Return (low, high): a sample with at most low successes, or at least high, differs from the baseline.

    Args:
        baseline: successes, trials.
        trials: of the sample.
        level: p-values up to it are called a difference.
    """
    expected = round(trials * baseline[0] / baseline[1])
    above = bisect_left(
        range(expected, trials + 1), True, key=lambda count: same_share_p_value(baseline, (count, trials)) <= level
    )
    below = bisect_left(
        range(expected + 1), True, key=lambda less: same_share_p_value(baseline, (expected - less, trials)) <= level
    )
    return expected - below, expected + above


def rejection_probability(baseline: tuple[int, int], trials: int, share: float, level: float) -> float:
    """Return how probably a sample of a share is found to differ from a baseline; exact. Args as above."""
    from scipy.stats import binom

    low, high = critical_counts(baseline, trials, level)
    return float(binom.cdf(low, trials, share) + binom.sf(high - 1, trials, share))


def false_alarm_rate(baseline_trials: int, trials: int, share: float, level: float) -> float:
    """Return how probably two samples of one share are found to differ: exact, given how many successes both have.

    Args:
        baseline_trials: of the one sample.
        trials: of the other.
        share: of both together, which fixes that number.
        level: p-values up to it are called a difference.
    """
    from scipy.stats import hypergeom

    both = round(share * (baseline_trials + trials))
    outcomes = np.arange(trials + 1)
    probability = hypergeom.pmf(outcomes, baseline_trials + trials, both, trials)
    likely = np.flatnonzero(probability > 1e-12)
    pairs = [((both - outcome, baseline_trials), (outcome, trials)) for outcome in likely.tolist()]
    rejected = [same_share_p_value(*pair) <= level for pair in pairs]
    return float(probability[likely][rejected].sum())
