"""Every optimizer, by every engine, against Keras' own `train_on_batch`: from the same state, over 100 steps."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from parabola.ensemble.members import members_program
from parabola.training import engines
from parabola.training.engines.keras_engine import assign, flat
from parabola.training.experiment import OPTIMIZERS, Experiment
from parabola.training.target import Array

SAMPLES, BATCH_SIZE, BEFORE, EPOCHS = 100, 10, 2, 12  # 10 steps an epoch
SLOTS = {  # by Keras' names
    "adadelta": ["accumulated_grad", "accumulated_delta_var"],
    "adagrad": ["accumulator"],
    "adam": ["momentum", "velocity"],
    "adamax": ["momentum", "norm"],
    "adamw": ["momentum", "velocity"],
    "ftrl": ["accumulator", "linear"],
    "lion": ["momentum"],
    "nadam": ["momentum", "velocity"],
    "rmsprop": ["velocity"],
    "sgd": [],
}


def batches(engine: Any, rows: Array) -> Iterator[Array]:
    """Give the places of the samples of each batch, epoch by epoch."""
    for row in rows:
        for first in range(0, SAMPLES, BATCH_SIZE):
            yield engine.bank[row][first : first + BATCH_SIZE]


def on_batches(name: str, weights: Sequence[Array], slots: Sequence[Array], orders: Iterator[Array]) -> Array:
    """Train as a Keras user would, with nothing of parabola's; return the weights after each step.

    Args:
        name: the optimizer's name in Keras.
        weights: what the model's variables begin with.
        slots: what the optimizer's variables begin with.
        orders: the samples of each batch.
    """
    import keras

    x = np.random.RandomState(42).rand(SAMPLES)
    y = x**2 + 2 * x + 2
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, activation=keras.ops.square), keras.layers.Dense(1)]
    )
    optimizer = getattr(keras.optimizers, name)(0.001)
    model.compile(loss="mean_squared_error", optimizer=optimizer, jit_compile=False)
    optimizer.build(model.trainable_variables)
    model.set_weights(weights)
    for variable, value in zip(optimizer.variables, slots, strict=True):
        variable.assign(value)
    history = []
    for order in orders:
        model.train_on_batch(x[order, None], y[order, None])
        history.append(np.concatenate([values.ravel() for values in model.get_weights()]))
    return np.array(history)


def hold(engine: Any, weights: Sequence[Array], slots: Sequence[Array], rows: Array, expected: Array) -> None:
    """Let an engine train on from a state, and hold its weights after each epoch: within a 10,000th of the way."""
    engine.load(flat(weights), 0.001)
    with engine.here():
        assign(engine.optimizer.variables, slots)
    if hasattr(engine, "carried"):
        engine._take_state()
    found = engine.run(rows)

    way = np.abs(expected[-1] - flat(weights)).max()
    assert way > 1e-4
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * way)


EVERYDAY = "ftrl", "nadam", "sgd"  # the others have slots of the same kinds; each takes some two seconds
OTHERS = [pytest.param(name, marks=pytest.mark.end_to_end) for name in sorted(OPTIMIZERS) if name not in EVERYDAY]


@pytest.mark.parametrize("optimizer", [*EVERYDAY, *OTHERS])
def test_every_optimizer_on_the_list_works(optimizer: str) -> None:
    """From where `compiled` is after two epochs it goes on as Keras itself, as does `fused_fit`, and `fit` with Nadam.

    A second run of the build equals the first one (its slots were fresh), and so do members with a rate each. Its state
    has the optimizer's own slots, one value a weight, in the order of the weights.
    """
    knobs: dict[str, Any] = {"optimizer": optimizer, "samples": SAMPLES, "batch_size": BATCH_SIZE, "epochs": EPOCHS}
    engine: Any = engines.build(Experiment(**knobs))
    rows = engine.reset()
    first, second = engine.run(rows), engine.run(engine.reset())
    other = engine.run(engine.reset(seed=11, learning_rate=0.003))
    engine.reset()
    engine.run(rows[:BEFORE])
    (weights, slots), state = engine.values(), engine.state()
    orders = batches(engine, rows[BEFORE:])
    expected = on_batches(OPTIMIZERS[optimizer], weights, slots, orders)[9::10]
    loops = ["fused_fit", *(["fit"] if optimizer == "nadam" else [])]  # which has a slot that belongs to no weight

    np.testing.assert_array_equal(first, second)
    assert list(state.slots) == SLOTS[optimizer]
    assert [values.shape for values in state.slots.values()] == [(4,)] * len(SLOTS[optimizer])
    assert state.steps == BEFORE * 10
    for made in (engine, *(engines.build(Experiment(engine=name, **knobs)) for name in loops)):
        hold(made, weights, slots, rows[BEFORE:], expected)
    program = members_program(engine.experiment, 2)
    members = program.run(program.place(program.reset(np.array([7, 11]), np.array([0.001, 0.003]))))
    np.testing.assert_allclose(np.moveaxis(members, 2, 0), [first, other], rtol=0, atol=1e-5)
