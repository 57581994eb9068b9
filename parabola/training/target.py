"""The target: a parabola whose coefficients are known, and how far an estimate is from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Parabola:
    """The true y = a x² + b x + c, in float64. A line (a = 0) is refused: no network here can represent one exactly.

    Raises:
        ValueError: if a coefficient is not finite, or a is 0.
    """

    a: float = 1.0
    b: float = 2.0
    c: float = 2.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.coefficients).all():
            raise ValueError(f"target needs three finite coefficients. Received: {self.a}, {self.b}, {self.c}")
        if self.a == 0:
            raise ValueError(f"target needs a ≠ 0: {polynomial(self.coefficients)} is no parabola")

    def __str__(self) -> str:
        return polynomial(self.coefficients)

    def __call__(self, x: Array) -> Array:
        """Return a x² + b x + c, float64, in the shape of x."""
        return np.polyval(self.coefficients, np.asarray(x, float))

    @property
    def coefficients(self) -> Array:
        """Shape (3,), float64: (a, b, c)."""
        return np.array([self.a, self.b, self.c], float)

    @classmethod
    def parse(cls, text: str) -> "Parabola":
        """Read "a,b,c". Raises ValueError if that is not three numbers, or they are no parabola."""
        try:
            a, b, c = map(float, text.split(","))
        except ValueError:
            raise ValueError(f"target needs three numbers a,b,c, as in 1,2,2. Received: {text!r}") from None
        return cls(a, b, c)


def polynomial(coefficients: Array, digits: int = 6) -> str:
    """Write (a, b, c), shape (3,), as "x² + 2x + 2", each coefficient rounded to a number of significant digits."""
    terms = ""
    for value, power in zip(coefficients, ("x²", "x", ""), strict=True):
        number = f"{abs(value):.{digits}g}"
        if number != "0":
            sign = "-" if value < 0 else "+" if terms else ""
            terms += f" {sign}{' ' if terms else ''}{'' if number == '1' and power else number}{power}"
    return terms.strip() or "0"


def coefficient_error(estimates: Array, target: Parabola) -> Array:
    """Return the largest absolute error over the three coefficients: the acceptance rule, docs/method.md.

    Args:
        estimates: shape (..., 3), float; (a, b, c) in the last axis.
        target: the parabola that the samples were drawn from.

    Returns:
        Shape (...), float64, in the units of y (x has none); NaN or inf where an estimate is.

    Raises:
        ValueError: if the last axis is not 3 long.
    """
    estimates = np.asarray(estimates, float)
    if estimates.shape[-1:] != (3,):
        raise ValueError(f"estimates need the shape (..., 3). Received: {estimates.shape}")
    return np.asarray(np.abs(estimates - target.coefficients).max(axis=-1))


def mean_squared_error(estimates: Array, target: Parabola, x: Array) -> Array:
    """Return the loss over all samples from the coefficients alone, without a pass over the samples.

    With d = estimate - target and t = x - m, where m is the mean of x, the residual is a polynomial in t, whose
    coefficients e follow from d. So its mean square is |R e|², where R is triangular, from the QR decomposition of the
    matrix of (1, t, t²) over the samples. A sum of squares is never below 0, and around their mean no x is large.

    Args:
        estimates: shape (..., 3), float.
        target: the parabola that the samples were drawn from.
        x: shape (samples,) or (samples, 1), float.

    Returns:
        Shape (...), float64, in the units of y squared; NaN or inf where an estimate is.
    """
    x = np.ravel(x).astype(float)
    mean = x.mean()
    a, b, c = np.moveaxis(np.asarray(estimates, float) - target.coefficients, -1, 0)
    centred = np.stack([c + mean * (b + mean * a), b + 2 * mean * a, a], axis=-1)
    powers = np.vander(x - mean, 3, increasing=True) / np.sqrt(len(x))
    triangle = np.asarray(np.linalg.qr(powers, mode="r"))
    return np.asarray(np.square(centred @ triangle.T).sum(axis=-1))


def first_true(happened: Array) -> Array:
    """Return the first epoch after which something happened.

    Args:
        happened: shape (epochs, ...), bool: whether it happened, for each epoch.

    Returns:
        Shape (...), int64: epochs are counted from 1; 0 where it never happened.
    """
    return np.where(happened.any(axis=0), happened.argmax(axis=0) + 1, 0)


def first_settled(below: Array) -> Array:
    """Return the first epoch from which something holds to the end.

    Args:
        below: shape (epochs, ...), bool: whether it holds, for each epoch.

    Returns:
        Shape (...), int64: epochs are counted from 1; 0 where it does not hold after the last epoch.
    """
    return first_true(np.logical_and.accumulate(below[::-1])[::-1])
