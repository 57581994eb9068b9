"""The baseline of pass rates, and the test that holds fresh seeds against it."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness.options import BASELINE_SEEDS
from benchmarks.harness.pinned_seeds import TARGETS
from parabola import statistics
from parabola.ensemble import map_file
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell
from parabola.machine.backends import BACKENDS  # the baseline is the first one's, and all are held against it
from parabola.training.experiment import INITS, Experiment
from parabola.training.networks import load_network
from parabola.training.target import Array

FOLDER = Path(__file__).parents[1] / "baseline"
LEARNING_RATES, BATCH_SIZES = (0.001, 0.01, 0.1), (1, 9, 111)
TESTED_SEEDS = 400
SUITE_LEVEL = 0.001  # the probability, at most, that any of the suite's tests fails without cause
CHANGE, POWER = 0.15, 0.95  # a change so large, in any one cell, is found with at least that probability
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


@dataclass(frozen=True)
class Change:
    """A cell whose fresh pass rate is not the baseline's."""

    baseline: Cell
    found: Cell
    p_value: float
    level: float

    def __str__(self) -> str:
        was, now = (f"{cell.passes / cell.seeds:.1%} of {cell.seeds}" for cell in (self.baseline, self.found))
        where = f"batch size {self.found.batch_size}, learning rate {self.found.learning_rate:g}"
        return f"{where}: {now} seeds pass, {was} in the baseline (p = {self.p_value:.1e}, level {self.level:.1e})"


def baseline(network: str, init: str = "glorot") -> dict[tuple[int, float], Cell]:
    """Return the committed cells by batch size and learning rate."""
    name = f"{network}-{init}"
    return {
        (cell.batch_size, cell.learning_rate): cell
        for cell in map_file.read(FOLDER / f"{name}.json", GRIDS[name].identity(backend=BACKENDS[0]))
    }


def find_changes(network: str, cells: Iterable[Cell], level: float = LEVEL) -> list[Change]:
    """Return the cells of fresh seeds that differ from the baseline: Fisher's exact test, two-sided, on both counts."""
    held = baseline(network)
    pairs = [(held[cell.batch_size, cell.learning_rate], cell) for cell in cells]
    changes = [
        Change(was, now, statistics.same_share_p_value((was.passes, was.seeds), (now.passes, now.seeds)), level)
        for was, now in pairs
    ]
    return [change for change in changes if change.p_value <= level]


def fresh_seeds(first: int | None = None) -> Array:
    """Return the seeds to test, shape (400,): from `first` on, or a block of them that the checked-out commit chooses.

    None of them is the baseline's. Without a commit, they are those that follow the baseline's.
    """
    if first is None:
        command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
        folder = Path(__file__).parent
        commit = ""
        if shutil.which("git"):
            commit = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
        first = BASELINE_SEEDS + TESTED_SEEDS * int(commit[:8] or "0", 16)
    return np.arange(first, first + TESTED_SEEDS)


def share(passes: int, seeds: int) -> str:
    """Return a pass rate in per cent with its 95 % interval."""
    low, high = statistics.share_interval(passes, seeds)
    return f"{100 * passes / seeds:.1f} ({100 * low:.1f}–{100 * high:.1f})"
