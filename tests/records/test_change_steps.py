"""The steps of the search for changes, each by value: noise, search, place, range and interval."""

from collections.abc import Sequence
from statistics import mean, median

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from benchmarks.studies.change_points import series
from parabola import statistics
from parabola.records.levels import changes, judging, noise
from parabola.records.levels.search import search

Floats = npt.NDArray[np.float64]
SLOPE = 1.4826 / 2**0.5  # the scale of the noise where half of the neighbours are up to 1 apart


def half_square(values: Sequence[float], lag: int) -> float:
    """Return half the mean square of what values so far apart differ by."""
    return mean((after - before) ** 2 for before, after in zip(values, values[lag:], strict=False)) / 2


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_differences_of_neighbours_and_of_the_fourth_next(unit: float) -> None:
    """In a wave of eight values they are 4 and 1 apart at most; in a saw-tooth neighbours alone differ."""
    wave = unit * np.resize([0.0, 1, 2, 3, 4, 3, 2, 1], 41)
    tamed = noise.tame(wave)

    assert tamed.near == pytest.approx((unit * SLOPE) ** 2)
    assert tamed.growth == pytest.approx(half_square(wave.tolist(), 4) / half_square(wave.tolist(), 1))
    assert noise.tame(unit * np.resize([0.0, 1], 41)).growth == 1.0


def test_where_most_neighbours_are_equal_the_larger_differences_tell() -> None:
    """Their 80th percentile takes the place of a median of nothing: 3 of 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 and 5."""
    values = np.cumsum([0.0, 0, 1, 0, -2, 0, 3, 0, -4, 0, 5, 0])

    assert noise.tame(values).near == pytest.approx((3 * SLOPE) ** 2)


@pytest.mark.parametrize("values", [[0.0] * 20, [0.0, 1e-9] * 10])
def test_no_noise_is_less_than_a_millionth(values: list[float]) -> None:
    """No clock tells less."""
    assert noise.tame(np.array(values)).near == pytest.approx(1e-12)


def test_no_difference_is_taken_across_a_step_nor_of_an_outlier() -> None:
    """Neither a level twice as high nor a single value far off changes what neighbours differ by."""
    quiet = np.random.default_rng(1).normal(0, 0.01, 60)
    loud = quiet + np.where(np.arange(60) < 30, 0, 2.0)
    loud[10] += 1
    before, after = noise.tame(quiet), noise.tame(loud)

    assert after.near == pytest.approx(before.near, rel=0.2)
    assert after.growth == pytest.approx(before.growth, rel=0.2)


def test_at_an_event_the_running_median_begins_anew() -> None:
    """An outlier beside it is clipped to its own level: eight of the fifteen values about it lie at the other one."""
    values = np.resize([0.0, 1], 40)
    values[20:] += 100
    values[19] = 50

    assert noise.tame(values).values[19] == 50
    assert noise.tame(values, [20]).values[19] == pytest.approx(2 * SLOPE + 0.5, abs=0.51)


def root(growth: float) -> float:
    """Return the r of 1 + r + r² + r³ = growth."""
    (real,) = [float(one.real) for one in np.roots([1, 1, 1, 1 - growth]) if abs(one.imag) < 1e-9]
    return real


def test_series_of_one_report_know_their_correlation_from_one_another() -> None:
    """Thirty values of the usual 0.2, whose growth is 1.248, join them; what all say counts for a hundred in each."""
    few, many = noise.Tamed(np.zeros(30), 2.0, 1.0), noise.Tamed(np.zeros(270), 3.0, 2.0)
    common = (30 * 1.0 + 270 * 2.0 + 30 * 1.248) / 330
    first, second = root((30 * 1.0 + 100 * common) / 130), root((270 * 2.0 + 100 * common) / 370)
    short, long = noise.noises([few, many])

    assert (short.scale, long.scale) == pytest.approx(((2 / (1 - first)) ** 0.5, (3 / (1 - second)) ** 0.5), rel=1e-4)
    assert (short.inflation, long.inflation) == pytest.approx(
        ((1 + first) / (1 - first), (1 + second) / (1 - second)), rel=1e-3
    )
    assert (short.freedom, long.freedom) == pytest.approx((21, 189))


def test_correlation_has_no_cap_at_three_fifths() -> None:
    """A long series whose neighbours correlate by 0.9 is known as such."""
    long = noise.Tamed(np.zeros(10**6), 1.0, 1 + 0.9 + 0.81 + 0.729)

    assert noise.noises([long])[0].inflation == pytest.approx(19, rel=0.01)


def test_the_level_is_shared_by_all_places_of_all_series() -> None:
    """As by Bonferroni, with Student's t: 35 series of 20 values have 700 places, each with two sides."""
    assert changes.evidence_needed(20, 14.0, 35) == pytest.approx(stats.t.isf(0.05 / 1400, 14) ** 2)


def test_the_evidence_is_the_squared_difference_in_variances() -> None:
    """Means of 1 and 4 over two and three values: 9 over 1/2 + 1/3."""
    assert changes.evidence(np.array([9.0, 0, 2, 3, 4, 5]), 1, 3, 6) == pytest.approx(9 / (1 / 2 + 1 / 3))


