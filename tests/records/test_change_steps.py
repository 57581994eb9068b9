"""The steps of the search for changes, each by value: noise, search, place, range and interval."""

from collections.abc import Sequence
from statistics import mean, median

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from benchmarks.studies.change_points import series
from parabola import statistics
from parabola.records import changes, noise

Floats = npt.NDArray[np.float64]
SLOPE = 1.4826 / 2**0.5  # the scale of the noise where half of the neighbours are up to 1 apart


def square(values: Sequence[float], lag: int, most: float = np.inf) -> float:
    """Return the mean square of what values so far apart differ by; more than `most` counts as nothing."""
    differences = [after - before for before, after in zip(values, values[lag:], strict=False)]
    return mean(one**2 if abs(one) <= most else 0.0 for one in differences)


def scale_and_inflation(logs: Floats) -> tuple[float, float]:
    _, found = noise.tame(logs)
    return found.scale, found.inflation


@pytest.mark.parametrize("values", [18, 40, 41])
@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_noise_is_told_from_neighbours_and_the_next(values: int, unit: float) -> None:
    """A third of correlation doubles a mean's variance, and none is taken for less than that."""
    correlated = unit * np.resize([0.0, 2, 2, 1, 1], values)  # squares of 6 : 8 over five neighbours
    alternate = unit * np.resize([0.0, 1], values)
    clipped, tamed = noise.tame(correlated)
    found = square(correlated.tolist(), 2) / square(correlated.tolist(), 1) - 1

    np.testing.assert_array_equal(clipped, correlated)
    assert found == pytest.approx(1 / 3, abs=0.1)
    assert tamed.scale == pytest.approx(unit * SLOPE / (1 - found) ** 0.5, rel=1e-6)
    assert tamed.inflation == pytest.approx((1 + found) / (1 - found), rel=1e-6)
    assert scale_and_inflation(alternate) == pytest.approx((unit * SLOPE, 1.0), rel=1e-6)


def test_correlation_is_never_taken_for_more_than_three_fifths() -> None:
    """A slow wave is noise whose means vary four times as much, not one without end."""
    wave = np.resize([0.0, 1, 2, 3, 4, 3, 2, 1], 41)

    assert scale_and_inflation(wave) == pytest.approx((SLOPE / 0.4**0.5, 4.0), rel=1e-6)


def test_where_most_neighbours_are_equal_the_larger_differences_tell() -> None:
    """Their 80th percentile takes the place of a median of nothing: 3 of 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 and 5."""
    values = np.cumsum([0.0, 0, 1, 0, -2, 0, 3, 0, -4, 0, 5, 0])

    assert scale_and_inflation(values) == pytest.approx((3 * SLOPE / 0.4**0.5, 4.0), rel=1e-6)


@pytest.mark.parametrize("values", [[0.0] * 20, [0.0, 1e-9] * 10])
def test_no_noise_is_less_than_a_millionth(values: list[float]) -> None:
    """No clock tells less."""
    assert scale_and_inflation(np.array(values)) == pytest.approx((1e-6, 1.0), rel=1e-6)


