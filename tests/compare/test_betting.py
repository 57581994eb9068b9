"""Bets on signs: a fair game by enumeration, and what its winnings say of a case, of a family, and of an interval."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.compare import betting
from parabola.compare.betting import BETS, claims, convincing, deviations, interval, log_factors, log_winnings

BOUND = 0.05


def won(distances: Any, bound: float = BOUND) -> float:
    """Return what the gamblers have won, in plain arithmetic, by launches so far on the side that they bet on."""
    total = 0.0
    for share, reach, part in BETS.tolist():
        for distance in distances:
            part *= 1 + share * max(-1.0, min(1.0, distance / bound / reach))
        total += part
    return total


def test_the_gamblers_have_one_stake_and_bet_less_than_all_of_it() -> None:
    """Their parts add up to 1, so that winnings are multiples of it; none can be ruined, and all bet something."""
    shares, reaches, parts = BETS.T

    assert parts.sum() == pytest.approx(1)
    assert np.all((shares > 0) & (shares < 1) & (reaches > 0) & (parts > 0))


@settings(deadline=None)
@given(st.floats(0, 1e3), st.floats(1e-9, 10))
def test_each_bet_is_fair(distance: float, bound: float) -> None:
    """A launch as far on the one side as on the other wins as much as it loses, so that nothing is won on average."""
    gain, loss = np.exp(log_factors(np.array([distance, -distance]), bound))

    assert gain + loss == pytest.approx(2)
    assert np.all(gain >= loss)
    assert np.all(loss > 0)


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30))
def test_winnings_are_those_of_plain_arithmetic(values: list[float]) -> None:
    """The product of all factors, gambler by gambler, weighted by their parts of the stake."""
    sums = log_factors(np.array(values), BOUND).sum(axis=0)

    assert log_winnings(sums) == pytest.approx(math.log(won(values)))


@pytest.mark.parametrize("sizes", ["alike", "unlike", "wild"])
def test_looking_after_every_launch_is_allowed(sizes: str) -> None:
    """Of all 8,192 ways in which 13 launches lie around their centre, at most 1 in n ever wins n times the stake."""
    generator = np.random.default_rng(3)
    size = {
        "alike": np.full(13, 0.04),
        "unlike": generator.random(13) / 10,
        "wild": np.exp(3 * generator.normal(size=13)),
    }
    signs = np.array(list(itertools.product((-1, 1), repeat=13)))
    most = log_winnings(np.cumsum(log_factors(signs * size[sizes], BOUND), axis=1)).max(axis=1)

    for wanted in (2, 5, 20, 200):
        assert 0.2 / wanted < float((most >= math.log(wanted)).mean()) <= 1 / wanted


def test_what_is_bet_on_by_hand() -> None:
    """Above -5 %, below 5 %, above 0 and below 0."""
    assert deviations([0.01, -0.2], 0.05).tolist() == [
        pytest.approx([0.06, 0.04, 0.01, -0.01]),
        pytest.approx([-0.15, 0.25, -0.2, 0.2]),
    ]


def test_claims_by_hand() -> None:
    """For the same it takes both bets, for a change half the stake is bet on either direction."""
    values = [0.03, 0.02, -0.01]
    found = claims(log_factors(deviations(values, BOUND), BOUND).sum(axis=0))

    assert math.exp(found.same) == pytest.approx(won([0.02, 0.03, 0.06]))  # less than was won above -5 %
    assert math.exp(found.slower) == pytest.approx(won(values))
    assert math.exp(found.faster) == pytest.approx(won([-0.03, -0.02, 0.01]))
    assert math.exp(found.changed) == pytest.approx((won(values) + won([-0.03, -0.02, 0.01])) / 2)


def closed_test(winnings: list[float], wanted: float) -> list[bool]:
    """Return for which cases the average over every set of cases with them reaches what is wanted."""
    sets = [
        chosen for size in range(1, len(winnings) + 1) for chosen in itertools.combinations(range(len(winnings)), size)
    ]
    averages = {chosen: sum(winnings[at] for at in chosen) / len(chosen) for chosen in sets}
    return [
        all(average >= wanted for chosen, average in averages.items() if at in chosen) for at in range(len(winnings))
    ]


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 2000), min_size=1, max_size=6))
def test_convincing_is_the_closed_test_of_averages(winnings: list[float]) -> None:
    """What makes up for all that others lack is enough in every set of cases; nothing else is."""
    found = convincing(np.log(winnings), 200.0)
    borders = [average for average in winnings if abs(average - 200) < 1e-6]

    if not borders and abs(sum(winnings) - 200 * len(winnings)) > 1e-6:
        assert found.tolist() == closed_test(winnings, 200.0)


def test_convincing_by_hand() -> None:
    """One case needs 200; beside two that lack 199 and 100 another needs 499; where all have 200 nobody needs more."""
    assert convincing(np.log([201.0]), 200.0).tolist() == [True]
    assert convincing(np.log([199.0]), 200.0).tolist() == [False]
    assert convincing(np.log([1.0, 100.0, 499.1]), 200.0).tolist() == [False, False, True]
    assert convincing(np.log([1.0, 100.0, 498.9]), 200.0).tolist() == [False, False, False]
    assert convincing(np.log([201.0, 220.0, 1e9]), 200.0).tolist() == [True] * 3
    assert convincing(np.array([[900.0, 0.0], [-900.0, 0.0]]), 200.0).tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize("most", [20.0001, 30.0, 60.0001, 100.0])
def test_a_family_errs_as_rarely_as_one_case(most: float) -> None:
    """Three cases that have won `most` with a probability of 1 : most, and else nothing, err in 1 of 20 at the most."""
    families = np.array(list(itertools.product((0.0, most), repeat=3)))
    chances = np.where(families > 0, 1 / most, 1 - 1 / most).prod(axis=1)
    wrong = convincing(np.log(np.maximum(families, 1e-300)).T, 20.0).any(axis=0)

    assert chances[wrong].sum() <= 1 / 20
    assert chances[wrong].sum() > 1e-5


@settings(deadline=None)
@given(st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=40), st.floats(5, 1000))
def test_the_interval_holds_what_bets_do_not_refuse(values: list[float], wanted: float) -> None:
    """Just outside either end bets have won what is wanted, just inside they have not; and it can be mirrored."""
    low, high = interval(values, BOUND, wanted)
    left, right = interval([-value for value in values], BOUND, wanted)

    assert (low, high) == pytest.approx((-right, -left))
    for end, side in ((low, 1), (high, -1)):
        if math.isfinite(end):
            inside, outside = ([side * (value - end) - step for value in values] for step in (1e-6, -1e-6))
            assert won(inside) < wanted < won(outside)
        else:
            assert won([1e9] * len(values)) < wanted
    assert low <= high


def test_nine_launches_are_the_fewest() -> None:
    """Eight that all lie on one side, infinitely far, win 131 times the stake, and nine 247 times."""
    eight = 0.25 * 1.97**8 + 0.5 * 1.85**8 + 0.1 * 1.6**8 + 0.09 * 1.4**8 + 0.06 * 1.15**8

    assert won([1e9] * 8) == pytest.approx(eight)
    assert eight < 200 < won([1e9] * 9)
    assert interval([0.0] * 8, BOUND, 200.0) == (-math.inf, math.inf)
    assert interval([], BOUND, 200.0) == (-math.inf, math.inf)
    low, high = interval([0.0] * 9, BOUND, 200.0)
    assert -2 * BOUND < low < 0 < high < 2 * BOUND


def test_more_launches_narrow_the_interval_and_bad_ones_hardly_widen_it() -> None:
    """As the root of their number; a tenth of bad ones less than doubles it, where Student's t is 3 times as wide."""
    generator = np.random.default_rng(4)
    good = generator.normal(0, 0.02, 400)
    widths = [np.diff(interval(good[:number], BOUND, 200.0))[0] for number in (25, 100, 400)]
    bad = good + (np.arange(400) % 10 == 0) * generator.normal(0, 0.2, 400)

    assert 1.6 < widths[0] / widths[1] < 2.6
    assert 1.6 < widths[1] / widths[2] < 2.6
    assert np.diff(interval(bad, BOUND, 200.0))[0] < 2 * widths[2]
    assert np.std(bad) > 2.5 * np.std(good)


def test_no_number_is_too_large() -> None:
    """A thousand launches that are infinitely far off, or at their centre, give no warning and a finite sum."""
    for value in (0.0, 1e300):
        sums = log_factors(np.full(1000, value), BOUND).sum(axis=0)
        assert np.isfinite(log_winnings(sums))
        assert convincing(np.atleast_1d(log_winnings(sums)), 200.0).tolist() == [value > 0]
    assert max(np.abs(betting.interval([0.0] * 9, 1e-300, 200.0))) < 1e-11
