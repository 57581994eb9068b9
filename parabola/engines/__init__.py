"""Engines: the ways to execute one training run. One file each, one signature (here), one registry."""

import time
from abc import ABC, abstractmethod
from importlib import import_module

from parabola.data import order_bank, order_rows
from parabola.experiment import Experiment
from parabola.target import Array

CLASSES = {
    "fit": "parabola.engines.fit:FitEngine",
    "fused_fit": "parabola.engines.fit:FusedFitEngine",
    "compiled": "parabola.engines.compiled:CompiledEngine",
    "native": "parabola.engines.native:NativeEngine",
}


class Engine(ABC):
    """A training run, built once and run many times.

    Attributes:
        experiment: what it was made for.
        x, y: shape (samples, 1), float32.
        bank: shape (rows, samples), int32: the permutations that orders are taken from.
        device: where the weights are, as the framework names it; known once built.
        compile_seconds: what building took.
    """

    device: str
    compile_seconds: float

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.x, self.y = experiment.data
        self.bank = order_bank(experiment.samples)

    @abstractmethod
    def build(self) -> None:
        """Place, trace and compile, so that no later run does."""

    @abstractmethod
    def load(self, weights: Array, learning_rate: float) -> None:
        """Put weights, shape (weights,), float32, and a fresh optimizer into what was built; never recompiles."""

    @abstractmethod
    def run(self, rows: Array) -> Array:
        """Train on, one epoch for each row of the bank. This is what is inside the clock.

        Args:
            rows: shape (n,), int32, n at most experiment.epochs.

        Returns:
            Shape (n, weights), float32, on the host: the weights after each epoch.
        """

    def reset(self, seed: int | None = None, learning_rate: float | None = None) -> Array:
        """Load fresh weights, of the experiment's seed and learning rate unless told others; return the run's rows."""
        seed = self.experiment.seed if seed is None else seed
        rate = self.experiment.learning_rate if learning_rate is None else learning_rate
        self.load(self.experiment.initial_weights(seed), rate)
        return order_rows(self.experiment.samples, seed, self.experiment.epochs)


def create(experiment: Experiment) -> Engine:
    """Return the experiment's engine, not yet built.

    Raises:
        ValueError: if the device is not there.
    """
    module, _, name = CLASSES[experiment.engine].partition(":")
    engine: Engine = getattr(import_module(module), name)(experiment)
    return engine


def build(experiment: Experiment) -> Engine:
    """Return the experiment's engine, built, at fresh weights.

    Raises:
        ValueError: if the device is not there.
        RuntimeError: if the weights turn out to be on another device than asked for.
    """
    engine = create(experiment)
    begun = time.perf_counter()
    engine.build()
    engine.compile_seconds = time.perf_counter() - begun
    engine.reset()
    return engine