@pytest.mark.parametrize("at", [0, 1, 6, 20, 38, 39])
@pytest.mark.parametrize("outlier", [50.0, -50.0])
def test_an_outlier_is_clipped_to_two_scales_about_the_median(at: int, outlier: float) -> None:
    """Of the fifteen values about it, at an end of those that are mirrored there; no other value is changed."""
    values = np.resize([0.0, 1], 40)
    values[at] = outlier
    about = [(78 - one if one > 39 else abs(one)) for one in range(at - 7, at + 8)]
    expected = values.copy()
    expected[at] = median(values[about].tolist()) + np.sign(outlier) * 2 * SLOPE

    np.testing.assert_allclose(noise.tame(values)[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("bad", "carried"), [(7, False), (8, True)])
def test_up_to_seven_bad_values_do_not_carry_the_median(bad: int, carried: bool) -> None:
    """Eight make a level of their own."""
    values = np.resize([0.0, 0.01], 60)
    values[30 : 30 + bad] += 1

    assert bool(noise.tame(values)[0].max() > 1) is carried


@pytest.mark.parametrize(("step", "counts"), [(5.18, True), (5.21, False)])
def test_a_step_is_no_noise(step: float, counts: bool) -> None:
    """Neighbours that are a bit more than four scales apart, here 4.2, do not count."""
    values = np.resize([0.0, 2, 2, 1, 1], 40)
    values[20:] += step  # from 1 to 0, so neighbours are one less apart; the next ones are less or more
    most = 4.195
    found = square(values.tolist(), 2, most) / square(values.tolist(), 1, most) - 1
    scale, inflation = scale_and_inflation(values)
    bounded = min(max(found, 0), 0.6)

    assert bool(abs(values[20] - values[19]) <= most) is counts
    assert scale == pytest.approx(SLOPE / (1 - bounded) ** 0.5, rel=1e-6)
    assert inflation == pytest.approx((1 + bounded) / (1 - bounded), rel=1e-6)


@pytest.mark.parametrize(
    ("values", "used", "at"), [(100, 100, 40), (2000, 2000, 1001), (4000, 4000, 1002), (5000, 4998, 1500)]
)
@pytest.mark.parametrize(("factor", "found"), [(0.999, False), (1.001, True)])
def test_a_change_must_save_three_logarithms_of_the_number(
    values: int, used: int, at: int, factor: float, found: bool
) -> None:
    """A step saves its square times both lengths over their sum, in blocks too, which leave out a rest at the end."""
    height = factor * (3 * np.log(values) * used / (at * (used - at))) ** 0.5

    assert changes.search(height * (np.arange(values) >= at)) == [at] * found


@pytest.mark.parametrize(("values", "shortest"), [(100, 5), (2000, 5), (2001, 6), (4000, 6), (4001, 6)])
def test_a_level_has_five_values_at_least(values: int, shortest: int) -> None:
    """Where blocks are searched it is the next whole number of them: three of two, and two of three."""
    block = {100: 1, 2000: 1, 2001: 2, 4000: 2, 4001: 3}[values]
    start = 60 if values > 100 else 50
    at = np.arange(values)
    found = changes.search(np.where((at >= start) & (at < start + shortest), 100.0, 0.0))
    short = changes.search(np.where((at >= start) & (at < start + shortest - block), 100.0, 0.0))

    assert found == [start, start + shortest]
    assert short != [start, start + shortest - block]
    assert min(np.diff(short), default=shortest) >= shortest


@pytest.mark.parametrize(("values", "block"), [(2000, 1), (2001, 2), (4000, 2), (4001, 3)])
def test_more_than_two_thousand_values_are_searched_in_blocks(values: int, block: int) -> None:
    """As many at a time as leave two thousand at most; without, any index can be the first of a level."""
    (found,) = changes.search(np.where(np.arange(values) < 1001, 0.0, 1.0))

    assert found % block == 0
    assert abs(found - 1001) < block


def likeliness(logs: Floats, scale: float, start: int, at: int, end: int) -> dict[int, float]:
    """Return for each place of the change twice the log likelihood, by Student's t, of levels that meet there."""
    before, after = (statistics.trimmed(part)[0] for part in (logs[start:at], logs[at:end]))
    before_at, after_at = (stats.t.logpdf(logs, 3, level, scale) for level in (before, after))
    return {
        place: 2 * float(before_at[start:place].sum() + after_at[place:end].sum())
        for place in range(start + 5, end - 4)
    }


@pytest.mark.parametrize("inflation", [1.0, 3.0])
@pytest.mark.parametrize(("start", "at", "end"), [(0, 30, 60), (3, 21, 60), (7, 44, 57), (0, 12, 24)])
def test_a_change_has_its_place_range_and_interval(start: int, at: int, end: int, inflation: float) -> None:
    """The range is of likelihoods, within Hansen's bound of 7.35, and the interval of Yuen's errors, by Student's t."""
    for seed in range(20):
        logs = np.log(series(np.random.default_rng(seed), (at - 1, 1.02), values=60))
        change, best = changes.judge(logs, noise.Noise(0.03, inflation), start, at, end)
        likely = likeliness(logs, 0.03, start, at, end)
        top = max(likely.values())
        within = [place for place, one in likely.items() if one >= top - 7.3523 * inflation]
        (low_level, low_error, low_freedom), (high_level, high_error, high_freedom) = (
            statistics.trimmed(part) for part in (logs[start:at], logs[at:end])
        )
        error = (inflation * (low_error**2 + high_error**2)) ** 0.5
        reach = error * stats.t.ppf(0.975, min(low_freedom, high_freedom))
        ends = np.exp([high_level - low_level + sign * reach for sign in (-1, 0, 1)])

        assert likely[best] == pytest.approx(top, abs=1e-9)
        assert (change.first, change.at, change.last) == (min(*within, at), at, max(*within, at))
        assert [change.low, change.ratio, change.high] == pytest.approx(ends.tolist())


def test_a_place_out_of_the_likely_range_widens_it() -> None:
    """The range always holds the place, on whichever side of it the likely ones lie."""
    logs = np.resize([0.0, 0.001], 60)
    logs[30:] += 1
    early, late = (changes.judge(logs, noise.Noise(0.01, 1.0), 0, at, 60)[0] for at in (20, 40))

    assert (early.first, early.at, early.last) == (20, 20, 30)
    assert (late.first, late.at, late.last) == (30, 40, 40)


@pytest.mark.parametrize("seed", [808, 923, 1034, 1265, 1937])
def test_each_change_is_where_it_is_likeliest_between_its_neighbours(seed: int) -> None:
    """Also where moving or dropping one of them moves another, as in these series."""
    seconds = series(np.random.default_rng(seed), (20, 1.12), (40, 1 / 1.15), values=60)
    logs = np.log(seconds) - np.median(np.log(seconds))
    scale = noise.tame(logs)[1].scale
    found = [change.at for change in changes.find_level_changes(seconds)]
    edges = [0, *found, 60]

    assert found
    for start, at, end in zip(edges, found, edges[2:], strict=False):
        likely = likeliness(logs, scale, start, at, end)
        assert likely[at] == pytest.approx(max(likely.values()), abs=1e-9)


@pytest.mark.parametrize(("values", "found"), [(9, 0), (10, 1)])
def test_fewer_than_ten_values_have_no_change(values: int, found: int) -> None:
    """However large the step in their middle is."""
    assert len(changes.find_level_changes([1.0] * 5 + [100.0] * (values - 5))) == found
