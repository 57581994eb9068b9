"""One neuron: (w x + b)², which is a perfect square and no other parabola."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola.training.networks.network import Network
from parabola.training.target import Array, Parabola


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

        Closest is least squares over the range. The squared distance has degree 4 in x, so three Gauss–Legendre
        nodes integrate it exactly, and it is an ordinary sum of three squares.
        """
        from scipy.optimize import least_squares

        nodes, quadrature = np.polynomial.legendre.leggauss(3)
        x = low + (high - low) * (nodes + 1) / 2
        starts = np.sqrt(np.abs(target.coefficients).max()) * np.array([[1, 1], [1, -1], [1, 0], [0, 1]])
        starts /= [max(abs(low), abs(high)), 1]
        fits = [
            least_squares(
                lambda w: np.sqrt(quadrature) * ((w[0] * x + w[1]) ** 2 - target(x)), start, xtol=1e-14, gtol=1e-14
            )
            for start in starts
        ]
        return np.asarray(min(fits, key=lambda fit: fit.cost).x)

    def can_represent(self, target: Parabola) -> bool:
        """Say whether the target is a perfect square: a > 0 and b² = 4ac, to a billionth."""
        a, b, c = target.coefficients
        return bool(a > 0 and np.isclose(b**2, 4 * a * c, rtol=1e-9, atol=0))
