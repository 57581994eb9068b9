"""The target, its errors and its loss."""

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.training.experiment import Experiment
from parabola.training.target import (
    Parabola,
    coefficient_error,
    first_settled,
    first_true,
    mean_squared_error,
    polynomial,
)

numbers = st.floats(-100, 100)
slopes = numbers.filter(lambda a: abs(a) > 1e-3)


def test_default_is_the_published_target() -> None:
    """x² + 2x + 2, at a hand-computed point."""
    assert str(Parabola()) == "x² + 2x + 2"
    assert Parabola()(np.array([3.0])) == 17


@settings(deadline=None)
@given(slopes, numbers, numbers, st.tuples(numbers, numbers, numbers))
def test_coefficient_error_is_the_largest_difference(a: float, b: float, c: float, d: tuple[float, ...]) -> None:
    """The error of target + d is the largest |d|, and each row is judged alone."""
    target = Parabola(a, b, c)
    estimates = np.stack([target.coefficients + d, target.coefficients])

    np.testing.assert_allclose(coefficient_error(estimates, target), [np.abs(d).max(), 0], atol=1e-12)


@settings(deadline=None)
@given(slopes, numbers, numbers, st.tuples(numbers, numbers, numbers))
def test_loss_from_coefficients_is_the_mean_over_samples(a: float, b: float, c: float, e: tuple[float, ...]) -> None:
    """The quadratic form equals the mean of the squared residuals, computed sample by sample."""
    x = np.random.default_rng(0).uniform(-1, 2, 50)
    target = Parabola(a, b, c)

    direct = np.mean((np.polyval(e, x) - target(x)) ** 2)
    np.testing.assert_allclose(mean_squared_error(np.array(e), target, x), direct, rtol=1e-9, atol=1e-9)


def test_coefficient_error_refuses_another_shape() -> None:
    """Two coefficients are no estimate; the message says what came."""
    with pytest.raises(ValueError, match=r"Received: \(2,\)"):
        coefficient_error(np.zeros(2), Parabola())


@pytest.mark.parametrize(
    ("coefficients", "text"),
    [((1, -2, 0.5), "x² - 2x + 0.5"), ((-1, 0, -3), "-x² - 3"), ((0, 0, 0), "0"), ((0, 1, 1), "x + 1")],
)
def test_polynomial_reads_as_written_by_hand(coefficients: tuple[float, ...], text: str) -> None:
    """Signs, ones and zeros are written as a person would."""
    assert polynomial(np.array(coefficients)) == text


@pytest.mark.parametrize("coefficients", [(0, 2, 2), (np.nan, 1, 1), (1, np.inf, 1)])
def test_lines_and_what_is_not_finite_are_refused(coefficients: tuple[float, ...]) -> None:
    """a = 0, NaN and inf are no parabola."""
    with pytest.raises(ValueError, match="target needs"):
        Parabola(*coefficients)


@pytest.mark.parametrize("text", ["1,2", "1,2,x", "", "1,2,3,4"])
def test_parse_says_what_it_received(text: str) -> None:
    """Anything but three numbers is refused by name."""
    assert Parabola.parse("1, -2,3") == Parabola(1, -2, 3)
    with pytest.raises(ValueError, match="three numbers"):
        Parabola.parse(text)


def test_a_parabola_is_computed_in_float64_in_the_shape_of_x() -> None:
    """The values of 2x² - 3x + 5 are those that a hand calculation gives, also for float32 and for whole numbers."""
    parabola = Parabola(2, -3, 5)
    values = parabola(np.array([[-1.0], [0.5], [2.0]], np.float32))

    assert values.dtype == np.float64
    assert values.tolist() == [[10.0], [4.0], [7.0]]
    assert parabola(np.array([3, -2])).tolist() == [14.0, 19.0]
    assert parabola.coefficients.tolist() == [2.0, -3.0, 5.0]
    assert parabola.coefficients.dtype == np.float64


