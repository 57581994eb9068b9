"""Which seeds learn, cell by cell, as pinned_seeds.json has them.

At batch size 1 the coefficient error wanders about the learning rate from epoch to epoch, and rounding alone decides
on which side the last one falls. So a seed counts as passing by its last 100 epochs, and only where `compiled` and
`native`, which round differently, agree on it:

- settled: the error is below the learning rate in all of them; held at the last epoch;
- passing: in 70 % or more; held by the median;
- failing: in none; listed;
- undecided: the rest; listed.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from parabola import registry
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.networks import load_network
from parabola.training.target import Array

FILE = Path(__file__).with_suffix(".json")
SEEDS = range(20)
LAST_EPOCHS, MOST = 100, 0.7
TARGETS = {name: load_network(name).tested_target for name in registry.NETWORKS}
CELLS = [
    Experiment(network=network, target=target, batch_size=batch_size, learning_rate=learning_rate)
    for network, target in TARGETS.items()
    for batch_size in (1, 9, 111)
    for learning_rate in (0.001, 0.01, 0.1)
]


def cell_name(cell: Experiment) -> str:
    """Return the cell's name, in ids and in the file."""
    return f"{cell.network}-batch_{cell.batch_size}-learning_rate_{cell.learning_rate:g}"


build = lru_cache(maxsize=1)(engines.build)  # the cells of one batch size follow each other


def last_errors(cell: Experiment, seeds: Iterable[int] = SEEDS) -> dict[int, Array]:
    """Train a cell's seeds; return each one's coefficient error after its last epochs, shape (100,)."""
    engine = build(replace(cell, learning_rate=Experiment.learning_rate))
    errors = {}
    for seed in seeds:
        weights = engine.run(engine.reset(seed=seed, learning_rate=cell.learning_rate))
        fit = Fit(cell, engine.device, weights, 0.0, 0.0)
        errors[seed] = fit.coefficient_error[-LAST_EPOCHS:]
    return errors
