"""Which tests are benchmarks, when collecting began, and how a launch collects only what holds its cases."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Generator, Sequence
from typing import Any

import pytest

MARKERS = ("benchmark", "codspeed_benchmark")
began = [time.perf_counter()]  # the last is when collecting did


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Note when collecting begins."""
    began.append(time.perf_counter())


def is_benchmark(item: pytest.Item) -> bool:
    """Return whether a test has the fixture, or the marker itself; a marker of its file or class is but for groups."""
    marked = any(mark.name in MARKERS for mark in getattr(item, "own_markers", ()))
    return marked or "benchmark" in getattr(item, "fixturenames", ())


class Part:
    """Hooks that leave out what holds no wanted case, before it is imported or made; names stay as they are.

    Configuration, conftest.py files, fixtures and what pytest was asked for are those of a launch that collects all.
    """

    def __init__(self, cases: Sequence[str], config: pytest.Config) -> None:
        """Make them.

        Args:
            cases: the names of the wanted cases.
            config: whose arguments that name a class or a test without any of them are left out, too.
        """
        cuts = re.compile(r"::|\[|\Z")  # also within parameters, where they do no harm
        self.holders = {case[: cut.start()] for case in cases for cut in cuts.finditer(case)}
        config.args[:] = [argument for argument in config.args if self._holds(argument, config)]

    def _holds(self, argument: str, config: pytest.Config) -> bool:
        path, separator, name = argument.partition("::")
        path = os.path.relpath(config.invocation_params.dir / path, config.rootpath)
        return not separator or f"{path}::{name}" in self.holders

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """Take a file without them as an empty one."""
        of_cases = isinstance(collector, pytest.File) and not isinstance(collector, pytest.Package)
        left_out = of_cases and collector.nodeid not in self.holders
        return pytest.CollectReport(collector.nodeid, "passed", None, []) if left_out else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_pycollect_makeitem(self, collector: pytest.Collector, name: str) -> list[pytest.Item] | None:
        """Make no class and no function without them."""
        return None if f"{collector.nodeid}::{name}" in self.holders else []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_generate_tests(self, metafunc: Any) -> Generator[None, object, object]:
        """Make none of the other parameters; this is pytest's own list, and where it has none all are made."""
        result = yield
        calls = getattr(metafunc, "_calls", [])
        calls[:] = [call for call in calls if f"{metafunc.definition.nodeid}[{call.id}]" in self.holders] or calls
        return result
