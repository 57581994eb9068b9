"""Quantities as text: a time in the unit that suits it, and how many times one is another."""


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