@pytest.mark.parametrize(
    ("ratios", "flips"),
    [
        ([1.08, 1 / 1.08], []),
        ([1.08, 1 / 1.08, 1.08], [0, 1, 2]),
        ([1.08, 1 / 1.10, 1.09, 1.5], [0, 1, 2]),
        ([1.5, 1.08, 1 / 1.08, 1.08, 1 / 1.08], [1, 2, 3, 4]),
        ([1.08, 1 / 1.2, 1.08], []),
        ([1.1, 1.1, 1.1], []),
        ([], []),
    ],
)
def test_three_steps_there_and_back_are_states(ratios: list[float], flips: list[int]) -> None:
    """Two are a fault and its repair; a step on, or back by a quarter less or more, is a change."""
    every = [judging.LevelChange(at, at, at, ratio, ratio, ratio) for at, ratio in enumerate(ratios)]
    stay, states = changes.lasting(every)

    assert [change.at for change in states] == flips
    assert [change.at for change in stay] == [at for at in range(len(ratios)) if at not in flips]


@pytest.mark.parametrize("at", [0, 1, 6, 20, 38, 39])
@pytest.mark.parametrize("outlier", [50.0, -50.0])
def test_an_outlier_is_clipped_to_two_scales_about_the_median(at: int, outlier: float) -> None:
    """Of the fifteen values about it, at an end of those that are mirrored there; no other value is changed."""
    values = np.resize([0.0, 1], 40)
    values[at] = outlier
    about = [(78 - one if one > 39 else abs(one)) for one in range(at - 7, at + 8)]
    expected = values.copy()
    expected[at] = median(values[about].tolist()) + np.sign(outlier) * 2 * SLOPE

    np.testing.assert_allclose(noise.tame(values).values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("bad", "carried"), [(7, False), (8, True)])
def test_up_to_seven_bad_values_do_not_carry_the_median(bad: int, carried: bool) -> None:
    """Eight make a level of their own."""
    values = np.resize([0.0, 0.01], 60)
    values[30 : 30 + bad] += 1

    assert bool(noise.tame(values).values.max() > 1) is carried


@pytest.mark.parametrize(
    ("values", "used", "at"), [(100, 100, 40), (2000, 2000, 1001), (4000, 4000, 1002), (5000, 4998, 1500)]
)
@pytest.mark.parametrize(("factor", "found"), [(0.999, False), (1.001, True)])
def test_a_change_must_save_its_penalty(values: int, used: int, at: int, factor: float, found: bool) -> None:
    """A step saves its square times both lengths over their sum, in blocks too, which leave out a rest at the end."""
    height = factor * (3 * np.log(values) * used / (at * (used - at))) ** 0.5

    assert search(height * (np.arange(values) >= at), 3 * np.log(values)) == [at] * found


@pytest.mark.parametrize(("values", "shortest"), [(100, 5), (2000, 5), (2001, 6), (4000, 6), (4001, 6)])
def test_a_level_has_five_values_at_least(values: int, shortest: int) -> None:
    """Where blocks are searched it is the next whole number of them: three of two, and two of three."""
    block = {100: 1, 2000: 1, 2001: 2, 4000: 2, 4001: 3}[values]
    start = 60 if values > 100 else 50
    at = np.arange(values)
    found = search(np.where((at >= start) & (at < start + shortest), 100.0, 0.0), 3 * np.log(values))
    short = search(np.where((at >= start) & (at < start + shortest - block), 100.0, 0.0), 3 * np.log(values))

    assert found == [start, start + shortest]
    assert short != [start, start + shortest - block]
    assert min(np.diff(short), default=shortest) >= shortest


@pytest.mark.parametrize(("values", "block"), [(2000, 1), (2001, 2), (4000, 2), (4001, 3)])
def test_more_than_two_thousand_values_are_searched_in_blocks(values: int, block: int) -> None:
    """As many at a time as leave two thousand at most; without, any index can be the first of a level."""
    (found,) = search(np.where(np.arange(values) < 1001, 0.0, 1.0), 3 * np.log(values))

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
        change, best = judging.judge(logs, noise.Noise(0.03, inflation, 40.0), start, at, end)
        likely = likeliness(logs, 0.03, start, at, end)
        top = max(likely.values())
        within = [place for place, one in likely.items() if one >= top - 7.3523 * inflation]
        (low_level, low_error, low_freedom), (high_level, high_error, high_freedom) = (
            statistics.trimmed(part) for part in (logs[start:at], logs[at:end])
        )
        error = (inflation * (low_error**2 + high_error**2)) ** 0.5
        welch = (low_error**2 + high_error**2) ** 2 / (low_error**4 / low_freedom + high_error**4 / high_freedom)
        reach = error * stats.t.ppf(0.975, welch)
        ends = np.exp([high_level - low_level + sign * reach for sign in (-1, 0, 1)])

        assert likely[best] == pytest.approx(top, abs=1e-9)
        assert (change.first, change.at, change.last) == (min(*within, at), at, max(*within, at))
        assert [change.low, change.ratio, change.high] == pytest.approx(ends.tolist())


def test_a_place_out_of_the_likely_range_widens_it() -> None:
    """The range always holds the place, on whichever side of it the likely ones lie."""
    logs = np.resize([0.0, 0.001], 60)
    logs[30:] += 1
    early, late = (judging.judge(logs, noise.Noise(0.01, 1.0, 40.0), 0, at, 60)[0] for at in (20, 40))

    assert (early.first, early.at, early.last) == (20, 20, 30)
    assert (late.first, late.at, late.last) == (30, 40, 40)


@pytest.mark.parametrize("seed", [808, 923, 1034, 1265, 1937])
def test_each_change_is_where_it_is_likeliest_between_its_neighbours(seed: int) -> None:
    """Also where moving or dropping one of them moves another, as in these series."""
    seconds = series(np.random.default_rng(seed), (20, 1.12), (40, 1 / 1.15), values=60)
    logs = np.log(seconds) - np.median(np.log(seconds))
    scale = noise.noises([noise.tame(logs)])[0].scale
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
