"""A plugin of pytest that leaves how long each test took, set-up and tear-down included, as JSON."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from tests.mutation.covering import SECONDS


class Seconds:
    """Adds up a session's reports; under -n, in the process that hears of all."""

    def __init__(self) -> None:
        self.by_test = defaultdict[str, float](float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a phase of a test."""
        self.by_test[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Leave the file."""
        Path(os.environ[SECONDS]).write_text(json.dumps(self.by_test))


def pytest_configure(config: pytest.Config) -> None:
    """Listen, but not in xdist's workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Seconds(), "mutation-seconds")
