"""A plugin of pytest that keeps the tests that a file names, in its order.

A mutant may rename tests whose names come from the code. One that is gone is passed over: on the command line it would
be an error, and the mutant would be taken for caught.
"""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option that names the file."""
    parser.addoption("--chosen", type=Path, help="a file with the name of a test a line")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests that are named; all of their files where none of them is there any more."""
    names = config.getoption("--chosen").read_text(encoding="utf-8").splitlines()
    by_name = {item.nodeid: item for item in items}
    kept = [by_name[name] for name in names if name in by_name]
    items[:] = kept or items
