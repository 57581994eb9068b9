"""Two neurons: w2 (w1 x + b1)² + b2, which is any parabola."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola.training.networks.network import Network
from parabola.training.target import Array, Parabola


@dataclass(frozen=True)
class TwoNeuron(Network):
    """Dense(1, square) → Dense(1). Flat weights are w1, b1, w2, b2."""

    shapes = ((1, 1), (1,), (1, 1), (1,))
    output_kernel = slice(2, 3)
    tested_target = Parabola(1, 2, 2)

    def layers(self) -> list[Any]:
        """Return the hidden neuron and the output neuron."""
        import keras

        return [keras.layers.Dense(1, activation=keras.ops.square), keras.layers.Dense(1)]

    def predict(self, weights: Sequence[Any], x: Any) -> Any:
        """Return w2 (w1 x + b1)² + b2."""
        w1, b1, w2, b2 = weights
        z = w1 * x + b1
        return w2 * (z * z) + b2

    def coefficients(self, weights: Array) -> Array:
        """Multiply out w2 (w1 x + b1)² + b2."""
        w1, b1, w2, b2 = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
        return np.stack([w2 * w1**2, 2 * w2 * w1 * b1, w2 * b1**2 + b2], axis=-1)

    def closest_weights(self, target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
        """Return weights that are the target, whatever the range: the inverse of the method above."""
        a, b, c = target.coefficients
        w1, w2 = np.sqrt(abs(a)), np.sign(a)
        b1 = b / (2 * w2 * w1)
        return np.array([w1, b1, w2, c - w2 * b1**2])
