"""Which epochs are held, at which cost, and what is refused of engines that have a fault: made ones, not the real."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.reference import Reference
from parabola.verification.refusal import WrongRun
from parabola.verification.window import Window
from parabola.verification.windowed import WindowedRun, attempts, windows
from tests.made_adam import MadeEngine

EXPERIMENT = Experiment(batch_size=333, epochs=6, seed=3, learning_rate=0.01)


def refused(engine: Any, epochs: tuple[int, ...] = (0, 5)) -> str:
    """Return what is said of an engine after its setting, and before the command; empty where nothing is."""
    try:
        WindowedRun(engine).train(epochs)
    except WrongRun as refusal:
        return str(refusal).split("seed 3: ")[1].split(". Repeat: ")[0]
    return ""


@pytest.mark.parametrize(
    ("epochs", "most", "held"),
    [
        (1, 50, [0]),
        (2, 50, [0, 1]),
        (16, 50, list(range(16))),
        (31, 50, list(range(0, 31, 2))),
        (301, 50, list(range(0, 301, 20))),
        (341, 50, [*range(0, 341, 20)]),
        (342, 50, [0, 19, 38, 57, 76, 95, 114, 133, 152, 170, 189, 208, 227, 246, 265, 284, 303, 322, 341]),
        (999, 4, [0, 333, 665, 998]),
        (999, 0, [0, 998]),
        (1, 0, [0]),
    ],
)
def test_which_epochs_are_held(epochs: int, most: int, held: list[int]) -> None:
    """The first, the last, and of those between one in twenty, or sixteen in all, or as many as can be afforded."""
    assert windows(epochs, most) == held


@given(st.integers(1, 10**6), st.integers(0, 200))
def test_epochs_that_are_held_are_spread_evenly(epochs: int, most: int) -> None:
    """They begin with the first and end with the last, no two gaps differ by more than one, and none is too long."""
    held = windows(epochs, most)
    gaps = {later - earlier for earlier, later in pairwise(held)}

    assert held == sorted(set(held))
    assert (held[0], held[-1]) == (0, epochs - 1)
    assert len(held) <= max(most, 2)
    assert max(gaps, default=0) - min(gaps, default=0) <= 1
    assert max(gaps, default=0) <= 20 or len(held) == max(most, 2)


@pytest.mark.parametrize(
    ("samples", "batch_size", "network", "replicas", "last", "affordable"),
    [
        # Each epoch takes 5e-8 s a sample and weight, and 2.5e-7 s a step, as often as there are replicas, and once.
        (999, 999, "two_neuron", 16, 1024, 294),  # 2.0005e-4 s
        (999, 1, "two_neuron", 16, 1024, 130),  # 4.4955e-4 s
        (10_000, 1, "two_neuron", 16, 1024, 13),  # 4.5e-3 s
        (100_000, 10, "two_neuron", 16, 444, 2),  # 2.25e-2 s
        (300_000, 100, "one_neuron", 16, 325, 1),  # 0.03075 s
        (300_000, 1, "two_neuron", 6, 74, 1),  # 0.135 s
        (1_000_000, 1, "two_neuron", 4, 64, 0),  # 0.45 s
    ],
)
def test_replicas_and_windows_are_as_many_as_a_second_allows(
    samples: int, batch_size: int, network: str, replicas: int, last: int, affordable: int
) -> None:
    """Sixteen replicas, fewer only where one epoch with them would take more than a second, but four at least.

    Where a window is tried for the last time there are 1,024, or as many as ten seconds allow, but 64 at least.
    """
    engine: Any = MadeEngine(replace(EXPERIMENT, samples=samples, batch_size=batch_size, network=network))
    run = WindowedRun(engine)

    assert (attempts(engine.experiment), run.affordable) == ((replicas, 64, last), affordable)


@pytest.mark.parametrize("batch_size", [1, 9, 33, 50, 99])
@pytest.mark.parametrize("network", ["two_neuron", "one_neuron"])
def test_a_right_run_is_returned_whole(batch_size: int, network: str) -> None:
    """With the weights that it has in one piece, and the windows that were asked for, each from where the run was."""
    spec = replace(EXPERIMENT, samples=99, batch_size=batch_size, network=network)
    engine = MadeEngine(spec)
    whole = engine.run(engine.reset())
    weights, held = WindowedRun(engine).train([1, 2, 4])

    np.testing.assert_array_equal(weights, whole)
    assert [window.epoch for window in held] == [1, 2, 4]
    for window in held:
        np.testing.assert_array_equal(window.start[0], whole[window.epoch - 1])
        assert window.replicas.shape == (16, 3, spec.net.size)
        assert np.abs(whole[window.epoch] - window.end[0]).max() <= window.tolerance.max()


class Stale(MadeEngine):
    """Its fresh weights are those of another seed."""

    def reset(self, seed: int | None = None) -> Array:
        return super().reset(4)


class HasPast(MadeEngine):
    """A fresh run keeps a slot of the optimizer's."""

    row = 1

    def reset(self, seed: int | None = None) -> Array:
        rows = super().reset(seed)
        self.values[self.row, 2] = 1e-30
        return rows


