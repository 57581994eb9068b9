"""The cases of the speed suite: the quick grid, the full one, and what each is predicted to cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from benchmarks.harness.options import Selection
from parabola import registry
from parabola.records.case import Axes
from parabola.training import memory
from parabola.training.engines import missing
from parabola.training.experiment import Experiment

AXES = ("engine", "device", "batch_size", "learning_rate", "samples")  # of an epoch time
MOST_ROUNDS, FEWEST_ROUNDS, LONG_ROUND_SECONDS = 10, 3, 1.0  # 10 rounds, or 3 where one is longer than a second
SHORT_EPOCHS = 4  # at most so many, where a benchmark is run untimed, to see that it runs
TOO_LONG_SECONDS = 60.0  # a case that is predicted to take longer is left out, unless --all asks for it

# The quick grid's, for the reasons that parabola/registry.py gives, with 3 and 333 to fill the gaps, and with 32, which
# everybody uses and which leaves a partial last batch.
FULL_BATCH_SIZES = (1, 3, 9, 27, 32, 111, 333, 999)
FULL_LEARNING_RATES = (0.001, 0.01, 0.1)
MEMBERS = (1, 8, 64, 512)  # 512 fill the first-level cache of a core
FULL_MEMBERS = (*MEMBERS, 4096)
FULL_SAMPLES = (999, 10_000, 100_000, 1_000_000)


LEFT_OUT: pytest.StashKey[list[str]] = pytest.StashKey()


@dataclass(frozen=True)
class TimedCase:
    """A case that the suite times: the experiment in one cell of a grid, and how often it is timed.

    Attributes:
        experiment: what is trained.
        rounds: how many timed rounds there are, each of the experiment's epochs.
    """

    experiment: Experiment
    rounds: int

    @property
    def id(self) -> str:
        """The name of the case, which histories hang on; the axes of a case decide on it, as of one in a record."""
        return Axes(**{axis: getattr(self.experiment, axis) for axis in AXES}).id

    @property
    def predicted_seconds(self) -> float:
        """How long the case is predicted to take in all, in seconds, with 2 s to build it and a round to warm up."""
        return 2.0 + (self.rounds + 1) * self.experiment.epochs * seconds_per_epoch(self.experiment)

    @property
    def warmup_rounds(self) -> int:
        """How many untimed rounds come first: none where one takes a third of a second, as building trains an epoch."""
        return 0 if self.experiment.epochs * seconds_per_epoch(self.experiment) > LONG_ROUND_SECONDS / 3 else 1


def stats_of(benchmark: Any) -> Any:
    """Return what pytest-benchmark gathers; None where nothing is timed."""
    return benchmark.stats


def count_epochs(benchmark: Any, epochs: int) -> None:
    """Make pytest-benchmark give seconds per epoch, not per round.

    It divides each round's time by its number of iterations, so the epochs of a round are told to it as iterations.
    """
    if stats_of(benchmark) is not None:
        benchmark.stats.iterations = epochs


def session_of(config: pytest.Config) -> Any:
    """Return pytest-benchmark's session; None where the plugin is switched off (-p no:benchmark)."""
    return getattr(config, "_benchmarksession", None)


def seconds_per_epoch(experiment: Experiment) -> float:
    """Return how long an epoch is predicted to take, in seconds."""
    timing = registry.timings()[experiment.engine]
    cost = timing.gpu if experiment.device.startswith("gpu") else timing.cpu
    return cost.epoch + experiment.steps * cost.step + experiment.samples * cost.sample


def epochs_per_round(experiment: Experiment) -> int:
    """Return how many epochs make a round: as many as fill its time.

    Where half a published run does not fill a round, it has whole runs of 999 epochs.
    """
    epochs = registry.timings()[experiment.engine].round_seconds / seconds_per_epoch(experiment)
    return max(1, math.ceil(epochs)) if epochs < Experiment.epochs / 2 else Experiment.epochs * math.ceil(epochs / 999)


def make_case(selection: Selection, **knobs: Any) -> TimedCase:
    """Return a case with the epochs and rounds that were asked for, or else with those that suit it.

    Args:
        selection: the session's options, of which only the epochs and rounds count here.
        knobs: the experiment's, by name.
    """
    experiment = Experiment(**knobs)
    experiment = replace(experiment, epochs=selection.epochs or epochs_per_round(experiment))
    long = experiment.epochs * seconds_per_epoch(experiment) > LONG_ROUND_SECONDS
    return TimedCase(experiment, selection.rounds or (FEWEST_ROUNDS if long else MOST_ROUNDS))


def grid_cases(selection: Selection, default_devices: Sequence[str]) -> tuple[list[TimedCase], list[str]]:
    """Return the cases of the grid that was asked for.

    Args:
        selection: the session's options.
        default_devices: names of the devices to run on where no option names any.

    Returns:
        The cases to run, and a line for each engine and each case that was left out, with the reason.

    Raises:
        ValueError: if a value is out of bounds.
    """
    full = selection.full
    cases: list[TimedCase] = []
    asked = selection.engines or tuple(registry.timings())
    engines = selection.engines or tuple(engine for engine in asked if not missing(engine))
    for samples in selection.samples or (FULL_SAMPLES if full else (Experiment.samples,)):
        for engine in engines:
            for device in selection.devices or default_devices:
                if not registry.ENGINES[engine].runs_on(device):
                    continue
                knobs = {"engine": engine, "device": device, "samples": samples}
                cases += [
                    make_case(selection, **knobs, batch_size=batch_size, learning_rate=learning_rate)
                    for batch_size in selection.batch_sizes or own_batch_sizes(engine, samples, full)
                    for learning_rate in selection.learning_rates or own_learning_rates(engine, batch_size, full)
                ]
    reasons = [(case, too_much(case, selection)) for case in cases]
    left_out = [missing(engine) for engine in asked if missing(engine)]
    left_out += [f"{case.id}: {reason}" for case, reason in reasons if reason]
    return [case for case, reason in reasons if not reason], left_out


def too_much(case: TimedCase, selection: Selection) -> str:
    """Return why a case is left out: it takes too long, or more memory than is free; empty if it is not."""
    if case.predicted_seconds > TOO_LONG_SECONDS and not selection.everything:
        return f"predicted {case.predicted_seconds:.0f} s, more than {TOO_LONG_SECONDS:.0f} (--all runs it)"
    return memory.too_large(case.experiment)


def own_batch_sizes(engine: str, samples: int, full: bool) -> tuple[int, ...]:
    """Return the batch sizes that the quick or the full grid has for an engine and a number of samples."""
    if samples != Experiment.samples:
        return tuple(sorted({size for size in (1, 1000, samples) if size <= samples}))
    return FULL_BATCH_SIZES if full else registry.timings()[engine].quick_batch_sizes


def own_learning_rates(engine: str, batch_size: int, full: bool) -> tuple[float, ...]:
    """Return the learning rates that the quick or the full grid has for an engine and a batch size.

    The time does not depend on the learning rate. So the quick grid has 0.1, at which training fails, only once for
    each of the fast engines.
    """
    if full:
        return FULL_LEARNING_RATES
    return (0.001, 0.1) if registry.ENGINES[engine].fast and batch_size == 1 else (0.001,)
