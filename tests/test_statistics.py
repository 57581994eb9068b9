"""Intervals and tests do what their names promise, counted over all outcomes."""

import math
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from parabola import statistics


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


@pytest.mark.parametrize("trials", [1, 2, 7, 40, 400, 10_000])
def test_share_interval_is_scipys(trials: int) -> None:
    """To the last bit, which tables of pass rates hang on, for shares from none to all."""
    for successes in {0, 1, trials // 3, trials // 2, trials - 1, trials}:
        ends = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")

        assert statistics.share_interval(successes, trials) == (ends.low, ends.high)


def test_fishers_test_by_hand() -> None:
    """The lady tasting tea: of eight cups four of each kind, three right of four each way have p = 34/70."""
    assert statistics.same_share_p_value((3, 4), (1, 4)) == pytest.approx(34 / 70)
    assert statistics.same_share_p_value((4, 4), (0, 4)) == pytest.approx(2 / 70)


def test_median_interval_covers_the_median() -> None:
    """In at least 95 % of samples, whatever the distribution; with too few values an end is infinite."""
    generator = np.random.default_rng(7)
    samples = generator.exponential(size=(1000, 25))
    covered = sum(low <= math.log(2) <= high for _, low, high in map(statistics.median_interval, samples))

    assert stats.binomtest(covered, 1000, 0.95, alternative="less").pvalue > 1e-3
    assert statistics.median_interval([1.0, 2.0, 3.0]) == (2.0, -math.inf, math.inf)


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (3, 11), (199, 201), (40, 40)])
def test_share_interval_heeds_its_confidence(successes: int, trials: int) -> None:
    """At 80 % the ends solve Wilson's equation with the normal quantile of 90 %."""
    share, z = successes / trials, 1.2815515655446004
    ends = statistics.share_interval(successes, trials, 0.8)

    for end in ends:
        assert (share - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / trials, abs=1e-12)
    assert ends[0] < ends[1]


def test_median_interval_by_its_ranks() -> None:
    """Six values have 1 - 2/64 between their extremes, and five 1 - 2/32: enough for 95 % or not, and for 93 %."""
    six = [7.0, -2.0, 11.0, 3.0, 5.0, 4.0]

    assert statistics.median_interval(six) == (4.5, -2.0, 11.0)
    assert statistics.median_interval(six[:5]) == (5.0, -math.inf, math.inf)
    assert statistics.median_interval(six[:5], 0.93) == (5.0, -2.0, 11.0)
    assert statistics.median_interval(range(10, 0, -1)) == (5.5, 2.0, 9.0)  # 1 - 2 (1 + 10) / 1024


def test_a_trimmed_mean_by_hand() -> None:
    """Up to 19 values one is cut at each end, of 20 two; three values have a median, and no error."""
    squares = [float(number**2) for number in range(20)]
    four = statistics.trimmed([10.0, 2.0, -50.0, 4.0])

    assert statistics.trimmed([5.0, 1.0, 2.0]) == (2.0, math.inf, 1)
    assert statistics.trimmed([5.0, 1.0]) == (3.0, math.inf, 1)
    # Winsorized: 2, 2, 4, 4, whose standard deviation is √(4/3); kept are 2 of 4.
    assert four == pytest.approx((3.0, math.sqrt(4 / 3) / (0.5 * 2), 1))
    for number, cut, freedom in ((9, 1, 6), (19, 1, 16), (20, 2, 15)):
        kept = squares[cut : number - cut]
        outermost = [kept[0]] * cut + kept + [kept[-1]] * cut
        error = stdev(outermost) / (len(kept) / number * math.sqrt(number))
        assert statistics.trimmed(squares[number - 1 :: -1]) == pytest.approx((sum(kept) / len(kept), error, freedom))
