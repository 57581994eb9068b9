"""Suites as they are: options in their own configuration, timers, plugins that are missing, classes and fixtures."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare import session
from parabola.compare.outcome import Options, Outcome
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.start import Setup
from tests import scripted_conductor
from tests.conftest import git

Load = scripted_conductor.Load


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return what imports the plugin afresh."""
    with scripted_conductor.loading(tmp_path, monkeypatch) as made:
        yield made


def through(hook: Any) -> None:
    """Run a hook that is wrapped around others."""
    next(hook)
    with pytest.raises(StopIteration):
        hook.send(None)


TYPED = ("-n2", "--benchmark-disable", "--benchmark-skip", "--cov=x", "--timeout-method=thread")


@pytest.mark.parametrize("typed", [(), TYPED])
def test_options_of_the_configuration_are_set_aside_and_typed_ones_stay(typed: tuple[str, ...], load: Load) -> None:
    """Those of pytest-xdist, pytest-cov, pytest-timeout and pytest-benchmark; what a suite lacks is not made up."""
    plugin = load()
    option = SimpleNamespace(numprocesses=2, dist="load", tx=["2*popen"], benchmark_disable=True, benchmark_skip=True)
    option.timeout_method = None  # of pytest-timeout, which asks the configuration then
    known = SimpleNamespace(cov_source=["src"])
    before = {**vars(option)}
    config: Any = SimpleNamespace(
        option=option, known_args_namespace=known, invocation_params=SimpleNamespace(args=["--benchmark-only", *typed])
    )
    through(plugin.pytest_load_initial_conftests(config))
    through(plugin.pytest_cmdline_main(config))
    nothing: dict[str, Any] = {
        "numprocesses": None,
        "dist": "no",
        "tx": [],
        "benchmark_disable": False,
        "benchmark_skip": False,
        "timeout_method": "signal",
    }

    assert vars(option) == (before if typed else nothing)
    assert known.cov_source == (["src"] if typed else [])
    config.option = config.known_args_namespace = SimpleNamespace()
    through(plugin.pytest_load_initial_conftests(config))
    through(plugin.pytest_cmdline_main(config))
    assert vars(config.option) == {}


def test_a_timer_does_not_run_while_a_side_waits_for_its_turn(load: Load) -> None:
    """A wait of three times what the timer has left does not let it ring, and afterwards it has that left."""
    plugin = load()
    rung = list[int]()
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    answer = threading.Timer(1.5, plugin.conductor.sendall, [b'{"go": true}\n'])
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        answer.start()
        assert plugin.line.hear() == {"go": True}
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert rung == []
    assert 0 < left <= 0.5


def skipped(why: Any) -> Any:
    return SimpleNamespace(nodeid="test_a.py", failed=False, skipped=True, longrepr=why, longreprtext=str(why))


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (
            ("test_a.py", 1, "Skipped: could not import 'pytest_codspeed': No module named 'pytest_codspeed'"),
            "it skips itself: could not import 'pytest_codspeed': No module named 'pytest_codspeed'; "
            "add pytest-codspeed to what the suite is measured with",
        ),
        (("test_a.py", 1, "Skipped: only on Sundays"), "it skips itself: only on Sundays"),
        ("Skipped: no reason", "it skips itself: no reason"),
    ],
)
def test_a_suite_that_skips_itself_says_why_and_which_package_to_add(why: Any, says: str, load: Load) -> None:
    """In the place of "no benchmarks"; where others were collected it is nobody's fault."""
    conductor = scripted_conductor.Conductor([{"run": [], "slower": {}}, {"run": ["b"], "slower": {}}])
    plugin = load(conductor=conductor)
    plugin.pytest_collectreport(skipped(why))
    plugin.pytest_collection_modifyitems([])
    broken = {"kind": "failed", "case": "test_a.py", "why": says, "output": []}
    assert conductor.journal[0] == ("collected", {"cases": [], "strangers": {}, "uncollected": [broken], "files": {}})

    plugin.files = dict
    conductor.journal.clear()
    plugin.pytest_collection_modifyitems([SimpleNamespace(nodeid="b", fixturenames=["benchmark"])])
    assert conductor.journal[0][1]["uncollected"] == []


