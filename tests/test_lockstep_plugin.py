"""What a side's pytest does, called here with a scripted conductor, fake clocks and what stands in for a suite."""

import importlib.util
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from parabola.tracking.lockstep import CONTROL, PLUGIN

Load = Callable[..., Any]
CASE = "test_it.py::test_case[a-b]"


class Exited(Exception):
    """What stands in for the end of the process."""


class Conductor:
    """The conversation, as it went: what the plugin said and heard, and what a test adds of its own doing."""

    def __init__(self, answers: list[dict[str, Any]] | None = None) -> None:
        self.journal, self.answers = list[Any](), answers or []

    def say(self, kind: str, **message: Any) -> None:
        self.journal.append((kind, message))

    def hear(self) -> dict[str, Any]:
        self.journal.append("hear")
        return self.answers.pop(0) if self.answers else {"go": True}


class Clock:
    """Seconds that pass only when somebody works or looks."""

    def __init__(self, per_look: float = 0.0) -> None:
        self.now, self.per_look = 10.0, per_look

    def perf_counter(self) -> float:
        self.now += self.per_look
        return self.now


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return what imports the plugin afresh, as a side's pytest does; the other end of its line is `conductor`."""
    opened = list[Any]()
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None, raising=False)  # these are this process' own

    def exits(code: int) -> None:
        raise Exited(code)

    def made(cores: tuple[int, ...] = (), conductor: Conductor | None = None) -> Any:
        ours, theirs = socket.socketpair()
        os.set_inheritable(theirs.fileno(), True)
        folders = {"elsewhere": str(tmp_path / "elsewhere"), "scratch": str(tmp_path / "elsewhere/scratch")}
        given = {"socket": theirs.detach(), "cores": list(cores), **folders}
        monkeypatch.setenv("LOCKSTEP", json.dumps(given))
        spec = importlib.util.spec_from_file_location("lockstep_plugin", PLUGIN)
        assert spec is not None
        assert spec.loader is not None
        plugin: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(plugin)
        plugin.conductor = ours
        opened.extend([ours, plugin.line.file, plugin.line.socket])
        monkeypatch.setattr("os._exit", exits)
        if conductor:
            plugin.line = conductor
        return plugin

    yield made
    for one in opened:
        one.close()


def fixture(plugin: Any, clock: Clock, disabled: bool = False) -> BenchmarkFixture:
    """Return a benchmark fixture as pytest-benchmark makes it, with this clock, as the plugin hands it to a test."""
    made = BenchmarkFixture(
        SimpleNamespace(name="test_case[a-b]", nodeid=CASE),
        disable_gc=False,
        timer=SimpleNamespace(target=clock.perf_counter),
        min_rounds=1,
        min_time=1.0,
        max_time=1.0,
        precision=None,
        confidence=None,
        warmup=False,
        warmup_iterations=0,
        calibration_precision=1,
        add_stats=lambda stats: None,
        logger=None,
        warner=None,
        disabled=disabled,
        cprofile=False,
        cprofile_loops=None,
        cprofile_dump=None,
    )
    return set_up(plugin, made)


def set_up(plugin: Any, value: Any) -> Any:
    """Return what a fixture becomes in the plugin's hands."""
    hook = plugin.pytest_fixture_setup(fixturedef=None)
    next(hook)
    with pytest.raises(StopIteration) as end:
        hook.send(value)
    return end.value.value


def pytest_with(*plugins: Any) -> Any:
    """Return pytest's hooks with these plugins; where no mark decides, the last one is called first."""
    manager = pytest.PytestPluginManager()
    for plugin in plugins:
        manager.register(plugin)
    return manager.hook


def test_both_ends_call_the_control_the_same(load: Load) -> None:
    """The conductor, which cannot import the plugin, has a name of its own for it."""
    assert load().CONTROL == CONTROL == "control"


