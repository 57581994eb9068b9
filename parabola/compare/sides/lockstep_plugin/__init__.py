"""Loaded into each side's pytest with `-p`: every round of a benchmark waits for its turn.

Stands alone: it is copied out of its package, knows pytest-benchmark but no suite, and imports nothing of ours, so a
commit from before it existed can be measured with it. What it needs comes in the environment variable LOCKSTEP, as
JSON: "socket" (an open one's file descriptor, at whose other end the conductor is), "cores" (to run on; none: any),
"wanted" (a file of the names of the cases to collect; empty: all there are) and what `strangers` takes.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .addopts import pytest_cmdline_main, pytest_load_initial_conftests  # noqa: F401 - pytest finds hooks here
from .collecting import Part, began, is_benchmark, pytest_collection  # noqa: F401
from .harness import files
from .strangers import strangers
from .telling import Line, last_lines, of_file, reason, skip_reason, writable
from .work import calibrate, hash_blocks, plain_iterations, plain_rounds, repeated, slowed

GIVEN = json.loads(os.environ["LOCKSTEP"])
CONTROL, CONTROL_ROUNDS, CONTROL_WARMUP_ROUNDS = "control", 200, 2

if GIVEN["cores"] and hasattr(os, "sched_setaffinity"):  # before anybody counts cores or starts threads
    os.sched_setaffinity(0, GIVEN["cores"])


line = Line(GIVEN["socket"])
measured: dict[str, BenchmarkFixture] = {}  # by case, whose rounds are over and whose test is not
uncollected: list[dict[str, Any]] = []  # files, and why
failed: dict[str, pytest.TestReport] = {}  # by case, the first thing that went wrong in a test that is not over
slower: dict[str, float] = {}  # by case: share of extra work to plant
skipped_files: list[dict[str, Any]] = []  # those that skip themselves as a whole


class LockedBenchmark(BenchmarkFixture):  # type: ignore[misc]
    """pytest-benchmark's fixture, whose rounds wait for their turn; its two public ways in, and nothing else."""

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run as pedantic does, with iterations that both sides agree on."""
        if self.disabled or self.fullname in measured:  # the second is an error, which pytest-benchmark words
            return super().__call__(function_to_benchmark, *args, **kwargs)
        line.say("calibrate", case=self.fullname)
        line.hear()
        seconds = calibrate(lambda: function_to_benchmark(*args, **kwargs))
        line.say("calibrated", iterations=plain_iterations(seconds))
        iterations = line.hear()["iterations"]
        rounds = plain_rounds(iterations * seconds)
        return self.pedantic(function_to_benchmark, args, kwargs, None, None, rounds, 1, iterations)

    def pedantic(
        self,
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        teardown: Callable[..., Any] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
        iterations: int = 1,
    ) -> Any:
        """Run set-up, target and tear-down of each round while it is this side's turn."""
        options: dict[str, Any] = {"rounds": rounds, "warmup_rounds": warmup_rounds}
        options |= {"teardown": teardown} if teardown else {}  # which pytest-benchmark takes from 5.2 on
        if self.disabled or self.fullname in measured or (setup and iterations > 1):  # errors, which it words
            return super().pedantic(target, args, kwargs, setup, iterations=iterations, **options)
        work = target if iterations == 1 else repeated(target, iterations)
        if share := slower.get(self.fullname):
            work = slowed(work, share)

        in_round = False

        def before() -> Any:
            nonlocal in_round
            if in_round:  # the round before: pytest-benchmark tells of a round's end from 5.2 on alone
                line.say("passed")
            line.hear()
            in_round = True
            given = setup() if setup else None
            if iterations > 1:  # pedantic takes no iterations beside a set-up, but divides by this
                self.stats.iterations = iterations
            return given

        line.say("ready", case=self.fullname, rounds=rounds, warmup_rounds=warmup_rounds)
        result = super().pedantic(work, args, kwargs, before, **options)
        line.say("passed")
        measured[self.fullname] = self
        line.hear()  # until the other side's rounds are over, too
        return result


def run_control() -> None:
    """Run what no change can touch, round by round like a case."""
    work = slowed(hash_blocks, slower.get(CONTROL, 0.0))
    line.say("ready", case=CONTROL, rounds=CONTROL_ROUNDS, warmup_rounds=CONTROL_WARMUP_ROUNDS)
    seconds = []
    for _ in range(CONTROL_WARMUP_ROUNDS + CONTROL_ROUNDS):
        line.hear()
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
        line.say("passed")
    line.hear()
    line.say("finished", case=CONTROL, seconds=seconds[CONTROL_WARMUP_ROUNDS:], extra_info={})


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be measured in turn; SIGTERM ends the session, and no test that fails, whatever was asked."""
    signal.signal(signal.SIGTERM, line.end)
    config.option.maxfail = 0
    config.option.continue_on_collection_errors = True
    for option in ("numprocesses", "benchmark_cprofile"):
        if config.getoption(option, None):
            raise pytest.UsageError(f"two commits cannot be compared with {option}: leave it out")
    if GIVEN["wanted"]:
        with open(GIVEN["wanted"], encoding="utf-8") as file:
            config.pluginmanager.register(Part(json.load(file), config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Offer the benchmarks, and keep those that the conductor names.

    Tests that are benchmarks to pytest-codspeed alone, by their marker, are offered as well; they will measure nothing.
    """
    offered = {item.nodeid: item for item in items if is_benchmark(item)}
    broken = uncollected if offered else uncollected + skipped_files
    seconds, found = time.perf_counter() - began[-1], strangers(GIVEN)
    line.say("collected", cases=[*offered], strangers=found, uncollected=broken, seconds=seconds, files=files(offered))
    answer = line.hear()
    slower.update(answer["slower"])
    items[:] = [offered[case] for case in answer["run"]]


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """Begin with the control."""
    run_control()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """Make each benchmark fixture one that waits for its turn."""
    value = yield
    if type(value) is BenchmarkFixture:
        value.__class__ = LockedBenchmark
    return value


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Keep what could not be collected, to be told with what could."""
    if report.failed:
        uncollected.append(of_file(report, reason(report), last_lines(report)))
    elif report.skipped:
        skipped_files.append(of_file(report, f"it skips itself: {skip_reason(report)}", []))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Tell which test begins: what it sets up may end the process."""
    line.say("begun", case=nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell what a case took, or why it failed, or that it was skipped or measured nothing, once its test is over."""
    line.check()
    case = report.nodeid
    if report.failed:
        failed.setdefault(case, report)
    if report.when == "call" and not report.passed:  # skipped after its rounds
        measured.pop(case, None)
    if report.when != "teardown":
        return
    failure, benchmark = failed.pop(case, None), measured.pop(case, None)
    if failure:
        line.say("failed", case=case, why=reason(failure), output=last_lines(failure))
    elif benchmark:
        seconds = list(benchmark.stats.stats.data)
        line.say("finished", case=case, seconds=seconds, extra_info=writable(benchmark.extra_info))
    else:
        line.say("skipped", case=case)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish() -> Generator[None, object, object]:
    """Tell that it is over, fixtures and all, and what was imported from where it should not be."""
    try:
        return (yield)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what is left to do is pytest's own report
        line.say("ended", strangers=strangers(GIVEN))