class HasPastVelocity(HasPast):
    """A fresh run keeps its velocity."""

    row = 2


class HasSteps(MadeEngine):
    """A fresh run has a step behind it."""

    def reset(self, seed: int | None = None) -> Array:
        rows = super().reset(seed)
        self.steps = 1
        return rows


class Shorter(MadeEngine):
    """A run of several epochs returns one row less."""

    def run(self, rows: Array) -> Array:
        return super().run(rows)[: max(1, len(rows) - 1)]


class Elsewhere(MadeEngine):
    """The last row that is returned is not where the engine is."""

    def run(self, rows: Array) -> Array:
        history = super().run(rows)
        history[-1, 1] += 1
        return history


class ElsewhereLater(MadeEngine):
    """The last row that is returned by a call of several epochs is not where the engine is."""

    def run(self, rows: Array) -> Array:
        history = super().run(rows)
        history[-1, 1] += len(rows) > 1
        self.returned = history[-1]
        return history


class Lazy(MadeEngine):
    """It takes one step too few in the epochs between windows, and does not count it."""

    def run(self, rows: Array) -> Array:
        history = super().run(rows)
        self.steps -= len(rows) > 1
        return history


class Unmoved(MadeEngine):
    """From the second epoch on it does all but move the weights."""

    def run(self, rows: Array) -> Array:
        kept = self.values[0].copy()
        history = super().run(rows)
        if self.steps > 3:
            self.values[0], history[:] = kept, kept
        return history


class Jumping(MadeEngine):
    """The weights of one epoch between windows are far away."""

    def run(self, rows: Array) -> Array:
        history = super().run(rows)
        if len(history) > 2:
            history[1] += 1e9
        return history


class Twice(MadeEngine):
    """Every learning rate is twice too large."""

    def reset(self, seed: int | None = None) -> Array:
        rows = super().reset(seed)
        self.experiment = replace(self.experiment, learning_rate=0.02)
        return rows


WEIGHTS = [EXPERIMENT.initial_weights(seed).tolist() for seed in (3, 4)]


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (MadeEngine, ""),
        (Stale, f"a fresh run begins at {WEIGHTS[1]}, not at the weights of its seed"),
        (HasSteps, f"a fresh run begins at {WEIGHTS[0]}, not at the weights of its seed"),
        (HasPast, "a fresh run begins with an optimizer that has a past"),
        (HasPastVelocity, "a fresh run begins with an optimizer that has a past"),
        (Shorter, "a run of 4 epochs returned weights of shape (3, 4), not (4, 4)"),
        (Lazy, "after epoch 5 the optimizer has taken 14 steps, not 15"),
        (
            Jumping,
            "after epoch 3 weight 1 of 4 has moved by 1e+09 since the epoch before",
        ),
    ],
)
def test_what_is_refused(engine: Callable[[Experiment], Any], says: str) -> None:
    """An engine that begins elsewhere or with a past, leaves rows out, takes too few steps or jumps; no right one."""
    found = refused(engine(EXPERIMENT))

    assert found == says or (engine is Jumping and found.startswith(says))