def test_tests_that_codspeeds_marker_alone_makes_benchmarks_are_offered(load: Load) -> None:
    """So they are listed as not measured; a marker of a class or file, which groups, makes no test a benchmark."""
    conductor = scripted_conductor.Conductor([{"run": ["a"], "slower": {}}])
    mark = SimpleNamespace
    items = [
        SimpleNamespace(nodeid="a", fixturenames=["benchmark"], own_markers=[mark(name="slow")]),
        SimpleNamespace(nodeid="b", fixturenames=[], own_markers=[mark(name="benchmark")]),
        SimpleNamespace(nodeid="c", fixturenames=[], own_markers=[mark(name="codspeed_benchmark")]),
        SimpleNamespace(nodeid="d", fixturenames=[], own_markers=[mark(name="slow")]),
    ]
    plugin = load(conductor=conductor)
    plugin.files = dict
    plugin.pytest_collection_modifyitems(items)

    assert conductor.journal[0][1]["cases"] == ["a", "b", "c"]


SUITE = """
import pytest, thing, time

@pytest.fixture(scope="session")
def table():
    yield list(range(100))

class TestThing:
    @pytest.fixture(scope="class", autouse=True)
    def opened(self):
        yield

    def test_in_a_class(self, benchmark, table):
        benchmark.pedantic(thing.work, rounds=8)
        assert table

@pytest.mark.benchmark
def test_marked():
    thing.work()
"""
ADDOPTS = "-n auto --cov=src --cov-fail-under=100 --benchmark-disable"


@pytest.mark.end_to_end
@pytest.mark.usefixtures("less_sure")
def test_a_doubled_time_is_found_in_a_suite_with_options_classes_and_session_fixtures(
    project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under -n auto, --cov, --cov-fail-under and --benchmark-disable; what is but marked is listed as not measured."""
    folder = project(test_it=SUITE)
    (folder / "pyproject.toml").write_text(
        f'[tool.pytest.ini_options]\npythonpath = ["src"]\naddopts = "{ADDOPTS}"\nmarkers = ["benchmark"]\n'
    )
    git(folder, "commit", "--all", "--quiet", "--message", "second")
    thing = folder / "src/thing.py"
    thing.write_text(thing.read_text().replace("range(n)", "range(2 * n)"))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    begun = time.monotonic()
    outcome: Outcome = session.compare(Options("main", budget_seconds=60.0, minimum_effect=0.5), folder)

    assert outcome.ended == "decided", (outcome.why, outcome.output, time.monotonic() - begun)
    assert outcome.referee.decided == {"test_it.py::TestThing::test_in_a_class": "slower"}
    assert outcome.unmeasured == ["test_it.py::test_marked"]


WITH_PLUGINS = """
import asyncio, os, time
import pytest, pytest_asyncio, thing

BASE = os.environ["PARABOLA_SIDE"] == "base"

@pytest.mark.timeout(2 if BASE else 60)
def test_waits(benchmark):
    benchmark.pedantic(lambda: BASE or time.sleep(0.7), rounds=5)

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def table():
    await asyncio.sleep(0)
    yield [1]

class TestLoops:
    @pytest.mark.asyncio(loop_scope="session")
    async def test_within_a_loop(self, benchmark, table):
        benchmark.pedantic(thing.work, rounds=4)
        assert table == [1]

    @pytest.mark.parametrize("number", [1, 2])
    def test_runs_a_loop(self, benchmark, number):
        async def work():
            await asyncio.gather(*[asyncio.sleep(0) for _ in range(number)])
        benchmark(lambda: asyncio.run(work()))
"""


@pytest.mark.end_to_end
def test_timers_and_loops_of_a_suite(project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer rings while a side waits longer than it allows; fixtures and tests of pytest-asyncio are measured."""
    pytest.importorskip("pytest_asyncio", reason="no pytest-asyncio here")
    pytest.importorskip("pytest_timeout", reason="no pytest-timeout here")
    folder = project(test_it=WITH_PLUGINS)
    options = 'pythonpath = ["src"]\naddopts = "-W error"\ntimeout_method = "thread"\n'
    options += 'asyncio_default_fixture_loop_scope = "function"\n'
    (folder / "pyproject.toml").write_text(f"[tool.pytest.ini_options]\n{options}")
    cases = [f"test_it.py::TestLoops::{name}" for name in ("test_within_a_loop", "test_runs_a_loop[2]")]
    repository = Repository.find(folder)
    with repository.checkouts(None, None) as (base, head, scratch):
        setup = Setup(base, head, scratch, elsewhere=folder)
        made, part = Launch(setup, 0, [], None), Launch(setup, 1, [], cases)
        made.run()
        part.run()

    assert made.failed == part.failed == {}
    assert list(made.measured)[1:] == [
        "test_it.py::test_waits",
        cases[0],
        "test_it.py::TestLoops::test_runs_a_loop[1]",
        cases[1],
    ]
    assert list(part.measured)[1:] == cases
