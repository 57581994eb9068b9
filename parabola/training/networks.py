"""The two networks: how Keras builds them, and what their weights mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from parabola.training.data import WEIGHT_STREAM, hash_uint64
from parabola.training.target import Array, Parabola, polynomial

if TYPE_CHECKING:
    import keras


def two_neuron(weights: Sequence[Any], x: Any) -> Any:
    """Return w2 (w1 x + b1)² + b2, of arrays or tensors that broadcast against each other."""
    w1, b1, w2, b2 = weights
    z = w1 * x + b1
    return w2 * (z * z) + b2


def two_neuron_coefficients(weights: Array) -> Array:
    """Multiply out w2 (w1 x + b1)² + b2. Weights w1, b1, w2, b2 of shape (..., 4); returns (..., 3), float64."""
    w1, b1, w2, b2 = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
    return np.stack([w2 * w1**2, 2 * w2 * w1 * b1, w2 * b1**2 + b2], axis=-1)


def two_neuron_weights(target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
    """Return weights, shape (4,), float64, that are the target: the inverse of the function above."""
    a, b, c = target.coefficients
    w1, w2 = np.sqrt(abs(a)), np.sign(a)
    b1 = b / (2 * w2 * w1)
    return np.array([w1, b1, w2, c - w2 * b1**2])


def one_neuron(weights: Sequence[Any], x: Any) -> Any:
    """Return (w x + b)², of arrays or tensors that broadcast against each other."""
    w, b = weights
    z = w * x + b
    return z * z


def one_neuron_coefficients(weights: Array) -> Array:
    """Multiply out (w x + b)². Weights w, b of shape (..., 2); returns (..., 3), float64."""
    w, b = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
    return np.stack([w**2, 2 * w * b, b**2], axis=-1)


def one_neuron_weights(target: Parabola, low: float = 0.0, high: float = 1.0) -> Array:
    """Return the weights, shape (2,), float64, whose perfect square is closest to the target on [low, high].

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


@dataclass(frozen=True)
class Network:
    """One of the two networks.

    Attributes:
        name: as options and tables give it.
        shapes: shape of each Keras weight, in Keras' order; the flat weight vector is their concatenation.
        predict: (weights one by one, x) to what the network gives: the forward pass without Keras' layers.
        coefficients: what flat weights mean: shape (..., weights) to (..., 3), float64.
        closest_weights: (target, low, high) to the flat weights that come closest to it on that range.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    predict: Callable[[Sequence[Any], Any], Any]
    coefficients: Callable[[Array], Array]
    closest_weights: Callable[[Parabola, float, float], Array]

    def build(self) -> "keras.Model":
        """Return the stock Keras model, built, with whatever initial weights Keras drew."""
        import keras

        hidden = keras.layers.Dense(1, activation=keras.ops.square)
        output = [keras.layers.Dense(1)] if self.name == "two_neuron" else []
        return keras.Sequential([keras.Input((1,)), hidden, *output])

    def initial_weights(self, seeds: Array | int) -> Array:
        """Draw Glorot uniform kernels from seeds of shape (...), integers; biases are zero.

        Returns:
            Shape (..., weights), float32; kernels uniform on ±√3 = ±√(6 / (fan_in + fan_out)), both fans 1.

        Source: Glorot and Bengio, AISTATS 2010, equation 16; Keras' default for Dense.
        """
        bits = hash_uint64(WEIGHT_STREAM, np.asarray(seeds)[..., None], np.arange(len(self.shapes)))
        uniform = (bits >> np.uint64(11)) * 2.0**-53
        kernel = np.array([len(shape) == 2 for shape in self.shapes])
        return np.where(kernel, np.sqrt(3) * (2 * uniform - 1), 0).astype(np.float32)

    @property
    def output_kernel(self) -> int | None:
        """Where the second kernel stands among flat weights; None where there is none."""
        return 2 if self.name == "two_neuron" else None

    def can_represent(self, target: Parabola) -> bool:
        """Say whether some weights are the target; one neuron holds perfect squares only: a > 0 and b² = 4ac."""
        a, b, c = target.coefficients
        return self.name == "two_neuron" or bool(a > 0 and np.isclose(b**2, 4 * a * c, rtol=1e-9, atol=0))

    def explain(self, target: Parabola, low: float, high: float) -> str:
        """Return the line that says why a target is out of reach, and what is in reach."""
        nearest = polynomial(self.coefficients(self.closest_weights(target, low, high)), digits=5)
        return (
            f"{self.name} cannot represent {target}: it holds perfect squares (w x + b)² only; "
            f"the closest over [{low:g}, {high:g}) is {nearest}"
        )


NETWORKS = {
    network.name: network
    for network in (
        Network("two_neuron", ((1, 1), (1,), (1, 1), (1,)), two_neuron, two_neuron_coefficients, two_neuron_weights),
        Network("one_neuron", ((1, 1), (1,)), one_neuron, one_neuron_coefficients, one_neuron_weights),
    )
}
