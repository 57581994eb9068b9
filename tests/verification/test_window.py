"""What a window says of an engine's epoch, by value: just inside and just outside of each tolerance."""

from typing import Any

import numpy as np
import pytest

from parabola.training.target import Array
from parabola.verification.window import Window

START = np.array([[1.0, -2.0, 4.0, 0.5], [0.0] * 4, [0.25] * 4])
END = np.array([[1.5, -2.5, 3.0, 0.5], [0.1] * 4, [0.25, 0.36, 0.49, 0.0]])
ULP = 2.0**-23  # of float32 between 1 and 2
NAN, INF = float("nan"), float("inf")


def window(largest_gradient: float = 9.0, **changed: Array) -> Window:
    """Return a window of two replicas, of which one is 0.001 off in the third weight and the other 0.0005 in all."""
    replicas = np.stack([END, END])
    replicas[0, 0, 2] -= 0.001
    replicas[1, 0] += 0.0005
    values: dict[str, Any] = {"start": START, "end": END, "replicas": replicas, **changed}
    return Window(6, **values, largest_gradient=largest_gradient)


def moved(weight: int, shift: float) -> Array:
    """Return the weights at the end, one of them shifted."""
    weights: Array = END[0].copy()
    weights[weight] += shift
    return weights


def without_departure() -> Window:
    """Return a window whose replicas have the exact weights."""
    return window(replicas=np.stack([END] * 3))


def test_the_tolerance_is_three_times_the_largest_departure() -> None:
    """Of any replica in any weight, and alike for all weights."""
    np.testing.assert_allclose(window().tolerance, [0.003] * 4, rtol=1e-9)
    assert window().tolerance.shape == (4,)


def test_the_tolerance_is_at_least_three_last_places() -> None:
    """Of float32, the largest weight's, and alike for all weights."""
    np.testing.assert_array_equal(without_departure().tolerance, [6 * ULP] * 4)


@pytest.mark.parametrize("weight", range(4))
@pytest.mark.parametrize("sign", [1, -1])
def test_each_weight_is_held(weight: int, sign: int) -> None:
    """It may be so far away as the tolerance is, to either side, and no further."""
    assert window().fault(moved(weight, sign * 0.002999)) == ""
    assert window().fault(moved(weight, sign * 0.003001)) != ""
    assert without_departure().fault(moved(weight, sign * without_departure().tolerance[weight] * 0.99)) == ""
    assert without_departure().fault(moved(weight, sign * without_departure().tolerance[weight] * 1.01)) != ""


def test_the_fault_says_which_weight_is_how_far_off() -> None:
    """The weight that exceeds its tolerance most is named, with both values, how far they may differ, and why."""
    weights = END[0] + np.array([0.004, -0.0125, 0.01, 0.0])

    assert window().fault(weights) == (
        "weight 2 of 4 is -2.5125, the reference has -2.5 "
        "(they may differ by 0.003: 3 times what random rounding to float32 does)"
    )


def test_a_run_at_rest_may_be_as_far_off_in_a_small_weight_as_in_a_large_one() -> None:
    """So the weight that is named is the one that is furthest off, whatever its own last places are."""
    weights = END[0] + ULP * np.array([5.5, 6.5, 5, 7])

    assert without_departure().fault(END[0] + ULP * np.array([5.5, 5.5, 5, -5.5])) == ""
    assert without_departure().fault(weights).startswith("weight 4 of 4 is ")


