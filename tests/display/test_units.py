"""Durations in the unit that suits them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parabola.display import units


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((1.0, "1 s"), (0.9995, "1 s"), (0.99949, "999 ms"), (1234.0, "1.23e+03 s"), (59.96, "60 s")),
        *((1e-3, "1 ms"), (0.00099951, "1 ms"), (0.0009995, "999 µs"), (1.0049e-3, "1 ms"), (1.0151e-3, "1.02 ms")),
        *((1e-6, "1 µs"), (9.9951e-7, "1 µs"), (9.9949e-7, "999 ns"), (1.236e-9, "1.24 ns"), (2e-13, "0.0002 ns")),
    ],
)
def test_a_duration_changes_its_unit_where_three_digits_say_a_thousand(seconds: float, text: str) -> None:
    """What is rounded up to a second is told as one, not as a thousand milliseconds, and so for every unit."""
    assert units.duration(seconds) == text


@given(st.floats(1e-9, 999.4))
def test_a_duration_is_told_to_three_digits(seconds: float) -> None:
    """The number before the unit lies between 1 and 999, and is right to half of its third digit."""
    number, unit = units.duration(seconds).split(" ")
    size = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]

    assert 1 <= float(number) <= 999
    assert float(number) * size == pytest.approx(seconds, rel=0.00501)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.01234, "0.0123"), (1.0, "1"), (99.94, "99.9"), (99.96, "100"), (100.4, "100"), (1234567.8, "1,234,568")],
)
def test_a_ratio_is_told_to_three_digits_and_whole_from_a_hundred_on(ratio: float, text: str) -> None:
    """Large ones have commas."""
    assert units.times(ratio) == text


@given(st.integers(1, 999), st.integers(1, 999), st.integers(0, 1))
def test_a_share_in_per_cent_is_rounded_once_and_halves_up(part: int, whole: int, digits: int) -> None:
    """Whole numbers say it: the nearest step of the last digit, in arithmetic without rounding."""
    steps = (2 * 100 * 10**digits * part + whole) // (2 * whole)

    assert units.per_cent(part / whole, digits) == (f"{steps // 10}.{steps % 10}" if digits else str(steps))


@pytest.mark.parametrize(
    ("share", "digits", "text"),
    [(15 / 40, 0, "38"), (23 / 40, 0, "58"), (1.0, 0, "100"), (0.0, 1, "0.0"), (1 / 8, 1, "12.5"), (0.00049, 1, "0.0")],
)
def test_a_share_has_as_many_digits_as_were_asked_for(share: float, digits: int, text: str) -> None:
    """57.5 % is 58 %, though 100 times the float 0.575 is a little less."""
    assert units.per_cent(share, digits) == text
