"""Rounds in a side's pytest: they wait for their turn, and only the target is inside the clock."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture, FixtureAlreadyUsed

from tests.scripted_conductor import Clock, Conductor, Load, loading

CASE = "test_it.py::test_case[a-b]"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return what imports the plugin afresh."""
    with loading(tmp_path, monkeypatch) as made:
        yield made


def fixture(plugin: Any, clock: Clock, disabled: bool = False) -> BenchmarkFixture:
    """Return a benchmark fixture as pytest-benchmark makes it, with this clock, as the plugin hands it to a test."""
    made = BenchmarkFixture(
        SimpleNamespace(name="test_case[a-b]", nodeid=CASE, _nodeid=CASE),
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


def test_extra_work_is_a_share_of_the_time_that_the_target_took(load: Load) -> None:
    """A slowed target works on for a share of its own time, and keeps its arguments and result."""
    plugin, clock = load(), Clock(per_look=1 / 1024)
    plugin.work.time = clock

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


@pytest.mark.parametrize(("seconds", "calls"), [(0.003, 1 + 2), (0.0004, 1 + 2 + 4 + 8 + 16), (0.005, 1), (0.5, 1)])
def test_calibration(seconds: float, calls: int, load: Load) -> None:
    """A call's time is that of the first trial of at least 5 ms, each of twice as many calls as the one before."""
    plugin, clock = load(), Clock()
    plugin.work.time = clock
    made = list[int]()

    def target() -> None:
        made.append(1)
        clock.now += seconds

    assert plugin.calibrate(target) == pytest.approx(seconds)
    assert len(made) == calls


@pytest.mark.parametrize(
    ("seconds", "iterations", "rounds"),
    [
        (0.00003, 33, 100),
        (0.0003, 3, 100),  # 111 would be 0.1 s
        (0.0006, 2, 83),  # 1.7 calls
        (0.0015, 1, 67),
        (0.009, 1, 11),
        (0.02, 1, 10),  # fewer say too little
        (5, 1, 10),
    ],
)
def test_rounds_of_a_plain_case(seconds: float, iterations: int, rounds: int, load: Load) -> None:
    """A round lasts about 1 ms and a case about 0.1 s, where calls are short; there are 10 to 100 rounds."""
    plugin = load()

    assert plugin.plain_iterations(seconds) == iterations
    assert plugin.plain_rounds(iterations * seconds) == rounds


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
    """A plain case finds three calls a round in its turn, and makes the fifteen that the conductor names."""
    conductor, clock = Conductor([{"go": True}, {"iterations": 15}]), Clock()
    plugin = load(conductor=conductor)
    plugin.work.time = clock
    benchmark = fixture(plugin, clock)

    def target(one: int, more: int) -> int:
        conductor.journal.append("target")
        clock.now += 0.0003
        return one + more

    result = benchmark(target, 1, more=2)
    turn: list[Any] = ["hear", *["target"] * 15, ("passed", {})]

    assert conductor.journal == [
        ("calibrate", {"case": CASE}),
        "hear",
        *["target"] * (1 + 2 + 4 + 8 + 16 + 32),
        ("calibrated", {"iterations": 3}),
        "hear",
        ("ready", {"case": CASE, "rounds": 22, "warmup_rounds": 1}),
        *turn * 23,
        "hear",
    ]
    assert list(benchmark.stats.stats.data) == pytest.approx([0.0003] * 22)
    assert result == 3


def test_a_slowdown_is_planted_in_the_case_that_is_named(load: Load) -> None:
    """The named case takes half as long again, and another case takes what it took."""
    conductor, clock = Conductor(), Clock(per_look=1 / 4096)
    plugin = load(conductor=conductor)
    plugin.work.time = clock

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


@pytest.mark.parametrize("plain", [True, False])
def test_a_second_use_is_pytest_benchmarks_error(plain: bool, load: Load) -> None:
    """A fixture is for one benchmark: the error comes in pytest-benchmark's words, and the conductor hears no more."""
    conductor = Conductor()
    benchmark = fixture(load(conductor=conductor), Clock())
    benchmark.pedantic(int)
    conductor.journal.clear()

    with pytest.raises(FixtureAlreadyUsed, match="Fixture can only be used once"):
        benchmark(int) if plain else benchmark.pedantic(int)
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
    """The control hashes 768 KiB in each of 202 rounds, of which the first two are not kept."""
    conductor, clock = Conductor(), Clock()
    plugin, hashed = load(conductor=conductor), list[int]()

    def sha256(block: bytes) -> Any:
        hashed.append(len(block))
        clock.now += len(hashed) / (1 << 20)
        return SimpleNamespace(digest=lambda: conductor.journal.append("hash") if len(hashed) % 12 == 1 else None)

    monkeypatch.setattr(plugin, "time", clock)
    monkeypatch.setattr(plugin.work, "hashlib", SimpleNamespace(sha256=sha256))
    plugin.slower["control of another name"] = 1.0
    plugin.run_control()
    kind, message = conductor.journal.pop()
    rounds = [sum(range(12 * i + 1, 12 * i + 13)) / (1 << 20) for i in range(202)]

    assert hashed == [65536] * 12 * 202
    assert conductor.journal == [
        ("ready", {"case": "control", "rounds": 200, "warmup_rounds": 2}),
        *["hear", "hash", ("passed", {})] * 202,
        "hear",
    ]
    assert kind == "finished"
    assert message == {"case": "control", "seconds": rounds[2:], "extra_info": {}}


def test_the_control_is_slowed_where_that_is_asked(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the work more makes the control take three times as long."""
    conductor, clock = Conductor(), Clock(per_look=1 / 4096)
    plugin = load(conductor=conductor)

    def sha256(block: bytes) -> Any:
        clock.now += 1 / 12
        return SimpleNamespace(digest=lambda: None)

    monkeypatch.setattr(plugin, "time", clock)
    monkeypatch.setattr(plugin.work, "time", clock)
    monkeypatch.setattr(plugin.work, "hashlib", SimpleNamespace(sha256=sha256))
    plugin.slower["control"] = 2.0
    plugin.CONTROL_ROUNDS = 3
    plugin.run_control()

    assert conductor.journal[-1][1]["seconds"] == pytest.approx([3.0] * 3, abs=0.02)
