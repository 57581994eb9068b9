"""Was the machine disturbed? `native` is timed before the first test of a session and after the last one."""

import os
import time
from collections.abc import Generator
from statistics import median
from typing import Any

import pytest

from parabola.display.units import duration
from parabola.records.record import is_disturbed
from parabola.training import engines
from parabola.training.experiment import Experiment

RUNS = 15
SECONDS: pytest.StashKey[list[float]] = pytest.StashKey()  # per epoch, first and last


class Disturbance:
    """A plugin of pytest that times `native` before and after all tests, and keeps both medians in SECONDS."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Time before the first test and after the last one; a session that is cut short has no second time."""
        if session.items and not session.config.option.collectonly:
            session.config.stash[SECONDS].append(native_seconds())
        result = yield
        if session.config.stash[SECONDS]:
            session.config.stash[SECONDS].append(native_seconds())
        return result


def watch(config: pytest.Config) -> None:
    """Time `native` at both ends of the session, unless it is not there, or the session is a side of a comparison."""
    config.stash[SECONDS] = []
    if not engines.missing("native") and "PARABOLA_SIDE" not in os.environ:
        config.pluginmanager.register(Disturbance(), "parabola-disturbance")


def native_seconds() -> float:
    """Return the median over some runs of the seconds that `native` takes for an epoch, its building left out."""
    published = Experiment(engine="native", batch_size=27, learning_rate=0.001)  # some 3 ms
    engine, taken = engines.build(published), list[float]()
    for _ in range(RUNS):
        rows = engine.reset()
        start = time.perf_counter()
        engine.run(rows)
        taken.append((time.perf_counter() - start) / published.epochs)
    return median(taken)


def lines(config: pytest.Config) -> list[str]:
    """Return the line that a session's summary has where the machine was disturbed."""
    seconds = config.stash.get(SECONDS, [])
    if len(seconds) < 2 or not is_disturbed(seconds[0], seconds[1]):
        return []
    first, last = map(duration, seconds)
    return [f"disturbed: native took {first} an epoch before the first test and {last} after the last one"]
