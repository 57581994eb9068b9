"""The target: a parabola whose coefficients are known, and how far an estimate is from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Parabola:
    """The true y = a x² + b x + c. A line (a = 0) is refused: neither network can hold one exactly.

    Attributes:
        a: coefficient of x², finite and not 0.
        b: coefficient of x, finite.
        c: constant term, finite.

    Raises:
        ValueError: if a coefficient is not finite, or a is 0.
    """

    a: float = 1.0
    b: float = 2.0
    c: float = 2.0

    def __post_init__(self) -> None:
        if not np.all(np.isfinite(self.coefficients)):
            raise ValueError(f"target needs three finite coefficients. Received: {self.a}, {self.b}, {self.c}")
        if self.a == 0:
            raise ValueError(f"target needs a ≠ 0: {self} is a line, not a parabola")

    def __str__(self) -> str:
        return polynomial(self.coefficients)

    def __call__(self, x: Array) -> Array:
        """Return a x² + b x + c in float64, in the shape of x."""
        return np.polyval(self.coefficients, np.asarray(x, float))

    @property
    def coefficients(self) -> Array:
        """Shape (3,), float64: (a, b, c)."""
        return np.array([self.a, self.b, self.c], float)

    @classmethod
    def parse(cls, text: str) -> "Parabola":
        """Read "a,b,c", as the command line gives it.

        Raises:
            ValueError: if the text is not three numbers, or they are no parabola.
        """
        try:
            a, b, c = map(float, text.split(","))
        except ValueError:
            raise ValueError(f"target needs three numbers a,b,c, as in 1,2,2. Received: {text!r}") from None
        return cls(a, b, c)


def polynomial(coefficients: Array, digits: int = 6) -> str:
    """Write (a, b, c), shape (3,), as a reader would: "x² + 2x + 2", to so many significant digits."""
    terms = ""
    for value, power in zip(np.asarray(coefficients, float), ("x²", "x", ""), strict=True):
        number = f"{abs(value):.{digits}g}"
        if number == "0":
            continue
        sign = ("- " if value < 0 else "+ ") if terms else ("-" if value < 0 else "")
        terms += f" {sign}{'' if number == '1' and power else number}{power}"
    return terms.strip() or "0"


def coefficient_error(estimates: Array, target: Parabola) -> Array:
    """Return the largest absolute error over the three coefficients.

    Args:
        estimates: shape (..., 3), float; (a, b, c) in the last axis.
        target: the parabola that the samples were drawn from.

    Returns:
        Shape (...), float64, in the units of y (x is dimensionless); NaN or inf where an estimate is.

    Raises:
        ValueError: if the last axis is not 3 long.

    Source: the acceptance rule, README.md, Method.
    """
    estimates = np.asarray(estimates, float)
    if estimates.shape[-1:] != (3,):
        raise ValueError(f"estimates need the shape (..., 3). Received: {estimates.shape}")
    return np.abs(estimates - target.coefficients).max(axis=-1)


def mean_squared_error(estimates: Array, target: Parabola, x: Array) -> Array:
    """Return the loss over all samples, exactly, from the coefficients alone.

    The residual is (estimate - target) · (x², x, 1), so its mean square is the quadratic form
    dᵀ M d with M = mean of (x², x, 1)ᵀ (x², x, 1): no pass over the samples for each epoch.

    Args:
        estimates: shape (..., 3), float.
        target: the parabola that the samples were drawn from.
        x: shape (samples,) or (samples, 1), float.

    Returns:
        Shape (...), float64, in the units of y squared.
    """
    powers = np.vander(np.ravel(x).astype(float), 3)
    moments = powers.T @ powers / len(powers)
    difference = np.asarray(estimates, float) - target.coefficients
    return np.einsum("...i,ij,...j->...", difference, moments, difference)
