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


def test_p_values_of_launches_without_a_spread() -> None:
    """Equal launches are either certainly at zero or certainly not; too few to have an error say nothing."""
    assert statistics.trimmed_p_value([0.0] * 6) == 1.0
    assert statistics.trimmed_p_value([0.01] * 6) == 0.0
    assert statistics.trimmed_p_value([0.01, 0.02, 0.03]) == pytest.approx(1.0)
    assert statistics.trimmed_interval([0.01, 0.02, 0.03], 0.99) == (-math.inf, math.inf)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_p_value_by_students_table(sign: int) -> None:
    """Center 3, error 1.1547 and one degree of freedom: 1 - 2 atan(t) / π of t = 2.598."""
    values = [sign * value for value in (10.0, 2.0, -50.0, 4.0)]

    assert statistics.trimmed_p_value(values) == pytest.approx(1 - 2 * math.atan(3 / math.sqrt(4 / 3)) / math.pi)


def enough(spread: float, confidence: float, reach: float) -> int:
    """Return the smallest number of values whose interval reaches so far, by Student's quantiles as SciPy has them."""
    cuts = {number: max(1, number // 10) for number in range(4, 2000)}
    return next(
        number
        for number, cut in cuts.items()
        if spread / math.sqrt(number) * stats.t.ppf((1 + confidence) / 2, number - 2 * cut - 1) <= reach
    )


@pytest.mark.parametrize("confidence", [0.9, 0.999])
@pytest.mark.parametrize("reach", [0.011, 0.05, 9.0])
@pytest.mark.parametrize(
    ("values", "spread"),
    [
        ([0.03, -0.01], math.sqrt(2) * 0.02),  # too few for an error: the standard deviation
        ([0.03, -0.01, 0.01], 0.02),
        ([0.10, 0.02, -0.50, 0.04], 0.01 * math.sqrt(4 / 3) * 2),  # the error by hand above, times √4
    ],
)
def test_launches_needed_by_hand(values: list[float], spread: float, reach: float, confidence: float) -> None:
    """Their number is the smallest, from 4 up, whose interval at the spread of these values reaches so far."""
    expected = enough(spread, confidence, reach)

    assert statistics.launches_needed(values, confidence, reach) == (expected if expected <= 1000 else None)
    if expected <= 1000:
        assert statistics.launches_needed(values, confidence, reach, most=expected) == expected
        assert statistics.launches_needed(values, confidence, reach, most=expected - 1) is None


def test_a_thousand_launches_are_asked_for_and_no_more() -> None:
    """Where the spread asks for more than 1,000, that is not told; 1,000 is."""
    reach = 0.02 / math.sqrt(1000) * stats.t.ppf(0.995, 799)

    assert statistics.launches_needed([0.03, -0.01, 0.01], 0.99, reach * (1 + 1e-9)) == 1000
    assert statistics.launches_needed([0.03, -0.01, 0.01], 0.99, reach * (1 - 1e-9)) is None


def test_holm_goes_on_at_a_p_value_that_equals_its_level() -> None:
    """A p-value of just level / n is rejected, so the next one is held against level / (n - 1)."""
    assert statistics.holm_levels([0.04, 0.01, 0.9, 0.012], 0.04).tolist() == pytest.approx(
        [0.02, 0.01, 0.02, 0.04 / 3]
    )
    assert statistics.holm_levels([0.04, math.nextafter(0.01, 1), 0.9], 0.03).tolist() == pytest.approx([0.01] * 3)
    assert statistics.holm_levels([], 0.01).tolist() == []
    # Equal p-values keep their order, and the last has the whole level, rejected or not.
    assert statistics.holm_levels([0.001, 0.001, 0.001], 0.06).tolist() == pytest.approx([0.02, 0.03, 0.06])
