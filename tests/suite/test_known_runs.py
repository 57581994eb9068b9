"""A run that an earlier launch of a comparison found to be right is not checked again, and no other run is spared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import known_runs
from benchmarks.harness.known_runs import checked_run
from parabola.training import engines
from parabola.training.engines.native import NativeEngine
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.check import Check, check_run
from parabola.verification.refusal import WrongRun

EXPERIMENT = Experiment(engine="native", batch_size=111, epochs=40)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Return the checks that are made, in their order."""
    made = list[Check]()

    def check(engine: Any) -> Check:
        made.append(check_run(engine))
        return made[-1]

    monkeypatch.setattr(known_runs, "check_run", check)
    monkeypatch.delenv("PARABOLA_FOLDER", raising=False)
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that a comparison keeps for the side which this process is."""
    monkeypatch.setenv("PARABOLA_FOLDER", str(tmp_path))
    return tmp_path


def built(experiment: Experiment = EXPERIMENT) -> engines.Engine:
    return engines.build(experiment)


def test_outside_of_a_comparison_every_run_is_checked(checks: list[Check]) -> None:
    """And nothing is kept, since there is no folder to keep it in."""
    engine = built()

    assert [checked_run(engine), checked_run(engine)] == checks
    assert len(checks) == 2


def test_a_later_launch_takes_the_same_bits_for_right(checks: list[Check], folder: Path) -> None:
    """What it knows of the run is what the check has found, and training it once is all that it does."""
    first = checked_run(built())
    again = checked_run(built())  # as a process of a later launch builds it anew

    assert checks == [first]
    assert len(list(folder.iterdir())) == 1
    assert again.fit.weights.tobytes() == first.fit.weights.tobytes()
    assert again.end.weights.tobytes() == first.end.weights.tobytes()
    assert again.end.steps == first.end.steps == 360
    told = ("subject", "windows", "telling", "alone", "note")
    assert [getattr(again, name) for name in told] == [getattr(first, name) for name in told]
    assert again.windows == 16
    assert again.telling > 0
    assert again.fit.verdict == first.fit.verdict
    assert 0 < again.seconds < 60


def test_rounds_are_held_to_the_bits_of_a_known_run(checks: list[Check], folder: Path) -> None:
    """A round with these bits passes; one whose last bit of one weight of one epoch differs has no time."""
    engine = built()
    checked_run(engine)
    known = checked_run(engine)
    weights = engine.run(engine.reset())
    known.hold(weights, engine.state())
    weights[20, 1] = np.nextafter(weights[20, 1], np.float32(9))

    with pytest.raises(WrongRun, match="after epoch 21 weight 2 of 4 is"):
        known.hold(weights, engine.state())
    assert len(checks) == 1


def test_a_wrong_run_of_a_later_launch_is_refused(
    checks: list[Check], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has not the bits of the right one, so it is checked, fails, and leaves nothing that would spare the next."""
    checked_run(built())
    load = NativeEngine.load
    monkeypatch.setattr(NativeEngine, "load", lambda engine, weights, rate: load(engine, weights, 1.05 * rate))
    there = sorted(folder.iterdir())

    for _ in range(2):
        with pytest.raises(WrongRun, match="after epoch 1 "):
            checked_run(built())
    assert sorted(folder.iterdir()) == there
    assert len(checks) == 1


@pytest.mark.parametrize(
    "changed",
    [{"learning_rate": 0.0011}, {"batch_size": 112}, {"seed": 8}, {"epochs": 41}],
    ids=lambda one: next(iter(one)),
)
def test_another_run_is_checked_itself(changed: dict[str, Any], checks: list[Check], folder: Path) -> None:
    """Runs of other inputs know nothing of each other, and each is known afterwards."""
    other = replace(EXPERIMENT, **changed)
    for experiment in (EXPERIMENT, other, EXPERIMENT, other):
        checked_run(built(experiment))

    assert [check.fit.experiment for check in checks] == [EXPERIMENT, other]


class Made(NativeEngine):
    """An engine whose run, in whole, has its weights, slots and steps changed as it is told."""

    change: Any = None

    def load(self, weights: Array, learning_rate: float) -> None:
        super().load(weights, learning_rate)
        self.whole = False

    def run(self, rows: Array) -> Array:
        self.whole = len(rows) == self.experiment.epochs
        weights = super().run(rows).copy()
        if self.whole and self.change == "weights":
            weights[0, 0] = np.nextafter(weights[0, 0], np.float32(9))
        return weights

    def state(self) -> State:
        state = super().state()
        if self.whole and self.change in state.slots:
            state.slots[self.change][3] = np.nextafter(state.slots[self.change][3], np.float32(9))
        if self.whole and self.change == "end":
            state.weights[3] = np.nextafter(state.weights[3], np.float32(9))
        return replace(state, steps=state.steps + 1) if self.whole and self.change == "steps" else state


@pytest.mark.parametrize("change", ["weights", "momentum", "velocity", "end", "steps"])
def test_one_bit_makes_another_run(change: str, checks: list[Check], folder: Path) -> None:
    """Be it of the weights of the first epoch, of a slot of the end, of its weights, or one step too many."""
    engine = Made(EXPERIMENT)
    engine.build()
    checked_run(engine)
    engine.change = change
    checked_run(engine)

    assert len(checks) == 2  # trained in parts it is right, and so it can be told from a run that was spared


def test_a_device_that_may_not_repeat_its_bits_is_always_checked(
    checks: list[Check], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bits say nothing there: each launch holds its run against the reference, and nothing is kept."""
    engine = built()
    engine.device = "gpu:0"
    checked_run(engine)
    checked_run(engine)

    assert len(checks) == 2
    assert list(folder.iterdir()) == []
