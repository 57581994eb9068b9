"""The baseline of pass rates, and the test that holds fresh seeds against it: python -m benchmarks.harness.pass_rates.

The command trains 10,000 seeds in each cell, for both networks and with either initialiser, about ten minutes on two
cores; what is in benchmarks/baseline/ already it does not train again. It then prints the README's table.
"""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.harness.cases import BASELINE_SEEDS
from benchmarks.harness.pinned_seeds import TARGETS
from parabola import statistics
from parabola.display import console
from parabola.ensemble import map_file
from parabola.ensemble.learning_map import Grid, train_map
from parabola.ensemble.map_file import Cell
from parabola.machine.backends import BACKENDS  # the baseline is the first one's, and all are held against it
from parabola.training.experiment import Experiment
from parabola.training.target import Array

FOLDER = Path(__file__).parents[1] / "baseline"
LEARNING_RATES, BATCH_SIZES = (0.001, 0.01, 0.1), (1, 9, 111)
TESTED_SEEDS = 400
SUITE_LEVEL = 0.001  # the probability, at most, that any of the suite's tests fails without cause
CHANGE, POWER = 0.15, 0.95  # a change so large, in any one cell, is found with at least that probability
LEVEL = SUITE_LEVEL / (len(TARGETS) * len(LEARNING_RATES) * len(BATCH_SIZES))  # of each test on one device: Bonferroni

GRIDS = {
    f"{network}-{init}": Grid(
        Experiment(network=network, target=target, init=init), LEARNING_RATES, BATCH_SIZES, BASELINE_SEEDS
    )
    for network, target in TARGETS.items()
    for init in (("glorot", "sign-aware") if network == "two_neuron" else ("glorot",))
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


def table() -> Table:
    """Return the README's table: both initialisers, and the split by the second kernel's first sign."""
    shown = Table(box=MARKDOWN)
    headings = "network, batch size, learning rate, glorot, of these: began positive, began negative, sign-aware"
    for heading in headings.split(", "):
        shown.add_column(heading, justify="left" if heading == "network" else "right", no_wrap=True)
    for network in TARGETS:
        cured = baseline(network, "sign-aware") if f"{network}-sign-aware" in GRIDS else {}
        for key, cell in baseline(network).items():
            split = ["", "", ""]
            if key in cured and cell.positive_seeds is not None and cell.positive_passes is not None:
                positive = cell.positive_passes, cell.positive_seeds
                negative = cell.passes - positive[0], cell.seeds - positive[1]
                split = [share(*positive), share(*negative), share(cured[key].passes, cured[key].seeds)]
            shown.add_row(network, str(key[0]), f"{key[1]:g}", share(cell.passes, cell.seeds), *split)
    return shown


def main() -> None:
    """Train what is missing, and print the table."""
    FOLDER.mkdir(exist_ok=True)
    for name, grid in GRIDS.items():
        with console.progress_bar(f"{{task.percentage:.0f}} % of {name},", 1.0) as bar:
            train_map(grid, FOLDER / f"{name}.json", progress=bar)
    Console(width=160).print(table())


if __name__ == "__main__":
    typer.run(main)
