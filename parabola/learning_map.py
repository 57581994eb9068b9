"""The map of learning rate × batch size: which share of seeds learns in each cell. Its grid, and its state on disk."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from parabola.ensemble import Ensemble, Members
from parabola.experiment import Experiment
from parabola.target import Array
from parabola.tracking import statistics

VERSION = 1
LEARNING_RATES = tuple(float(f"{rate:.4g}") for rate in np.geomspace(1e-4, 1, 25))  # 0.001 and 0.1 are among them
BATCH_SIZES = (1, 3, 9, 27, 37, 111, 333, 999)  # all that leave no partial batch of the 999 samples
AT_A_TIME = 1000  # members or more, after which finished cells are saved: some seconds


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
        if not 1 <= self.seeds <= 2**31:
            raise ValueError(f"seeds must be a whole number from 1 to {2**31}. Received: {self.seeds}")
        replace(self.experiment, seed=self.first_seed + self.seeds - 1)
        spec = self.experiment
        if not spec.net.can_represent(spec.target):
            raise ValueError(spec.net.explain(spec.target, spec.low, spec.high))
        for batch_size in self.batch_sizes:
            for learning_rate in self.learning_rates:
                replace(self.experiment, learning_rate=learning_rate, batch_size=batch_size)

    def identity(self) -> dict[str, Any]:
        """Return all that decides the cells, as JSON holds it."""
        own = {"engine", "learning_rate", "batch_size", "seed"}
        shared = {name: value for name, value in vars(self.experiment).items() if name not in own}
        axes = {name: value for name, value in asdict(self).items() if name != "experiment"}
        shared["target"] = self.experiment.target.coefficients.tolist()
        identity: dict[str, Any] = json.loads(json.dumps({**shared, **axes}))
        return identity


@dataclass(frozen=True)
class Cell:
    """One learning rate at one batch size.

    Attributes:
        learning_rate, batch_size: which cell.
        seeds: how many were trained.
        passes: how many ended with a coefficient error below the learning rate (the smallest of a schedule's).
        low, high: Wilson's 95 % interval for the pass rate.
        positive_seeds, positive_passes: the same of those whose second kernel began positive.
        diverged: how many went to NaN or inf.
        median_error: of the coefficients, over those that did not diverge; None if all did.
        passed: which seeds passed: a bit each in hexadecimal, the first seed's first, padded to whole bytes.
    """

    learning_rate: float
    batch_size: int
    seeds: int
    passes: int
    low: float
    high: float
    positive_seeds: int
    positive_passes: int
    diverged: int
    median_error: float | None
    passed: str


def make_cell(members: Members) -> Cell:
    """Return the cell of members that share a learning rate."""
    spec, passed = members.experiment, members.passed
    kernel = spec.net.output_kernel
    positive = spec.initial_weights(members.seeds)[:, kernel] > 0 if kernel is not None else np.ones(len(passed), bool)
    errors = members.coefficient_error[members.diverged_epoch == 0]
    low, high = statistics.share_interval(int(passed.sum()), len(passed))
    return Cell(
        learning_rate=float(members.learning_rates[0]),
        batch_size=spec.batch_size,
        seeds=len(passed),
        passes=int(passed.sum()),
        low=low,
        high=high,
        positive_seeds=int(positive.sum()),
        positive_passes=int(passed[positive].sum()),
        diverged=len(passed) - len(errors),
        median_error=float(np.median(errors)) if len(errors) else None,
        passed=np.packbits(passed).tobytes().hex(),
    )


def train_cells(
    experiment: Experiment,
    learning_rates: Sequence[float],
    seeds: Array,
    *,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[list[Cell]]:
    """Train seeds, shape (n,), at each learning rate; give the cells as they are done, a few at a time.

    Args:
        experiment: its learning rate and seed are not used.
        learning_rates: of the cells.
        seeds: the same in every cell.
        workers: as for Ensemble.
        progress: called with the share that is done, from 0 to 1.
    """
    members = len(learning_rates) * len(seeds)
    if not members:
        return
    group = max(1, -(-AT_A_TIME // len(seeds)))
    ensemble = Ensemble(experiment, min(group * len(seeds), members), workers=workers)
    for first in range(0, len(learning_rates), group):
        rates = learning_rates[first : first + group]

        def report(done: int, before: int = first * len(seeds)) -> None:
            if progress:
                progress((before + done) / members)

        trained = ensemble.train(np.tile(seeds, len(rates)), np.repeat(rates, len(seeds)), progress=report)
        yield [make_cell(part) for part in trained.split(len(rates))]


def read(path: Path, grid: Grid) -> list[Cell]:
    """Return the cells of a map on disk; none if there is no file.

    Raises:
        ValueError: if the file is no map, is not whole, or is of another grid.
    """
    if not path.exists():
        return []
    remedy = "name another file with --json, or remove this one"
    try:
        state = json.loads(path.read_text())
        cells = [Cell(**cell) for cell in state["cells"]]
        found, version = dict(state["grid"]), state["parabola_map"]
    except (OSError, ValueError, TypeError, KeyError):
        raise ValueError(f"{path} is not a map, or not a whole one: {remedy}") from None
    wanted = {"version": VERSION, **grid.identity()}
    found = {"version": version, **found}
    for name in wanted.keys() | found.keys():
        if found.get(name) != wanted.get(name):
            raise ValueError(f"{path} is of another grid: {name} {found.get(name)}, not {wanted.get(name)}: {remedy}")
    return cells


def write(path: Path, grid: Grid, cells: list[Cell]) -> None:
    """Put a map on disk, whole or not at all."""
    rows = ",\n".join(json.dumps(asdict(cell)) for cell in cells)
    text = f'{{"parabola_map": {VERSION},\n"grid": {json.dumps(grid.identity())},\n"cells": [\n{rows}\n]}}\n'
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def train_map(grid: Grid, path: Path, *, progress: Callable[[float], None] | None = None) -> list[Cell]:
    """Train what the map on disk lacks, saving cells as they are done; return all, batch size by batch size.

    Args:
        grid: which cells.
        path: where the map is, or will be; the same call goes on from there after an interruption.
        progress: called with the share that is done, from 0 to 1, by what it costs.

    Raises:
        ValueError: as for `read`.
    """
    cells = read(path, grid)
    have = {(cell.batch_size, cell.learning_rate) for cell in cells}
    columns = [
        (replace(grid.experiment, batch_size=size), [rate for rate in grid.learning_rates if (size, rate) not in have])
        for size in grid.batch_sizes
    ]
    # A step costs about what a sample does.
    costs = [(spec.samples + spec.steps) * len(rates) for spec, rates in columns]
    seeds = np.arange(grid.first_seed, grid.first_seed + grid.seeds)
    for column, (experiment, rates) in enumerate(columns):

        def report(share: float, before: int = sum(costs[:column]), cost: int = costs[column]) -> None:
            if progress:
                progress((before + share * cost) / sum(costs))

        for finished in train_cells(experiment, rates, seeds, progress=report):
            cells += finished
            write(path, grid, cells)
    order = {size: position for position, size in enumerate(grid.batch_sizes)}
    return sorted(cells, key=lambda cell: (order[cell.batch_size], grid.learning_rates.index(cell.learning_rate)))