@pytest.mark.parametrize(("weight", "expected"), [(0, 0.5), (1, 0.6), (2, 0.7)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_root_of_each_velocity_is_held(weight: int, expected: float, sign: int) -> None:
    """It may be so far away as three times the replicas of this velocity are."""
    replicas = window().replicas.copy()
    replicas[0, 2, weight] = (expected + 0.01) ** 2
    replicas[1, 2, weight] = (expected - 0.02) ** 2
    held = window(replicas=replicas)
    for shift, right in ((0.0599, True), (0.0601, False)):
        velocity = END[2].copy()
        velocity[weight] = (expected + sign * shift) ** 2
        assert (held.fault(END[0], velocity) == "") == right
    other = END[2].copy()
    other[(weight + 1) % 3] *= 1.0001
    assert held.fault(END[0], other) != ""
    assert held.fault(END[0]) == ""


@pytest.mark.parametrize("burst", [1.34, 3.0, 1 / 3.0])
def test_a_velocity_that_bursts_is_held_in_the_logarithm(burst: float) -> None:
    """Where replicas depart by more than a third, it may be off by the third power of the largest factor among them."""
    replicas = window().replicas.copy()
    replicas[0, 2, 1] = (0.6 * burst) ** 2
    replicas[1, 2, 1] = (0.6 * 1.33) ** 2
    held, most = window(replicas=replicas), max(burst, 1 / burst, 1.33) ** 3
    for factor, right in ((0.999 * most, True), (1.001 * most, False)):
        velocity = END[2].copy()
        velocity[1] = (0.6 * factor) ** 2
        assert (held.fault(END[0], velocity) == "") == right
    assert held.fault(END[0], END[2] * [1, 0, 1, 1]) == ""  # further down than by its own size it cannot be


def test_a_root_of_velocity_may_be_three_places_off() -> None:
    """Where replicas agree, it may differ by six times half a unit in the last place, of its own size."""
    for factor, right in ((1 + 5.9 * 2.0**-24, True), (1 + 6.1 * 2.0**-24, False), (1 - 6.1 * 2.0**-24, False)):
        velocity = END[2].copy()
        velocity[1] = (0.6 * factor) ** 2
        assert (without_departure().fault(END[0], velocity) == "") == right


def test_the_fault_says_which_velocity_is_off() -> None:
    """As of a weight, whose faults come first."""
    velocity = np.array([0.25, 0.36, 0.64, 0.0], np.float32)

    assert without_departure().fault(END[0], velocity) == (
        "root of velocity 3 of 4 is 0.799999991, the reference has 0.7 "
        "(they may differ by 2.5e-07: 3 times what random rounding to float32 does)"
    )
    assert without_departure().fault(moved(1, 1.0), velocity).startswith("weight 2 of 4 is -1.5, ")


@pytest.mark.parametrize("where", ["end", "replica"])
def test_a_velocity_that_overflows_is_passed_over(where: str) -> None:
    """Its weight does not move then; the others are held all the same."""
    velocity, end, replicas = END[2].copy(), END.copy(), window().replicas.copy()
    {"end": end[2], "replica": replicas[1, 2]}[where][0] = INF
    held = window(end=end, replicas=replicas)

    assert held.fault(END[0], velocity) == ""
    velocity[1] = 0.37
    assert held.fault(END[0], velocity).startswith("root of velocity 2 of 4 is 0.608")


@pytest.mark.parametrize("value", [INF, NAN])
def test_a_velocity_that_is_not_finite_needs_a_large_gradient(value: float) -> None:
    """The reference's being finite, it is wrong, unless squares of gradients beyond 1e10 may overflow."""
    velocity = END[2].copy()
    velocity[1] = value

    assert (
        window(1e10).fault(END[0], velocity).startswith(f"root of velocity 2 of 4 is {value:.9g}, the reference has ")
    )
    assert window(np.nextafter(1e10, INF)).fault(END[0], velocity) == ""


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_weights_that_are_not_finite_need_a_reference_that_is_not(value: float) -> None:
    """One replica that has diverged excuses an engine that has, and so does a gradient beyond 1e10."""
    weights, replicas = moved(1, value), window().replicas.copy()

    said = f"the weights are {weights.tolist()}, and the reference's are finite"
    assert window().fault(weights) == said
    assert window(largest_gradient=0.99e10).fault(weights) == said
    assert window(largest_gradient=1.01e10).fault(weights) == ""
    replicas[1, 0, 3] = NAN
    assert window(replicas=replicas).fault(weights) == ""


@pytest.mark.parametrize("value", [NAN, INF])
def test_finite_weights_need_a_replica_that_is_finite(value: float) -> None:
    """Where some have diverged any weights are right, and where all have, none."""
    replicas, weights = window().replicas.copy(), END[0] + 77
    replicas[0, 0, 1] = value
    assert window(replicas=replicas).fault(weights) == ""
    replicas[1, 0, 2] = NAN

    said = f"the weights are {weights.tolist()}, and the reference's are not finite"
    assert window(replicas=replicas).fault(weights) == said
    assert window(replicas=replicas, largest_gradient=1e30).fault(weights) == said


@pytest.mark.parametrize("row", range(3))
def test_an_epoch_that_begins_diverged_says_nothing(row: int) -> None:
    """Whatever comes out of it."""
    start = START.copy()
    start[row, 2] = INF

    assert window(start=start).fault(END[0] + 9) == ""
    assert window(start=start).fault(END[0] * NAN) == ""


def test_weights_that_stay_where_they_were_are_told_apart() -> None:
    """Within a tolerance that would let them, if every replica's have moved by more than four last places."""
    replicas = np.stack([END, END])
    replicas[:, 0] = START[0] + np.array([[9.0, 0, 0, 0], [0, 0, -4 * 2 * 2 * ULP, 0]])
    still, begin = START.copy(), START[0].astype(np.float32)
    assert window(end=still, replicas=replicas).fault(begin) == ""
    replicas[1, 0, 2] = 4 - 4.001 * 4 * ULP
    said = window(end=still, replicas=replicas).fault(begin)

    assert said == "no weight has moved, and the reference's have, by 1.91e-06 at least"
    begin[1] -= 2 * ULP
    assert window(end=still, replicas=replicas).fault(begin) == ""


@pytest.mark.parametrize(("distance", "tells"), [(0.0601, True), (0.0599, False)])
@pytest.mark.parametrize("weight", range(4))
def test_a_window_tells_where_the_weights_moved_far(distance: float, tells: bool, weight: int) -> None:
    """The tolerance, 0.003, is at most a twentieth of how far the weight went that moved furthest."""
    start = END.copy()
    start[0, weight] -= distance

    assert window(start=start).tells is tells


def test_a_window_that_overflows_tells_nothing() -> None:
    """Its tolerance is not a number, and so it is not small."""
    assert not window(end=END * NAN, replicas=np.stack([END * NAN] * 2)).tells


def test_an_engine_that_diverges_where_no_replica_does_is_left_alone() -> None:
    """It is not alone where a replica has diverged, too, where it had before the epoch, or where it has not."""
    replicas, start, diverged = window().replicas.copy(), START.copy(), moved(1, NAN)
    replicas[1, 0, 2] = start[2, 0] = INF

    assert window().leaves_alone(diverged)
    assert not window().leaves_alone(END[0])
    assert not window(replicas=replicas).leaves_alone(diverged)
    assert not window(start=start).leaves_alone(diverged)
