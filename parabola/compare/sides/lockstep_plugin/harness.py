"""Which files say what a benchmark measures: its own, and each conftest.py that pytest has loaded above it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest


def files(offered: Mapping[str, pytest.Item]) -> dict[str, list[str]]:
    """Return these files of each benchmark, its own first; those of one file have the same."""
    by_path = {item.path: item for item in offered.values()}
    of_path = {path: [str(path), *_conftests(item)] for path, item in by_path.items()}
    return {case: of_path[item.path] for case, item in offered.items()}


def _conftests(item: pytest.Item) -> list[str]:
    """Return each conftest.py above a test, which pytest knows by its path."""
    plugins = [name for name, _ in item.config.pluginmanager.list_name_plugin() if name.endswith("conftest.py")]
    return [name for name in plugins if Path(name).parent in item.path.parents]
