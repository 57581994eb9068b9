"""Intervals and tests do what their names promise, counted over all outcomes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from parabola.tracking import statistics


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 500), st.data())
def test_share_interval_is_wilsons(trials: int, data: st.DataObject) -> None:
    """Its ends solve (p̂ - p)² = z² p (1 - p) / n, the equation that Wilson gives, and hold the share."""
    successes = data.draw(st.integers(0, trials))
    share, z = successes / trials, stats.norm.ppf(0.975)
    low, high = statistics.share_interval(successes, trials)

    assert 0 <= low <= share <= high <= 1
    for end in (low, high):
        assert (share - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / trials, abs=1e-9)


def test_fishers_test_by_hand() -> None:
    """The lady tasting tea: of eight cups four of each kind, three right of four each way have p = 34/70."""
    assert statistics.same_share_p_value((3, 4), (1, 4)) == pytest.approx(34 / 70)
    assert statistics.same_share_p_value((4, 4), (0, 4)) == pytest.approx(2 / 70)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_false_alarms_stay_below_the_level(share: float) -> None:
    """Under equal shares at most a level's part is called a difference; simulation agrees with the exact rate."""
    rate = statistics.false_alarm_rate(1000, 100, share, 0.05)
    generator = np.random.default_rng(5)
    pool = np.arange(1100) < round(share * 1100)
    fresh = [int(generator.permutation(pool)[:100].sum()) for _ in range(2000)]
    alarms = sum(statistics.same_share_p_value((int(pool.sum()) - hits, 1000), (hits, 100)) <= 0.05 for hits in fresh)

    assert rate <= 0.05
    assert stats.binomtest(alarms, 2000, rate).pvalue > 1e-3


@pytest.mark.parametrize("successes", [0, 40, 500, 1000])
def test_critical_counts_are_all_outcomes_that_differ(successes: int) -> None:
    """Counted one by one."""
    low, high = statistics.critical_counts((successes, 1000), 60, 0.01)
    differ = [count for count in range(61) if statistics.same_share_p_value((successes, 1000), (count, 60)) <= 0.01]

    assert differ == [*range(low + 1), *range(high, 61)]


def test_rejection_probability_is_the_power() -> None:
    """It agrees with a simulation, and is about 1 for a change that nobody could miss."""
    power = statistics.rejection_probability((500, 1000), 100, 0.65, 0.01)
    hits = np.random.default_rng(6).binomial(100, 0.65, 2000)
    found = sum(statistics.same_share_p_value((500, 1000), (int(hit), 100)) <= 0.01 for hit in hits)

    assert stats.binomtest(found, 2000, power).pvalue > 1e-3
    assert statistics.rejection_probability((500, 1000), 100, 0.99, 0.01) == pytest.approx(1)


def test_median_interval_covers_the_median() -> None:
    """In at least 95 % of samples, whatever the distribution; with too few values an end is infinite."""
    generator = np.random.default_rng(7)
    samples = generator.exponential(size=(1000, 25))
    covered = sum(low <= math.log(2) <= high for _, low, high in map(statistics.median_interval, samples))

    assert stats.binomtest(covered, 1000, 0.95, alternative="less").pvalue > 1e-3
    assert statistics.median_interval([1.0, 2.0, 3.0]) == (2.0, -math.inf, math.inf)
