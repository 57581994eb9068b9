"""One device against another: who is held against whom, how sure a ratio is, and from which size on who is faster."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from parabola.records import speedups
from parabola.records.schema import Times
from parabola.records.speedups import Speedup
from tests.made_measurements import altered, measurement, on_device


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ({}, []),
        ({"a": "cpu"}, []),
        ({"a": "cpu", "b": "cpu"}, ["a b"]),
        ({"a": "gpu:0", "b": "cpu"}, ["b a"]),
        ({"a": "gpu:0", "b": "gpu:1", "c": "tpu"}, ["a b", "a c"]),
        ({"a": "gpu:0", "b": "cpu", "c": "cpu:1", "d": "gpu:1"}, ["b a", "b c", "b d", "c a", "c d"]),
        ({"a": "cpu", "b": "gpu:0", "c": "cpu", "d": "cpu"}, ["a b", "a c", "a d", "c b", "d b"]),
    ],
)
def test_the_first_cpu_meets_everyone_and_every_cpu_every_gpu(devices: dict[str, str], expected: list[str]) -> None:
    """The slower kind of device comes first in each pair, and the order of the sides decides the rest."""
    sides = [on_device(label, device) for label, device in devices.items()]

    assert [f"{first.label} {second.label}" for first, second in speedups.pairs(sides)] == expected


def test_a_speedup_is_the_first_time_over_the_second_with_its_interval() -> None:
    """The interval agrees with Student's t from SciPy on the logarithm of the two medians' ratio."""
    first = measurement(median=6e-3, low_quartile=5.8e-3, high_quartile=6.3e-3, rounds=7)
    second = measurement(device="gpu:0", median=4e-3, low_quartile=3.9e-3, high_quartile=4.4e-3, rounds=12)
    (found,) = speedups.speedups(on_device("a", "cpu", first), on_device("b", "gpu:0", second))
    errors = [0.929 * 0.5e-3 / (6e-3 * math.sqrt(7)), 0.929 * 0.5e-3 / (4e-3 * math.sqrt(12))]
    reach = math.sqrt(errors[0] ** 2 + errors[1] ** 2) * stats.t.ppf(0.975, 17)

    assert (found.first, found.second) == (first, second)
    assert found.ratio == pytest.approx(1.5)
    assert found.low == pytest.approx(1.5 * math.exp(-reach))
    assert found.high == pytest.approx(1.5 * math.exp(reach))


def times(median: float, low: float, high: float, rounds: int) -> Times:
    return Times(median=median, low_quartile=low, high_quartile=high, rounds=rounds)


def test_a_ratio_of_medians_by_hand() -> None:
    """Errors 0.929 (q3 - q1) / (median √rounds) add as squares; Student's t has the rounds of both less two."""
    error = math.hypot(0.929 * 0.2 / (2 * 3), 0.929 * 0.9 / (5 * 2))
    reach = math.exp(error * stats.t.ppf(0.975, 11))
    found = speedups.median_ratio_interval(times(2.0, 1.9, 2.1, 9), times(5.0, 4.8, 5.7, 4))

    assert found == pytest.approx((0.4, 0.4 / reach, 0.4 * reach))


@pytest.mark.parametrize(("rounds", "known"), [((2, 9), False), ((9, 2), False), ((3, 9), True), ((9, 3), True)])
def test_a_ratio_of_medians_needs_three_rounds_of_each(rounds: tuple[int, int], known: bool) -> None:
    """Below that its interval has no bounds, whichever of the two has too few."""
    first, second = times(3.0, 2.9, 3.2, rounds[0]), times(2.0, 1.9, 2.1, rounds[1])
    ratio, low, high = speedups.median_ratio_interval(first, second)

    assert ratio == 1.5
    assert (low, high) == (0.0, math.inf) or known
    assert (0 < low < 1.5 < high < math.inf) == known


def test_intervals_of_a_ratio_of_medians_cover_it() -> None:
    """In about 95 of 100 pairs of ten rounds whose true ratio is known; three rounds are the fewest."""
    random, covered, trials = np.random.default_rng(1), 0, 2000
    for _ in range(trials):
        rounds = [scale * random.lognormal(0, 0.05, 10) for scale in (2.0, 1.0)]
        (median, below, above), (other, other_below, other_above) = (
            np.quantile(seconds, (0.5, 0.25, 0.75)).tolist() for seconds in rounds
        )
        first, second = times(median, below, above, 10), times(other, other_below, other_above, 10)
        _, low, high = speedups.median_ratio_interval(first, second)
        covered += low < 2.0 < high

    assert 0.92 < covered / trials < 0.99
    too_few, many = times(2.0, 1.9, 2.1, 2), times(1.0, 0.9, 1.1, 10)
    assert speedups.median_ratio_interval(too_few, many) == (2.0, 0.0, math.inf)


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "members"},
        {"engine": "native"},
        {"batch_size": 10},
        {"learning_rate": 0.0011},
        {"samples": 998},
        {"members": 9},
        {"final_learning_rate": 0.001},
        {"unit": "seconds per run"},
        {"epochs": 1},
    ],
)
def test_only_the_same_case_makes_a_speedup(other: dict[str, Any]) -> None:
    """A case that differs in any axis but the device, or in its unit, has no partner; the others keep their order."""
    ours = [measurement(samples=samples, median=samples * 1e-6) for samples in (30, 10, 20)]
    theirs = [measurement(device="gpu:0", samples=samples, name="x") for samples in (10, 20, 30, 999)]
    found = speedups.speedups(on_device("a", "cpu", *ours, measurement(**other)), on_device("b", "gpu:0", *theirs))

    assert [one.first for one in found] == ours
    assert [one.second.case.samples for one in found] == [30, 10, 20]


