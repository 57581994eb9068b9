"""The baseline of pass rates, and the test that holds fresh seeds against it."""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.harness.options import BASELINE_SEEDS
from benchmarks.harness.pinned_seeds import TARGETS
from parabola import statistics
from parabola.ensemble import cluster as on_cluster
from parabola.ensemble import map_file
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell
from parabola.ensemble.parts import Trainer
from parabola.machine.backends import BACKENDS  # the baseline is made on the first, and all are held against it
from parabola.training.experiment import INITS, Experiment
from parabola.training.networks import load_network
from parabola.training.target import Array

FOLDER = Path(__file__).parents[1] / "baseline"
LEARNING_RATES, BATCH_SIZES = (0.001, 0.01, 0.1), (1, 9, 111)
TESTED_SEEDS = 400
ClusterOption = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Train on the workers of Dask's scheduler.")]
KEPT = "what is finished is kept, and the same command goes on from there"
SUITE_LEVEL = 0.001  # the probability, at most, that any of the suite's tests fails without cause
LEVEL = SUITE_LEVEL / (len(TARGETS) * len(LEARNING_RATES) * len(BATCH_SIZES))  # of each test on one device: Bonferroni


def initialisers(network: str) -> tuple[str, ...]:
    """Return the initialisers that make a difference to a network: a sign needs an output kernel that can have it."""
    return INITS if load_network(network).output_kernel is not None else INITS[:1]


GRIDS = {
    f"{network}-{init}": Grid(
        Experiment(network=network, target=target, init=init), LEARNING_RATES, BATCH_SIZES, BASELINE_SEEDS
    )
    for network, target in TARGETS.items()
    for init in initialisers(network)
}


@contextmanager
def trainer(cluster: str | None, *packages: str, kept: str = KEPT) -> Iterator[Trainer]:
    """Yield what trains a study's seeds: Dask's workers at an address, or this machine where there is none.

    Args:
        cluster: the scheduler's address.
        packages: names of packages that decide the results, beside those of every map.
        kept: what is said of the work so far when the cluster is gone.
    """
    try:
        with on_cluster.trainer(cluster, "cpu", print, *packages) as train:
            yield train
    except (on_cluster.ClusterError, ValueError) as error:
        raise SystemExit(f"{error}; {kept}") from None


@dataclass(frozen=True)
class Deviation:
    """A cell whose fresh pass rate is not the baseline's.

    Attributes:
        baseline: the cell as the baseline has it.
        fresh: the same cell, trained with fresh seeds.
        p_value: how probable counts so far apart are, if both cells have one pass rate.
        level: p-values up to it count as a deviation.
    """

    baseline: Cell
    fresh: Cell
    p_value: float
    level: float

    def __str__(self) -> str:
        was, now = (f"{cell.pass_rate:.1%} of {cell.seeds}" for cell in (self.baseline, self.fresh))
        where = f"batch size {self.fresh.batch_size}, learning rate {self.fresh.learning_rate:g}"
        return f"{where}: {now} seeds pass, {was} in the baseline (p = {self.p_value:.1e}, level {self.level:.1e})"


def baseline(network: str, init: str = "glorot") -> dict[tuple[int, float], Cell]:
    """Return the committed cells of a network and an initialiser by batch size and learning rate.

    Raises:
        ValueError: if the committed file is of another grid.
    """
    name = f"{network}-{init}"
    return {
        (cell.batch_size, cell.learning_rate): cell
        for cell in map_file.read(FOLDER / f"{name}.json", GRIDS[name].identity(backend=BACKENDS[0]))
    }


def find_deviations(network: str, cells: Iterable[Cell], level: float = LEVEL) -> list[Deviation]:
    """Return the cells whose pass rate differs from the baseline's, by Fisher's exact two-sided test on both counts.

    At LEVEL, a change of 15 points in any one cell is found with 95 % probability or more.

    Args:
        network: the network's name, which has a baseline of its own.
        cells: cells that were trained with fresh seeds.
        level: p-values up to it count as a deviation.
    """
    held = baseline(network)
    pairs = [(held[cell.batch_size, cell.learning_rate], cell) for cell in cells]
    deviations = [
        Deviation(was, now, statistics.same_share_p_value((was.passes, was.seeds), (now.passes, now.seeds)), level)
        for was, now in pairs
    ]
    return [deviation for deviation in deviations if deviation.p_value <= level]


def fresh_seeds(first: int | None = None) -> Array:
    """Return the seeds to test, none of which is the baseline's.

    Args:
        first: the first seed. None: the checked-out commit chooses it, and without a commit it is the one that follows
            the baseline's.

    Returns:
        Shape (400,), int: seeds that follow each other.
    """
    if first is None:
        command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
        folder = Path(__file__).parent
        commit = ""
        if shutil.which("git"):
            commit = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
        first = BASELINE_SEEDS + TESTED_SEEDS * int(commit[:8] or "0", 16)
    return np.arange(first, first + TESTED_SEEDS)


def rate_with_interval(passes: int, seeds: int) -> str:
    """Return a pass rate as text: in per cent, with its 95 % interval in parentheses."""
    low, high = statistics.share_interval(passes, seeds)
    return f"{100 * passes / seeds:.1f} ({100 * low:.1f}–{100 * high:.1f})"
