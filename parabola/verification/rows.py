"""What a right run never does, as its history shows: a row is the weights after one epoch."""

from collections.abc import Collection

import numpy as np

from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.kernel import BETA_1, BETA_2

# How many learning rates a step of Adam reaches at most: by the Cauchy–Schwarz inequality, for the largest quotient of
# its two moving averages.
REACH = (1 - BETA_1) / np.sqrt((1 - BETA_2) * (1 - BETA_1**2 / BETA_2))
MOST_SUSPECTS = 8


def check_rows(experiment: Experiment, weights: Array) -> str:
    """Say what is wrong with the weights after each epoch; empty where nothing is.

    A run that has diverged stays so, and no weight moves further in an epoch than its steps can reach.

    Args:
        experiment: says the learning rate and the number of steps in an epoch.
        weights: shape (epochs, size of the network), float32.
    """
    finite = np.asarray(np.isfinite(weights).all(axis=1))
    back = np.flatnonzero(finite[1:] & ~finite[:-1])
    if back.size:
        return f"after epoch {back[0] + 2} the weights are finite, and after the epoch before they were not"
    rows = weights[finite].astype(float)
    distances: Array = np.abs(np.diff(rows, axis=0))
    rounding = np.spacing(np.abs(weights[finite][1:])).astype(float)
    far: Array = distances > experiment.steps * (1.01 * REACH * experiment.learning_rate + rounding)
    if not far.any():
        return ""
    epoch, weight = np.argwhere(far)[0].tolist()
    moved = f"has moved by {distances[epoch, weight]:.3g} since the epoch before"
    which = f"weight {weight + 1} of {weights.shape[1]}"
    return f"after epoch {epoch + 2} {which} {moved}, further than {experiment.steps} steps of Adam reach"


def suspects(weights: Array, held: Collection[int]) -> list[int]:
    """Return the epochs that should be held as well: where the run diverged, and some in which no weight moved.

    Args:
        weights: shape (epochs, size of the network), float32: the weights after each epoch.
        held: the epochs that were held already, counted from 0, as those that are returned are.
    """
    finite = np.isfinite(weights).all(axis=1)
    diverged = [] if finite.all() else [int(np.argmin(finite))]
    still = 1 + np.flatnonzero((weights[1:] == weights[:-1]).all(axis=1))
    unmoved = [epoch for epoch in still.tolist() if epoch not in held]
    some = unmoved[:: -(-len(unmoved) // MOST_SUSPECTS) or 1]
    return sorted({*some, *(epoch for epoch in diverged if epoch not in held)})


def same_bits(first: Array, second: Array) -> bool:
    """Say whether two arrays have the same values, NaN being NaN."""
    return np.array_equal(first, second, equal_nan=True)
