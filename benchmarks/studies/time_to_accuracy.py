"""Does a seed that gets below the learning rate stay there? python -m benchmarks.studies.time_to_accuracy.

Trains 10,000 seeds of each setting of the time to accuracy, other ones than those that are timed, in four minutes of
CPU time; writes benchmarks/harness/accuracy.json, against which the benchmark counts, and prints a table.
"""

from collections.abc import Callable

import msgspec
import numpy as np
import typer
from rich.box import MARKDOWN
from rich.console import Console

from benchmarks.harness.accuracy import FILE, SEEDS, SETTINGS, Arrivals
from benchmarks.harness.options import BASELINE_SEEDS
from benchmarks.harness.pass_rates import ClusterOption, rate_with_interval, trainer
from parabola import files, statistics
from parabola.display import console
from parabola.display.tables import Column, Table, for_terminal
from parabola.ensemble.ensemble import epochs_below
from parabola.ensemble.learning_map import share, train_here
from parabola.ensemble.parts import Part, Trainer
from parabola.training.experiment import Experiment
from parabola.training.late_errors import LAST_EPOCHS
from parabola.training.target import Array, first_true

SURE = 0.95  # share of stretches that last to the end


def train(
    experiment: Experiment, seeds: Array, progress: Callable[..., None] | None, train_parts: Trainer = train_here
) -> Array:
    """Train seeds in blocks; return shape (epochs, seeds), bool: whether the error was below after each epoch."""
    parts = [Part(experiment, len(seeds), (experiment.learning_rate,), seeds, 0, len(seeds))]
    below = np.empty((experiment.epochs, len(seeds)), bool)
    for part, bits in train_parts(parts, share(parts, progress), work=epochs_below):
        below[:, part.first : part.end] = np.unpackbits(bits.T, axis=0, count=experiment.epochs)
    return below


def shortest_stretch(below: Array, still: Array) -> int | None:
    """Return the fewest epochs in a row below after which 95 % of seeds still are so; None where no number is enough.

    That these are 95 % is sure: it is the lower end of the share's 95 % interval that decides.

    Args:
        below: shape (epochs, seeds), bool: whether the error was below after each epoch.
        still: shape (seeds,), bool: whether a seed counts as below at the end.
    """
    stretches = below
    for length in range(1, len(below) + 1):
        have = stretches.any(axis=0)
        if not have.any():
            break
        if statistics.share_interval(int(still[have].sum()), int(have.sum()))[0] >= SURE:
            return length
        stretches = stretches[:-1] & below[length:]
    return None


def count(setting: str, below: Array) -> Arrivals:
    """Return what the baseline holds of a setting.

    Args:
        setting: name of the setting.
        below: shape (epochs, seeds), bool: whether the error was below after each epoch.
    """
    first = first_true(below)
    arrived, learnt = first > 0, below[-LAST_EPOCHS:].mean(axis=0) > 0.5
    later = below.sum(axis=0) / (len(below) + 1 - first)
    return Arrivals(
        setting=setting,
        seeds=len(arrived),
        arrived=int(arrived.sum()),
        first_epoch=float(np.median(first[arrived])),
        later_share=float(np.median(later[arrived])),
        below_at_end=int(below[-1].sum()),
        learnt_at_end=int(learnt.sum()),
        stretch=shortest_stretch(below, learnt),
        stretch_to_last_epoch=shortest_stretch(below, below[-1]),
    )


COLUMNS: tuple[Column[Arrivals], ...] = (
    Column("setting", lambda found: found.setting, "left"),
    Column("arrive, %", lambda found: rate_with_interval(found.arrived, found.seeds)),
    Column("first epoch", lambda found: f"{found.first_epoch:g}"),
    Column("later epochs below", lambda found: f"{100 * found.later_share:.1f} %"),
    Column("learnt at the end, %", lambda found: rate_with_interval(found.learnt_at_end, found.arrived)),
    Column("N", lambda found: f"{found.stretch or 'none'}"),
    Column("below after the last, %", lambda found: rate_with_interval(found.below_at_end, found.arrived)),
    Column("N for the last", lambda found: f"{found.stretch_to_last_epoch or 'none'}"),
)


def main(cluster: ClusterOption = None) -> None:
    """Train the seeds of every setting, write the baseline, and print the table."""
    seeds, found = len(SEEDS) + np.arange(BASELINE_SEEDS), list[Arrivals]()
    with trainer(cluster, kept=f"{FILE.name} stays as it was") as train_parts:
        for setting, experiment in SETTINGS.items():
            with console.progress_bar(f"{{task.percentage:.0f}} % of {setting}{{task.fields[text]}},", 1.0) as bar:
                found.append(count(setting, train(experiment, seeds, bar, train_parts)))
    files.write_text(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n", FILE)
    Console(width=160).print(for_terminal(Table("", COLUMNS, found), box=MARKDOWN, no_wrap=True))


if __name__ == "__main__":
    typer.run(main)
