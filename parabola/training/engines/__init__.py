"""Engines: the ways to execute one training run. One file each; their signature is here, and parabola/registry.py
lists them.
"""

import time
from abc import ABC, abstractmethod

from parabola import registry
from parabola.machine.backends import backend
from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array


def missing(name: str) -> str:
    """Return the line that says that the backend lacks an engine, or "members"; empty where it has it."""
    here = [engine for engine, entry in registry.ENGINES.items() if backend() in entry.classes]
    here += ["members"] if any(backend() in registry.ENGINES[engine].members for engine in here) else []
    return "" if name in here else f"{name} is not there on the {backend()} backend, which has {', '.join(here)}"


class PeerError(RuntimeError):
    """Raised when another process of the same run is gone or cannot be reached."""


class Engine(ABC):
    """A training run, built once and run many times.

    Attributes:
        experiment: the experiment that the engine was made for.
        x, y: the samples, each of shape (samples, 1), float32.
        bank: shape (rows, samples), int32: the permutations from which each epoch's order is taken.
        device: where the weights are: "cpu:0", "gpu:0", …; known once the engine is built.
        compile_seconds: how long building took, in seconds; known once the engine is built.
    """

    device: str
    compile_seconds: float

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.x, self.y = experiment.data
        self.bank = order_bank(experiment.samples)

    def forget(self) -> None:  # noqa: B027 (most engines keep nothing)
        """Forget what other engines of this process left behind for the next build, so that it begins anew."""

    @abstractmethod
    def build(self) -> None:
        """Place, trace and compile, so that no later run has to."""

    @abstractmethod
    def load(self, weights: Array, learning_rate: float) -> None:
        """Put weights and a fresh optimizer into what was built, without compiling anything again.

        Args:
            weights: shape (size of the network,), float32.
            learning_rate: the rate of the run.
        """

    @abstractmethod
    def run(self, rows: Array) -> Array:
        """Train on from the present weights, one epoch for each row of the bank. This is what is inside the clock.

        Args:
            rows: shape (n,), int32, n at most experiment.epochs: which permutation each epoch takes its order from.

        Returns:
            Shape (n, size of the network), float32, on the host: the weights after each epoch.
        """

    @abstractmethod
    def state(self) -> State:
        """Return copies, on the host, of all that the next run begins with. Never inside the clock."""

    def reset(self, seed: int | None = None, learning_rate: float | None = None) -> Array:
        """Load fresh weights and a fresh optimizer.

        Args:
            seed: decides weights and orders; None takes the experiment's.
            learning_rate: the rate of the run; None takes the experiment's.

        Returns:
            The rows of the whole run, shape (epochs,), int32, for `run`.
        """
        seed = self.experiment.seed if seed is None else seed
        rate = self.experiment.learning_rate if learning_rate is None else learning_rate
        self.load(self.experiment.initial_weights(seed), rate)
        return order_rows(self.experiment.samples, seed, self.experiment.epochs)


def create(experiment: Experiment) -> Engine:
    """Return the experiment's engine, not yet built.

    Raises:
        ValueError: if the device is not there, or the backend has no such engine.
    """
    if reason := missing(experiment.engine):
        raise ValueError(f"engine {reason}")
    engine: Engine = registry.load(registry.ENGINES[experiment.engine].classes[backend()])(experiment)
    return engine


def build(experiment: Experiment, *, anew: bool = False) -> Engine:
    """Return the experiment's engine, built, at fresh weights.

    Args:
        experiment: says which engine.
        anew: whether what other engines of this process left behind is forgotten before, so that compile_seconds is
            that of a first build.

    Raises:
        ValueError: if the device is not there.
        RuntimeError: if the weights turn out to be on another device than asked for.
    """
    engine = create(experiment)
    if anew:
        engine.forget()
    begun = time.perf_counter()
    engine.build()
    engine.compile_seconds = time.perf_counter() - begun
    engine.reset()
    return engine