def test_rows_are_held_against_where_the_engine_is() -> None:
    """Both are named where they differ."""
    engine = Elsewhere(EXPERIMENT)
    says = refused(engine)
    where = engine.values[0].tolist()
    returned = (engine.values[0] + np.array([0, 1, 0, 0], np.float32)).tolist()

    assert says == f"after epoch 1 {returned} were returned, and the weights are {where}"
    later = ElsewhereLater(EXPERIMENT)
    says, where = refused(later), later.values[0].tolist()
    assert says == f"after epoch 5 {later.returned.tolist()} were returned, and the weights are {where}"


def test_an_epoch_in_which_nothing_moves_is_refused() -> None:
    """Though the engine counts its steps; the epoch is counted from 1."""
    assert refused(Unmoved(EXPERIMENT)).startswith(
        "after epoch 6 no weight has moved, and the reference's have, by 0.0"
    )


def test_a_wrong_epoch_is_refused() -> None:
    """By the first weight that is too far away; where no window is, nothing is seen of it."""
    assert refused(Twice(EXPERIMENT)).startswith("after epoch 1 weight ")
    assert refused(Twice(EXPERIMENT), ()) == ""


def test_the_order_of_each_window_is_its_own() -> None:
    """An engine that trains an epoch's neighbour in its place is refused there, and only there."""

    class Shifted(MadeEngine):
        """It repeats the fourth order in the fifth epoch."""

        def run(self, rows: Array) -> Array:
            wrong = self.reset_rows[3]
            return super().run(np.where(rows == self.reset_rows[4], wrong, rows))

        def reset(self, seed: int | None = None) -> Array:
            self.reset_rows = super().reset(seed)
            return self.reset_rows

    assert refused(Shifted(EXPERIMENT), (0, 3, 5)) == ""
    assert refused(Shifted(EXPERIMENT), (0, 4, 5)).startswith("after epoch 5 ")


def test_a_device_array_is_refused() -> None:
    """The weights must be a NumPy array, so that the clock cannot have stopped before the device did."""

    class Device(MadeEngine):
        """It returns what looks like an array."""

        def run(self, rows: Array) -> Any:
            return super().run(rows).tolist()

    with pytest.raises(TypeError, match="must wait for the device"):
        refused(Device(EXPERIMENT))


def test_a_window_that_fails_is_tried_again_with_more_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only if it fails with 64 and 1,024, too, is the run refused, with the words of the last attempt."""
    faults, asked = list[str](), list[int]()

    class Answers:
        """Stands for a window whose faults were made up."""

        def fault(self, weights: Array, velocity: Array) -> str:
            return faults[len(asked) - 1]

        def leaves_alone(self, weights: Array) -> bool:
            return False

    def train_on(self: Any, state: State, epoch: int, replicas: int) -> Answers:
        asked.append(replicas)
        return Answers()

    monkeypatch.setattr(Reference, "train_on", train_on)
    for made in ([""], ["one", ""], ["one", "two", ""], ["one", "two", "three"]):
        faults[:], asked[:] = made, []
        assert refused(MadeEngine(EXPERIMENT), (0,)) == ("after epoch 1 three" if all(made) else "")
        assert asked == [16, 64, 1024][: len(made)]


def test_velocities_are_held_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window is asked about the engine's weights and its velocities after the epoch."""
    asked = list[Any]()

    def fault(window: Window, weights: Array, velocity: Array) -> str:
        asked.append((weights, velocity))
        return ""

    monkeypatch.setattr(Window, "fault", fault)
    engine = MadeEngine(EXPERIMENT)
    weights, _ = WindowedRun(engine).train([5])
    ((found, velocity),) = asked

    np.testing.assert_array_equal(found, weights[-1])
    np.testing.assert_array_equal(velocity, engine.values[2])
