"""Options of a suite's own configuration that measuring in turn cannot do with: they are set aside, typed ones stay."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from typing import Any

import pytest

ASIDE: dict[str, dict[str, Any]] = {  # by what is typed for it, what an option of the configuration becomes
    "-n": {"numprocesses": None, "dist": "no", "tx": []},
    "--benchmark-disable": {"benchmark_disable": False},
    "--benchmark-skip": {"benchmark_skip": False},
    "--timeout-method": {"timeout_method": "signal"},  # whose timer can wait; a thread's cannot
}
PASSES_CONFTESTS = json.loads(os.environ["LOCKSTEP"]).get("passes_conftests", False)


def typed(config: pytest.Config, option: str) -> bool:
    """Return whether an option was typed for this comparison; what pyproject.toml or PYTEST_ADDOPTS say is not."""
    return any(str(argument).startswith(option) for argument in config.invocation_params.args)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Keep pytest-cov from starting, and from failing the session for what is not covered: it would be timed, too.

    Where head's harness was laid over base, a conftest.py that cannot be loaded ends no session: it is loaded again for
    what lies below it, which is then told as what cannot be collected.
    """
    if not typed(early_config, "--cov") and hasattr(early_config.known_args_namespace, "cov_source"):
        early_config.known_args_namespace.cov_source = []
    try:
        return (yield)
    except Exception as error:
        if type(error).__name__ != "ConftestImportFailure" or not PASSES_CONFTESTS:
            raise
        return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Set the others aside before pytest-xdist and pytest-benchmark read them."""
    for option, values in ASIDE.items():
        for name, value in values.items():
            if hasattr(config.option, name) and not typed(config, option):
                setattr(config.option, name, value)
    return (yield)
