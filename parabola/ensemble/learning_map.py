"""The map of learning rate × batch size: which share of seeds learns in each cell. Its grid, and training it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from parabola.ensemble import map_file
from parabola.ensemble.ensemble import Ensemble, Members
from parabola.machine import backends
from parabola.training.experiment import Experiment
from parabola.training.target import Array

LEARNING_RATES = tuple(float(f"{rate:.4g}") for rate in np.geomspace(1e-4, 1, 25))  # 0.001 and 0.1 are among them
BATCH_SIZES = (1, 3, 9, 27, 37, 111, 333, 999)  # all that leave no partial batch of the 999 samples
MOST_SEEDS = 10**6  # of a cell, so that what became of each fits in memory
AT_A_TIME = {"cpu": 1000, "gpu": 20_000}  # members or more, after which finished cells are saved: some seconds


@dataclass(frozen=True)
class Grid:
    """Which cells, and what each has in common.

    Attributes:
        experiment: its learning rate, batch size and seed are the cells' own.
        learning_rates: finite, above 0.
        batch_sizes: 1 to samples.
        seeds: how many a cell.
        first_seed: they follow one another from here.

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
        """Return all that decides the cells, as JSON holds it; of the process' backend unless another is meant."""
        backend = backend or backends.backend()
        own = {"engine", "strategy", "learning_rate", "batch_size", "seed"}
        shared = {name: value for name, value in vars(self.experiment).items() if name not in own}
        axes = {name: value for name, value in asdict(self).items() if name != "experiment"}
        # The default is not said: maps from before there was another one go on.
        other = {} if backend == backends.BACKENDS[0] else {"backend": backend}
        known = {**other, **shared, "target": [*self.experiment.target.coefficients], **axes}
        return dict(json.loads(json.dumps(known)))


def make_cell(members: Members) -> map_file.Cell:
    """Return the cell of members that share a learning rate."""
    spec, passed = members.experiment, members.passed
    kernel = spec.net.output_kernel
    positive = None if kernel is None else np.all(spec.initial_weights(members.seeds)[:, kernel] > 0, axis=1)
    errors = members.coefficient_error[members.diverged_epoch == 0]
    return map_file.count_cell(float(members.learning_rates[0]), spec.batch_size, passed, positive, errors)


def train_cells(
    experiment: Experiment,
    learning_rates: Sequence[float],
    seeds: Array,
    *,
    group: int | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[list[map_file.Cell]]:
    """Train seeds, shape (n,), at each learning rate; give the cells as they are done, a few at a time.

    Args:
        experiment: its learning rate and seed are not used.
        learning_rates: of the cells.
        seeds: the same in every cell.
        group: how many cells at a time; it decides the size of blocks, and so rounding.
        workers: as for Ensemble.
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
    """Return how many of so many cells are trained before any is saved: more on a GPU, which needs them to be fast."""
    return min(rates, -(-AT_A_TIME[experiment.device[:3]] // seeds))


def train_map(grid: Grid, path: Path, *, progress: Callable[[float], None] | None = None) -> list[map_file.Cell]:
    """Train what the map on disk lacks, saving cells as they are done; return all, batch size by batch size.

    Args:
        grid: which cells.
        path: where the map is, or will be; the same call goes on from there after an interruption.
        progress: called with the share that is done, from 0 to 1, by what it costs.

    Raises:
        ValueError: as for maps.read.
    """
    cells = {(cell.batch_size, cell.learning_rate): cell for cell in map_file.read(path, grid.identity())}
    columns = [
        (replace(grid.experiment, batch_size=size), [rate for rate in grid.learning_rates if (size, rate) not in cells])
        for size in grid.batch_sizes
    ]
    # A step costs about what a sample does.
    costs = [(spec.samples + spec.steps) * len(rates) for spec, rates in columns]
    seeds = grid.first_seed + np.arange(grid.seeds)  # of int64 up to its end, where a range would turn to float
    # Of the whole grid, however little is missing.
    group = cells_at_a_time(grid.experiment, len(grid.learning_rates), grid.seeds)
    for column, (experiment, rates) in enumerate(columns):

        def report(share: float, before: int = sum(costs[:column]), cost: int = costs[column]) -> None:
            if progress:
                progress((before + share * cost) / sum(costs))

        for finished in train_cells(experiment, rates, seeds, group=group, progress=report):
            cells |= {(cell.batch_size, cell.learning_rate): cell for cell in finished}
            map_file.write(path, grid.identity(), [*cells.values()])
    return [cells[size, rate] for size in grid.batch_sizes for rate in grid.learning_rates]