@pytest.mark.parametrize(
    ("coefficients", "message"),
    [
        ((0, 2, -3), "target needs a ≠ 0: 2x - 3 is no parabola"),
        ((float("nan"), 1, 2), "target needs three finite coefficients. Received: nan, 1, 2"),
        ((1, float("-inf"), 2), "target needs three finite coefficients. Received: 1, -inf, 2"),
        ((1, 2, float("inf")), "target needs three finite coefficients. Received: 1, 2, inf"),
    ],
)
def test_the_message_names_the_coefficients(coefficients: tuple[float, ...], message: str) -> None:
    """The refusal of a line, or of a coefficient that is not finite, says what was received."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Parabola(*coefficients)


def test_the_smallest_curvature_is_a_parabola() -> None:
    """The smallest float above 0, and the largest below 0, are accepted as a."""
    assert Parabola(5e-324, 0, 0).a == 5e-324
    assert Parabola(-5e-324, 0, 0).a == -5e-324


def test_parse_gives_the_reason_that_is_right() -> None:
    """A text that is not three numbers is quoted; three numbers that are no parabola get the parabola's own message."""
    with pytest.raises(ValueError, match=r"^target needs three numbers a,b,c, as in 1,2,2\. Received: '1;2,3'$"):
        Parabola.parse("1;2,3")
    with pytest.raises(ValueError, match=r"^target needs a ≠ 0: x \+ 2 is no parabola$"):
        Parabola.parse("0,1,2")
    assert Parabola.parse("-1.5,2e-3,7") == Parabola(-1.5, 0.002, 7.0)


@pytest.mark.parametrize(
    ("coefficients", "digits", "text"),
    [
        ((1, 1, 1), 6, "x² + x + 1"),
        ((-1, -1, -1), 6, "-x² - x - 1"),
        ((0, -1, 0), 6, "-x"),
        ((0, 0, 5), 6, "5"),
        ((0, 0, -0.25), 6, "-0.25"),
        ((2, 0, -1), 6, "2x² - 1"),
        ((-2, 3, 0), 6, "-2x² + 3x"),
        ((1.23456789, -0.0, 1e-7), 6, "1.23457x² + 1e-07"),
        ((1.23456789, 0.9999999, 0.99999), 6, "1.23457x² + x + 0.99999"),
        ((1.23456789, 0.9999999, 1e-7), 8, "1.2345679x² + 0.9999999x + 1e-07"),
        ((0.691358, 12.34567, 1), 5, "0.69136x² + 12.346x + 1"),
    ],
)
def test_polynomial_has_the_digits_asked_for(coefficients: tuple[float, ...], digits: int, text: str) -> None:
    """Each coefficient has so many significant digits, and a 1 is written only where it stands alone."""
    assert polynomial(np.array(coefficients), digits=digits) == text
    if digits == 6:
        assert polynomial(np.array(coefficients)) == str(text)


@pytest.mark.parametrize("shape", [(), (2,), (3, 2), (0,)])
def test_the_last_axis_of_estimates_has_three_coefficients(shape: tuple[int, ...]) -> None:
    """Any other shape is refused with a message that has it in full."""
    message = f"estimates need the shape (..., 3). Received: {shape}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        coefficient_error(np.zeros(shape), Parabola())


def test_the_error_is_the_largest_in_either_direction() -> None:
    """The coefficient that is furthest off decides, above or below, whichever it is; NaN and inf stay."""
    estimates = [[[1.5, 2, 2], [1, 1.25, 2.5]], [[0, 2.75, 2.5], [1, 2, -1]]]

    assert coefficient_error(np.array(estimates), Parabola()).tolist() == [[0.5, 0.75], [1.0, 3.0]]
    assert coefficient_error(np.array([1, -np.inf, 2]), Parabola()) == np.inf
    assert np.isnan(coefficient_error(np.array([1, np.nan, 5]), Parabola()))


