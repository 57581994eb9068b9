"""What every network knows of itself: layers, formula, initial weights and their dtype, and what weights mean."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from parabola.training.data import WEIGHT_STREAM, hash_uint64
from parabola.training.target import Array, Parabola, polynomial

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network(ABC):
    """A network from one input to one output, whose output is a parabola of its input.

    Weights are scalars everywhere: flat weights are the elements of all Keras weights, one after the other.

    Attributes:
        name: what options and tables call it; the key of the registry.
        shapes: the shape of each Keras weight, in Keras' order.
        output_kernel: where, among flat weights, the kernel stands whose sign decides which way the parabola opens;
            None where no kernel decides that.
        tested_target: a target that the network can represent: the one that the regression suite trains it on.
        holds: the targets that it can represent, in words; empty where it can represent every parabola.
    """

    name: str
    shapes: ClassVar[tuple[tuple[int, ...], ...]]
    output_kernel: ClassVar[slice | None] = None
    tested_target: ClassVar[Parabola]
    holds: ClassVar[str] = ""

    @abstractmethod
    def layers(self) -> list[Any]:
        """Return the stock Keras layers between input and output, fresh ones in each call."""

    @abstractmethod
    def predict(self, weights: Sequence[Any], x: Any) -> Any:
        """Return what the network computes, by its formula: the forward pass without Keras' layers.

        Args:
            weights: the flat weights, one by one: numbers, arrays or tensors that broadcast against x.
            x: the inputs.
        """

    @abstractmethod
    def coefficients(self, weights: Array) -> Array:
        """Return the coefficients that the formula has when it is multiplied out.

        Args:
            weights: shape (..., size), float: flat weights.

        Returns:
            Shape (..., 3), float64: (a, b, c) in the last axis.
        """

    @abstractmethod
    def closest_weights(self, target: Parabola, low: float, high: float) -> Array:
        """Return the flat weights, shape (size,), float64, that come closest to a target for x from low to high."""

    def can_represent(self, target: Parabola) -> bool:
        """Say whether some weights are the target."""
        return True

    @property
    def size(self) -> int:
        """How many scalars the network has."""
        return sum(map(prod, self.shapes))

    def build(self) -> "keras.Model":
        """Return the stock Keras model, built, with whatever initial weights Keras drew."""
        import keras

        return keras.Sequential([keras.Input((1,)), *self.layers()])

    def initial_weights(self, seeds: Array | int) -> Array:
        """Draw Glorot uniform kernels from seeds of shape (...), integers; biases are zero.

        Returns:
            Shape (..., size), float32; a kernel's elements are uniform on ±√(6 / (fan_in + fan_out)).

        Source: Glorot and Bengio, AISTATS 2010, equation 16; Keras' default for Dense.
        """
        bits = hash_uint64(WEIGHT_STREAM, np.asarray(seeds)[..., None], np.arange(self.size))
        uniform = (bits >> np.uint64(11)) * 2.0**-53
        bounds = [np.full(prod(shape), np.sqrt(6 / sum(shape)) if len(shape) == 2 else 0) for shape in self.shapes]
        bound = np.concatenate(bounds)
        return np.where(bound > 0, bound * (2 * uniform - 1), 0).astype(np.float32)

    def shaped(self, weights: Any) -> list[Any]:
        """Cut flat weights, an array of shape (size,) of NumPy or of a backend, into arrays of Keras' shapes."""
        pieces, begin = [], 0
        for shape in self.shapes:
            end = begin + prod(shape)
            pieces.append(weights[begin:end].reshape(shape))
            begin = end
        return pieces

    def explain(self, target: Parabola, low: float, high: float) -> str:
        """Return the line that says why a target is out of reach, and what is in reach for x from low to high."""
        nearest = polynomial(self.coefficients(self.closest_weights(target, low, high)), digits=5)
        return (
            f"{self.name} cannot represent {target}: it holds {self.holds} only; "
            f"the closest over [{low:g}, {high:g}) is {nearest}"
        )
