"""A benchmark whose engine has a fault is refused: the real check, and engines made up for it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import bench_cold_start, bench_compile_time, bench_epoch_time, bench_time_to_accuracy
from benchmarks.harness.cases import TimedCase
from benchmarks.harness.options import SELECTION, Selection
from parabola.machine.backends import backend
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.refusal import WrongRun
from tests.made_adam import MadeEngine
from tests.suite.test_benches import NO_CONFIG, Clock

EXPERIMENT = Experiment(batch_size=333, epochs=5)
ROUNDS = 3  # after one that warms up
Change = Callable[[MadeEngine, Array], Any]


class Planted(MadeEngine):
    """One of the runs of all epochs in one piece is changed; the check before them trains in parts."""

    def __init__(self, experiment: Experiment, change: Change, number: int) -> None:
        super().__init__(experiment)
        self.change, self.number, self.whole_runs = change, number, 0

    def run(self, rows: Array) -> Array:
        self.before = self.values.copy()
        weights = super().run(rows)
        if len(rows) < self.experiment.epochs:
            return weights
        self.whole_runs += 1
        changed: Array = self.change(self, weights) if self.whole_runs == self.number else weights
        return changed


def right(engine: Any, weights: Array) -> Array:
    """Change nothing."""
    return weights


def a_last_place(engine: Any, weights: Array) -> Array:
    """Move one weight by a last place, after the third epoch."""
    weights[2, 1] = np.nextafter(weights[2, 1], np.float32(9))
    return weights


def one_row_less(engine: Any, weights: Array) -> Array:
    """Leave out the last row."""
    return weights[:-1]


def on_the_device(engine: Any, weights: Array) -> Any:
    """Return what is no NumPy array."""
    return weights.tolist()


def not_trained(engine: Any, weights: Array) -> Array:
    """Return the right weights, and leave the engine as it was before the run."""
    engine.values, engine.steps = engine.before, 0
    return weights


def half_of_the_steps(engine: Any, weights: Array) -> Array:
    """Return the right weights after half of the steps."""
    engine.steps //= 2
    return weights


def diverges(engine: Any, weights: Array) -> Array:
    """Return NaN for the last epoch, where the engine then is."""
    weights[-1] = engine.values[0] = np.nan
    return weights


def epoch_time(change: Change, number: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Time the epochs of an engine one of whose rounds is changed; return what is told of the case."""
    monkeypatch.setattr(engines, "build", lambda experiment, *, anew: Planted(experiment, change, number))
    clock = Clock([])
    bench_epoch_time.bench_epoch_time(clock, TimedCase(EXPERIMENT, ROUNDS), True, NO_CONFIG)
    return clock.extra_info


def test_a_right_engine_has_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells how many epochs were held, and that a fault would have been seen in each."""
    info = epoch_time(right, 0, monkeypatch)

    assert (info["checked_epochs"], info["telling_epochs"]) == (5, 5)
    assert 0 < info["check_seconds"] < 60
    assert "check_note" not in info


@pytest.mark.parametrize("number", range(1, ROUNDS + 2))
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (a_last_place, "after epoch 3 weight 2 of 4 is "),
        (one_row_less, "a timed round has weights of shape (4, 4), not (5, 4)"),
        (not_trained, "a timed round returned weights that it had not trained: its optimizer had taken 0 steps, of 15"),
        (half_of_the_steps, "its optimizer had taken 7 steps, of 15"),
        (diverges, "after epoch 5 weight 1 of 4 is nan in a timed round and "),
    ],
)
def test_no_round_may_be_wrong(change: Change, says: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one that warms up, not the first, not the last and none between; nothing is told of such a case."""
    with pytest.raises(WrongRun) as refused:
        epoch_time(change, number, monkeypatch)

    assert says in str(refused.value)


def test_weights_on_the_device_have_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that does not wait for the device is refused, whichever it is."""
    for number in range(1, ROUNDS + 2):
        with pytest.raises(TypeError, match="must wait for the device"):
            epoch_time(on_the_device, number, monkeypatch)


def test_a_chaotic_run_has_a_time_and_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row says that no window told anything."""
    monkeypatch.setattr("parabola.verification.window.TELLING", 0.0)

    assert epoch_time(right, 0, monkeypatch)["check_note"].startswith("chaotic: only start, completeness, ")


