"""Members: which program trains a block of them, and what the block begins with. One file for each backend."""

from typing import Any, Protocol

import numpy as np

from parabola import registry
from parabola.machine.backends import backend
from parabola.training.data import order_rows
from parabola.training.engines import missing
from parabola.training.experiment import Experiment
from parabola.training.target import Array


class Program(Protocol):
    """A block of members in one program, made for an experiment and a number of members."""

    def reset(self, seeds: Array, learning_rates: Array) -> Any:
        """Give up to a block of members fresh weights and a fresh optimizer; return what `run` begins with.

        Args:
            seeds: shape (n,), integers, n at most the size of the block; the last seed fills the places that are left.
            learning_rates: shape (n,), one for each seed.
        """

    def run(self, begin: Any) -> Array:
        """Train from what a reset returned.

        Returns:
            Shape (epochs, size of the network, members), float32, on the host: the weights after each epoch.
        """


def members_program(experiment: Experiment, members: int) -> Program:
    """Return the program of a block of members: that of the experiment's engine, or else the first in the registry.

    Args:
        experiment: what all members have in common.
        members: the size of the block.

    Raises:
        ValueError: if the device is not there, or the backend has no such program.
    """
    if reason := missing("members"):
        raise ValueError(reason)
    engines = registry.ENGINES[experiment.engine], *registry.ENGINES.values()
    path = next(engine.members[backend()] for engine in engines if backend() in engine.members)
    program: Program = registry.load(path)(experiment, members)
    return program


def fill_block(experiment: Experiment, members: int, seeds: Array, learning_rates: Array) -> tuple[Array, Array, Array]:
    """Return what a block begins with; the last seed and its learning rate fill the places that are left.

    Args:
        experiment: what all members have in common.
        members: the size of the block.
        seeds: shape (n,), integers, n at most members.
        learning_rates: shape (n,), one for each seed.

    Returns:
        Weights, shape (members, size of the network), float32; learning rates, shape (members,), float32; and the rows
        of the bank of orders, shape (epochs, members), int32.
    """
    left = (0, members - len(seeds))
    seeds, learning_rates = (np.pad(values, left, mode="edge") for values in (seeds, learning_rates))
    rows = order_rows(experiment.samples, seeds, experiment.epochs)
    return experiment.initial_weights(seeds), learning_rates.astype(np.float32), rows
