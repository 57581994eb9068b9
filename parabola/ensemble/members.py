"""Members: which program trains a block of them, and what the block begins with. One file for each backend."""

from typing import Any, Protocol

import numpy as np

from parabola import registry
from parabola.machine.backends import backend
from parabola.training.data import order_rows
from parabola.training.engines import missing
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array


class Program(Protocol):
    """A block of members in one program, built once for an experiment, and run many times.

    Attributes:
        experiment: what all members have in common. Its seed is not used, and its learning rate only if the optimizer
            is a function.
        members: the size of the block.
        device: where the weights are: "cpu:0", "gpu:0", …; several names with commas between them.
    """

    experiment: Experiment
    members: int
    device: str

    def reset(self, seeds: Array, learning_rates: Array) -> Array:
        """Give up to a block of members fresh weights and a fresh optimizer.

        Args:
            seeds: shape (n,), integers, n at most the size of the block; the last seed fills the places that are left.
            learning_rates: shape (n,), one for each seed.

        Returns:
            The rows of the whole run, shape (epochs, members), int32, for `place`.
        """

    def place(self, rows: Array) -> Any:
        """Copy rows to the device, so that no copy is inside the clock.

        Args:
            rows: shape (n, members), int32, n at most experiment.epochs: which permutation of the bank gives each
                member its order in each epoch.

        Returns:
            What `run` takes.
        """

    def run(self, placed: Any) -> Array:
        """Train on from the present weights, one epoch for each row that was placed. This is what is inside the clock.

        Returns:
            Shape (n, size of the network, members), float32, on the host: the weights after each epoch.
        """

    def state(self, member: int) -> State:
        """Return copies, on the host, of all that the next run of one member begins with. Never inside the clock.

        Args:
            member: its place in the block, from 0.
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
