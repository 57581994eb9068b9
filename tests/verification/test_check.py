"""What a check says of a run, and how it holds later runs of the same engine against it: by value."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.check import Check, check_first_epoch, check_run, told
from parabola.verification.reference import Reference
from parabola.verification.refusal import Subject, WrongRun, subject_of
from parabola.verification.window import Window
from tests import made_adam
from tests.made_adam import MadeEngine

EXPERIMENT = Experiment(batch_size=333, epochs=4, seed=3, learning_rate=0.01)
NAN, INF = float("nan"), float("inf")
CHAOTIC = "chaotic: only start, completeness, finiteness and repeated bits were checked"
WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)
END = State(WEIGHTS[-1], {}, 9)
ZERO = np.zeros(4, np.float32)
START = State(EXPERIMENT.initial_weights(3), {"momentum": ZERO, "velocity": ZERO}, 0)


def checked(
    device: str = "cpu:0", weights: Array = WEIGHTS, end: State = END, telling: int = 2, alone: bool = False
) -> Check:
    """Return the check of a made-up run of three epochs; a weight may be 0.5 off after the first of them."""
    fit = Fit(replace(EXPERIMENT, epochs=len(weights)), device, weights, 0.0, 0.0)
    tolerance = np.full(4, 0.5)
    subject = subject_of(EXPERIMENT, device)
    return Check(subject, fit, end, windows=3, telling=telling, alone=alone, first_tolerance=tolerance, seconds=1.5)


def refused(action: Callable[[], object]) -> str:
    """Return what is said of a run after its setting, and before the command; empty where nothing is."""
    try:
        action()
    except WrongRun as refusal:
        return str(refusal).split("seed 3: ")[1].split(". Repeat: ")[0]
    return ""


def changed(epoch: int, weight: int, value: float) -> Array:
    """Return the weights of the run with one of them replaced."""
    weights = WEIGHTS.copy()
    weights[epoch, weight] = value
    return weights


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (WEIGHTS.copy(), ""),
        (changed(1, 2, np.nextafter(np.float32(6), np.float32(7))), "6.00000048 in a timed round and 6 in the"),
        (changed(1, 2, NAN), "nan in a timed round and 6 in the"),
        (changed(1, 2, -INF), "-inf in a timed round and 6 in the"),
    ],
)
def test_a_round_has_the_bits_of_the_checked_run(weights: Array, says: str) -> None:
    """The epoch is counted from 1, as is the weight."""
    expected = says and f"after epoch 2 weight 3 of 4 is {says} checked run"

    assert refused(lambda: checked().hold(weights, END)) == expected


def test_a_round_that_diverges_alike_is_right() -> None:
    """NaN and infinities are held as values are."""
    weights = WEIGHTS.copy()
    weights[1:] = [[NAN, INF, -INF, NAN]] * 2
    end = State(weights[-1], {}, 9)
    check = checked(weights=weights, end=end)

    assert refused(lambda: check.hold(weights.copy(), end)) == ""
    other = weights.copy()
    other[2, 1] = -INF
    assert refused(lambda: check.hold(other, State(other[-1], {}, 9))) == (
        "after epoch 3 weight 2 of 4 is -inf in a timed round and inf in the checked run"
    )


@pytest.mark.parametrize("rows", [2, 4])
def test_a_round_has_all_rows_and_no_more(rows: int) -> None:
    """Both shapes are named."""
    weights = np.resize(WEIGHTS, (rows, 4))

    assert refused(lambda: checked().hold(weights, END)) == (
        f"a timed round has weights of shape ({rows}, 4), not (3, 4)"
    )


@pytest.mark.parametrize(
    ("end", "steps"), [(State(WEIGHTS[-1], {}, 6), 6), (State(WEIGHTS[-1], {}, 18), 18), (State(WEIGHTS[0], {}, 9), 9)]
)
def test_a_round_was_trained(end: State, steps: int) -> None:
    """The engine is where the round ended, after as many steps as the checked run: no round is a copy."""
    assert refused(lambda: checked().hold(WEIGHTS, end)) == (
        f"a timed round returned weights that it had not trained: its optimizer had taken {steps} steps, of 9"
    )


def test_weights_on_the_device_are_refused() -> None:
    """The clock may have stopped before the device did."""
    weights: Any = WEIGHTS.tolist()
    with pytest.raises(TypeError, match="must wait for the device"):
        checked().hold(weights, END)


def on_gpu(weights: Array) -> str:
    """Return what is said of a round on a GPU."""
    return refused(lambda: checked("gpu:0").hold(weights, State(weights[-1], {}, 9)))


def test_a_device_may_not_repeat_its_bits() -> None:
    """Anywhere but on a CPU the first epoch is held within its tolerance, and the others by whether they are finite."""
    assert on_gpu(changed(0, 1, 1.499)) == on_gpu(changed(0, 1, 0.501)) == on_gpu(changed(2, 3, 7e9)) == ""
    for found, says in (
        (changed(0, 1, 1.501), "after epoch 1 weight 2 of 4 is 1.50100005 in a timed round and 1"),
        (changed(1, 0, NAN), "after epoch 2 weight 1 of 4 is nan in a timed round and 4"),
        (changed(0, 0, INF), "after epoch 1 weight 1 of 4 is inf in a timed round and 0"),
    ):
        assert on_gpu(found) == f"{says} in the checked run"


def test_a_device_that_diverges_may_have_other_values() -> None:
    """Where both first epochs are not finite, which they are in the same weights."""
    weights = WEIGHTS.copy()
    weights[:, 2] = NAN
    end = State(weights[-1], {}, 9)
    other = weights.copy()
    other[:, 2] = INF

    assert refused(lambda: checked("gpu:0", weights, end).hold(other, State(other[-1], {}, 9))) == ""


def test_a_run_of_which_nothing_could_be_told_has_a_note() -> None:
    """Unless it has diverged; one telling window is enough to have none."""
    diverged = WEIGHTS.copy()
    diverged[2] = NAN

    assert checked(telling=1).note == ""
    assert checked(telling=0).note == CHAOTIC
    assert checked(telling=0, weights=diverged).note == ""


@pytest.mark.parametrize("telling", [0, 2])
def test_a_run_that_diverged_alone_has_a_note(telling: int) -> None:
    """Whatever else could be told of it."""
    diverged = WEIGHTS.copy()
    diverged[2] = NAN

    assert checked(telling=telling, weights=diverged, alone=True).note == (
        "diverged where the reference did not: with gradients so large, right orders of operations disagree"
    )


def test_what_a_record_is_told() -> None:
    """Seconds, epochs that were held, those of them that tell something, and the note where there is one."""
    assert told([checked()]) == {
        "check_seconds": 1.5,
        "checked_epochs": 3,
        "telling_epochs": 2,
        "check_note": None,
    }
    assert told([checked(telling=0)])["check_note"] == CHAOTIC


def test_a_right_run_comes_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the weights of a run in one piece, where it ended, its windows, and the tolerance of its first epoch."""
    spec = replace(EXPERIMENT, epochs=45)
    engine = MadeEngine(spec)
    whole = engine.run(engine.reset())
    clock = iter((100.0, 102.5))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    check = check_run(engine)

    assert check.fit.experiment == spec
    np.testing.assert_array_equal(check.fit.weights, whole)
    assert (check.fit.device, check.fit.seconds, check.fit.compile_seconds) == ("cpu:0", 0.0, 0.0)
    np.testing.assert_array_equal(check.end.weights, whole[-1])
    assert check.end.steps == 135
    assert (check.windows, check.telling, check.alone, check.seconds) == (16, 16, False, 2.5)
    first = made_adam.epoch(spec, START, 0)
    assert (np.abs(whole[0] - first[0]) <= check.first_tolerance).all()
    assert (check.first_tolerance < 1e-4).all()
    check.hold(engine.run(engine.reset()), engine.state())