def against(low: float = 2.0, high: float = 3.0, **case: Any) -> Speedup:
    """Return a speed-up of a case with such an interval."""
    one = measurement(**case)
    return Speedup(one, altered(one, device="gpu:0"), 2.5, low, high)


@pytest.mark.parametrize(
    ("wins", "says"),
    [
        ({9: False}, "gpu:0 is never surely faster in the range measured (batch size 9 alone)"),
        ({9: True}, "gpu:0 is faster in the whole range measured (batch size 9 alone)"),
        ({10: False, 9: False}, "gpu:0 is never surely faster in the range measured (batch size 9 to 10)"),
        ({27: True, 9: True, 111: True}, "gpu:0 is faster in the whole range measured (batch size 9 to 111)"),
        (
            {9: False, 27: True, 1: False, 111: True},
            "gpu:0 is faster from batch size 27 on, not yet at 9 (measured: batch size 1 to 111)",
        ),
        ({1: False, 9: True}, "gpu:0 is faster from batch size 9 on, not yet at 1 (measured: batch size 1 to 9)"),
        ({9: False, 1: True}, "gpu:0 is faster at batch size 1 only (measured: batch size 1 to 9)"),
        (
            {27: True, 9: False, 1: True, 111: False},
            "gpu:0 is faster at batch size 1, 27 only (measured: batch size 1 to 111)",
        ),
    ],
)
def test_from_which_size_on_the_second_is_faster(wins: dict[int, bool], says: str) -> None:
    """Sizes count by their number, whatever their order, and a sentence names the range that was measured."""
    found = [against(low=1.01 if won else 0.99, batch_size=size) for size, won in wins.items()]

    assert list(speedups.crossovers(found, "gpu:0")) == [f"compiled: {says}"]


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (np.nextafter(1, 2), 9.0, "b is faster in the whole range measured (batch size 9 alone)"),
        (1.0, 9.0, "b is never surely faster in the range measured (batch size 9 alone)"),
        (5.0, math.inf, "too few rounds to tell"),
    ],
)
def test_only_an_interval_above_one_makes_a_speedup_sure(low: float, high: float, says: str) -> None:
    """The ratio itself, of 2.5 here, decides nothing."""
    assert list(speedups.crossovers([against(low, high)], "b")) == [f"compiled: {says}"]


def test_a_size_with_too_few_rounds_is_left_out_of_its_line() -> None:
    """The rest of the line is told as if that size had not been measured."""
    found = [against(batch_size=1), against(batch_size=9, high=math.inf), against(batch_size=27)]

    assert list(speedups.crossovers([found[1], *found], "b")) == [
        "compiled: b is faster in the whole range measured (batch size 1 to 27)"
    ]


def test_every_line_of_a_kind_and_engine_has_a_sentence_that_tells_it_apart() -> None:
    """Settings are named only where an engine has several; kinds without an axis have no sentence."""
    blocks: dict[str, Any] = {"kind": "members", "learning_rate": 0.1}
    found = [
        against(kind="compile time"),
        against(**blocks, members=64, batch_size=111),
        against(**blocks, members=8, batch_size=111, low=0.5),
        against(**blocks, members=8, batch_size=27),
        against(engine="native", batch_size=27),
        against(batch_size=9, samples=10_000, epochs=5),
        against(batch_size=9, learning_rate=1e-05, low=0.9),
        against(batch_size=1, learning_rate=1e-05, low=0.9),
        against(engine="native", kind="time to accuracy"),
        against(engine="fit", **blocks, members=3, batch_size=27),
    ]

    whole = "b is faster in the whole range measured"
    many = "many members (a CPU's on one core)"
    assert list(speedups.crossovers(found, "b")) == [
        f"compiled, 10000 samples, learning rate 0.001, 5 epochs a round: {whole} (batch size 9 alone)",
        "compiled, 999 samples, learning rate 1e-05: "
        "b is never surely faster in the range measured (batch size 1 to 9)",
        f"native: {whole} (batch size 27 alone)",
        f"compiled, {many}, 999 samples, learning rate 0.1, batch size 111: "
        "b is faster from 64 members on, not yet at 8 (measured: 8 to 64 members)",
        f"compiled, {many}, 999 samples, learning rate 0.1, batch size 27: {whole} (8 members alone)",
        f"fit, {many}: {whole} (3 members alone)",
    ]