@pytest.mark.parametrize("cores", [(3, 1), ()])
def test_cores_are_chosen_before_anything_else(
    cores: tuple[int, ...], load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process runs on the cores that are given, or on any if there are none or the system has no such choice."""
    chosen = list[Any]()
    monkeypatch.setattr("os.sched_setaffinity", lambda *arguments: chosen.append(arguments))
    load(cores)
    monkeypatch.delattr("os.sched_setaffinity")
    load(cores)

    assert chosen == ([(0, [3, 1])] if cores else [])


def test_the_line_is_json_a_line(load: Load) -> None:
    """Each message is a JSON object on a line, NumPy's numbers included; what a suite starts inherits no socket."""
    plugin = load()
    values = {"scalar": np.float32(0.5), "one": np.array([7]), "two": np.array([1, 2]), "path": Path("a/ä")}
    plugin.line.say("finished", case="a.py::ä", values=values, flag=np.bool_(True))
    plugin.line.say("passed")
    plugin.conductor.sendall(b'{"go": true}\n{"iterations": 3}\n')

    first, second, rest = plugin.conductor.recv(1 << 16).split(b"\n")
    assert json.loads(first) == {
        "kind": "finished",
        "case": "a.py::ä",
        "values": {"scalar": 0.5, "one": 7, "two": "[1 2]", "path": "a/ä"},
        "flag": True,
    }
    assert (json.loads(second), rest) == ({"kind": "passed"}, b"")
    assert [plugin.line.hear(), plugin.line.hear()] == [{"go": True}, {"iterations": 3}]
    assert not plugin.line.socket.get_inheritable()


def test_what_json_can_hold(load: Load) -> None:
    """A scalar of any library becomes its number, and all else becomes what it prints as."""
    plugin = load()
    sized = SimpleNamespace(item=lambda: 5, size=2)

    assert plugin.plain(SimpleNamespace(item=lambda: 5)) == 5
    assert plugin.plain(sized) == str(sized)
    assert plugin.plain({1}) == "{1}"


def test_a_process_whose_conductor_is_gone_ends(load: Load) -> None:
    """Exit code 70 ends it when it listens, when it speaks, and when the line was cut with words unread."""
    plugin = load()
    plugin.conductor.close()
    with pytest.raises(Exited) as listening:
        plugin.line.hear()
    with pytest.raises(Exited) as speaking:
        plugin.line.say("passed")
    cut = load()
    cut.line.say("passed")
    cut.conductor.close()  # with words in it that nobody has read
    with pytest.raises(Exited) as listening_to_nothing:
        cut.line.hear()
    fresh, _unused = socket.socketpair()
    with fresh, _unused:  # so that what was written can be flushed
        os.dup2(fresh.fileno(), plugin.line.socket.fileno())
        plugin.line.file.close()

    assert [one.value.args for one in (listening, speaking, listening_to_nothing)] == [(70,)] * 3


def test_extra_work_is_a_share_of_the_time_that_the_target_took(load: Load) -> None:
    """A slowed target works on for a share of its own time, and keeps its arguments and result."""
    plugin, clock = load(), Clock(per_look=1 / 1024)
    plugin.time = clock

    def target(*args: int, **kwargs: int) -> tuple[Any, ...]:
        clock.now += 1.0
        return args, kwargs

    start = clock.now
    assert plugin.slowed(target, 0.5)(1, 2, more=3) == ((1, 2), {"more": 3})
    assert clock.now - start == pytest.approx(1.5, abs=0.01)
    start = clock.now
    plugin.slowed(target, 3.0)()
    assert clock.now - start == pytest.approx(4.0, abs=0.02)
    start = clock.now
    plugin.slowed(target, 0.0)()
    assert clock.now - start == pytest.approx(1.0, abs=0.01)


def test_repeated_calls(load: Load) -> None:
    """The target is called as often as asked for with the same arguments, and the last result is returned."""
    calls = list[Any]()

    def target(*args: int, **kwargs: int) -> int:
        calls.append((args, kwargs))
        return len(calls)

    assert load().repeated(target, 3)(1, more=2) == 3
    assert calls == [((1,), {"more": 2})] * 3


@pytest.mark.parametrize(
    ("seconds", "calls", "iterations"),
    [
        (0.003, 1 + 2, 3),  # 6 ms, of which 10 ms are 3.3
        (0.001, 1 + 2 + 4 + 8, 10),
        (0.0004, 1 + 2 + 4 + 8 + 16, 25),
        (0.006, 1, 2),  # 1.7
        (0.015, 1, 1),  # 0.7
        (0.5, 1, 1),  # 0.02, but there is no round without a call
    ],
)
def test_calibration(seconds: float, calls: int, iterations: int, load: Load) -> None:
    """A round lasts about 10 ms, which the first trial of at least 5 ms decides."""
    plugin, clock = load(), Clock()
    plugin.time = clock
    made = list[int]()

    def target() -> None:
        made.append(1)
        clock.now += seconds

    assert plugin.calibrate(target) == iterations
    assert len(made) == calls


def test_calibration_judges_by_half_a_round_at_least(load: Load) -> None:
    """A trial of exactly half a round's time is the last one."""
    plugin, clock = load(), Clock()
    plugin.time, plugin.PLAIN_SECONDS = clock, 0.25
    made = list[int]()

    def target() -> None:
        made.append(1)
        clock.now += 0.125

    assert plugin.calibrate(target) == 2
    assert len(made) == 1


def test_a_pedantic_case_takes_turns(load: Load) -> None:
    """Set-up, target and tear-down are within the turn, and only the target is inside the clock."""
    conductor, clock = Conductor(), Clock()
    plugin = load(conductor=conductor)
    benchmark, journal = fixture(plugin, clock), conductor.journal

    def setup() -> tuple[Any, ...]:
        clock.now += 8.0
        journal.append("setup")
        return (1,), {"more": len(journal)}

    def target(one: int, more: int) -> int:
        clock.now += 0.25 * journal.count("setup")
        journal.append("target")
        return more

    def teardown(one: int, more: int) -> None:
        clock.now += 16.0
        journal.append(f"teardown {one}")

    result = benchmark.pedantic(target, setup=setup, teardown=teardown, rounds=2, warmup_rounds=1)
    turn: list[Any] = ["hear", "setup", "target", "teardown 1", ("passed", {})]

    assert journal == [("ready", {"case": CASE, "rounds": 2, "warmup_rounds": 1}), *turn * 3, "hear"]
    assert list(benchmark.stats.stats.data) == [0.5, 0.75]
    assert result == 13
    assert plugin.measured == {CASE: benchmark}


def test_a_pedantic_case_by_default(load: Load) -> None:
    """By default there is one round of one call and none to warm up; the target gets its arguments."""
    conductor, clock = Conductor(), Clock()
    benchmark = fixture(load(conductor=conductor), clock)

    assert benchmark.pedantic(lambda *args, **kwargs: (args, kwargs), (1, 2), {"more": 3}) == ((1, 2), {"more": 3})
    assert conductor.journal == [
        ("ready", {"case": CASE, "rounds": 1, "warmup_rounds": 0}),
        "hear",
        ("passed", {}),
        "hear",
    ]


def test_iterations_are_called_in_one_turn(load: Load) -> None:
    """All calls of a round are in one turn, the seconds are those of one call, and the last result is returned."""
    conductor, clock = Conductor(), Clock()
    benchmark = fixture(load(conductor=conductor), clock)

    def target() -> float:
        conductor.journal.append("target")
        clock.now += 0.25
        return clock.now

    result = benchmark.pedantic(target, rounds=2, iterations=3)
    turn: list[Any] = ["hear", "target", "target", "target", ("passed", {})]

    assert conductor.journal == [("ready", {"case": CASE, "rounds": 2, "warmup_rounds": 0}), *turn * 2, "hear"]
    assert list(benchmark.stats.stats.data) == [0.25, 0.25]
    assert benchmark.stats.iterations == 3
    assert result == 11.5


def test_two_iterations_are_the_fewest_that_are_repeated(load: Load) -> None:
    """Two iterations are one round of two calls, whose time is halved."""
    conductor, clock = Conductor(), Clock()
    benchmark, calls = fixture(load(conductor=conductor), clock), list[int]()

    def target() -> None:
        clock.now += 0.5
        calls.append(1)

    benchmark.pedantic(target, iterations=2)

    assert len(calls) == 2
    assert list(benchmark.stats.stats.data) == [0.5]


def test_a_plain_case_is_calibrated_with_the_other_side(load: Load) -> None:
    """It finds three calls a round in its turn, and makes the four that the conductor names, after one to warm up."""
    conductor, clock = Conductor([{"go": True}, {"iterations": 4}]), Clock()
    plugin = load(conductor=conductor)
    plugin.time = clock
    benchmark = fixture(plugin, clock)

    def target(one: int, more: int) -> int:
        conductor.journal.append("target")
        clock.now += 0.003
        return one + more

    result = benchmark(target, 1, more=2)
    turn: list[Any] = ["hear", "target", "target", "target", "target", ("passed", {})]

    assert conductor.journal == [
        ("calibrate", {"case": CASE}),
        "hear",
        *["target"] * 3,
        ("calibrated", {"iterations": 3}),
        "hear",
        ("ready", {"case": CASE, "rounds": 10, "warmup_rounds": 1}),
        *turn * 11,
        "hear",
    ]
    assert list(benchmark.stats.stats.data) == pytest.approx([0.003] * 10)
    assert result == 3


def test_a_slowdown_is_planted_in_the_case_that_is_named(load: Load) -> None:
    """The named case takes half as long again, and another case takes what it took."""
    conductor, clock = Conductor(), Clock(per_look=1 / 4096)
    plugin = load(conductor=conductor)
    plugin.time = clock

    def target() -> None:
        clock.now += 1.0

    taken = {}
    for name in (CASE, "test_it.py::other"):
        plugin.slower.clear()
        plugin.slower[name] = 0.5
        benchmark = fixture(plugin, clock)
        benchmark.pedantic(target, iterations=2)
        (taken[name],) = benchmark.stats.stats.data

    assert taken[CASE] == pytest.approx(1.5, abs=0.01)
    assert taken["test_it.py::other"] == pytest.approx(1.0, abs=0.01)


def test_a_disabled_benchmark_is_called_once_and_says_nothing(load: Load) -> None:
    """A disabled fixture calls the target once with all that it was given, as pytest-benchmark does."""
    conductor = Conductor()
    plugin, calls = load(conductor=conductor), list[Any]()

    def target(*args: Any, **kwargs: Any) -> int:
        calls.append((args, kwargs))
        return len(calls)

    assert fixture(plugin, Clock(), disabled=True)(target, 1, more=2) == 1
    assert fixture(plugin, Clock(), disabled=True).pedantic(target, (3,), {"more": 4}, rounds=5) == 2
    made = fixture(plugin, Clock(), disabled=True)
    assert made.pedantic(target, setup=lambda: ((5,), {"more": 6}), warmup_rounds=2) == 3
    assert calls == [((1,), {"more": 2}), ((3,), {"more": 4}), ((5,), {"more": 6})]
    assert conductor.journal == []


def test_a_setup_with_iterations_is_pytest_benchmarks_error(load: Load) -> None:
    """The error comes in pytest-benchmark's words, before the conductor is told anything."""
    conductor = Conductor()
    benchmark = fixture(load(conductor=conductor), Clock())

    with pytest.raises(ValueError, match=r"^Can't use more than 1 `iterations` with a `setup` function\.$"):
        benchmark.pedantic(print, setup=lambda: None, iterations=2)
    assert conductor.journal == []


def test_only_pytest_benchmarks_own_fixture_is_changed(load: Load) -> None:
    """Another fixture's value and a subclass' object are handed on as they are."""
    plugin = load(conductor=Conductor())

    class Other(BenchmarkFixture):  # type: ignore[misc]
        """Somebody's own."""

    other = Other.__new__(Other)
    assert type(fixture(plugin, Clock())) is plugin.LockedBenchmark
    assert set_up(plugin, other) is other
    assert type(other) is Other
    assert set_up(plugin, None) is None


def test_the_control(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hashes 8 MiB in each of 22 rounds, of which the first two are not kept, and is slowed where that is asked."""
    conductor, clock = Conductor(), Clock()
    plugin, hashed = load(conductor=conductor), list[int]()

    def sha256(block: bytes) -> Any:
        hashed.append(len(block))
        clock.now += len(hashed) / (1 << 20)
        return SimpleNamespace(digest=lambda: conductor.journal.append("hash") if len(hashed) % 128 == 1 else None)

    monkeypatch.setattr(plugin, "time", clock)
    monkeypatch.setattr(plugin, "hashlib", SimpleNamespace(sha256=sha256))
    plugin.slower["control of another name"] = 1.0
    plugin.run_control()
    kind, message = conductor.journal.pop()
    rounds = [sum(range(128 * i + 1, 128 * i + 129)) / (1 << 20) for i in range(22)]

    assert hashed == [65536] * 128 * 22
    assert conductor.journal == [
        ("ready", {"case": "control", "rounds": 20, "warmup_rounds": 2}),
        *["hear", "hash", ("passed", {})] * 22,
        "hear",
    ]
    assert kind == "finished"
    assert message == {"case": "control", "seconds": rounds[2:], "extra_info": {}}


def test_the_control_is_slowed_where_that_is_asked(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the work more makes the control take three times as long."""
    conductor, clock = Conductor(), Clock(per_look=1 / 4096)
    plugin = load(conductor=conductor)

    def sha256(block: bytes) -> Any:
        clock.now += 1 / 128
        return SimpleNamespace(digest=lambda: None)

    monkeypatch.setattr(plugin, "time", clock)
    monkeypatch.setattr(plugin, "hashlib", SimpleNamespace(sha256=sha256))
    plugin.slower["control"] = 2.0
    plugin.CONTROL_ROUNDS = 3
    plugin.run_control()

    assert conductor.journal[-1][1]["seconds"] == pytest.approx([3.0] * 3, abs=0.02)


@pytest.mark.parametrize("option", ["numprocesses", "benchmark_cprofile"])
def test_options_that_cannot_be_compared_with(option: str, load: Load) -> None:
    """The option is named; one that is not set, or not known, is no hindrance."""
    plugin = load()
    missing: Any = SimpleNamespace(getoption=lambda name, default: default)
    unset: Any = SimpleNamespace(getoption=lambda name, default: 0)
    asked: Any = SimpleNamespace(getoption=lambda name, default: 2 if name == option else default)
    plugin.pytest_configure(missing)
    plugin.pytest_configure(unset)

    with pytest.raises(pytest.UsageError) as failure:
        plugin.pytest_configure(asked)

    assert str(failure.value) == f"two commits cannot be compared with {option}: leave it out"


def test_the_conductor_chooses_of_what_is_left_of_the_benchmarks(load: Load) -> None:
    """Benchmarks that no other plugin deselects are offered, and those that the conductor names run in its order."""
    conductor = Conductor([{"run": ["c", "a"], "slower": {"c": 0.25, "control": 0.5}}])
    plugin = load(conductor=conductor)
    fixtures = {"a": ["benchmark"], "b": ["tmp_path", "benchmark"], "c": ["benchmark"], "d": [], "-k": ["benchmark"]}
    items = [SimpleNamespace(nodeid=name, fixturenames=names) for name, names in fixtures.items()]
    items.insert(2, SimpleNamespace(nodeid="a doctest"))

    class Deselecting:
        """As `-k` does."""

        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items.pop()

    hooks = pytest_with(Deselecting(), plugin)
    hooks.pytest_collection_modifyitems(session=None, config=None, items=items)

    assert conductor.journal == [("collected", {"cases": ["a", "b", "c"]}), "hear"]
    assert [item.nodeid for item in items] == ["c", "a"]
    assert plugin.slower == {"c": 0.25, "control": 0.5}


def test_the_control_comes_first(load: Load) -> None:
    """The control runs before the loop over the tests, whose result is handed on, as is the fixture that is changed."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    plugin.run_control = lambda: conductor.journal.append("control")
    made = BenchmarkFixture.__new__(BenchmarkFixture)

    class Loop:
        """As pytest's own."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self) -> int:
            conductor.journal.append("tests")
            return 7

        @pytest.hookimpl(tryfirst=True)
        def pytest_fixture_setup(self) -> Any:
            return made

    manager = pytest_with(plugin, Loop())

    assert manager.pytest_runtestloop(session=None) == 7
    assert conductor.journal == ["control", "tests"]
    assert manager.pytest_fixture_setup(fixturedef=None, request=None) is made
    assert type(made) is plugin.LockedBenchmark


def report(outcome: str, when: str, longrepr: Any = None) -> Any:
    return pytest.TestReport(CASE, ("test_it.py", 3, "test_case"), {}, outcome, longrepr, when)  # type: ignore[arg-type]


def raised(message: str) -> Any:
    """Return what pytest makes of an exception."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return pytest.ExceptionInfo.from_exception(error).getrepr()


@pytest.mark.parametrize(
    ("longrepr", "why"),
    [
        (raised("no such luck\n  and more of it"), "ValueError: no such luck"),
        (raised("\n  late\nlast"), "ValueError:"),
        ("\nheading\n\n  E   ImportError: nowhere  \n \n", "E   ImportError: nowhere"),
        ("  only  ", "only"),
        (" \n\n ", "no reason given"),
        (None, "no reason given"),
    ],
)
def test_why_a_report_failed(longrepr: Any, why: str, load: Load) -> None:
    """The reason is the first line of an exception, or else the last line that says anything."""
    assert load().reason(report("failed", "call", longrepr)) == why


def test_a_failure_is_told(load: Load) -> None:
    """A failure in set-up, call, tear-down or collecting is told, and what passes or skips is not."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    for when in ("setup", "call", "teardown"):
        for outcome in ("failed", "passed", "skipped"):
            plugin.pytest_runtest_logreport(report(outcome, when, f"{when} is why"))
    for outcome in ("failed", "passed"):
        plugin.pytest_collectreport(pytest.CollectReport("test_it.py", outcome, "is why", []))  # type: ignore[arg-type]

    whys = [("setup is why", CASE), ("call is why", CASE), ("teardown is why", CASE), ("is why", "test_it.py")]
    assert conductor.journal == [("failed", {"case": case, "why": why}) for why, case in whys]


def test_what_a_case_took_is_told_once_its_test_has_passed(load: Load) -> None:
    """The seconds are told once, after the call of a case that has any; a failure after the rounds replaces them."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    data = SimpleNamespace(stats=SimpleNamespace(stats=SimpleNamespace(data=(0.5, 0.25))), extra_info={"passed": True})
    plugin.pytest_runtest_logreport(report("passed", "call"))
    plugin.measured[CASE] = data
    plugin.pytest_runtest_logreport(report("passed", "setup"))
    assert conductor.journal == []
    plugin.pytest_runtest_logreport(report("passed", "call"))
    plugin.pytest_runtest_logreport(report("passed", "teardown"))
    plugin.pytest_runtest_logreport(report("passed", "call"))

    assert conductor.journal == [("finished", {"case": CASE, "seconds": [0.5, 0.25], "extra_info": {"passed": True}})]
    plugin.measured[CASE] = data
    plugin.pytest_runtest_logreport(report("failed", "call", "after the rounds"))
    assert conductor.journal[1:] == [("failed", {"case": CASE, "why": "after the rounds"})]


def test_strangers(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers are modules of the repository itself, and installed ones that the side's own tree has a package of."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    elsewhere, prefix = tmp_path / "elsewhere", tmp_path / "elsewhere/venv"
    here = elsewhere / "scratch/head"
    (tmp_path / "link").symlink_to("elsewhere")
    for package in ("one", "src/two", "src/deep/three", "src/deep/deeper/four", "one/inner", "src/two/inner2"):
        (here / package).mkdir(parents=True)
        (here / package / "__init__.py").touch()
    files: dict[str, object] = {
        "ours": here / "one/__init__.py",
        "repositorys": elsewhere / "src/thing.py",
        "linked": tmp_path / "link/other.py",
        "of_the_launch": elsewhere / "scratch/launch-1/plugin/lockstep_plugin.py",
        "one": prefix / "lib/one/__init__.py",
        "two": prefix / "lib/two/__init__.py",
        "three": prefix / "lib/three/__init__.py",
        "four": prefix / "lib/four/__init__.py",
        "inner": prefix / "lib/inner/__init__.py",
        "inner2": prefix / "lib/inner2/__init__.py",
        "numpy_of_the_side": prefix / "lib/numpy_of_the_side/__init__.py",
        "of_nobody": tmp_path / "library/of_nobody.py",
        "elsewhere_itself": elsewhere,
        "builtin": None,
        "odd": 5,
    }
    for name, file in files.items():
        module = ModuleType(name)
        module.__file__ = str(file) if isinstance(file, Path) else file  # type: ignore[assignment]
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "without_a_file", SimpleNamespace())
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "link/venv"))
    session: Any = SimpleNamespace(config=SimpleNamespace(rootpath=tmp_path / "link/scratch/head"))
    plugin.pytest_sessionfinish(session)
    (said,) = conductor.journal

    assert said == (
        "ended",
        {
            "strangers": {
                "repositorys": f"{elsewhere}/src/thing.py",
                "linked": f"{elsewhere}/other.py",
                "one": f"{prefix}/lib/one/__init__.py",
                "two": f"{prefix}/lib/two/__init__.py",
                "three": f"{prefix}/lib/three/__init__.py",
            }
        },
    )
    assert next(iter(said[1]["strangers"])) == "repositorys"
