"""The map of learning rate × batch size: which share of seeds learns in each cell. Its grid, and training it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from parabola import statistics
from parabola.ensemble import map_file
from parabola.ensemble.ensemble import Ensemble, Members
from parabola.ensemble.map_file import Cell
from parabola.machine import backends
from parabola.training.experiment import Experiment
from parabola.training.target import Array

LEARNING_RATES = tuple(float(f"{rate:.4g}") for rate in np.geomspace(1e-4, 1, 25))  # 0.001 and 0.1 are among them
BATCH_SIZES = (1, 3, 9, 27, 37, 111, 333, 999)  # all that leave no partial batch of the 999 samples
MOST_SEEDS = 10**6  # in a cell, so that the members of a cell fit in memory
AT_A_TIME = {"cpu": 1000, "gpu": 20_000}  # finished cells are saved after at least so many members: some seconds


@dataclass(frozen=True)
class Grid:
    """The cells of a map, and what they have in common.

    Attributes:
        experiment: what all runs have in common; its learning rate, batch size and seed are not used.
        learning_rates: the learning rates of the cells, each finite and above 0.
        batch_sizes: the batch sizes of the cells, each from 1 to samples.
        seeds: how many seeds are trained in each cell.
        first_seed: the first of the seeds, which follow one another.

    Raises:
        ValueError: if an axis is empty or holds a value twice, or a value is out of bounds.
    """

    experiment: Experiment
    learning_rates: tuple[float, ...] = LEARNING_RATES
    batch_sizes: tuple[int, ...] = BATCH_SIZES
    seeds: int = 200
    first_seed: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rates", "batch_sizes"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} needs one value or more, each once. Received: {values}")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"seeds must be a whole number from 1 to {MOST_SEEDS}. Received: {self.seeds}")
        spec = replace(replace(self.experiment, seed=self.first_seed), seed=self.first_seed + self.seeds - 1)
        if not spec.net.can_represent(spec.target):
            raise ValueError(spec.net.explain(spec.target, spec.low, spec.high))
        for batch_size in self.batch_sizes:
            for learning_rate in self.learning_rates:
                replace(spec, learning_rate=learning_rate, batch_size=batch_size)

    def identity(self, backend: str = "") -> dict[str, Any]:
        """Return everything that decides the cells, as JSON holds it.

        Args:
            backend: the backend that trains them; empty for that of this process.
        """
        backend = backend or backends.backend()
        own = {"engine", "strategy", "learning_rate", "batch_size", "seed"}
        shared = {name: value for name, value in vars(self.experiment).items() if name not in own}
        axes = {name: value for name, value in asdict(self).items() if name != "experiment"}
        # The default backend is left out, so that maps from before there was another one can be continued.
        other = {} if backend == backends.BACKENDS[0] else {"backend": backend}
        known = {**other, **shared, "target": [*self.experiment.target.coefficients], **axes}
        return dict(json.loads(json.dumps(known)))


def make_cell(members: Members) -> Cell:
    """Return the cell that sums up members that share a learning rate."""
    spec, passed = members.experiment, members.passed
    passes, seeds, kernel = int(passed.sum()), len(passed), spec.net.output_kernel
    positive = None if kernel is None else np.all(spec.initial_weights(members.seeds)[:, kernel] > 0, axis=1)
    errors = members.coefficient_error[members.diverged_epoch == 0]
    low, high = statistics.share_interval(passes, seeds)
    return Cell(
        learning_rate=float(members.learning_rates[0]),
        batch_size=spec.batch_size,
        seeds=seeds,
        passes=passes,
        low=low,
        high=high,
        positive_seeds=None if positive is None else int(positive.sum()),
        positive_passes=None if positive is None else int(passed[positive].sum()),
        diverged=seeds - len(errors),
        median_error=float(np.median(errors)) if len(errors) else None,
        passed=np.packbits(passed).tobytes().hex(),
    )


def train_cells(
    experiment: Experiment,
    learning_rates: Sequence[float],
    seeds: Array,
    *,
    group: int | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[list[Cell]]:
    """Train the same seeds at each learning rate, and yield the cells as they are done, a few at a time.

    Args:
        experiment: what all runs have in common; its learning rate and seed are not used.
        learning_rates: the learning rate of each cell.
        seeds: shape (n,), integers from 0: the seeds that are trained in every cell.
        group: how many cells are trained at a time; this decides the size of the blocks, which affects rounding.
        workers: how many blocks run side by side, as for Ensemble.
        progress: called with the share that is done, from 0 to 1.
    """
    members = len(learning_rates) * len(seeds)
    if not members:
        return
    group = group or cells_at_a_time(experiment, len(learning_rates), len(seeds))
    ensemble = Ensemble(experiment, group * len(seeds), workers=workers)
    for first in range(0, len(learning_rates), group):
        rates = learning_rates[first : first + group]

        def report(done: int, before: int = first * len(seeds)) -> None:
            if progress:
                progress((before + done) / members)

        trained = ensemble.train(np.tile(seeds, len(rates)), np.repeat(rates, len(seeds)), progress=report)
        yield [make_cell(part) for part in trained.split(len(rates))]


def cells_at_a_time(experiment: Experiment, rates: int, seeds: int) -> int:
    """Return how many cells are trained before any of them is saved: more on a GPU, which is fast with many members.

    Args:
        experiment: says the device.
        rates: how many cells there are.
        seeds: how many seeds each cell has.
    """
    return min(rates, -(-AT_A_TIME[experiment.device[:3]] // seeds))


def train_map(grid: Grid, path: Path, *, progress: Callable[[float], None] | None = None) -> list[Cell]:
    """Train the cells that the map on disk lacks, and save them as they are done.

    Args:
        grid: the cells of the whole map.
        path: the file that holds the map, or will hold it. After an interruption the same call continues it.
        progress: called with the share that is done, from 0 to 1, weighted by the cost of the cells.

    Returns:
        All cells of the grid, batch size by batch size.

    Raises:
        ValueError: if the file is not a whole map of this grid, as map_file.read says.
    """
    cells = {(cell.batch_size, cell.learning_rate): cell for cell in map_file.read(path, grid.identity())}
    columns = [
        (replace(grid.experiment, batch_size=size), [rate for rate in grid.learning_rates if (size, rate) not in cells])
        for size in grid.batch_sizes
    ]
    # A step costs about as much as a sample.
    costs = [(spec.samples + spec.steps) * len(rates) for spec, rates in columns]
    # Not np.arange(first, end), which turns to float near the largest int64.
    seeds = grid.first_seed + np.arange(grid.seeds)
    # From the whole grid, however few cells are missing: so a continued map has the same blocks, and the same rounding.
    group = cells_at_a_time(grid.experiment, len(grid.learning_rates), grid.seeds)
    for column, (experiment, rates) in enumerate(columns):

        def report(share: float, before: int = sum(costs[:column]), cost: int = costs[column]) -> None:
            if progress:
                progress((before + share * cost) / sum(costs))

        for finished in train_cells(experiment, rates, seeds, group=group, progress=report):
            cells |= {(cell.batch_size, cell.learning_rate): cell for cell in finished}
            map_file.write(path, grid.identity(), [*cells.values()])
    return [cells[size, rate] for size in grid.batch_sizes for rate in grid.learning_rates]
