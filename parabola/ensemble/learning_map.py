"""The map of learning rate × batch size: which share of seeds learns in each cell. Its grid, and training it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from parabola.ensemble.ensemble import Ensemble
from parabola.ensemble.map_file import Cell
from parabola.ensemble.map_state import MapState, make_cells
from parabola.ensemble.parts import Part, Report, Trainer, Work, outcomes_of
from parabola.machine import backends, ending
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


def groups(grid: Grid) -> list[Part]:
    """Return the members of a map as whole groups of cells that are trained together, batch size by batch size."""
    # Not np.arange(first, end), which turns to float near the largest int64.
    seeds = grid.first_seed + np.arange(grid.seeds)
    specs = [replace(grid.experiment, batch_size=size) for size in grid.batch_sizes]
    return [part for spec in specs for part in _groups(spec, grid.learning_rates, seeds)]


def _groups(experiment: Experiment, rates: Sequence[float], seeds: Array) -> Iterator[Part]:
    """Yield groups of as many cells as are trained at a time."""
    number = cells_at_a_time(experiment, len(rates), len(seeds))
    for first in range(0, len(rates), number):
        own = (*rates[first : first + number],)
        yield Part(experiment, number * len(seeds), own, seeds, 0, len(own) * len(seeds))


def cells_at_a_time(experiment: Experiment, rates: int, seeds: int) -> int:
    """Return how many cells are trained before any of them is saved: more on a GPU, which is fast with many members.

    Args:
        experiment: says the device.
        rates: how many cells there are.
        seeds: how many seeds each cell has.
    """
    return min(rates, -(-AT_A_TIME[experiment.device[:3]] // seeds))


def outcomes(experiment: Experiment, members: int, workers: int | None = None) -> Callable[..., Array]:
    """Build an ensemble, and return what trains its members and returns what a map keeps of them."""
    ensemble = Ensemble(experiment, members, workers=workers)
    return lambda seeds, rates, progress=None: outcomes_of(ensemble.train(seeds, rates, progress=progress))


def train_here(
    parts: Iterable[Part], progress: Report, workers: int | None = None, work: Work = outcomes
) -> Iterator[tuple[Part, Array]]:
    """Train parts on this machine, one after the other; yield each with what is kept of its members.

    Args:
        parts: the parts, those of a group one after the other.
        progress: called with a part and how many of its members are done.
        workers: how many blocks run side by side, as for Ensemble.
        work: builds what trains the members of a group.
    """
    for _, alike in groupby(parts, key=lambda part: (part.experiment, part.group_size)):
        train: Callable[..., Array] | None = None
        for part in alike:
            train = train or work(part.experiment, part.group_size, workers)
            yield part, train(*part.members(), progress=partial(progress, part))


def train_cells(
    experiment: Experiment,
    learning_rates: Sequence[float],
    seeds: Array,
    *,
    workers: int | None = None,
) -> Iterator[list[Cell]]:
    """Train the same seeds at each learning rate, and yield the cells as they are done, a few at a time.

    Args:
        experiment: what all runs have in common; its learning rate and seed are not used.
        learning_rates: the learning rate of each cell.
        seeds: shape (n,), integers from 0: the seeds that are trained in every cell.
        workers: how many blocks run side by side, as for Ensemble.
    """
    parts = [*_groups(experiment, learning_rates, seeds)] if len(learning_rates) * len(seeds) else []
    for part, kept in train_here(parts, share(parts, None), workers):
        yield make_cells(part, kept)


def train_map(
    grid: Grid,
    path: Path,
    *,
    shard: tuple[int, int] = (1, 1),
    train: Trainer = train_here,
    progress: Callable[..., None] | None = None,
) -> list[Cell]:
    """Train the cells that the map on disk lacks, and save them as they are done.

    Args:
        grid: the cells of the whole map.
        path: the file that holds the map, or will hold it. After an interruption the same call continues it.
        shard: number of a shard, from 1, and number of all: only what is in that shard is trained.
        train: trains parts; on this machine unless another is given.
        progress: called with the share that is done, from 0 to 1, weighted by the cost of the cells.

    Returns:
        The finished cells, batch size by batch size.

    Raises:
        ValueError: if the file is not a whole map of this grid, as map_file.read says.
    """
    state = MapState(path, grid.identity(), groups(grid))
    parts = [*state.lacking(*shard)]
    try:
        for part, kept in train(parts, share(parts, progress)):
            state.add(part, kept)
        state.changed |= not path.exists()  # a shard may be empty, and has a file nevertheless
    finally:
        with ending.uninterrupted():
            state.save()
    return state.finished()


def share(parts: Sequence[Part], progress: Callable[..., None] | None) -> Report:
    """Return what a trainer calls; it calls `progress` with the share of the parts that is done, and any text."""
    total, done = sum(part.cost for part in parts), Counter[tuple[float, ...]]()

    def report(part: Part, members: int, *text: str) -> None:
        done[*part.key, part.first] = members * part.cost_of_member
        if progress:
            progress(done.total() / total, *text)

    return report
