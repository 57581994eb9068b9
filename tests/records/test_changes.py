"""Changes of level are found where they were made, and not where none was, in series with noise and outliers."""

import numpy as np
import numpy.typing as npt
import pytest
import ruptures
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.studies.change_points import series
from parabola.records.levels.changes import find_level_changes
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.noise import noises, tame
from parabola.records.levels.search import SHORTEST, search

Floats = npt.NDArray[np.float64]


def near(found: list[LevelChange], steps: list[int], reach: int = 3) -> bool:
    """Return whether these changes and no others were found, each up to `reach` commits off."""
    return len(found) == len(steps) and all(abs(c.at - at) <= reach for c, at in zip(found, steps, strict=True))


@pytest.mark.parametrize(
    ("ratio", "found_share", "near_share"),
    [(1.1, 0.96, 0.95), (1 / 1.1, 0.96, 0.95), (1.5, 0.96, 0.95), (1.05, 0.95, 0.8), (1.03, 0.7, 0.4)],
)
def test_a_step_is_found_where_it_is(ratio: float, found_share: float, near_share: float) -> None:
    """Alone, in place and size, under 3 % of noise; the ranges cover the truth as often as they say, or nearly."""
    generator = np.random.default_rng(11)
    steps = generator.integers(20, 181, 300).tolist()
    found = [find_level_changes(series(generator, (at, ratio))) for at in steps]
    alone = [(at, one[0]) for at, one in zip(steps, found, strict=True) if len(one) == 1]

    assert len(alone) >= found_share * len(steps)
    assert sum(near(one, [at]) for at, one in zip(steps, found, strict=True)) >= near_share * len(steps)
    assert sum(change.first <= at <= change.last for at, change in alone) >= 0.93 * len(alone)
    assert sum(change.low <= ratio <= change.high for _, change in alone) >= 0.92 * len(alone)


@pytest.mark.parametrize(
    ("noise", "alarms"),
    [
        ({"noise": 0.01}, 0.015),
        ({"noise": 0.03}, 0.015),
        ({"noise": 0.05}, 0.015),
        ({"outliers": 0.1}, 0.015),
        ({"tails": 3.0}, 0.02),
        ({"correlation": 0.3}, 0.05),
        ({"values": 50}, 0.025),
        pytest.param({"values": 1000}, 0.02, marks=pytest.mark.end_to_end),  # long
    ],
    ids=str,
)
def test_an_unchanged_series_has_no_change(noise: dict[str, float], alarms: float) -> None:
    """But in a small share of them, whatever the noise is like."""
    generator = np.random.default_rng(12)
    alarmed = sum(bool(find_level_changes(series(generator, **noise))) for _ in range(400))  # type: ignore[arg-type]

    assert alarmed <= alarms * 400


@pytest.mark.parametrize(
    "steps",
    [
        [(50, 1.1), (100, 1 / 1.15), (150, 1.08)],
        [(80, 1.1), (110, 1 / 1.1)],
        [(100, 1.5), (110, 1 / 1.5)],
        [(190, 1.15)],
        [(10, 0.85)],
    ],
    ids=str,
)
def test_several_steps_are_all_found(steps: list[tuple[int, float]]) -> None:
    """Up, down and up, there and back, and near either end: all of them, and no others, in nearly all series."""
    generator = np.random.default_rng(13)
    found = [find_level_changes(series(generator, *steps)) for _ in range(100)]

    assert sum(near(one, [at for at, _ in steps]) for one in found) >= 92


def test_a_drift_is_told_in_steps() -> None:
    """Of a slow rise by a fifth, a few steps up are made, never one down, and together about as large."""
    generator = np.random.default_rng(14)
    found = [find_level_changes(series(generator) * np.linspace(1, 1.2, 200)) for _ in range(50)]
    totals = [np.prod([change.ratio for change in one]) for one in found]

    assert all(2 <= len(one) <= 5 and min(change.low for change in one) > 1 for one in found)
    assert 1.1 < np.median(totals) < 1.2


@pytest.mark.parametrize("outliers", [1, 2, 3])
@pytest.mark.parametrize("at", [0, 3, 100, 197])
def test_a_few_bad_values_are_no_change(outliers: int, at: int) -> None:
    """Up to three in a row, twice as slow, wherever they are."""
    generator = np.random.default_rng(15)
    quiet = [series(generator, (at, 2), (at + outliers, 0.5), outliers=0) for _ in range(50)]

    assert sum(bool(find_level_changes(seconds)) for seconds in quiet) <= 2


