"""How often the test of pass rates cries wolf, and what it finds: exact sums over every outcome."""

from bisect import bisect_left

import numpy as np

from parabola.statistics import same_share_p_value


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
