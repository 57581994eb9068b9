"""Quantities as text: a time in the unit that suits it, how many times one is another, and a share in per cent."""

from decimal import ROUND_HALF_UP, Decimal


def duration(seconds: float) -> str:
    """Return a time as text in the unit that suits it, to three digits, as "31.2 µs".

    Args:
        seconds: the time.
    """
    rounded = float(f"{seconds:.3g}")  # first: 0.9999 s is a second, not a thousand milliseconds
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if rounded >= size:
            return f"{rounded / size:.3g} {unit}"
    return f"{rounded / 1e-9:.3g} ns"


def times(ratio: float) -> str:
    """Return how many times one quantity is another, to three digits, or as a whole number from 100 on."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def per_cent(share: float, digits: int = 0) -> str:
    """Return a share in per cent, without the sign: rounded once, from the share itself, and halves up.

    So 15 of 40 is 38 and 23 of 40 is 58: 100 times the float 0.575 lies below 57.5, and formats round halves to even.

    Args:
        share: from 0 to 1.
        digits: number of digits behind the point.
    """
    hundredfold = 100 * Decimal(repr(float(share)))
    return str(hundredfold.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))