def test_a_run_that_repeats_the_round_before_is_refused() -> None:
    """An engine that returns what it has trained before, without training, is not where it says."""
    engine = MadeEngine(EXPERIMENT)
    check = check_run(engine)
    weights = check.fit.weights
    engine.reset()

    assert refused(lambda: check.hold(weights, engine.state())) == (
        "a timed round returned weights that it had not trained: its optimizer had taken 0 steps, of 12"
    )


@pytest.mark.parametrize("learning_rate", [1e25, 1e30, 1e38])
@pytest.mark.parametrize("batch_size", [1, 33])
def test_a_run_that_diverges_is_right(learning_rate: float, batch_size: int) -> None:
    """Its verdict is "diverged", and it needs no note."""
    spec = replace(EXPERIMENT, learning_rate=learning_rate, samples=99, batch_size=batch_size, epochs=30)
    engine = MadeEngine(spec)
    check = check_run(engine)

    assert check.fit.verdict == "diverged"
    assert check.note == ""
    check.hold(engine.run(engine.reset()), engine.state())


class Diverging(MadeEngine):
    """From one epoch on its weights are NaN, in what it returns and where it is."""

    first = 25

    def run(self, rows: Array) -> Array:
        begun = self.steps // 3
        history = super().run(rows)
        if self.steps // 3 >= self.first:
            self.values[:] = history[max(0, self.first - 1 - begun) :] = NAN
        return history


