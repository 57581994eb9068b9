"""Faults planted in training, and which half of the regression suite finds each: the table in docs/statistics.md."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.pass_rates import find_deviations, fresh_seeds
from parabola.ensemble.learning_map import train_cells
from parabola.machine import backends
from parabola.training import engines
from parabola.training.data import order_rows
from parabola.training.engines.compiled import CompiledEngine
from parabola.training.experiment import Experiment
from parabola.verification.check import check_run
from parabola.verification.descent import check_gradient

tf = backends.start()

import keras  # noqa: E402  (TensorFlow's settings come first)

PAGE = (Path(__file__).parents[2] / "docs/statistics.md").read_text()
Plant = Callable[[pytest.MonkeyPatch], None]


def adam(change: type[Any]) -> Plant:
    """Return what puts another Adam in the place of Keras' own."""
    return lambda monkeypatch: monkeypatch.setattr(keras.optimizers, "Adam", change)


class Twice(keras.optimizers.Adam):  # type: ignore[misc]
    """Each update is made with twice the learning rate."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, 2 * learning_rate)


class WithoutBiasCorrection(keras.optimizers.Adam):  # type: ignore[misc]
    """The moments are used as they are, as if after infinitely many steps."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = tf.cast(self.iterations, tf.float32) + 1
        correction = tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        super().update_step(gradient, variable, learning_rate / correction)


class Float16Weights(keras.optimizers.Adam):  # type: ignore[misc]
    """Weights have the precision of float16 after each update."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate)
        variable.assign(tf.cast(tf.cast(variable, tf.float16), tf.float32))


def gradient(factor: float) -> Plant:
    """Return what multiplies the gradient of the first kernel by a factor."""
    right = tf.GradientTape.gradient

    def wrong(tape: Any, loss: Any, sources: Any) -> Any:
        first, *others = right(tape, loss, sources)
        return [factor * first, *others]

    return lambda monkeypatch: monkeypatch.setattr(tf.GradientTape, "gradient", wrong)


def repeated_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every epoch the order of the first."""
    run = CompiledEngine.run
    monkeypatch.setattr(CompiledEngine, "run", lambda engine, rows: run(engine, np.repeat(rows[:1], len(rows))))
    once = "parabola.ensemble.members.order_rows"
    monkeypatch.setattr(once, lambda *given: np.repeat(order_rows(*given)[:1], given[2], axis=0))


def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant no fault."""


def found_by_weights() -> bool:
    """Say whether the exact half's test of Adam's weights against the reference fails."""
    engine = engines.build(Experiment(batch_size=32, epochs=4))

    def check() -> None:
        checked = check_run(engine)
        checked.hold(engine.run(engine.reset()), engine.state())

    return fails(check)


def found_by_gradient() -> bool:
    """Say whether the exact half's test of plain descent against the formula's gradient fails."""
    return fails(lambda: check_gradient(Experiment(batch_size=32)))


def found_by_pass_rates(batch_size: int, learning_rate: float, seeds: int) -> bool:
    """Say whether the statistical half's test of a cell fails, with so many of its 400 seeds."""
    fresh = fresh_seeds(10**8)[:seeds]
    cells = train_cells(Experiment(batch_size=batch_size), (learning_rate,), fresh, workers=1)
    return find_deviations("two_neuron", chain.from_iterable(cells)) != []


def fails(check: Callable[[], object]) -> bool:
    """Say whether a check raises AssertionError."""
    try:
        check()
    except AssertionError:
        return True
    return False


LONG = pytest.mark.end_to_end  # each of them compiles a program or three that no other test can use


@pytest.mark.parametrize(
    ("plant", "cell", "seeds", "by_pass_rates", "by_weights", "by_gradient"),
    [  # a quarter of the seeds shows most faults, with p-values below 1e-11, and all of them do so the more
        pytest.param(nothing, (111, 0.1), 400, False, False, False, id="no fault"),
        pytest.param(adam(Twice), (111, 0.1), 100, True, True, False, id="learning rate applied twice"),
        pytest.param(adam(WithoutBiasCorrection), (111, 0.1), 100, True, True, False, id="bias correction left out"),
        pytest.param(gradient(0), (111, 0.1), 100, True, True, True, id="a gradient term dropped", marks=LONG),
        pytest.param(gradient(0.5), (111, 0.1), 400, False, True, True, id="a gradient term halved", marks=LONG),
        pytest.param(repeated_order, (9, 0.1), 400, True, True, False, id="one order in every epoch", marks=LONG),
        pytest.param(adam(Float16Weights), (9, 0.001), 100, True, True, False, id="float16 weights", marks=LONG),
    ],
)
def test_each_fault_is_found(
    plant: Plant,
    cell: tuple[int, float],
    seeds: int,
    by_pass_rates: bool,
    by_weights: bool,
    by_gradient: bool,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """By what the handbook's table says; a row of the table each, tried in the cell that it names."""
    plant(monkeypatch)

    assert found_by_weights() == by_weights
    assert found_by_gradient() == by_gradient
    assert found_by_pass_rates(*cell, seeds) == by_pass_rates
    yes = {True: "yes", False: "–"}
    name = request.node.callspec.id
    if plant is not nothing:
        where = f"yes (batch size {cell[0]}, learning rate {cell[1]:g})" if by_pass_rates else "–"
        assert f"| {name} | {where} | {yes[by_weights]} | {yes[by_gradient]} |" in PAGE
