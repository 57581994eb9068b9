"""Right runs over every setting, of which the check must refuse none: python -m tests.verification.right_runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.harness.cases import TOO_LONG_SECONDS, make_case
from benchmarks.harness.options import Selection
from parabola import registry, statistics
from parabola.display import console
from parabola.display.tables import Column, Table, markdown_lines
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.verification.check import check_run
from parabola.verification.refusal import WrongRun

LEARNING_RATES = (1e-6, 1e-5, 1e-4, 0.001, 0.1, 0.3, 0.5, 3.0, 1e30)
BATCH_SIZES, EPOCHS = (1, 2, 9, 27, 111, 500, 998, 999), (None, 1, 5000)  # None: as many as the suite gives a round
OTHER_SAMPLES, OTHER_BATCH_SIZES = (1, 2, 3, 10, 5_000, 100_000), (1, 32, None)  # None: all
MOST_SAMPLES, THEIR_BATCH_SIZES = 1_000_000, (1_000, 1_000_000)  # the full grid's


@dataclass(frozen=True)
class Tried:
    """One right run.

    Attributes:
        experiment: what was run.
        windows: number of epochs that were held against the reference.
        telling: number of these that were not chaotic.
        verdict: of the run; empty where it was refused.
        refusal: why it was refused; empty where it was not.
    """

    experiment: Experiment
    windows: int
    telling: int
    verdict: str
    refusal: str


def settings(engine: str) -> Iterator[Experiment]:
    """Give the settings of an engine that are predicted to take less than a minute."""
    for learning_rate in LEARNING_RATES:
        for batch_size in BATCH_SIZES:
            for epochs in EPOCHS:
                yield from affordable(engine, learning_rate, batch_size, 999, epochs)
        for samples in OTHER_SAMPLES:
            for size in dict.fromkeys(min(size or samples, samples) for size in OTHER_BATCH_SIZES):
                yield from affordable(engine, learning_rate, size, samples, None)
    for learning_rate in LEARNING_RATES:
        for size in THEIR_BATCH_SIZES:
            yield from affordable(engine, learning_rate, size, MOST_SAMPLES, None)


def affordable(
    engine: str, learning_rate: float, batch_size: int, samples: int, epochs: int | None
) -> Iterator[Experiment]:
    """Give one setting, or none where it is predicted to take a minute or more."""
    knobs = {"engine": engine, "learning_rate": learning_rate, "batch_size": batch_size, "samples": samples}
    case = make_case(Selection(epochs=epochs, rounds=1), **knobs)
    if case.predicted_seconds < TOO_LONG_SECONDS:
        yield case.experiment


def try_run(experiment: Experiment) -> Tried:
    """Check a run, and hold another one against it, as a benchmark does with its rounds."""
    engine = engines.build(experiment)
    try:
        checked = check_run(engine)
        rows = engine.reset()
        checked.hold(engine.run(rows), engine.state())
    except WrongRun as refusal:
        return Tried(experiment, 0, 0, "", str(refusal))
    return Tried(experiment, checked.windows, checked.telling, checked.fit.verdict, "")


def lines(tried: Sequence[Tried]) -> list[str]:
    """Return the table in Markdown, a row a learning rate, and what was refused."""
    rates = sorted({run.experiment.learning_rate for run in tried})

    def at(rate: float) -> list[Tried]:
        return [run for run in tried if run.experiment.learning_rate == rate]

    def chaotic(rate: float) -> int:
        return sum(not (run.telling or run.refusal or run.verdict == "diverged") for run in at(rate))

    columns = (
        Column[float]("learning rate", lambda rate: f"{rate:g}"),
        Column[float]("runs", lambda rate: str(len(at(rate)))),
        Column[float]("epochs beside the reference", lambda rate: f"{sum(run.windows for run in at(rate)):,}"),
        Column[float]("of these not chaotic", lambda rate: f"{sum(run.telling for run in at(rate)):,}"),
        Column[float]("runs that diverged", lambda rate: str(sum(run.verdict == "diverged" for run in at(rate)))),
        Column[float]("runs chaotic throughout", lambda rate: str(chaotic(rate))),
        Column[float]("refused", lambda rate: str(sum(bool(run.refusal) for run in at(rate)))),
    )
    windows, refused = sum(run.windows for run in tried), [run for run in tried if run.refusal]
    most = statistics.share_interval(len(refused), max(1, windows))[1]
    return [
        *markdown_lines(Table("", columns, rates)),
        "",
        f"{len(refused)} refusals in {windows:,} epochs: at most {most:.1e} of epochs, at 95 % confidence",
        *(run.refusal for run in refused),
    ]


def main(
    engine: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    thin: Annotated[int, typer.Option(min=1, help="Take one setting of so many.")] = 1,
    file: Annotated[Path | None, typer.Option(help="Where to write the table.")] = None,
) -> None:
    """Check right runs over every setting, and print what is refused."""
    np.seterr(all="ignore")
    names = engine or [name for name in registry.timings() if not engines.missing(name)]
    chosen = [setting for name in names for setting in settings(name)][::thin]
    text = "\n".join(lines([try_run(setting) for setting in console.tracked(chosen, "settings")]))
    print(text)
    if file:
        file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