@pytest.mark.parametrize("values", [2001, 10000])
def test_a_long_series_is_searched_in_blocks_and_as_well(values: int) -> None:
    """A step of 5 %, a level of 20 values, and nothing else; placed to the commit although blocks were searched."""
    generator = np.random.default_rng(16)
    steps = [(values // 3 + 1, 1.05), (values // 2, 1.2), (values // 2 + 20, 1 / 1.2)]
    found = [find_level_changes(series(generator, *steps, values=values)) for _ in range(20)]

    assert sum(near(one, [at for at, _ in steps], reach=8) for one in found) >= 18


def least_error(values: Floats, penalty: float) -> list[int]:
    """Return where levels of five values or more begin by the sum of squares and penalties, tried out in full."""
    number = len(values)
    best = [0.0, *[np.inf] * number]
    start = [0] * (number + 1)
    for end in range(SHORTEST, number + 1):
        for begin in (0, *range(SHORTEST, end - SHORTEST + 1)):
            part = values[begin:end]
            error = best[begin] + float(((part - part.mean()) ** 2).sum()) + penalty * (begin > 0)
            if error < best[end]:
                best[end], start[end] = error, begin
    edges, end = list[int](), number
    while start[end]:
        end = start[end]
        edges.append(end)
    return edges[::-1]


def test_the_search_has_the_least_error_of_all_partitions() -> None:
    """As trying out all of them says, which shares no code with the library."""
    generator = np.random.default_rng(20)
    for steps in ([], [(12, 1.1)], [(9, 1.1), (30, 0.9)], [(5, 1.2), (10, 0.8), (35, 1.1)]):
        values = np.log(series(generator, *steps, values=42)) / 0.03
        for penalty in (2.0, 10.0, 25.0):
            assert search(values, penalty) == least_error(values, penalty)


def test_the_search_is_exact() -> None:
    """Pelt, another algorithm for the same sum, finds the same indices."""
    generator = np.random.default_rng(17)
    for steps in ([], [(40, 1.1)], [(30, 1.1), (61, 0.9)], [(50, 1.03)]):
        seconds = series(generator, *steps, values=90)
        tamed = tame(np.log(seconds))
        (noise,) = noises([tamed])
        values = tamed.values / (noise.scale * noise.inflation**0.5)
        other = ruptures.Pelt("l2", min_size=SHORTEST, jump=1).fit(values)

        for penalty in (4.0, 13.5, 20.0):
            assert search(values, penalty) == other.predict(pen=penalty)[:-1]


@pytest.mark.parametrize(
    ("kind", "scale", "inflation"),
    [
        ({}, 1.0, 1.0),
        ({"correlation": 0.3}, 1.0, 1.3 / 0.7),
        ({"tails": 3.0}, 1.3, 1.0),
        ({"outliers": 0.1}, 1.35, 1.0),
    ],
    ids=str,
)
def test_the_noise_is_measured(kind: dict[str, float], scale: float, inflation: float) -> None:
    """Its scale and what correlation does to means, although the level changes often; outliers add a third at most."""
    steps = [(at, 1.2 if at % 200 else 1 / 1.2) for at in range(100, 5000, 100)]
    seconds = series(np.random.default_rng(18), *steps, values=5000, **{"outliers": 0.0, **kind})
    (found,) = noises([tame(np.log(seconds))])

    assert found.scale == pytest.approx(0.03 * scale, rel=0.1)
    assert found.inflation == pytest.approx(inflation, rel=0.1)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(10, 120), st.floats(1e-6, 1e6), st.lists(st.floats(0.7, 1.4), max_size=3))
def test_units_do_not_matter(seed: int, values: int, unit: float, ratios: list[float]) -> None:
    """In whatever unit the times are: the same changes, but for rounding."""
    generator = np.random.default_rng(seed)
    steps = [(int(generator.integers(values)), ratio) for ratio in ratios]
    seconds = series(generator, *steps, values=values)
    found, again = find_level_changes(seconds), find_level_changes(seconds * unit)

    assert [(c.first, c.at, c.last) for c in found] == [(c.first, c.at, c.last) for c in again]
    assert [c.ratio for c in found] == pytest.approx([c.ratio for c in again])


def test_a_series_from_its_end_has_the_changes_mirrored() -> None:
    """What starts a level forwards ends one backwards, and ratios are turned over."""
    generator = np.random.default_rng(19)
    for _ in range(100):
        steps = list(zip(generator.integers(0, 150, 3).tolist(), [1.1, 0.8, 1.3], strict=True))
        seconds = series(generator, *steps, values=150)
        found, mirrored = find_level_changes(seconds), find_level_changes(seconds[::-1])[::-1]

        assert [(c.first, c.at, c.last) for c in found] == [(150 - c.last, 150 - c.at, 150 - c.first) for c in mirrored]
        assert [c.ratio for c in found] == pytest.approx([1 / c.ratio for c in mirrored])


@pytest.mark.parametrize("ratio", [0.5, 0.999, 1.001, 1.02, 40.0])
@pytest.mark.parametrize(("values", "at"), [(10, 5), (12, 7), (50, 5), (50, 31), (50, 45), (300, 100)])
def test_without_noise_a_step_is_found_exactly(values: int, at: int, ratio: float) -> None:
    """Its index alone is in the range, and its ratio alone in the interval."""
    found = find_level_changes(np.where(np.arange(values) < at, 0.002, 0.002 * ratio))

    assert [(change.first, change.at, change.last) for change in found] == [(at, at, at)]
    assert [found[0].low, found[0].ratio, found[0].high] == pytest.approx([ratio] * 3)


@given(st.floats(1e-9, 1e9), st.integers(0, 50))
def test_a_constant_series_has_no_change(level: float, values: int) -> None:
    """Of whatever level and length."""
    assert find_level_changes([level] * values) == []


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), max_size=50)
    | st.lists(st.sampled_from([0.001, 0.00101, 0.002, 5.0]), max_size=50)
    | st.lists(st.floats(0.9, 1.1), min_size=10, max_size=50)
)
def test_any_positive_series_has_changes_in_order(seconds: list[float]) -> None:
    """Nothing raises; a change has its ranges about it, leaves five values to either side, and is clear."""
    found = find_level_changes(seconds)
    edges = [0, *(change.at for change in found), len(seconds)]

    assert all(change.first <= change.at <= change.last for change in found)
    assert all(change.low <= change.ratio <= change.high for change in found)
    assert all(change.low > 1 or change.high < 1 for change in found)
    assert not found or min(np.diff(edges)) >= 5


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95])
def test_coarse_times_are_no_changes(share: float) -> None:
    """Times of a clock that knows two values only, where most neighbours are equal."""
    seconds = np.random.default_rng(20).choice([1.0, 1.01], 1000, p=[share, 1 - share])

    assert find_level_changes(seconds) == []
