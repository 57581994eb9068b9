"""JAX's engine without JAX: its batches, states and places, by a stand-in that runs its loops in Python."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.machine import devices
from parabola.training.engines import jax as jax_engine
from parabola.training.engines import keras_engine
from parabola.training.experiment import Experiment
from tests import made_jax
from tests.made_jax import Written, X, Y


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-ins for JAX and Keras, put in their place."""
    return made_jax.plant(monkeypatch)


@pytest.mark.parametrize(
    ("batch_size", "batches"),
    [
        (1, [[0], [1], [2], [3], [4]]),
        (2, [[0, 1], [2, 3], [4]]),
        (3, [[0, 1, 2], [3, 4]]),
        (4, [[0, 1, 2, 3], [4]]),
        (5, [[0, 1, 2, 3, 4]]),
    ],
)
def test_an_epoch_takes_all_batches_in_order(batch_size: int, batches: list[list[int]], made: Any) -> None:
    """Whole ones first and then what is left, each with its own loss at the weights that the last has left."""
    epoch = jax_engine.make_epoch(Experiment(samples=5, batch_size=batch_size), made.model, made.optimizer)
    trainable, slots = epoch(([7.0], [0, 0.5]), X, Y)

    expected = [
        ((float(np.mean([((7 + step) * x - 10 * x) ** 2 for x in batch])), batch, [10 * x for x in batch]), 0.5)
        for step, batch in enumerate(batches)
    ]
    assert made.optimizer.steps == expected
    assert (trainable, slots) == ([7.0 + len(batches)], [len(batches), 0.5])


@pytest.mark.parametrize(
    ("final", "rate", "rates"),
    [
        (None, None, [0.5, 0.5, 0.5]),
        (None, 0.25, [0.5, 0.5, 0.5]),
        (0.125, None, [0.5, 0.5, 0.5]),
        (0.125, 0.25, ["0.25 after 6", "0.25 after 7", "0.25 after 8"]),
    ],
)
def test_a_members_decay_begins_at_its_own_rate(
    final: float | None, rate: float | None, rates: list[Any], made: Any
) -> None:
    """In every step, the partial one included, by the steps made so far; the caller's slots stay as they were."""
    spec = Experiment(samples=5, batch_size=2, learning_rate=0.5, final_learning_rate=final)
    epoch, slots = jax_engine.make_epoch(spec, made.model, made.optimizer), [6, 0.5]
    epoch(([7.0], slots), X, Y, rate)

    assert [step[1] for step in made.optimizer.steps] == rates
    assert slots == [6, 0.5]


def test_weights_are_flat_in_keras_order(made: Any) -> None:
    """Kernels and biases one after the other."""
    assert jax_engine.flat([np.array([[1.0]]), np.array([2.0]), np.array([[3.0]])]).tolist() == [1, 2, 3]


def while_loop(condition: Any, body: Any, state: Any) -> Any:
    """Loop as JAX does."""
    while condition(state):
        state = body(state)
    return state


def test_building_runs_no_epoch_and_a_run_as_many_as_it_has_rows(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is compiled from the variables' values; a run takes each row's order, up to the -1 after the last."""
    monkeypatch.setattr(devices, "check_placement", lambda *told: None)
    jitted: list[Any] = []

    def jit(program: Any) -> Any:
        jitted.append(program)
        return program

    engine: Any = object.__new__(jax_engine.CompiledEngine)
    engine.experiment = Experiment(network="one_neuron", samples=5, batch_size=3, epochs=3)
    engine.x, engine.y, engine.bank = X, Y, np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])
    engine.model, engine.optimizer, engine.scope, engine.placement = made.model, made.optimizer, nullcontext, "cpu:0"
    engine.model.trainable_variables = [
        SimpleNamespace(value=np.array([[7.0]])),
        SimpleNamespace(value=np.array([2.0])),
    ]
    engine.optimizer.variables = [SimpleNamespace(value=0), SimpleNamespace(value=0.5)]
    engine.framework = SimpleNamespace(
        jit=jit,
        numpy=SimpleNamespace(asarray=np.asarray, zeros=lambda shape: Written(np.zeros(shape)), int32=int),
        lax=SimpleNamespace(while_loop=while_loop),
        block_until_ready=lambda state: state,
    )
    engine.compile()
    assert made.optimizer.steps == []
    assert len(jitted) == 1
    assert [engine.inputs[0] is X, engine.inputs[1] is Y, engine.inputs[2] is engine.bank] == [True] * 3

    assert engine.run(np.array([1, 0])).tolist() == [[9, 4], [11, 6]]
    assert [step[0][1] for step in made.optimizer.steps] == [[4, 3, 2], [1, 0], [0, 1, 2], [3, 4]]
    assert engine.run(np.array([0])).tolist() == [[13, 8]]
    assert (engine.carried[0][1].tolist(), engine.carried[1]) == ([8], [6, 0.5])


def test_a_run_carries_its_state_on() -> None:
    """Rows go in with -1 after them, up to one more than the epochs; as many rows of weights come out, as a copy."""
    told: list[Any] = []

    def program(state: int, *inputs: Any) -> tuple[int, list[list[int]]]:
        told.append((state, inputs[0], inputs[1].tolist()))
        return state + 1, [[10], [20], [30], [40]]

    engine: Any = object.__new__(jax_engine.CompiledEngine)
    engine.experiment, engine.inputs, engine.carried = Experiment(epochs=4), ["inputs"], 1
    engine.program, engine.scope = program, nullcontext

    assert engine.run(np.array([5, 6, 7])).tolist() == [[10], [20], [30]]
    assert type(engine.run(np.zeros(0, np.int32))) is np.ndarray
    assert told == [(1, "inputs", [5, 6, 7, -1, -1]), (2, "inputs", [-1] * 5)]
    assert engine.carried == 3


def test_a_load_takes_the_variables_values_for_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainable ones first, then the optimizer's, waited for, and on the device that was asked for."""
    said: list[Any] = []
    monkeypatch.setattr(keras_engine.KerasEngine, "load", lambda engine, *told: said.append(told))
    monkeypatch.setattr(devices, "check_placement", lambda *told: said.append(told))
    engine: Any = object.__new__(jax_engine.CompiledEngine)
    engine.model = SimpleNamespace(trainable_variables=[SimpleNamespace(value="kernel"), SimpleNamespace(value="bias")])
    engine.optimizer = SimpleNamespace(variables=[SimpleNamespace(value="iterations")])
    engine.framework, engine.placement = SimpleNamespace(block_until_ready=lambda state: state), "cpu:1"
    engine.load("weights", 0.5)

    assert engine.carried == (["kernel", "bias"], ["iterations"])
    assert said == [("weights", 0.5), ("kernel", "cpu:1")]
