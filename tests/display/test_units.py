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
