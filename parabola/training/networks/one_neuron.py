"""One neuron: (w x + b)², which is a perfect square and no other parabola."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola.training.networks.network import Network
from parabola.training.target import Array, Parabola

NEGLIGIBLE = 1e-30  # beside a coefficient of 1


@dataclass(frozen=True)
class OneNeuron(Network):
    """Dense(1, square). Flat weights are w, b."""

    shapes = ((1, 1), (1,))
    tested_target = Parabola(1, 2, 1)
    holds = "perfect squares (w x + b)²"

    def layers(self) -> list[Any]:
        """Return the one neuron."""
        import keras

        return [keras.layers.Dense(1, activation=keras.ops.square)]

    def predict(self, weights: Sequence[Any], x: Any) -> Any:
        """Return (w x + b)²."""
        w, b = weights
        z = w * x + b
        return z * z

    def coefficients(self, weights: Array) -> Array:
        """Multiply out (w x + b)²."""
        w, b = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
        return np.stack([w**2, 2 * w * b, b**2], axis=-1)

    def closest_weights(self, target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
        """Return the weights whose perfect square is closest to the target on [low, high].

        Closest is least squares over the range. With u from -1 to 1 over the range, the target is A u² + B u + C, and
        the square (p u + q)². Where neither p nor q can be improved, either p = 0, or s = q / p is a root of
        5 B s⁴ - (2 A + 10 C) s³ + (2 A + 2 C) s - B: what is left when p² is eliminated from the two derivatives. In
        each of these directions the best length is known: it is least squares in the length's square.
        """
        middle, half = low + (high - low) / 2, (high - low) / 2
        wanted = np.array([target.a * half**2, (2 * target.a * middle + target.b) * half, target(np.array(middle))])
        unit = np.abs(wanted).max() or 1.0
        curved, linear, constant = wanted / unit
        quartic = np.array([5 * linear, -2 * curved - 10 * constant, 0, 2 * curved + 2 * constant, -linear])
        quartic[np.abs(quartic) < NEGLIGIBLE] = 0  # what else would make roots overflow is as good as p = 0
        # Any direction may be tried, and the closest wins: so roots need not be told from those that are not real.
        directions = np.array([(0.0, 1.0), *((1.0, slope) for slope in np.roots(quartic).real)])
        directions /= np.hypot(*directions.T)[:, None]
        u, quadrature = np.polynomial.legendre.leggauss(3)  # exact up to degree 5; the square of a square has degree 4
        squares, values = (directions @ [u, np.ones(3)]) ** 2, np.polyval(wanted / unit, u)
        lengths = np.maximum(squares @ (quadrature * values), 0) / (squares**2 @ quadrature)
        best = np.argmin((lengths[:, None] * squares - values) ** 2 @ quadrature)
        p, q = np.sqrt(unit) * np.sqrt(lengths[best]) * directions[best]
        return np.array([p / half, q - p / half * middle])

    def can_represent(self, target: Parabola) -> bool:
        """Say whether the target is a perfect square: a > 0 and b² = 4ac, to a billionth."""
        a, b, c = target.coefficients
        return bool(a > 0 and np.isclose(b**2, 4 * a * c, rtol=1e-9, atol=0))
