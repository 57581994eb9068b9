"""Which seeds learn, cell by cell, as pinned_seeds.json has them.

At batch size 1 the coefficient error wanders about the learning rate from epoch to epoch, and rounding alone decides
on which side it is after the last epoch. So a seed is judged by its last 100 epochs, and only where `compiled` and
`native`, which round differently, agree on it. The share of these epochs with an error below the learning rate decides:

- settled, where it is 100 %: the regression suite holds the error after the last epoch below the learning rate;
- passing, where it is 70 % or more: the suite holds the median of the errors below it;
- failing, where it is 0: the suite holds that the median is not below it;
- undecided otherwise: such a seed is only listed.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from parabola import registry
from parabola.training.experiment import Experiment
from parabola.training.late_errors import late_errors
from parabola.training.networks import load_network
from parabola.training.target import Array

FILE = Path(__file__).with_suffix(".json")
SEEDS = range(20)
MOST = 0.7  # a seed passes with so large a share of its last epochs below the learning rate
TARGETS = {name: load_network(name).tested_target for name in registry.NETWORKS}
CELLS = [
    Experiment(network=network, target=target, batch_size=batch_size, learning_rate=learning_rate)
    for network, target in TARGETS.items()
    for batch_size in (1, 9, 111)
    for learning_rate in (0.001, 0.01, 0.1)
]


def engines_for(network: str) -> list[str]:
    """Return the engines that decide on a network's seeds: the default one, and the limit if it knows the network."""
    known = registry.ENGINES[registry.LIMIT].networks
    return [registry.DEFAULT_ENGINE, *([registry.LIMIT] if not known or network in known else [])]


def cell_name(cell: Experiment) -> str:
    """Return the name that a cell has in the ids of tests and in the file."""
    return f"{cell.network}-batch_{cell.batch_size}-learning_rate_{cell.learning_rate:g}"


build = lru_cache(maxsize=1)(late_errors)  # cells of one batch size follow each other, and share a build


def last_errors(cell: Experiment, seeds: Iterable[int] = SEEDS) -> dict[int, Array]:
    """Train seeds of a cell, and return the coefficient error after each of their last epochs.

    Args:
        cell: the experiment, whose seed is not used.
        seeds: the seeds to train, one after the other.

    Returns:
        By seed, shape (100,), float.
    """
    own, train = [*seeds], build(replace(cell, learning_rate=Experiment.learning_rate))
    return dict(zip(own, train(np.array(own), np.full(len(own), cell.learning_rate)), strict=True))
