"""The two networks: how Keras builds them, and what their weights mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from parabola.data import WEIGHT_STREAM, hash_uint64
from parabola.target import Array, Parabola, polynomial

if TYPE_CHECKING:
    import keras


def two_neuron_coefficients(weights: Array) -> Array:
    """Multiply out w2 (w1 x + b1)² + b2. Weights in Keras' order, shape (..., 4); returns (..., 3)."""
    w1, b1, w2, b2 = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
    return np.stack([w2 * w1**2, 2 * w2 * w1 * b1, w2 * b1**2 + b2], axis=-1)


def two_neuron_weights(target: Parabola) -> Array:
    """Return weights, shape (4,), float64, that are exactly the target: the inverse of the function above."""
    a, b, c = target.coefficients
    w1 = np.sqrt(abs(a))
    b1 = b / (2 * np.sign(a) * w1)
    return np.array([w1, b1, np.sign(a), c - np.sign(a) * b1**2])


def one_neuron_coefficients(weights: Array) -> Array:
    """Multiply out (w x + b)². Weights of shape (..., 2); returns (..., 3)."""
    w, b = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
    return np.stack([w**2, 2 * w * b, b**2], axis=-1)


def one_neuron_weights(target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
    """Return the weights, shape (2,), float64, whose perfect square is closest to the target on [low, high].

    Closest is least squares over the range. The squared distance has degree 4 in x, so three Gauss–Legendre
    nodes integrate it exactly, and the distance is an ordinary sum of three squares.
    """
    from scipy.optimize import least_squares

    nodes, quadrature = np.polynomial.legendre.leggauss(3)
    x = low + (high - low) * (nodes + 1) / 2

    def residuals(weights: Array) -> Array:
        return np.sqrt(quadrature) * ((weights[0] * x + weights[1]) ** 2 - target(x))

    scale = np.sqrt(np.abs(target.coefficients).max())
    starts = scale * np.array([[1, 1], [1, -1], [1, 0], [0, 1]]) / np.array([max(abs(low), abs(high)), 1])
    fits = [least_squares(residuals, start, xtol=1e-14, ftol=1e-14, gtol=1e-14) for start in starts]
    return np.asarray(min(fits, key=lambda fit: fit.cost).x)


@dataclass(frozen=True)
class Network:
    """One of the two networks.

    Attributes:
        name: as options and tables give it.
        shapes: shape of each Keras weight, in Keras' order; the flat weight vector is their concatenation.
        coefficients: flat weights, shape (..., weights) -> (..., 3), float64.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    coefficients: Callable[[Array], Array]

    def build(self) -> "keras.Model":
        """Return the stock Keras model, built, with whatever initial weights Keras drew."""
        import keras

        layers = [keras.layers.Dense(1, activation=keras.ops.square)]
        if self.name == "two_neuron":
            layers.append(keras.layers.Dense(1))
        return keras.Sequential([keras.Input((1,)), *layers])

    def initial_weights(self, seeds: Array | int) -> Array:
        """Draw Glorot uniform kernels from each seed; biases are zero.

        Args:
            seeds: shape (...), integers of 0 or more.

        Returns:
            Shape (..., weights), float32. Kernels are uniform on (-√3, √3): √(6 / (fan_in + fan_out)), both 1.

        Source: Glorot and Bengio, AISTATS 2010, equation 16; Keras' default for Dense.
        """
        index = np.arange(len(self.shapes))
        bits = hash_uint64(WEIGHT_STREAM, np.asarray(seeds)[..., None], index)
        uniform = (bits >> np.uint64(11)) * 2.0**-53
        kernel = np.array([len(shape) == 2 for shape in self.shapes])
        return np.where(kernel, np.sqrt(3) * (2 * uniform - 1), 0).astype(np.float32)

    def closest(self, target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
        """Return the representable (a, b, c), shape (3,), that is closest to the target on [low, high]."""
        if self.name == "two_neuron":
            return self.coefficients(two_neuron_weights(target))
        return self.coefficients(one_neuron_weights(target, low, high))

    def can_represent(self, target: Parabola) -> bool:
        """Say whether some weights are exactly the target. One neuron holds perfect squares only: b² = 4ac."""
        if self.name == "two_neuron":
            return True
        a, b, c = target.coefficients
        return bool(a > 0 and np.isclose(b**2, 4 * a * c, rtol=1e-9, atol=0))

    def explain(self, target: Parabola, low: float, high: float) -> str:
        """Return the one line that says why a target is out of reach, and what is in reach."""
        nearest = polynomial(self.closest(target, low, high), digits=5)
        return (
            f"{self.name} cannot represent {target}: it holds perfect squares (w x + b)² only; "
            f"the closest over [{low:g}, {high:g}) is {nearest}"
        )


NETWORKS = {
    "two_neuron": Network("two_neuron", ((1, 1), (1,), (1, 1), (1,)), two_neuron_coefficients),
    "one_neuron": Network("one_neuron", ((1, 1), (1,)), one_neuron_coefficients),
}
