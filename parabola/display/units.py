"""Quantities as text: a time in the unit that suits it."""


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
