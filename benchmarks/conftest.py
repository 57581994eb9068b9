"""The suite's cases as pytest parameters, and no time for a wrong answer."""

from collections.abc import Generator
from typing import Any

import pytest

from benchmarks.harness.cases import (
    FULL_MEMBERS,
    GRID,
    LEFT_OUT,
    MEMBERS,
    SHORT_EPOCHS,
    Case,
    Grid,
    grid_cases,
    make_case,
    session_of,
)
from parabola import registry
from parabola.machine import devices
from parabola.training.engines import missing

AXES = ("engine", "device", "batch_size", "learning_rate", "samples")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise by the grid: cases; or engines and devices; or devices."""
    grid, names = metafunc.config.stash[GRID], metafunc.fixturenames
    asked = [registry.ENGINES[name] for name in grid.engines or registry.timings()]
    on = grid.devices or (devices.defaults() if any(engine.needs_backend for engine in asked) else ("cpu",))
    if "case" in names:
        cases, metafunc.config.stash[LEFT_OUT] = grid_cases(grid, on)
        values = [tuple(getattr(case.experiment, axis) for axis in AXES) for case in cases]
        metafunc.parametrize(AXES, values, ids=[case.id for case in cases])
    elif "engine" in names:
        can = registry.fast_engines() if metafunc.function.__name__ == "bench_time_to_accuracy" else registry.timings()
        there = [name for name in grid.engines or registry.timings() if name in can and not missing(name)]
        few = metafunc.function.__name__ == "bench_cold_start" and grid.name == "quick" and not grid.engines
        engines = [name for name in there if name == registry.DEFAULT_ENGINE] or there[:1] if few else there
        pairs = [(engine, device) for engine in engines for device in on if registry.ENGINES[engine].runs_on(device)]
        metafunc.parametrize(("engine", "device"), pairs, ids=["-".join(pair) for pair in pairs])
    elif "members" in names:
        sizes = grid.members or (FULL_MEMBERS if grid.name == "full" else MEMBERS)
        sizes = sizes if any(engine.members for engine in asked) else ()
        blocks = [(device, members) for device in on for members in sizes]
        ids = [f"{device}-members_{members}" for device, members in blocks]
        why = missing("members")
        marks = pytest.mark.skipif(bool(why), reason=why)
        metafunc.parametrize(("device", "members"), [pytest.param(*block, marks=marks) for block in blocks], ids=ids)
    elif "device" in names:
        metafunc.parametrize("device", on)


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> bool:
    """Whether benchmarks are timed, rather than run once to see that they run."""
    session = session_of(request.config)
    return session is None or not session.disabled


@pytest.fixture
def case(
    request: pytest.FixtureRequest,
    timed: bool,
    engine: str,
    device: str,
    batch_size: int,
    learning_rate: float,
    samples: int,
) -> Case:
    """The case; shortened where it is not timed."""
    knobs: dict[str, Any] = {"engine": engine, "device": device, "batch_size": batch_size}
    knobs |= {"learning_rate": learning_rate, "samples": samples}
    case = make_case(request.config.stash[GRID], **knobs)
    return case if timed else make_case(Grid(epochs=min(case.experiment.epochs, SHORT_EPOCHS), rounds=1), **knobs)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Drop the times of a benchmark that failed: none is printed or saved for a wrong answer."""
    fixture = getattr(item, "funcargs", {}).get("benchmark")
    if call.excinfo is not None and fixture is not None and (benchmarks := session_of(item.config)):
        measured = benchmarks.benchmarks
        measured[:] = [benchmark for benchmark in measured if benchmark.fixture is not fixture]
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """Drop what Ctrl-C cut short before its answer was checked: only then has a benchmark its extra_info."""
    if benchmarks := session_of(session.config):
        benchmarks.benchmarks[:] = [benchmark for benchmark in benchmarks.benchmarks if benchmark.extra_info]
    return (yield)
