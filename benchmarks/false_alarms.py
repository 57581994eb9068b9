"""Does the pass-rate test cry wolf as rarely as it says? python -m benchmarks.false_alarms [--pool FOLDER].

Trains a pool of 20,000 seeds in each of three cells, kept in the folder and gone on with after an interruption; then
draws 1,000 suites from it, each with a baseline and fresh seeds of its own, and counts where the test finds a change.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.cases import BASELINE_SEEDS
from benchmarks.pass_rates import LEVEL, TESTED_SEEDS, share
from parabola.experiment import Experiment
from parabola.learning_map import Grid, train_map
from parabola.target import Array
from parabola.tracking import statistics, terminal

POOL_SEEDS, PART_SEEDS, FIRST_SEED, SUITES = 20_000, 1000, 10**9, 1000
CELLS = ((1, 0.001), (9, 0.01), (111, 0.1))  # batch size, learning rate: what was published, and two that learn better
NOMINAL = 0.05  # at which 1,000 suites can tell


def train_pool(batch_size: int, learning_rate: float, folder: Path) -> Array:
    """Return which seeds of a cell passed, shape (20,000,), bool; train what the folder lacks."""
    passed: list[Array] = []
    with terminal.progress_bar(f"{{task.percentage:.0f}} % of batch size {batch_size},", POOL_SEEDS) as bar:
        for first in range(FIRST_SEED, FIRST_SEED + POOL_SEEDS, PART_SEEDS):
            grid = Grid(Experiment(), (learning_rate,), (batch_size,), PART_SEEDS, first)
            (cell,) = train_map(grid, folder / f"batch_{batch_size}-seeds_{first}.json")
            passed.append(np.unpackbits(np.frombuffer(bytes.fromhex(cell.passed), np.uint8), count=cell.seeds))
            if bar:
                bar(first + PART_SEEDS - FIRST_SEED)
    return np.concatenate(passed).astype(bool)


def draw(pool: Array, generator: np.random.Generator) -> float:
    """Draw a baseline and fresh seeds, no seed twice; return the test's p-value."""
    drawn = pool[generator.permutation(len(pool))[: BASELINE_SEEDS + TESTED_SEEDS]]
    held, fresh = int(drawn[:BASELINE_SEEDS].sum()), int(drawn[BASELINE_SEEDS:].sum())
    return statistics.same_share_p_value((held, BASELINE_SEEDS), (fresh, TESTED_SEEDS))


def main(
    pool: Annotated[Path, typer.Option(help="Where trained seeds are kept.")] = Path(".benchmarks/false_alarms"),
) -> None:
    """Print a Markdown table: false alarms measured, and what is stated."""
    pool.mkdir(parents=True, exist_ok=True)
    pools = {cell: train_pool(*cell, pool) for cell in CELLS}
    generator = np.random.default_rng(1)
    p_values = {cell: np.array([draw(verdicts, generator) for _ in range(SUITES)]) for cell, verdicts in pools.items()}
    table = Table(box=MARKDOWN)
    for heading in ("cell", f"pass rate of {POOL_SEEDS:,}", "level", "false alarms", "exact, from the counts"):
        table.add_column(heading, justify="left" if heading == "cell" else "right", no_wrap=True)
    for level in (LEVEL, NOMINAL):
        for (batch_size, learning_rate), verdicts in pools.items():
            alarms = int((p_values[batch_size, learning_rate] <= level).sum())
            name = f"batch size {batch_size}, learning rate {learning_rate:g}"
            found = f"{alarms} of {SUITES:,}: {share(alarms, SUITES)} %"
            exact = statistics.false_alarm_rate(BASELINE_SEEDS, TESTED_SEEDS, float(verdicts.mean()), level)
            passing = share(int(verdicts.sum()), len(verdicts))
            table.add_row(name, passing, f"{100 * level:.2g} %", found, f"{100 * exact:.2g} %")
    any_cell = int((np.min(list(p_values.values()), axis=0) <= LEVEL).sum())
    found = f"{any_cell} of {SUITES:,}: {share(any_cell, SUITES)} %"
    table.add_row("any of the three", "", f"{100 * len(CELLS) * LEVEL:.2g} %", found, "")
    Console(width=180).print(table)


if __name__ == "__main__":
    typer.run(main)
