"""The suite's options: one table, from which pytest's parser, the checks and a session's selection of cases follow.

A new option is one more field of `Selection`, and is then used where cases are made. Reading the options starts no
backend. Where a device or a number of threads was asked for, `start_backend` does so once the session begins.
"""

import argparse
from dataclasses import dataclass, fields
from typing import Any

import pytest

from benchmarks.harness.declaration import Check, Option, line
from parabola import registry
from parabola.machine import backends, devices
from parabola.training import engines
from parabola.training.experiment import Experiment

BASELINE_SEEDS = 10_000  # each cell of the pass rates' baseline has seeds 0 to 9,999; fresh ones come after them
LAST_FIRST_SEED = 2**62 - 1


def knob(name: str) -> Check:
    """Return the check of an option that is a knob of an experiment: the experiment refuses what is out of bounds."""

    def check(value: Any, options: argparse.Namespace) -> None:
        Experiment(**{name: value})

    return check


def at_least_one(name: str) -> Check:
    """Return the check of an option that counts something."""

    def check(value: int, options: argparse.Namespace) -> None:
        if value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1. Received: {value}")

    return check


def timed_engines() -> tuple[str, ...]:
    """Return the names of the engines that the suite times."""
    return tuple(registry.timings())


def check_engine(engine: str, options: argparse.Namespace) -> None:
    """Raise ValueError, naming those that are there, unless the chosen backend has the engine."""
    if reason := engines.missing(engine):
        raise ValueError(f"engine {reason}")


def check_device(device: str, options: argparse.Namespace) -> None:
    """Raise ValueError unless a case may run on a device of that name, whether or not the device is there."""
    devices.check_name(device)
    if device.startswith("gpu:") and device != "gpu:0" and getattr(options, "numprocesses", None):
        raise ValueError(f"under -n each process has a GPU of its own, named gpu. Received: {device}")
    pairs = [(registry.ENGINES[name], other) for name in options.engine for other in options.device]
    if pairs and not any(engine.runs_on(other) for engine, other in pairs):
        only = ", ".join(pairs[0][0].devices)
        raise ValueError(f"engine {options.engine[0]} runs on {only} only. Received: --device {options.device[0]}")


def name_of_device(device: str) -> str:
    """Return the one name that a device has in the names of cases, on which histories hang."""
    return {"cpu:0": "cpu", "gpu": "gpu:0"}.get(device, device)


def check_batch_size(batch_size: int, options: argparse.Namespace) -> None:
    """Raise ValueError unless each number of samples that was asked for has so many."""
    for samples in options.samples or [Experiment.samples]:
        Experiment(samples=samples, batch_size=batch_size)


def check_threads(threads: int, options: argparse.Namespace) -> None:
    """Raise ValueError unless a backend can have so many threads."""
    devices.check_threads(threads)


def check_first_seed(first: int, options: argparse.Namespace) -> None:
    """Raise ValueError for a seed of the baseline's, or one without room for those that follow it."""
    if not BASELINE_SEEDS <= first <= LAST_FIRST_SEED:
        bounds = f"from {BASELINE_SEEDS}, after the baseline's, to {LAST_FIRST_SEED}"
        raise ValueError(f"seeds must begin {bounds}. Received: {first}")


@dataclass(frozen=True)
class Selection:
    """Which cases a session runs, and how: the table of the suite's options, and their values.

    A field whose option was not given is empty, None or False, and leaves the choice to the grid.
    """

    name: str = line("--grid", "quick (under 90 s) or full", choices=lambda: ("quick", "full"), default="quick")
    engines: tuple[str, ...] = line(
        "--engine", "only these engines", repeatable=True, choices=timed_engines, check=check_engine
    )
    backend: str | None = line(
        "--backend", f"Keras' backend: {', '.join(backends.BACKENDS)}; else KERAS_BACKEND's", recorded=False
    )
    devices: tuple[str, ...] = line(
        "--device", "cpu, cpu:1, gpu, gpu:0, …", repeatable=True, check=check_device, canonical=name_of_device
    )
    batch_sizes: tuple[int, ...] = line(
        "--batch-size", "1 to samples", benchmarks="epoch times", type=int, repeatable=True, check=check_batch_size
    )
    learning_rates: tuple[float, ...] = line(
        "--learning-rate",
        "finite, above 0",
        benchmarks="epoch times",
        type=float,
        repeatable=True,
        check=knob("learning_rate"),
    )
    members: tuple[int, ...] = line(
        "--members", "1 or more", benchmarks="blocks", type=int, repeatable=True, check=at_least_one("members")
    )
    samples: tuple[int, ...] = line(
        "--samples", "1 or more", benchmarks="epoch times", type=int, repeatable=True, check=knob("samples")
    )
    epochs: int | None = line(
        "--epochs",
        "epochs a round; else what fills the round",
        benchmarks="epoch times",
        type=int,
        check=knob("epochs"),
    )
    rounds: int | None = line(
        "--rounds",
        "timed rounds; else 10, or 3 where they are slow",
        benchmarks="epoch times",
        type=int,
        check=at_least_one("rounds"),
    )
    threads: int | None = line(
        "--threads", "the backend's threads; else its own choice", type=int, check=check_threads, recorded=False
    )
    seeds: int | None = line(
        "--seeds",
        "the first of 400; else from the commit",
        benchmarks="pass rates",
        type=int,
        metavar="FIRST",
        check=check_first_seed,
        recorded=False,
    )
    everything: bool = line("--all", "also cases predicted to take over a minute", type=None, default=False)

    @property
    def full(self) -> bool:
        """Whether the full grid was asked for, rather than the quick one."""
        return self.name == "full"

    def recorded(self) -> dict[str, Any]:
        """Return the options that chose the session's cases, as its record has them under "grid"."""
        return {name: getattr(self, name) for name, option in TABLE.items() if option.recorded}


TABLE: dict[str, Option] = {field.name: field.metadata["option"] for field in fields(Selection)}
SELECTION: pytest.StashKey[Selection] = pytest.StashKey()


def declare(parser: pytest.Parser) -> None:
    """Declare all options to pytest's parser, in a section of its help that is the suite's own."""
    group = parser.getgroup("parabola", "which cases the speed suite and the regression suite run")
    unset = Selection()
    for name, option in TABLE.items():
        option.declare(group, getattr(unset, name))


def read(options: argparse.Namespace) -> Selection:
    """Check the options, choose the backend, and return what was selected; no backend is started.

    Raises:
        pytest.UsageError: if a value is out of bounds, or no case can have it.
    """
    try:
        backends.choose(options.backend)  # before all else: it decides which engines there are
        selection = Selection(**{name: option.read(options) for name, option in TABLE.items()})
        backends.refuse_keras_limits()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    return selection


def start_backend(options: argparse.Namespace) -> None:
    """Start the backend if a device or a number of threads was asked for, and hold each device to be there.

    Raises:
        pytest.UsageError: if a device is not there; the message names those that are.
    """
    if not options.device and options.threads is None:
        return
    try:
        backends.start(threads=options.threads)
        for device in options.device:
            devices.resolve(device)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