def test_the_loss_of_float32_samples_is_exact_to_float64() -> None:
    """The mean square of the residuals over float32 samples of shape (samples, 1) is computed in float64."""
    x = np.array([[0.1], [-0.7], [1.3]], np.float32)
    estimates = np.array([[1.1, 2, 2], [1, 2, -1], [1, 1.9, 2.2]])
    wide = x.astype(float).ravel()
    expected = [float(np.mean((0.1 * wide**2) ** 2)), 9.0, float(np.mean((-0.1 * wide + 0.2) ** 2))]

    np.testing.assert_allclose(mean_squared_error(estimates, Parabola(), x), expected, rtol=1e-12)


def exact_loss(difference: list[float], x: list[float]) -> Fraction:
    """Return the mean square of a polynomial over samples in whole numbers, without rounding."""
    a, b, c = map(Fraction, difference)
    return sum((((a * x + b) * x + c) ** 2 for x in map(Fraction, x)), Fraction(0)) / len(x)


@pytest.mark.parametrize("samples", [1, 2, 3, 99])
@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (1e5, 1e5 + 1), (-1e5, -1e5 + 1), (-1e4, 3e4), (0, 1e-3)])
def test_the_loss_is_accurate_wherever_x_is(low: float, high: float, samples: int) -> None:
    """Its root is off by no more than the rounding of a residual's terms, for estimates near and far."""
    random = np.random.default_rng(samples)
    target = Parabola(1, 2, 2)
    x = random.uniform(low, high, samples).astype(np.float32)
    middle = (low + high) / 2
    vanishing = np.array([1, -2 * middle, middle**2])  # nearly 0 over the range
    normal = random.normal(size=(4, 3))
    estimates = target.coefficients + np.vstack([normal, 1e-7 * normal, vanishing])
    losses = mean_squared_error(estimates, target, x)

    for loss, difference in zip(losses.tolist(), (estimates - target.coefficients).tolist(), strict=True):
        exact = float(exact_loss(difference, x.tolist())) ** 0.5
        terms = float(np.polyval(np.abs(difference), np.abs(x).max()))
        assert loss >= 0
        assert loss**0.5 == pytest.approx(exact, rel=1e-12, abs=4 * np.finfo(float).eps * terms)


def test_the_loss_far_from_zero_is_not_negative() -> None:
    """On [100000, 100001) a parabola that touches the target in the middle is off by some thousandths, not below 0."""
    x = Experiment(low=1e5, high=1e5 + 1).data[0]
    estimates = np.array([[1 + d, 2 - 2e5 * d, 2 + 1e10 * d] for d in (1e-3, 1, 10)])
    exact = [float(exact_loss((row - [1, 2, 2]).tolist(), x.ravel().tolist())) for row in estimates]

    np.testing.assert_allclose(mean_squared_error(estimates, Parabola(), x), exact, rtol=1e-4)


def test_the_loss_of_what_has_diverged_is_not_finite() -> None:
    """A coefficient that is infinite, or no number, leaves the losses of other rows as they are."""
    estimates = np.array([[1, 2, np.inf], [1, -np.inf, 2], [np.inf, 2, 2], [1, np.nan, 2], [1, 2, 5]])
    with np.errstate(all="ignore"):
        losses = mean_squared_error(estimates, Parabola(), np.array([0.25, 0.5, 0.625, 1]))

    assert not np.isfinite(losses[:4]).any()
    assert losses[4] == pytest.approx(9, rel=1e-15)


def test_the_first_epoch_is_counted_from_1() -> None:
    """Each column's first true row has its number; a column without one has 0."""
    happened = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]], bool)

    assert first_true(happened).tolist() == [4, 2, 1, 0]
    assert first_true(happened[:, 1]) == 2


def test_an_epoch_is_settled_where_all_that_follow_are_below() -> None:
    """The first epoch of the last unbroken stretch counts, and 0 where the last epoch is not below."""
    below = np.array([[1, 0, 1, 0, 1, 0], [1, 1, 0, 0, 1, 0], [1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 0, 0]], bool)

    assert first_settled(below).tolist() == [1, 4, 3, 4, 0, 0]
    assert first_settled(below[:, 2]) == 3
