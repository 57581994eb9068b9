"""Engines: the ways to execute one training run. One file each, one signature (here), one registry."""

import time
from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any

from parabola.machine.backends import backend
from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.target import Array

# By backend, where each engine is. `native` needs none, and PyTorch has no program of a whole run: see `missing`.
_FIT = {"fit": "parabola.training.engines.fit:FitEngine", "fused_fit": "parabola.training.engines.fit:FusedFitEngine"}
_NATIVE = {"native": "parabola.training.engines.native:NativeEngine"}
CLASSES = {
    "tensorflow": {
        **_FIT,
        "compiled": "parabola.training.engines.compiled:CompiledEngine",
        **_NATIVE,
        "distributed": "parabola.training.engines.distributed:DistributedEngine",
    },
    "jax": {**_FIT, "compiled": "parabola.training.engines.jax:CompiledEngine", **_NATIVE},
    "torch": {**_FIT, **_NATIVE},
}
MEMBERS = {
    "tensorflow": "parabola.ensemble.members:MembersProgram",
    "jax": "parabola.training.engines.jax:MembersProgram",
}


def missing(engine: str) -> str:
    """Say why the backend lacks an engine, or "members"; nothing where it has it."""
    has = [*CLASSES[backend()], *(["members"] if backend() in MEMBERS else [])]
    return "" if engine in has else f"{engine} is not there on the {backend()} backend, which has {', '.join(has)}"


def _load(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def members_program(experiment: Experiment, members: int) -> Any:
    """Return the program of a block of members: `reset`, and `run` from what it returns.

    Raises:
        ValueError: if the device is not there, or the backend has no such program.
    """
    if reason := missing("members"):
        raise ValueError(reason)
    return _load(MEMBERS[backend()])(experiment, members)


class PeerError(RuntimeError):
    """Another process of a run is gone, or cannot be reached."""


class Engine(ABC):
    """A training run, built once and run many times.

    Attributes:
        experiment: what it was made for.
        x, y: shape (samples, 1), float32.
        bank: shape (rows, samples), int32: the permutations that orders are taken from.
        device: where the weights are: "cpu:0", "gpu:0", …; known once built.
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
        ValueError: if the device is not there, or the backend has no such engine.
    """
    if reason := missing(experiment.engine):
        raise ValueError(f"engine {reason}")
    engine: Engine = _load(CLASSES[backend()][experiment.engine])(experiment)
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
