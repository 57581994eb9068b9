"""The suite's options, and what it adds to pytest and pytest-benchmark."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.harness import recording, sharing, summary
from benchmarks.harness.cases import BASELINE_SEEDS, GRID, LEFT_OUT, Grid, session_of
from parabola import registry
from parabola.machine import backends, devices, host
from parabola.machine.backends import refuse_keras_limits
from parabola.records import schema
from parabola.training import engines
from parabola.training.experiment import Experiment

CANONICAL = {"cpu:0": "cpu", "gpu": "gpu:0"}  # one name a device: histories hang on it
ASKS_FOR_TIMES = ("only", "json", "save", "autosave", "compare", "compare_fail", "histogram", "cprofile", "enable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options; those that may be repeated add up."""
    group = parser.getgroup("parabola", "which cases the speed suite and the regression suite run")
    group.addoption("--grid", choices=("quick", "full"), default="quick", help="quick (under 90 s) or full")
    group.addoption(
        "--engine",
        action="append",
        choices=tuple(registry.timings()),
        default=[],
        help="only these engines; repeatable",
    )
    group.addoption("--backend", help=f"Keras' backend: {', '.join(backends.BACKENDS)}; else KERAS_BACKEND's")
    group.addoption("--device", action="append", default=[], help="cpu, cpu:1, gpu, gpu:0, …; repeatable")
    group.addoption(
        "--batch-size", action="append", type=int, default=[], help="of epoch times: 1 to samples; repeatable"
    )
    group.addoption(
        "--learning-rate", action="append", type=float, default=[], help="of epoch times: finite, above 0; repeatable"
    )
    group.addoption("--members", action="append", type=int, default=[], help="of blocks: 1 or more; repeatable")
    group.addoption("--samples", action="append", type=int, default=[], help="of epoch times: 1 or more; repeatable")
    group.addoption("--epochs", type=int, help="of epoch times: epochs a round; else what fills the round")
    group.addoption("--rounds", type=int, help="of epoch times: timed rounds; else 10, or 3 where they are slow")
    group.addoption("--threads", type=int, help="the backend's threads; else its own choice")
    group.addoption("--seeds", type=int, metavar="FIRST", help="of pass rates: the first of 400; else from the commit")
    group.addoption("--all", action="store_true", help="also cases predicted to take over a minute")


def read_grid(options: argparse.Namespace) -> Grid:
    """Return the options as a Grid.

    Raises:
        pytest.UsageError: if a value is out of bounds, or no case can have it.
    """
    try:
        backends.choose(options.backend)
        for engine in options.engine:
            if reason := engines.missing(engine):
                raise ValueError(f"engine {reason}")
        if options.rounds is not None and options.rounds < 1:
            raise ValueError(f"rounds must be a whole number of at least 1. Received: {options.rounds}")
        for samples in options.samples or [Experiment.samples]:
            for batch_size in options.batch_size or [1]:
                epochs = Experiment.epochs if options.epochs is None else options.epochs
                Experiment(samples=samples, batch_size=batch_size, epochs=epochs)
        for members in options.members:
            if members < 1:
                raise ValueError(f"members must be a whole number of at least 1. Received: {members}")
        for learning_rate in options.learning_rate:
            Experiment(learning_rate=learning_rate)
        devices.check_threads(options.threads)
        if options.device or options.threads:
            backends.start(threads=options.threads)
            for device in options.device:
                devices.resolve(device)
            numbered = [device for device in options.device if device.startswith("gpu:") and device != "gpu:0"]
            if numbered and getattr(options, "numprocesses", None):
                raise ValueError(f"under -n each process has a GPU of its own, named gpu. Received: {numbered[0]}")
            pairs = [(registry.ENGINES[name], device) for name in options.engine for device in options.device]
            if pairs and not any(engine.runs_on(device) for engine, device in pairs):
                only, device = ", ".join(pairs[0][0].devices), options.device[0]
                raise ValueError(f"engine {options.engine[0]} runs on {only} only. Received: --device {device}")
        if options.seeds is not None and not BASELINE_SEEDS <= options.seeds < 2**62:
            bounds = f"from {BASELINE_SEEDS}, after the baseline's, to {2**62 - 1}"
            raise ValueError(f"seeds must begin {bounds}. Received: {options.seeds}")
        refuse_keras_limits()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    return Grid(
        name=options.grid,
        engines=tuple(dict.fromkeys(options.engine)),
        devices=tuple(dict.fromkeys(CANONICAL.get(device, device) for device in options.device)),
        batch_sizes=tuple(dict.fromkeys(options.batch_size)),
        learning_rates=tuple(dict.fromkeys(options.learning_rate)),
        samples=tuple(dict.fromkeys(options.samples)),
        members=tuple(dict.fromkeys(options.members)),
        epochs=options.epochs,
        rounds=options.rounds,
        everything=options.all,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options; time nothing unless times were asked for, and never under xdist."""
    sharing.take_part(config)
    backends.set_environment()
    asked = [name for name in ASKS_FOR_TIMES if getattr(config.option, f"benchmark_{name}", None)]
    if asked and (config.getoption("numprocesses", None) or config.getoption("dist", "no") != "no"):
        option = f"--benchmark-{asked[0].replace('_', '-')}"
        raise pytest.UsageError(f"{option} times, and -n would run cases side by side: leave one of them out")
    if asked and config.getoption("codspeed", False):
        option = f"--benchmark-{asked[0].replace('_', '-')}"
        raise pytest.UsageError(f"--codspeed takes pytest-benchmark's place: leave {option} out")
    if not asked:
        config.option.benchmark_disable = True
    config.stash[GRID] = read_grid(config.option)
    config.stash[LEFT_OUT] = []


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Under --benchmark-only collect the benchmarks alone: the main job needs nothing that tests need."""
    if not config.getoption("benchmark_only", False) or collection_path.is_dir():
        return None
    ours = config.rootpath in collection_path.parents
    return True if ours and not collection_path.name.startswith(("bench_", "conftest")) else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print the facts that decide what a time may be compared with."""
    return host.lines(host.facts(config.getoption("threads")))


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add our facts, and drop what names the host or changes from run to run."""
    machine_info.pop("node", None)
    cpu = machine_info.get("cpu", {})
    machine_info["cpu"] = {key: cpu[key] for key in ("arch", "brand_raw", "count") if key in cpu}
    machine_info.update(host.facts(config.getoption("threads")))


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Put all that is ours, and not a number of one benchmark, under one key."""
    output_json[schema.OURS] = recording.own_part(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the record on disk while it grows."""
    recording.begin(session.config)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print our summary after pytest-benchmark's table."""
    measured: list[Any] = [] if config.option.benchmark_disable else session_of(config).benchmarks
    left_out: list[str] = [] if config.option.benchmark_disable else config.stash[LEFT_OUT]
    if measured or left_out:
        tr = terminalreporter
        tr.write_line("")
        width = tr._tw.fullwidth if tr.isatty else 200
        console = Console(file=tr._tw._file, width=width, force_terminal=tr.hasmarkup, highlight=False)
        summary.print_suite([(one.extra_info, one["median"]) for one in measured], left_out, console)
