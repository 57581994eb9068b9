"""Which benchmarks run with which parameters, and whose times are dropped."""

import inspect
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import conftest as suite
from benchmarks.harness.cases import LEFT_OUT, TimedCase, grid_cases
from benchmarks.harness.options import SELECTION, Selection
from parabola.machine import devices, host
from parabola.training.experiment import Experiment

LACKS_MEMBERS = "members is not there on the torch backend, which has fit, fused_fit, native"


@pytest.fixture(autouse=True)
def cpu_and_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have tests run on the CPU and the first GPU unless told otherwise."""
    monkeypatch.setattr(devices, "available", lambda: ["cpu:0", "cpu:1", "gpu:0", "gpu:1"])
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def parametrised(
    selection: Selection, *fixtures: str, function: str = "bench_other"
) -> tuple[Any, list[Any], list[str], Any]:
    """Return the names, the values and the ids that a benchmark is given, and the session's stash."""
    given = list[tuple[Any, list[Any], list[str]]]()

    def parametrize(names: Any, values: Any, ids: Any = ()) -> None:
        given.append((names, list(values), list(ids)))

    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[SELECTION] = selection
    config.stash[LEFT_OUT] = ["before"]
    metafunc: Any = SimpleNamespace(config=config, fixturenames=[*fixtures, "benchmark"])
    metafunc.function = SimpleNamespace(__name__=function)
    metafunc.parametrize = parametrize
    suite.pytest_generate_tests(metafunc)
    ((names, values, ids),) = given or [("", [], [])]
    return names, values, ids, config.stash


def test_a_case_is_parametrised_by_the_grid() -> None:
    """A benchmark of cases has the grid's, by name, on each device; the session knows what is left out."""
    selection = Selection(engines=("fit", "native"), batch_sizes=(9, 1), samples=(100_000,), learning_rates=(0.01,))
    names, values, ids, stash = parametrised(selection, "case", "engine", "device")

    assert names == ("engine", "device", "batch_size", "learning_rate", "samples")
    assert values == [
        ("fit", "cpu", 9, 0.01, 100_000),
        ("fit", "gpu:0", 9, 0.01, 100_000),
        ("native", "cpu", 9, 0.01, 100_000),
        ("native", "cpu", 1, 0.01, 100_000),
    ]
    assert ids == [
        "fit-cpu-batch_9-learning_rate_0.01-samples_100000",
        "fit-gpu:0-batch_9-learning_rate_0.01-samples_100000",
        "native-cpu-batch_9-learning_rate_0.01-samples_100000",
        "native-cpu-batch_1-learning_rate_0.01-samples_100000",
    ]
    assert stash[LEFT_OUT] == [
        "before",
        "fit-cpu-batch_1-learning_rate_0.01-samples_100000: predicted 482 s, more than 60 (--all runs it)",
        "fit-gpu:0-batch_1-learning_rate_0.01-samples_100000: predicted 482 s, more than 60 (--all runs it)",
    ]
    on_one, _ = grid_cases(replace(selection, devices=("gpu:1",)), ())
    assert parametrised(replace(selection, devices=("gpu:1",)), "case")[2] == [case.id for case in on_one]


@pytest.mark.parametrize(
    ("selection", "function", "expected"),
    [
        (
            Selection(),
            "bench_other",
            "fit-cpu fit-gpu:0 fused_fit-cpu fused_fit-gpu:0 compiled-cpu compiled-gpu:0 native-cpu",
        ),
        (Selection(engines=("native", "fit"), devices=("cpu",)), "bench_other", "native-cpu fit-cpu"),
        (Selection(), "bench_time_to_accuracy", "compiled-cpu compiled-gpu:0 native-cpu"),
        (Selection(engines=("fit", "native")), "bench_time_to_accuracy", "native-cpu"),
        (Selection(engines=("fit", "fused_fit")), "bench_time_to_accuracy", ""),
        (Selection(), "bench_cold_start", "compiled-cpu compiled-gpu:0 native-cpu"),
        (Selection(engines=("native", "compiled"), devices=("cpu",)), "bench_cold_start", "native-cpu compiled-cpu"),
        (Selection("full", devices=("cpu",)), "bench_cold_start", "fit-cpu fused_fit-cpu compiled-cpu native-cpu"),
        (Selection("full", devices=("cpu",)), "bench_other", "fit-cpu fused_fit-cpu compiled-cpu native-cpu"),
    ],
)
def test_engines_and_devices(selection: Selection, function: str, expected: str) -> None:
    """A benchmark of engines has those asked for that it can have; the quick grid has two engines' cold starts."""
    names, values, ids, _ = parametrised(selection, "engine", "device", function=function)

    assert names == ("engine", "device")
    assert ids == expected.split()
    assert values == [tuple(name.split("-")) for name in expected.split()]


