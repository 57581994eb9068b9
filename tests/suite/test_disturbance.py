"""`native` is timed before the first test of a session and after the last one; more than 10 % between them is told."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.harness.machine import disturbance
from benchmarks.harness.machine.disturbance import SECONDS, Disturbance
from parabola.records.record import is_disturbed
from parabola.records.schema import own_part
from parabola.training import engines


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(2.0, 2.199, False), (2.0, 2.201, True), (2.201, 2.0, True), (2.199, 2.0, False), (1.0, 1.0, False)],
)
def test_more_than_a_tenth_of_the_smaller_is_disturbed(first: float, last: float, said: bool) -> None:
    """Whether the machine was slower at the session's end or at its beginning."""
    assert is_disturbed(first, last) is said


def session_of(stash: dict[Any, Any], **of: Any) -> Any:
    option = SimpleNamespace(collectonly=of.pop("collectonly", False))
    return SimpleNamespace(items=["a"], config=SimpleNamespace(stash=stash, option=option), **of)


def test_native_is_timed_first_and_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first test one time is known, after the last one both are."""
    times = iter((3e-6, 4e-6))
    monkeypatch.setattr(disturbance, "native_seconds", lambda: next(times))
    stash: dict[Any, Any] = {SECONDS: []}
    loop = Disturbance().pytest_runtestloop(session_of(stash))
    next(loop)
    assert stash[SECONDS] == [3e-6]
    with pytest.raises(StopIteration) as end:
        loop.send("result")

    assert (stash[SECONDS], end.value.value) == ([3e-6, 4e-6], "result")
    assert disturbance.lines(SimpleNamespace(stash=stash)) == [  # type: ignore[arg-type]
        "disturbed: native took 3 µs an epoch before the first test and 4 µs after the last one"
    ]
    assert disturbance.lines(SimpleNamespace(stash={SECONDS: [3e-6]})) == []  # type: ignore[arg-type]
    assert disturbance.lines(SimpleNamespace(stash={SECONDS: [3e-6, 3.2e-6]})) == []  # type: ignore[arg-type]


def test_nothing_is_timed_where_no_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that only collects has neither time."""
    monkeypatch.setattr(disturbance, "native_seconds", lambda: 1 / 0)
    stash: dict[Any, Any] = {SECONDS: []}
    loop = Disturbance().pytest_runtestloop(session_of(stash, collectonly=True))
    next(loop)
    with pytest.raises(StopIteration):
        loop.send(True)

    assert stash[SECONDS] == []


def test_an_epochs_seconds_are_the_median_run_divided_by_its_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building and fresh weights are outside the clock; one slow run of fifteen changes nothing."""
    ticks = iter([tick for run in range(15) for tick in (100.0 * run, 100.0 * run + (99 if run == 4 else 9.99))])
    engine = SimpleNamespace(reset=lambda: "rows", run=lambda rows: rows)
    monkeypatch.setattr(engines, "build", lambda experiment: engine)
    monkeypatch.setattr("benchmarks.harness.machine.disturbance.time.perf_counter", lambda: next(ticks))

    assert disturbance.native_seconds() == pytest.approx(0.01)


def test_a_side_of_a_comparison_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be timed while the other side's rounds are; any other session is watched where native is there."""
    registered = list[str]()
    manager = SimpleNamespace(register=lambda plugin, name: registered.append(name))
    config: Any = SimpleNamespace(stash={}, pluginmanager=manager)
    monkeypatch.setenv("PARABOLA_SIDE", "base")
    disturbance.watch(config)
    assert (registered, config.stash) == ([], {SECONDS: []})
    monkeypatch.delenv("PARABOLA_SIDE")
    disturbance.watch(config)
    assert registered == ["parabola-disturbance"]
    monkeypatch.setattr(engines, "missing", lambda name: f"{name} is not there")
    disturbance.watch(config)
    assert len(registered) == 1


@pytest.mark.parametrize(
    ("native", "part"),
    [((), None), ((1.0,), {"first_seconds": 1.0}), ((1.0, 2.0), {"first_seconds": 1.0, "last_seconds": 2.0})],
)
def test_a_record_has_the_times_that_are_known(native: tuple[float, ...], part: dict[str, float] | None) -> None:
    """A session that was cut short has the first one alone."""
    assert own_part({}, (), 1, 1, (), native).get("native") == part
