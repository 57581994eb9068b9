"""The target, its errors and its loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.target import Parabola, coefficient_error, mean_squared_error, polynomial

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