def test_commands_that_train_nothing_are_timed_where_no_engine_is_asked_for() -> None:
    """`report` and `--help` are no engine's, so --engine leaves them out."""
    assert parametrised(Selection(), "command")[:2] == ("command", ["help", "report"])
    assert parametrised(Selection(engines=("native",)), "command")[:2] == ("command", [])


def test_engines_of_a_backend_without_whole_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch `compiled` is left out everywhere; the quick grid has cold starts of the first engine and `native`."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    selection = Selection(devices=("cpu",))

    assert parametrised(selection, "engine", "device")[2] == ["fit-cpu", "fused_fit-cpu", "native-cpu"]
    assert parametrised(selection, "engine", "device", function="bench_cold_start")[2] == ["fit-cpu", "native-cpu"]
    assert parametrised(selection, "engine", "device", function="bench_time_to_accuracy")[2] == ["native-cpu"]


@pytest.mark.parametrize(
    ("selection", "sizes"),
    [
        (Selection(), [1, 8, 64, 512]),
        (Selection("full"), [1, 8, 64, 512, 4096]),
        (Selection("full", members=(5, 3)), [5, 3]),
        (Selection(engines=("native", "compiled")), [1, 8, 64, 512]),
        (Selection(engines=("native", "fit")), []),
    ],
)
def test_sizes_of_blocks_of_members(selection: Selection, sizes: list[int]) -> None:
    """Blocks of members have these sizes on each device, unless `compiled`, by which they are trained, is left out."""
    names, values, ids, _ = parametrised(replace(selection, devices=("cpu", "gpu:0")), "device", "members")
    blocks = [(device, members) for device in ("cpu", "gpu:0") for members in sizes]

    assert names == ("device", "members")
    assert [value.values for value in values] == blocks
    assert ids == [f"{device}-members_{members}" for device, members in blocks]
    assert all(mark.args == (False,) for value in values for mark in value.marks)


def test_more_members_than_memory_holds_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what they need and what is there, before anything is made of them; the others are run."""
    monkeypatch.setattr(host, "free_bytes", lambda: 2**34)
    selection = Selection(members=(10**9, 8, 10**30), devices=("cpu",))
    _, values, ids, stash = parametrised(selection, "device", "members")
    need = {members: members * 4 * (3 * 999 + 5) / 2**30 for members in selection.members}

    assert ([value.values for value in values], ids) == ([("cpu", 8)], ["cpu-members_8"])
    assert stash[LEFT_OUT] == ["before"] + [
        f"members_{members}: {members:,} members, 1 epochs of 999 samples need about {need[members]:,.0f} GiB, "
        "and 16 GiB are free: ask for fewer"
        for members in (10**9, 10**30)
    ]


def test_members_are_skipped_where_the_backend_lacks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch blocks of members are skipped, and the reason is said."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    _, values, _, _ = parametrised(Selection(members=(2,), devices=("cpu",)), "members", "device")
    ((mark,),) = [value.marks for value in values]

    assert (mark.name, mark.args, mark.kwargs) == ("skipif", (True,), {"reason": LACKS_MEMBERS})


def test_devices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of devices has those asked for, else the CPU and the first GPU; for `native` alone no backend is asked."""
    assert parametrised(Selection(), "device")[:2] == ("device", ["cpu", "gpu:0"])
    assert parametrised(Selection(devices=("gpu:1", "cpu:1")), "device")[:2] == ("device", ["gpu:1", "cpu:1"])
    assert parametrised(Selection(engines=("native", "fit")), "device")[1] == ["cpu", "gpu:0"]
    monkeypatch.setattr(devices, "available", lambda: pytest.fail("the backend is started"))
    assert parametrised(Selection(engines=("native",)), "device")[1] == ["cpu"]
    assert parametrised(Selection(engines=("native",)), "tmp_path")[1] == []


