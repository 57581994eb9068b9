"""The suite's options, and what it adds to pytest and pytest-benchmark."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.utils import DEFAULT_COLUMNS
from rich.console import Console

from benchmarks.harness import options, recording, sharing, summary
from benchmarks.harness.cases import LEFT_OUT, session_of
from benchmarks.harness.fixed_cost import FIXED_COSTS
from benchmarks.harness.machine import disturbance, peak
from benchmarks.harness.options import SELECTION
from parabola.__main__ import leave_memory
from parabola.display.plain import show_readably
from parabola.machine import backends, ending, host
from parabola.verification.refusal import WrongRun

# Of the columns of pytest-benchmark's tables, which are 230 characters wide, those that say most. Records have all.
COLUMNS = ["median", "iqr", "rounds", "iterations"]
ASKS_FOR_TIMES = ("only", "json", "save", "autosave", "compare", "compare_fail", "histogram", "cprofile", "enable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the suite's options."""
    options.declare(parser)


def asks_for_times(config: pytest.Config) -> str | None:
    """Return the first of pytest-benchmark's options, as it is typed, that asks for times; None without any."""
    asked = (name for name in ASKS_FOR_TIMES if getattr(config.option, f"benchmark_{name}", None))
    return next((f"--benchmark-{name.replace('_', '-')}" for name in asked), None)


def refuse_times_beside(option: str, config: pytest.Config) -> None:
    """Refuse to time where cases would run side by side.

    Args:
        option: the option that asks for times, which the message names.
        config: pytest's.

    Raises:
        pytest.UsageError: with -n or another --dist than "no".
    """
    if config.getoption("numprocesses", None) or config.getoption("dist", "no") != "no":
        raise pytest.UsageError(f"{option} times, and -n would run cases side by side: leave one of them out")


def refuse_codspeed(config: pytest.Config) -> None:
    """Refuse pytest-codspeed, which takes a time before its run is checked, and keeps it whatever the check says.

    Raises:
        pytest.UsageError: where its option, or its variable in the environment, switches it on.
    """
    given = config.getoption("codspeed", None)  # None where the plugin is not installed
    if given or (given is not None and "CODSPEED_ENV" in os.environ):
        raise pytest.UsageError(
            "--codspeed would keep the times of runs that are found to be wrong: use --benchmark-only"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options; time nothing unless times were asked for, and never under xdist."""
    sharing.take_part(config)
    backends.set_environment()
    refuse_codspeed(config)
    if option := asks_for_times(config):
        refuse_times_beside(option, config)
    else:
        config.option.benchmark_disable = True
    if config.getoption("benchmark_columns", None) == DEFAULT_COLUMNS:  # none were asked for
        config.option.benchmark_columns = COLUMNS
    config.stash[SELECTION] = options.read(config.option)
    config.stash[LEFT_OUT] = []
    config.stash[FIXED_COSTS] = []


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """End with a command's line and code where the output takes nothing more, as on a full disk or after `head`."""
    try:
        return (yield)
    except OSError as error:
        from parabola.commands import door

        if error.filename is not None:
            raise
        door.mute_output(error)
        return door.tell([error], "pytest")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have tests that share a build meet in one process."""
    return sharing.scheduler(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Under --benchmark-only collect the benchmarks alone: the main job needs nothing that tests need."""
    if not config.getoption("benchmark_only", False) or collection_path.is_dir():
        return None
    ours = config.rootpath in collection_path.parents
    return True if ours and not collection_path.name.startswith(("bench_", "conftest")) else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print the facts that decide what a time may be compared with."""
    return host.lines(host.facts(config.stash[SELECTION].threads))


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Add the machine's facts to a record, and drop what names the host or changes from run to run."""
    machine_info.pop("node", None)
    cpu = machine_info.get("cpu", {})
    machine_info["cpu"] = {key: cpu[key] for key in ("arch", "brand_raw", "count") if key in cpu}
    machine_info.update(host.facts(config.stash[SELECTION].threads))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the backend with the threads that were asked for, and keep the session's record on disk while it grows."""
    if asks_for_times(session.config):
        ending.end_tests_by_ctrl_c()
    options.start_backend(session.config.option)
    recording.begin(session.config)
    if benchmarks := session_of(session.config):
        benchmarks.display = without_traceback(benchmarks)


def pytest_keyboard_interrupt() -> None:
    """Let Ctrl-C interrupt nothing more, as the session ends already; pytest would search all memory for garbage."""
    ending.only_note()
    leave_memory()


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Let Ctrl-C interrupt nothing any more where all is said and written, and pytest itself tears down."""
    if asks_for_times(config):
        ending.only_note()


def without_traceback(benchmarks: Any) -> Callable[[Any], None]:
    """Return what shows pytest-benchmark's tables; it would write a traceback where the output takes nothing more."""
    display = benchmarks.display

    def show(terminal: Any) -> None:
        try:
            display(terminal)
        except OSError:  # which ends the session with a line
            benchmarks.logger.error = lambda text: None
            raise

    return show


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the suite's summary after pytest-benchmark's table."""
    measured: list[Any] = [] if config.option.benchmark_disable else session_of(config).benchmarks
    left_out: list[str] = [] if config.option.benchmark_disable else config.stash[LEFT_OUT]
    for report in terminalreporter.getreports("failed"):
        crash = getattr(report.longrepr, "reprcrash", None)
        _, wrong, refusal = (crash.message if crash else "").partition(f"{WrongRun.__name__}: ")
        if wrong:  # whole, where pytest's own summary cuts it to the terminal's width
            terminalreporter.write_line(f"refused: {refusal.splitlines()[0]}", red=True)
    if measured or left_out:
        tr = terminalreporter
        tr.write_line("")
        width = tr._tw.fullwidth if tr.isatty else 200
        show_readably(tr._tw._file)
        console = Console(file=tr._tw._file, width=width, force_terminal=tr.hasmarkup, highlight=False)
        medians = [(benchmark.extra_info, benchmark["median"]) for benchmark in measured]
        summary.print_suite(medians, left_out, console)
        for line in [*config.stash[FIXED_COSTS], *disturbance.lines(config), *peak.device_lines()]:
            console.print(line, soft_wrap=True, markup=False)