@pytest.mark.parametrize("first", [1, 17, 40])
def test_a_run_may_diverge_alone_where_gradients_are_large(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told; here the bound is far below the gradients of this run."""
    monkeypatch.setattr("parabola.verification.window.OVERFLOWS", 1e-9)
    engine = Diverging(replace(EXPERIMENT, epochs=40))
    engine.first = first
    check = check_run(engine)

    assert (check.alone, check.fit.diverged_epoch) == (True, first)
    assert check.note.startswith("diverged where the reference did not: ")


@pytest.mark.parametrize("first", [2, 17, 25, 39])
def test_a_run_that_diverges_alone_is_refused(first: int) -> None:
    """In whichever epoch, the last one before a window or one in the middle, as the run is trained again to see it."""
    engine = Diverging(replace(EXPERIMENT, epochs=40))
    engine.first = first

    assert refused(lambda: check_run(engine)).startswith(f"after epoch {first} the weights are [nan, nan, nan, nan], ")


def test_a_run_that_trains_twice_differently_is_refused() -> None:
    """Where a run has to be trained again, since an epoch is suspect, it has to have the same bits."""
    spec = replace(EXPERIMENT, epochs=400)

    class OneStill(MadeEngine):
        """Of seven epochs or more it returns for the fifth what it returned for the fourth."""

        def run(self, rows: Array) -> Array:
            history = super().run(rows)
            if len(history) > 6:
                history[4] = history[3]
            return history

    assert refused(lambda: check_run(OneStill(spec))) == "the same run, trained twice, has other weights"
    repeated = check_run(OneStill(spec, "gpu:0"))
    # One epoch in twenty, with both ends; and of twenty that moved nothing, one between each two, every third.
    assert (repeated.windows, repeated.telling) == (21 + 7, 21 + 7)


def test_the_first_epoch_of_a_run_elsewhere_is_held() -> None:
    """Weights that another process printed are held within rounding, and refused with the epoch and the weight."""
    right = made_adam.epoch(EXPERIMENT, START, 0, np.float32)[0]
    wrong = right.copy()
    wrong[2] += 0.001

    assert refused(lambda: check_first_epoch(EXPERIMENT, "cpu:0", right)) == ""
    assert refused(lambda: check_first_epoch(EXPERIMENT, "cpu:0", wrong)).startswith("after epoch 1 weight 3 of 4 is ")
    assert refused(lambda: check_first_epoch(EXPERIMENT, "cpu:0", START.weights)).startswith(
        "after epoch 1 no weight has moved"
    )
    other_order = order_bank(999)[order_rows(999, 3, 2)[1]]
    begin, data = np.stack([START.weights, ZERO, ZERO]), (EXPERIMENT.data[0].ravel(), EXPERIMENT.data[1].ravel())
    elsewhere = made_adam.train("two_neuron", data, other_order, 333, 0.01, begin, 0, np.float32)[0]
    assert refused(lambda: check_first_epoch(EXPERIMENT, "cpu:0", elsewhere)).startswith("after epoch 1 weight ")


def test_the_first_epoch_of_a_run_elsewhere_is_tried_as_any_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right one is held once, with few replicas; a wrong one is tried again with more before it is refused."""
    asked, train_on = list[tuple[int, int]](), Reference.train_on

    def counted(reference: Reference, state: State, epoch: int, replicas: int) -> Window:
        asked.append((epoch, replicas))
        return train_on(reference, state, epoch, replicas)

    monkeypatch.setattr(Reference, "train_on", counted)
    check_first_epoch(EXPERIMENT, "cpu:0", made_adam.epoch(EXPERIMENT, START, 0, np.float32)[0])
    assert asked == [(0, 16)]

    assert refused(lambda: check_first_epoch(EXPERIMENT, "cpu:0", START.weights))
    assert asked[1:] == [(0, 16), (0, 64), (0, 1024)]


def test_a_refusal_names_the_device_of_the_other_process() -> None:
    """And the experiment's engine and backend."""
    with pytest.raises(
        WrongRun, match=r"^compiled on gpu:7 \(\w+\), batch size 333, learning rate 0.01, 999 samples, "
    ):
        check_first_epoch(EXPERIMENT, "gpu:7", np.zeros(4, np.float32))


class Late(MadeEngine):
    """Its third epoch, where it is trained in a call of several, takes the order of the second."""

    def run(self, rows: Array) -> Array:
        return super().run(rows if len(rows) < 4 else rows[[0, 1, 1, 3]])


def test_a_check_refuses_under_the_name_that_it_was_told() -> None:
    """A fault in the checked run, and one in a round that is held against it, have the same name and command."""
    subject = Subject("the one that is meant", "pytest here")

    class Early(MadeEngine):
        """Its epochs have the order of the epoch before."""

        def run(self, rows: Array) -> Array:
            return super().run(rows - 1)

    with pytest.raises(WrongRun, match=r"^the one that is meant: after epoch 1 .*\. Repeat: pytest here$"):
        check_run(Early(EXPERIMENT), subject)
    engine = Late(EXPERIMENT)
    check = check_run(engine, subject)
    with pytest.raises(WrongRun, match=r"^the one that is meant: after epoch 3 .*\. Repeat: pytest here$"):
        check.hold(engine.run(engine.reset()), engine.state())