def fixture_of(name: str) -> Any:
    return inspect.unwrap(getattr(suite, name))


@pytest.mark.parametrize(
    ("session", "timed"),
    [(SimpleNamespace(disabled=True), False), (SimpleNamespace(disabled=False), True), (None, True)],
)
def test_what_is_timed(session: Any, timed: bool) -> None:
    """Benchmarks are timed unless pytest-benchmark is switched off; where another plugin has its place, too."""
    config = SimpleNamespace(_benchmarksession=session)

    assert fixture_of("timed")(SimpleNamespace(config=config)) is timed


@pytest.mark.parametrize(
    ("selection", "timed", "epochs", "rounds"),
    [
        (Selection(), True, 2997, 10),
        (Selection(epochs=7, rounds=2), True, 7, 2),
        (Selection(), False, 4, 1),
        (Selection(epochs=7, rounds=2), False, 4, 1),
        (Selection(epochs=3, rounds=2), False, 3, 1),
    ],
)
def test_an_untimed_case_is_short(selection: Selection, timed: bool, epochs: int, rounds: int) -> None:
    """A case has the grid's epochs and rounds; untimed it has one round of at most four epochs."""
    config = SimpleNamespace(stash=pytest.Stash())
    config.stash[SELECTION] = selection
    case = fixture_of("case")(SimpleNamespace(config=config), timed, "compiled", "cpu", 9, 0.05, 998)
    expected = Experiment(engine="compiled", batch_size=9, learning_rate=0.05, samples=998, epochs=epochs)

    assert case == TimedCase(expected, rounds)


def session_with(*benchmarks: Any) -> Any:
    return SimpleNamespace(_benchmarksession=SimpleNamespace(benchmarks=list(benchmarks)))


def end(hook: Any) -> Any:
    """Run a hook that wraps others to its end, and return what it makes of their answer."""
    next(hook)
    with pytest.raises(StopIteration) as ended:
        hook.send("report")
    return ended.value.value


@pytest.mark.parametrize(("failed", "left"), [(True, ["other", "third"]), (False, ["other", "failing", "third"])])
def test_a_failed_benchmark_has_no_time(failed: bool, left: list[str]) -> None:
    """The times of a benchmark that failed are dropped, and nobody else's; the report is passed on."""
    fixtures = {name: object() for name in ("other", "failing", "third")}
    config = session_with(*(SimpleNamespace(name=name, fixture=fixture) for name, fixture in fixtures.items()))
    item: Any = SimpleNamespace(config=config, funcargs={"benchmark": fixtures["failing"]})
    call: Any = SimpleNamespace(excinfo=ValueError() if failed else None)

    assert end(suite.pytest_runtest_makereport(item, call)) == "report"
    assert [benchmark.name for benchmark in config._benchmarksession.benchmarks] == left


def test_a_failed_test_without_a_benchmark_drops_nothing() -> None:
    """A test without a benchmark, or in a session without one, may fail."""
    config = session_with(SimpleNamespace(fixture=None))
    call: Any = SimpleNamespace(excinfo=ValueError())
    items: list[Any] = [
        SimpleNamespace(config=config, funcargs={}),
        SimpleNamespace(config=config),
        SimpleNamespace(config=SimpleNamespace(), funcargs={"benchmark": object()}),
    ]
    for item in items:
        assert end(suite.pytest_runtest_makereport(item, call)) == "report"
    assert len(config._benchmarksession.benchmarks) == 1


def test_what_was_cut_short_has_no_time() -> None:
    """At the end of a session only benchmarks whose answer was checked are left: they have told of their case."""
    whole, cut = SimpleNamespace(extra_info={"engine": "fit"}), SimpleNamespace(extra_info={})
    config = session_with(cut, whole, cut)
    session: Any = SimpleNamespace(config=config)

    assert end(suite.pytest_sessionfinish(session)) == "report"
    assert config._benchmarksession.benchmarks == [whole]
    without: Any = SimpleNamespace(config=SimpleNamespace())
    assert end(suite.pytest_sessionfinish(without)) == "report"
