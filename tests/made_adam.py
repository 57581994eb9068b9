"""Adam with gradients by hand, in NumPy, and an engine around it: what the check of runs is tested with."""

from typing import Any

import numpy as np

from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array


def slopes(network: str, weights: Array, x: Array) -> tuple[Array, Array]:
    """Return a network's outputs, shape (n,), and their derivatives by each weight, shape (size, n), by the chain rule.

    One neuron has w2 = 1 and b2 = 0, which are not trained.
    """
    if network == "toy":
        k1, k2, b1, b2, v1, v2, c = weights
        first, second = k1 * x + b1, k2 * x + b2
        inner = [2 * v1 * first * x, 2 * v2 * second * x, 2 * v1 * first, 2 * v2 * second]
        return v1 * first**2 + v2 * second**2 + c, np.stack([*inner, first**2, second**2, np.ones_like(x)])
    w1, b1 = weights[:2]
    w2, b2 = weights[2:] if network == "two_neuron" else (x.dtype.type(1), x.dtype.type(0))
    z = w1 * x + b1
    return w2 * z**2 + b2, np.stack([2 * w2 * z * x, 2 * w2 * z, z**2, np.ones_like(x)])[: len(weights)]


def train(
    network: str,
    data: tuple[Array, Array],
    order: Array,
    batch_size: int,
    learning_rate: float,
    begin: Array,
    steps: int,
    kind: Any = np.float64,
) -> Array:
    """Train one epoch with Keras' form of Adam.

    Args:
        network: a name in the registry, or "toy".
        data: x and y, each of shape (samples,).
        order: shape (samples,): which samples are trained on, one after the other.
        batch_size: samples in a step; the last one has what is left.
        learning_rate: the rate of every step.
        begin: shape (3, size): weights, momentum and velocity.
        steps: number of steps that were taken before.
        kind: the type in which everything is computed.

    Returns:
        Shape (3, size), of that type.
    """
    x, y = (values.astype(kind) for values in data)
    rate, beta_1, beta_2, epsilon = (kind(value) for value in (learning_rate, 0.9, 0.999, 1e-7))
    w, m, v = (values.copy() for values in begin.astype(kind))
    with np.errstate(all="ignore"):
        for first in range(0, len(order), batch_size):
            batch = order[first : first + batch_size]
            outputs, derivatives = slopes(network, w, x[batch])
            gradient = (kind(2 / len(batch)) * (outputs - y[batch]) * derivatives).sum(axis=1)
            steps += 1
            m = m + (gradient - m) * kind(1 - 0.9)
            v = v + (gradient**2 - v) * kind(1 - 0.999)
            alpha = rate * np.sqrt(1 - beta_2 ** kind(steps)) / (1 - beta_1 ** kind(steps))
            w = w - alpha * m / (np.sqrt(v) + epsilon)
    return np.stack([w, m, v])


def epoch(experiment: Experiment, state: State, epoch: int, kind: Any = np.float64) -> Array:
    """Train an epoch of an experiment from a state, in the order that its seed gives; as `train`."""
    rows = order_rows(experiment.samples, experiment.seed, epoch + 1)
    x, y = (values.ravel() for values in experiment.data)
    begin = np.stack([state.weights, state.slots["momentum"], state.slots["velocity"]])
    order, sizes = order_bank(experiment.samples)[rows[epoch]], (experiment.batch_size, experiment.learning_rate)
    return train(experiment.network, (x, y), order, *sizes, begin, state.steps, kind)


class MadeEngine:
    """Adam in float32, as an engine: a right one, of which tests make wrong ones."""

    def __init__(self, experiment: Experiment, device: str = "cpu:0") -> None:
        self.experiment, self.device = experiment, device
        self.x, self.y = (values.ravel() for values in experiment.data)
        self.bank = order_bank(experiment.samples)
        self.compile_seconds = 1.25

    def reset(self, seed: int | None = None) -> Array:
        """Load fresh weights and moments; return the rows of the whole run."""
        spec, seed = self.experiment, self.experiment.seed if seed is None else seed
        weights = spec.initial_weights(seed)
        self.values, self.steps = np.stack([weights, 0 * weights, 0 * weights]), 0
        return order_rows(spec.samples, seed, spec.epochs)

    def run(self, rows: Array) -> Array:
        """Train on, an epoch a row; return the weights after each."""
        spec, history = self.experiment, []
        for row in rows:
            data, knobs = (self.x, self.y), (spec.batch_size, spec.learning_rate)
            self.values = train(spec.network, data, self.bank[row], *knobs, self.values, self.steps, np.float32)
            self.steps += spec.steps
            history.append(self.values[0])
        return np.array(history)

    def state(self) -> State:
        """Return copies of weights and moments."""
        weights, momentum, velocity = self.values.copy()
        return State(weights, {"momentum": momentum, "velocity": velocity}, self.steps)
