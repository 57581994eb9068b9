"""Loaded into each side's pytest with `-p`: every round of a benchmark waits for its turn.

Stands alone: it is copied out of its package, knows pytest-benchmark but no suite, and imports nothing of ours, so a
commit from before it existed can be measured with it. What it needs comes in the environment variable LOCKSTEP, as
JSON: "socket" (an open one's file descriptor, at whose other end the conductor is), "cores" (to run on; none: any) and
what `strangers` takes.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .strangers import strangers
from .telling import Line, reason

GIVEN = json.loads(os.environ["LOCKSTEP"])
CONTROL, CONTROL_ROUNDS, CONTROL_WARMUP_ROUNDS = "control", 20, 2
BLOCK, BLOCKS = bytes(1 << 16), 128  # hashed in a round of the control: about 6 ms, all in C
PLAIN_ROUNDS, PLAIN_SECONDS = 10, 0.01  # of benchmark(f): so many rounds of about so long

if GIVEN["cores"] and hasattr(os, "sched_setaffinity"):  # before anybody counts cores or starts threads
    os.sched_setaffinity(0, GIVEN["cores"])


line = Line(GIVEN["socket"])
measured: dict[str, BenchmarkFixture] = {}  # by case, whose rounds are over and whose test is not
told = set[str]()  # the cases that the conductor knows to have finished or failed
slower: dict[str, float] = {}  # by case: share of extra work to plant


def slowed(target: Callable[..., Any], share: float) -> Callable[..., Any]:
    """Return a target that goes on working, after what it had to do, for a share of the time that took."""

    def go_on_working(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = target(*args, **kwargs)
        until = time.perf_counter() + share * (time.perf_counter() - start)
        while time.perf_counter() < until:
            pass
        return result

    return go_on_working


def repeated(target: Callable[..., Any], iterations: int) -> Callable[..., Any]:
    """Return a target that calls the first so many times."""

    def repeat(*args: Any, **kwargs: Any) -> Any:
        result = None
        for _ in range(iterations):
            result = target(*args, **kwargs)
        return result

    return repeat


def calibrate(target: Callable[[], Any]) -> int:
    """Return how many calls last about as long as a round of benchmark(f) should."""
    iterations = 1
    while True:
        start = time.perf_counter()
        repeated(target, iterations)()
        seconds = time.perf_counter() - start
        if seconds >= PLAIN_SECONDS / 2:
            return max(1, round(iterations * PLAIN_SECONDS / seconds))
        iterations *= 2


class LockedBenchmark(BenchmarkFixture):  # type: ignore[misc]
    """pytest-benchmark's fixture, whose rounds wait for their turn; its two public ways in, and nothing else."""

    def __call__(self, function_to_benchmark: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run as pedantic does, with iterations that both sides agree on."""
        if self.disabled:
            return super().__call__(function_to_benchmark, *args, **kwargs)
        line.say("calibrate", case=self.fullname)
        line.hear()
        line.say("calibrated", iterations=calibrate(lambda: function_to_benchmark(*args, **kwargs)))
        iterations = line.hear()["iterations"]
        return self.pedantic(function_to_benchmark, args, kwargs, None, None, PLAIN_ROUNDS, 1, iterations)

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
        if self.disabled or (setup and iterations > 1):  # the second is an error, which pytest-benchmark words
            return super().pedantic(target, args, kwargs, setup, teardown, rounds, warmup_rounds, iterations)
        work = target if iterations == 1 else repeated(target, iterations)
        if share := slower.get(self.fullname):
            work = slowed(work, share)

        def before() -> Any:
            line.hear()
            given = setup() if setup else None
            if iterations > 1:  # pedantic takes no iterations beside a set-up, but divides by this
                self.stats.iterations = iterations
            return given

        def after(*args: Any, **kwargs: Any) -> None:
            if teardown:
                teardown(*args, **kwargs)
            line.say("passed")

        line.say("ready", case=self.fullname, rounds=rounds, warmup_rounds=warmup_rounds)
        result = super().pedantic(work, args, kwargs, before, after, rounds, warmup_rounds)
        measured[self.fullname] = self
        line.hear()  # until the other side's rounds are over, too
        return result


def run_control() -> None:
    """Run what no change can touch, round by round like a case."""

    def hash_blocks() -> None:
        for _ in range(BLOCKS):
            hashlib.sha256(BLOCK).digest()

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
    """Refuse what cannot be measured in turn."""
    for option in ("numprocesses", "benchmark_cprofile"):
        if config.getoption(option, None):
            raise pytest.UsageError(f"two commits cannot be compared with {option}: leave it out")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Offer the benchmarks, and keep those that the conductor names."""
    offered = {item.nodeid: item for item in items if "benchmark" in getattr(item, "fixturenames", ())}
    line.say("collected", cases=list(offered), strangers=strangers(GIVEN))
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
    """Tell what could not be collected."""
    if report.failed:
        line.say("failed", case=report.nodeid, why=reason(report))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell what a case took, once its test has passed; or why it failed; or at its end that it was skipped."""
    if report.failed:
        told.add(report.nodeid)
        line.say("failed", case=report.nodeid, why=reason(report))
    elif report.when == "call" and report.nodeid in measured:
        benchmark = measured.pop(report.nodeid)
        told.add(report.nodeid)
        seconds = list(benchmark.stats.stats.data)
        line.say("finished", case=report.nodeid, seconds=seconds, extra_info=benchmark.extra_info)
    elif report.when == "teardown" and report.nodeid not in told:  # it may also have measured nothing
        line.say("skipped", case=report.nodeid)


def pytest_sessionfinish() -> None:
    """Tell that it is over, and what was imported from where it should not be."""
    line.say("ended", strangers=strangers(GIVEN))
