"""The cases of the speed suite: the quick grid, the full one, and what each is predicted to cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from parabola import registry
from parabola.training.engines import missing
from parabola.training.experiment import Experiment

PUBLISHED = Experiment()  # 999 samples, 999 epochs, batch size 1, learning rate 0.001
MOST_ROUNDS, FEWEST_ROUNDS, ROUNDS_SECONDS = 10, 3, 1.0  # 10 rounds, or what fits into a second, but at least 3
BASELINE_SEEDS = 10_000  # in each cell of the pass rates' baseline: seeds 0 to 9,999
SHORT_EPOCHS = 4  # of a body that is run to see that it runs, untimed
TOO_LONG_SECONDS = 60.0  # a case above is left out, unless asked for

# The quick grid's, for the reasons that parabola/registry.py gives, with 3 and 333 to fill the gaps, and with 32, which
# everybody uses and which leaves a partial last batch.
FULL_BATCH_SIZES = (1, 3, 9, 27, 32, 111, 333, 999)
FULL_LEARNING_RATES = (0.001, 0.01, 0.1)
MEMBERS = (1, 8, 64, 512)  # 512 fill the first-level cache of a core
FULL_MEMBERS = (*MEMBERS, 4096)
FULL_SAMPLES = (999, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Grid:
    """Which cases to run. Every field is an option of the same name; empty or None leaves the grid's own choice."""

    name: str = "quick"
    engines: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    learning_rates: tuple[float, ...] = ()
    samples: tuple[int, ...] = ()
    members: tuple[int, ...] = ()
    epochs: int | None = None
    rounds: int | None = None
    everything: bool = False


GRID: pytest.StashKey[Grid] = pytest.StashKey()
LEFT_OUT: pytest.StashKey[list[str]] = pytest.StashKey()


@dataclass(frozen=True)
class Case:
    """One cell of a grid: an experiment, and how often it is timed."""

    experiment: Experiment
    rounds: int

    @property
    def id(self) -> str:
        """The case's name, which histories hang on: axes in a fixed order, samples only where not 999."""
        spec = self.experiment
        name = f"{spec.engine}-{spec.device}-batch_{spec.batch_size}-learning_rate_{spec.learning_rate:g}"
        return name if spec.samples == PUBLISHED.samples else f"{name}-samples_{spec.samples}"

    @property
    def predicted_seconds(self) -> float:
        """What the case is predicted to take in all, building and warming up included."""
        return 2.0 + (self.rounds + 1) * self.experiment.epochs * seconds_per_epoch(self.experiment)

    @property
    def warmup_rounds(self) -> int:
        """None where a round is long: building has trained an epoch already."""
        return 0 if self.experiment.epochs * seconds_per_epoch(self.experiment) > ROUNDS_SECONDS / FEWEST_ROUNDS else 1


def stats_of(benchmark: Any) -> Any:
    """Return what pytest-benchmark gathers; None where nothing is timed, or where pytest-codspeed times instead."""
    return getattr(benchmark, "stats", None)


def count_epochs(benchmark: Any, epochs: int) -> None:
    """Make pytest-benchmark say seconds per epoch, not per round: it divides by what it takes for iterations."""
    if stats_of(benchmark) is not None:
        benchmark.stats.iterations = epochs


def session_of(config: pytest.Config) -> Any:
    """Return pytest-benchmark's session; None where pytest-codspeed has taken its place."""
    return getattr(config, "_benchmarksession", None)


def seconds_per_epoch(experiment: Experiment) -> float:
    """Return the predicted time of an epoch, in seconds."""
    timing = registry.timings()[experiment.engine]
    cost = timing.gpu if experiment.device.startswith("gpu") else timing.cpu
    return cost.epoch + experiment.steps * cost.step + experiment.samples * cost.sample


def epochs_per_round(experiment: Experiment) -> int:
    """Return how many epochs make a round: whole published runs of 999 where they are fast, else enough to fill it."""
    epochs = registry.timings()[experiment.engine].round_seconds / seconds_per_epoch(experiment)
    return max(1, math.ceil(epochs)) if epochs < PUBLISHED.epochs / 2 else PUBLISHED.epochs * math.ceil(epochs / 999)


def make_case(grid: Grid, **knobs: Any) -> Case:
    """Return a case with the grid's epochs and rounds, or with those that suit it."""
    experiment = Experiment(**knobs)
    experiment = replace(experiment, epochs=grid.epochs or epochs_per_round(experiment))
    affordable = int(ROUNDS_SECONDS / (experiment.epochs * seconds_per_epoch(experiment)))
    return Case(experiment, grid.rounds or max(FEWEST_ROUNDS, min(MOST_ROUNDS, affordable)))


def grid_cases(grid: Grid, default_devices: Sequence[str]) -> tuple[list[Case], list[str]]:
    """Lay out a grid.

    Args:
        grid: what was asked for.
        default_devices: where to run unless the grid says.

    Returns:
        The cases to run, and a line for each, or each engine, that was left out.

    Raises:
        ValueError: if a value is out of bounds.
    """
    full = grid.name == "full"
    cases: list[Case] = []
    asked = grid.engines or tuple(registry.timings())
    engines = grid.engines or tuple(engine for engine in asked if not missing(engine))
    for samples in grid.samples or (FULL_SAMPLES if full else (PUBLISHED.samples,)):
        for engine in engines:
            for device in grid.devices or default_devices:
                if not registry.ENGINES[engine].runs_on(device):
                    continue
                cases += [
                    make_case(
                        grid,
                        engine=engine,
                        device=device,
                        samples=samples,
                        batch_size=batch_size,
                        learning_rate=learning_rate,
                    )
                    for batch_size in grid.batch_sizes or own_batch_sizes(engine, samples, full)
                    for learning_rate in grid.learning_rates or own_learning_rates(engine, batch_size, full)
                ]
    fits = [case for case in cases if grid.everything or case.predicted_seconds <= TOO_LONG_SECONDS]
    left_out = [missing(engine) for engine in asked if missing(engine)]
    left_out += [
        f"{case.id}: predicted {case.predicted_seconds:.0f} s, more than {TOO_LONG_SECONDS:.0f} (--all runs it)"
        for case in cases
        if case not in fits
    ]
    return fits, left_out


def own_batch_sizes(engine: str, samples: int, full: bool) -> tuple[int, ...]:
    """Return the batch sizes that a grid has for an engine and a number of samples."""
    if samples != PUBLISHED.samples:
        return tuple(sorted({size for size in (1, 1000, samples) if size <= samples}))
    return FULL_BATCH_SIZES if full else registry.timings()[engine].quick_batch_sizes


def own_learning_rates(engine: str, batch_size: int, full: bool) -> tuple[float, ...]:
    """Return the learning rates: the time does not depend on them, so the quick grid has 0.1, which fails, once."""
    if full:
        return FULL_LEARNING_RATES
    return (0.001, 0.1) if registry.ENGINES[engine].fast and batch_size == 1 else (0.001,)
