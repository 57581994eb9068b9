"""A network and an engine that nobody but tests knows: what a newcomer would write, registered from within a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola import registry
from parabola.training.engines import Engine
from parabola.training.networks import Network
from parabola.training.state import State
from parabola.training.target import Array, Parabola

NETWORK = "tests.toys:ToyNetwork"
ENGINE = registry.EngineEntry(
    classes=registry.on_every_backend("tests.toys:ToyEngine"),
    devices=("cpu",),
    optimizers=("adam",),
    schedules=False,
    needs_backend=False,
    timing=registry.Timing(
        cpu=registry.Cost(0.0, 1e-4),
        gpu=registry.Cost(0.0, 1e-4),
        round_seconds=0.05,
        quick_batch_sizes=(111, 333),
    ),
)


@dataclass(frozen=True)
class ToyNetwork(Network):
    """Dense(2, square) → Dense(1): v1 (k1 x + b1)² + v2 (k2 x + b2)² + c.

    Flat weights are k1, k2, b1, b2, v1, v2, c.
    """

    shapes = ((1, 2), (2,), (2, 1), (1,))
    output_kernel = slice(4, 6)
    tested_target = Parabola(2, -1, 3)

    def layers(self) -> list[Any]:
        """Return the two hidden neurons and the output neuron."""
        import keras

        return [keras.layers.Dense(2, activation=keras.ops.square), keras.layers.Dense(1)]

    def predict(self, weights: Sequence[Any], x: Any) -> Any:
        """Return the sum of both squares, and c."""
        k1, k2, b1, b2, v1, v2, c = weights
        first, second = k1 * x + b1, k2 * x + b2
        return v1 * (first * first) + v2 * (second * second) + c

    def coefficients(self, weights: Array) -> Array:
        """Multiply out both squares."""
        k1, k2, b1, b2, v1, v2, c = np.moveaxis(np.asarray(weights, np.float64), -1, 0)
        linear = 2 * (v1 * k1 * b1 + v2 * k2 * b2)
        return np.stack([v1 * k1**2 + v2 * k2**2, linear, v1 * b1**2 + v2 * b2**2 + c], axis=-1)

    def closest_weights(self, target: Parabola, low: float, high: float) -> Array:
        """Return weights that are the target: half of it in either square."""
        a, b, c = target.coefficients
        k, v = np.sqrt(abs(a)), np.sign(a) / 2
        bias = b / (4 * v * k)
        return np.array([k, k, bias, bias, v, v, c - 2 * v * bias**2])


class ToyEngine(Engine):
    """Adam in float64, for any network: gradients come from its formula by complex steps."""

    def build(self) -> None:
        """Do nothing: there is nothing to compile."""
        self.device = "cpu:0"

    def load(self, weights: Array, learning_rate: float) -> None:
        """Set the weights and Adam's moments."""
        self.weights, self.learning_rate = weights.astype(float), learning_rate
        self.first, self.second, self.steps = np.zeros(len(weights)), np.zeros(len(weights)), 0

    def run(self, rows: Array) -> Array:
        """Train epoch by epoch, batch by batch."""
        history, size = [], self.experiment.batch_size
        for order in self.bank[rows]:
            for first in range(0, len(order), size):
                self._step(self.x[order[first : first + size], 0], self.y[order[first : first + size], 0])
            history.append(self.weights)
        return np.array(history, np.float32)

    def state(self) -> State:
        """Return weights, moments and steps, rounded to float32."""
        weights, momentum, velocity = np.array([self.weights, self.first, self.second], np.float32)
        return State(weights, {"momentum": momentum, "velocity": velocity}, self.steps)

    def _step(self, x: Array, y: Array) -> None:
        stepped = self.weights[:, None] + 1e-30j * np.eye(len(self.weights))
        predictions = self.experiment.net.predict(list(stepped[..., None]), x.astype(float))
        gradient = ((predictions - y) ** 2).mean(axis=1).imag / 1e-30
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        rate = self.learning_rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        self.weights = self.weights - rate * self.first / (np.sqrt(self.second) + 1e-7)
