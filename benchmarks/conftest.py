"""The suite's cases become pytest's parameters, and a benchmark whose answer is wrong has no time."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from benchmarks.bench_cold_start import COMMANDS
from benchmarks.harness import cases
from benchmarks.harness.cases import TimedCase
from benchmarks.harness.options import SELECTION, Selection
from parabola import registry
from parabola.machine import devices
from parabola.records.case import Axes
from parabola.training import memory
from parabola.training.engines import missing
from parabola.training.experiment import Experiment

collect_ignore = ["studies/trials/suites"]  # which are other projects'


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrise a benchmark or test by what was selected: by cases, by engines and devices, by blocks, or by devices.

    The most that it asks for among its fixtures decides.
    """
    selection, names, left_out = metafunc.config.stash[SELECTION], metafunc.fixturenames, list[str]()
    on = selected_devices(selection)
    if "case" in names:
        grid, left_out = cases.grid_cases(selection, on)
        values = [tuple(getattr(case.experiment, axis) for axis in cases.AXES) for case in grid]
        metafunc.parametrize(cases.AXES, values, ids=[case.id for case in grid])
    elif "engine" in names:
        engines = selected_engines(selection, metafunc.function.__name__)
        pairs = [(engine, device) for engine in engines for device in on if registry.ENGINES[engine].runs_on(device)]
        ids = [Axes(engine=engine, device=device).id for engine, device in pairs]
        metafunc.parametrize(("engine", "device"), pairs, ids=ids)
    elif "members" in names:
        sizes = {members: memory.too_large(Experiment(epochs=1), members) for members in selected_members(selection)}
        left_out = [f"members_{members}: {reason}" for members, reason in sizes.items() if reason]
        blocks = [(device, members) for device in on for members, reason in sizes.items() if not reason]
        ids = [Axes(engine="", device=device, members=members).id for device, members in blocks]  # one engine has them
        why = missing("members")
        marks = pytest.mark.skipif(bool(why), reason=why)
        metafunc.parametrize(("device", "members"), [pytest.param(*block, marks=marks) for block in blocks], ids=ids)
    elif "command" in names:
        metafunc.parametrize("command", () if selection.engines else COMMANDS)
    elif "device" in names:
        metafunc.parametrize("device", on)
    known = metafunc.config.stash[cases.LEFT_OUT]
    known += [line for line in left_out if line not in known]


def selected_devices(selection: Selection) -> Sequence[str]:
    """Return the devices to run on; where no engine needs the backend, it is not asked for its devices."""
    asked = [registry.ENGINES[name] for name in selection.engines or registry.timings()]
    return selection.devices or (devices.defaults() if any(engine.needs_backend for engine in asked) else ("cpu",))


def selected_engines(selection: Selection, benchmark: str) -> list[str]:
    """Return the engines that a benchmark is run with.

    Args:
        selection: the session's options.
        benchmark: the name of the benchmark's function. The time to accuracy needs engines that can train many seeds to
            the end. The cold start takes seconds, so without --engine the quick grid has it of the default engine
            alone, and of the one that needs no framework.
    """
    can = registry.fast_engines() if benchmark == "bench_time_to_accuracy" else registry.timings()
    there = [name for name in selection.engines or registry.timings() if name in can and not missing(name)]
    if benchmark == "bench_cold_start" and not selection.full and not selection.engines:
        with_framework = registry.DEFAULT_ENGINE if registry.DEFAULT_ENGINE in there else there[0]
        return [name for name in there if name in (with_framework, registry.LIMIT)]
    return there


def selected_members(selection: Selection) -> Sequence[int]:
    """Return the numbers of members in a block; none where no engine that was asked for trains members."""
    asked = [registry.ENGINES[name] for name in selection.engines or registry.timings()]
    if not any(engine.members for engine in asked):
        return ()
    return selection.members or (cases.FULL_MEMBERS if selection.full else cases.MEMBERS)


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> bool:
    """Say whether benchmarks are timed, rather than run once to see that they run."""
    session = cases.session_of(request.config)
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
) -> TimedCase:
    """Return the case with the epochs and rounds that were selected; where it is not timed, it is cut short."""
    knobs: dict[str, Any] = {"engine": engine, "device": device, "batch_size": batch_size}
    knobs |= {"learning_rate": learning_rate, "samples": samples}
    case = cases.make_case(request.config.stash[SELECTION], **knobs)
    if timed:
        return case
    return cases.make_case(Selection(epochs=min(case.experiment.epochs, cases.SHORT_EPOCHS), rounds=1), **knobs)


def keep_times(config: pytest.Config, is_right: Callable[[Any], bool]) -> None:
    """Drop the times of all benchmarks but some, so that none is printed or saved for a wrong answer.

    Args:
        config: pytest's; without pytest-benchmark's session there is nothing to drop.
        is_right: says of one of pytest-benchmark's benchmarks whether its times are kept.
    """
    if session := cases.session_of(config):
        session.benchmarks[:] = [benchmark for benchmark in session.benchmarks if is_right(benchmark)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Drop the times of a benchmark that failed."""
    fixture = getattr(item, "funcargs", {}).get("benchmark")
    if call.excinfo is not None and fixture is not None:
        keep_times(item.config, lambda benchmark: benchmark.fixture is not fixture)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """Drop the times of a benchmark that Ctrl-C cut short.

    A benchmark gets its extra_info once its answer was checked, and so one without was cut short before that.
    """
    keep_times(session.config, lambda benchmark: bool(benchmark.extra_info))
    return (yield)
