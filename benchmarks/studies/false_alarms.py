"""Does the pass-rate test cry wolf as rarely as it says? python -m benchmarks.studies.false_alarms.

Trains a pool of 20,000 seeds in each of three cells, kept in a folder and gone on with after an interruption; then
draws 1,000 suites from it, each with a baseline and fresh seeds of its own, and counts where the test finds a change.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.box import MARKDOWN
from rich.console import Console
from scipy.stats import hypergeom

from benchmarks.harness.pass_rates import LEVEL, TESTED_SEEDS, ClusterOption, rate_with_interval, trainer
from parabola import statistics
from parabola.display import console
from parabola.display.tables import for_terminal, table_of
from parabola.ensemble.learning_map import Grid, train_here, train_map
from parabola.ensemble.parts import Trainer
from parabola.training.experiment import Experiment
from parabola.training.target import Array

PART_SEEDS, FIRST_SEED = 1000, 10**9
CELLS = ((1, 0.001), (9, 0.01), (111, 0.1))  # batch size, learning rate: what was published, and two that learn better
NOMINAL = 0.05  # at which 1,000 suites can tell


def train_pool(batch_size: int, learning_rate: float, seeds: int, folder: Path, train: Trainer = train_here) -> Array:
    """Return which seeds of a cell passed, shape (seeds,), bool; train what the folder lacks."""
    passed: list[Array] = []
    with console.progress_bar(f"{{task.percentage:.0f}} % of batch size {batch_size},", seeds) as bar:
        for first in range(FIRST_SEED, FIRST_SEED + seeds, PART_SEEDS):
            grid = Grid(Experiment(), (learning_rate,), (batch_size,), PART_SEEDS, first)
            (cell,) = train_map(grid, folder / f"batch_{batch_size}-seeds_{first}.json", train=train)
            passed.append(np.unpackbits(np.frombuffer(bytes.fromhex(cell.passed), np.uint8), count=cell.seeds))
            if bar:
                bar(first + PART_SEEDS - FIRST_SEED)
    return np.concatenate(passed).astype(bool)


def draw(pool: Array, generator: np.random.Generator) -> float:
    """Draw half the pool as a baseline, and fresh seeds from the other half; return the test's p-value."""
    drawn, half = generator.permutation(pool), len(pool) // 2
    fresh = drawn[half : half + TESTED_SEEDS]
    return statistics.same_share_p_value((int(drawn[:half].sum()), half), (int(fresh.sum()), TESTED_SEEDS))


def false_alarm_rate(baseline_trials: int, trials: int, share: float, level: float) -> float:
    """Return how probable it is that two samples of one share are found to differ, exactly, by a sum over all outcomes.

    Args:
        baseline_trials: size of the one sample.
        trials: size of the other sample.
        share: share of successes in both together. How many successes that makes is taken as given.
        level: p-values up to it count as a difference.
    """
    both = round(share * (baseline_trials + trials))
    outcomes = np.arange(trials + 1)
    probability = hypergeom.pmf(outcomes, baseline_trials + trials, both, trials)
    likely = np.flatnonzero(probability > 1e-12)
    pairs = [((both - outcome, baseline_trials), (outcome, trials)) for outcome in likely.tolist()]
    rejected = [statistics.same_share_p_value(*pair) <= level for pair in pairs]
    return float(probability[likely][rejected].sum())


def main(
    pool: Annotated[Path, typer.Option(help="Folder where trained seeds are kept.")] = Path(".benchmarks/false_alarms"),
    seeds: Annotated[int, typer.Option(min=1000, help="Trained in each cell, in thousands.")] = 20_000,
    suites: Annotated[int, typer.Option(min=1, help="Drawn from them.")] = 1000,
    cluster: ClusterOption = None,
) -> None:
    """Print a Markdown table: false alarms measured, and what is stated."""
    pool.mkdir(parents=True, exist_ok=True)
    with trainer(cluster) as train:
        pools = {cell: train_pool(*cell, seeds, pool, train) for cell in CELLS}
    generator = np.random.default_rng(1)
    p_values = {cell: np.array([draw(verdicts, generator) for _ in range(suites)]) for cell, verdicts in pools.items()}
    rows = [_cell_row(cell, pools[cell], p_values[cell], level) for level in (LEVEL, NOMINAL) for cell in pools]
    any_of_them = np.min(list(p_values.values()), axis=0) <= LEVEL
    rows.append({"cell": "any of the three", **_alarms(len(CELLS) * LEVEL, any_of_them)})
    Console(width=180).print(for_terminal(table_of("", rows, left=("cell",)), box=MARKDOWN, no_wrap=True))


def _cell_row(cell: tuple[int, float], verdicts: Array, p_values: Array, level: float) -> dict[str, str]:
    """Return the row of a cell at one level: how often the test finds a change where there is none.

    Args:
        cell: batch size and learning rate.
        verdicts: shape (seeds,), bool: which seeds of the pool passed.
        p_values: shape (suites,): the test's, one for each suite.
        level: p-values up to it count as a change.
    """
    batch_size, learning_rate = cell
    exact = false_alarm_rate(len(verdicts) // 2, TESTED_SEEDS, float(verdicts.mean()), level)
    return {
        "cell": f"batch size {batch_size}, learning rate {learning_rate:g}",
        "pass rate": f"{rate_with_interval(int(verdicts.sum()), len(verdicts))} %",
        **_alarms(level, p_values <= level),
        "exact rate": f"{100 * exact:.2g} %",
    }


def _alarms(level: float, found: Array) -> dict[str, str]:
    """Return the cells of a row that say the share of alarms that is stated, and in how many suites one was found."""
    alarms, suites = int(found.sum()), len(found)
    return {
        "level": f"{100 * level:.2g} %",
        "false alarms": f"{alarms} of {suites:,}: {rate_with_interval(alarms, suites)} %",
    }


if __name__ == "__main__":
    typer.run(main)
