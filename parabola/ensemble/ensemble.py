"""Many members: independent runs, each with its own seed, order and learning rate, trained together in blocks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np

from parabola.ensemble.members import members_program
from parabola.machine import devices, ending, host
from parabola.training.experiment import Experiment
from parabola.training.target import Array, coefficient_error, first_true

BLOCK_MEMBERS = 512  # on a CPU: the weights, moments and gradients of 512 members about fit a core's first-level cache
BLOCK_VALUES = 2**23  # a block has at most so many samples, and as many weights over all epochs: 32 MiB each
GPU_BLOCK_VALUES = 2**26  # the same on a GPU: a guess, not measured
Summary = Callable[[Experiment, Array, Array], tuple[Array, ...]]  # of a block: its arguments are those of summarise


@dataclass(frozen=True)
class Members:
    """What came out of an ensemble: one value for each member. Epochs are counted from 1, and 0 means never.

    Attributes:
        experiment: what all members have in common. Its seed is not used, and its learning rate only if the optimizer
            is a function.
        seeds: shape (members,), int64: each member's seed.
        learning_rates: shape (members,), float64: each member's learning rate.
        weights: shape (members, size of the network), float32: the weights after the last epoch.
        coefficients: shape (members, 3), float64: (a, b, c) after the last epoch.
        coefficient_error: shape (members,), float64: the error after the last epoch; NaN or inf after divergence.
        passed: shape (members,), bool: whether the last error is below the learning rate, the smallest of a schedule.
        diverged_epoch: shape (members,), int64: the first epoch after which a weight was NaN or inf.
    """

    experiment: Experiment
    seeds: Array
    learning_rates: Array
    weights: Array
    coefficients: Array
    coefficient_error: Array
    passed: Array
    diverged_epoch: Array


def block_size(experiment: Experiment, members: int) -> int:
    """Return how many members a block has, as it depends on nothing else but the number of GPUs of "gpu:all".

    Args:
        experiment: what all members have in common.
        members: about how many are trained together, 1 or more.
    """
    gpu = experiment.device.startswith("gpu")
    values = max(experiment.samples, experiment.epochs * experiment.net.size)
    most = max(1, (GPU_BLOCK_VALUES if gpu else BLOCK_VALUES) // values)
    if gpu:
        most *= len(devices.resolve_all(experiment.device)) if experiment.device.endswith(":all") else 1
        return -(-members // -(-members // most))
    # Always an even number of blocks, independent of the core count: the block size affects rounding, and rounding can
    # decide whether a borderline seed passes.
    blocks = 1 if members == 1 else 2 * -(-members // (2 * min(most, BLOCK_MEMBERS)))
    return -(-members // blocks)


class Ensemble:
    """Trains an experiment's members in blocks of one size: built once, and run for any seeds and learning rates.

    An optimizer that is given as a function has to be elementwise: one that clips by a norm, say, would mix members.

    Raises:
        ValueError: if the device is not there.
    """

    def __init__(self, experiment: Experiment, members: int, *, workers: int | None = None) -> None:
        """Build the program of a block, once for each worker.

        Args:
            experiment: what all members have in common.
            members: about how many members a call of `train` will have. Every number from 1 can be trained later; this
                one fills all blocks.
            workers: how many blocks run side by side, each on a core of its own. None takes as many as there are cores,
                or one on a GPU.
        """
        gpu = experiment.device.startswith("gpu")
        workers = workers or (1 if gpu else host.usable_cores())
        self.block_members = block_size(experiment, members)
        blocks = -(-members // self.block_members)
        self.experiment = experiment
        self.programs = [members_program(experiment, self.block_members) for _ in range(min(workers, blocks))]

    def train(
        self, seeds: Array, learning_rates: Array | None = None, *, progress: Callable[[int], None] | None = None
    ) -> Members:
        """Train members from fresh weights.

        Args:
            seeds: shape (members,), one or more integers from 0; each decides initial weights and orders, as for a
                single run.
            learning_rates: shape (members,), each at least the final learning rate; None takes the experiment's.
            progress: called after each block with the number of members done.

        Returns:
            The members, in the order of the seeds.

        Raises:
            ValueError: if learning rates are given although the optimizer is a function, which has one for all.
        """
        return Members(self.experiment, seeds, *self.summaries(summarise, seeds, learning_rates, progress=progress))

    def summaries(
        self,
        summary: Summary,
        seeds: Array,
        learning_rates: Array | None = None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Array]:
        """Train members as `train` does, and keep what a function makes of each block.

        Args:
            summary: called as `summarise` is; the first axis of each array that it returns has the block's members.
            seeds, learning_rates, progress: as for `train`.

        Returns:
            The members' learning rates, and each array of the summaries for all members, in the order of the seeds.
        """
        spec, size = self.experiment, self.block_members
        if learning_rates is None:
            learning_rates = np.full(len(seeds), spec.learning_rate)
        elif not isinstance(spec.optimizer, str):
            raise ValueError("a learning rate a member needs an optimizer by its name, not a function")
        idle = list(self.programs)

        def run(first: int) -> tuple[Array, ...]:
            program, part = idle.pop(), slice(first, first + size)
            try:
                history = program.run(program.place(program.reset(seeds[part], learning_rates[part])))
                return summary(spec, learning_rates[part], history[..., : len(seeds[part])])
            finally:
                idle.append(program)

        pool = ThreadPoolExecutor(len(self.programs))
        try:
            blocks = [pool.submit(run, first) for first in range(0, len(seeds), size)]
            for done, _ in enumerate(as_completed(blocks), start=1):
                ending.end_if_asked()
                if progress:
                    progress(min(done * size, len(seeds)))
            return [learning_rates, *map(np.concatenate, zip(*(block.result() for block in blocks), strict=True))]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def summarise(experiment: Experiment, learning_rates: Array, history: Array) -> tuple[Array, ...]:
    """Return the fields of Members from `weights` on.

    Args:
        experiment: what all members have in common.
        learning_rates: shape (members,): each member's learning rate.
        history: shape (epochs, size of the network, members): the weights after each epoch.
    """
    history = np.moveaxis(history, 1, 2)
    with np.errstate(all="ignore"):
        coefficients = experiment.net.coefficients(history[-1])
        error = coefficient_error(coefficients, experiment.target)
    passed = error < (experiment.final_learning_rate or learning_rates)
    return history[-1], coefficients, error, passed, first_true(np.any(~np.isfinite(history), axis=2))


def epochs_below(experiment: Experiment, members: int, workers: int | None = None) -> Callable[..., Array]:
    """Build an ensemble, and return what trains its members and says after which epochs their errors are below.

    Args:
        experiment: what all members have in common.
        members: about how many members are trained together, as for Ensemble.
        workers: how many blocks run side by side, as for Ensemble.

    Returns:
        A function of seeds, learning rates and `progress`, as `Ensemble.train` takes them. It returns shape
        (members, epochs / 8, rounded up), uint8, a bit an epoch as np.packbits has them: whether the error is below the
        member's learning rate, the smallest of a schedule.
    """
    ensemble = Ensemble(experiment, members, workers=workers)
    return lambda seeds, rates, progress=None: ensemble.summaries(_pack_below, seeds, rates, progress=progress)[1]


def _pack_below(experiment: Experiment, learning_rates: Array, history: Array) -> tuple[Array]:
    with np.errstate(all="ignore"):
        error = coefficient_error(experiment.net.coefficients(np.moveaxis(history, 1, 2)), experiment.target)
    return (np.packbits(error < (experiment.final_learning_rate or learning_rates), axis=0).T,)