class TooFast(MadeEngine):
    """Its learning rate is 1 % too large."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self.right = experiment

    def run(self, rows: Array) -> Array:
        self.experiment = replace(self.right, learning_rate=1.01 * self.right.learning_rate)
        weights = super().run(rows)
        self.experiment = self.right
        return weights

    def forget(self) -> None:
        """Keep nothing."""

    def build(self) -> None:
        """Build nothing."""


class Right(TooFast):
    """Its learning rate is the one that was asked for."""

    run = MadeEngine.run


class OneOrder(Right):
    """Every epoch of a call has the order of its first; the check trains one epoch at a time where it looks."""

    def run(self, rows: Array) -> Array:
        return super().run(np.repeat(rows[:1], len(rows)))


def test_a_build_is_held_in_one_piece_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that shows in calls of several epochs alone is found."""
    monkeypatch.setattr(engines, "create", OneOrder)
    with pytest.raises(WrongRun, match=r"after epoch 2 .* in a timed round and .* in the checked run"):
        bench_compile_time.bench_compile_time(Clock([]), "compiled", "cpu", False)


@pytest.mark.parametrize("wrong", [None, 1, 2, 3])
def test_each_build_is_checked(wrong: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compile time whose first, second or third build trains wrongly is refused."""
    built = list[Any]()

    def create(experiment: Experiment) -> Any:
        built.append((TooFast if len(built) + 1 == wrong else Right)(experiment))
        return built[-1]

    monkeypatch.setattr(engines, "create", create)
    monkeypatch.setattr(engines, "build", lambda experiment: None)
    clock = Clock([])
    if wrong:
        with pytest.raises(WrongRun, match=r"after epoch 1 "):
            bench_compile_time.bench_compile_time(clock, "compiled", "cpu", True)
        assert clock.extra_info == {}
    else:
        bench_compile_time.bench_compile_time(clock, "compiled", "cpu", True)
        assert clock.extra_info["batch_size"] == 111


@pytest.mark.parametrize("wrong", [None, 1, 2, 3])
def test_each_cold_start_is_checked(wrong: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose first, second or third process trains wrongly is refused."""
    experiment = Experiment(batch_size=111, epochs=1)
    started = list[Any]()

    def run(command: Any, **options: Any) -> Any:
        started.append((TooFast if len(started) + 1 == wrong else Right)(experiment))
        weights = started[-1].run(started[-1].reset())[-1].tolist()
        return SimpleNamespace(stdout=json.dumps({"device": "cpu:0", "weights": weights}))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bench_cold_start, "peak_mebibytes", lambda command: None)
    config: Any = SimpleNamespace(stash={SELECTION: Selection()})
    clock = Clock([])
    if wrong:
        with pytest.raises(WrongRun, match=r"^compiled on cpu:0 .* after epoch 1 "):
            bench_cold_start.bench_cold_start(clock, "compiled", "cpu", True, config)
        assert clock.extra_info == {}
    else:
        bench_cold_start.bench_cold_start(clock, "compiled", "cpu", True, config)
        assert clock.extra_info["batch_size"] == 111


def test_a_time_to_accuracy_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that trains wrongly is refused before its seeds are trained."""
    asked = list[int | None]()

    class Asked(TooFast):
        """It keeps which seeds were asked for, and has a fault in every call."""

        def reset(self, seed: int | None = None) -> Array:
            asked.append(seed)
            return MadeEngine.reset(self, seed)

    class AskedInOnePiece(OneOrder):
        """It keeps which seeds were asked for, and has a fault in calls of several epochs."""

        reset = Asked.reset

    request: Any = SimpleNamespace(config=SimpleNamespace(stash={SELECTION: Selection()}))
    for engine, says in ((Asked, "after epoch 1 "), (AskedInOnePiece, "in a timed round and ")):
        asked.clear()
        monkeypatch.setattr(engines, "build", engine)
        clock = Clock([])
        again = f"benchmarks/bench_time_to_accuracy.py --benchmark-only --engine compiled --backend {backend()}"
        with pytest.raises(
            WrongRun, match=rf"batch size 111, learning rate 0.1, .* {says}.*Repeat: pytest {again} --device cpu$"
        ):
            bench_time_to_accuracy.bench_time_to_accuracy(clock, "compiled", "cpu", 111, 0.1, "111-0.1", True, request)
        assert set(asked) == {None}
        assert clock.extra_info == {}
