"""JAX's engines without JAX: a stand-in runs their loops in Python, and notes batches, states and places."""

import sys
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.machine import backends, devices
from parabola.training.data import order_bank
from parabola.training.engines import jax as jax_engines
from parabola.training.engines import keras_engine
from parabola.training.experiment import Experiment
from parabola.training.networks import Network


def scan(step: Any, state: Any, batches: Any) -> tuple[Any, Any]:
    """Loop over the first axis as JAX does, and stack what each turn gives."""
    columns = batches if isinstance(batches, tuple) else (batches,)
    given = []
    for batch in zip(*columns, strict=True):
        state, out = step(state, batch if isinstance(batches, tuple) else batch[0])
        given.append(out)
    return state, given if given and given[0] is None else np.array(given)


def gradient(loss: Any) -> Any:
    """Return what differentiates: here the "gradient" is the loss itself, and the samples that it is of."""
    return lambda trainable, x, y: (loss(trainable, x, y), x.ravel().tolist(), y.ravel().tolist())


class Optimizer:
    """Counts its steps, and notes each step's gradient and learning rate."""

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def stateless_apply(self, slots: list[Any], gradients: Any, trainable: list[Any]) -> tuple[list[Any], list[Any]]:
        """Move each weight by 1."""
        self.steps.append((gradients, slots[1]))
        return [value + 1 for value in trainable], [slots[0] + 1, *slots[1:]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the stand-ins in place; give a model whose prediction is its first weight times x."""
    jax = SimpleNamespace(lax=SimpleNamespace(scan=scan), grad=gradient, numpy=np)
    keras = SimpleNamespace(losses=SimpleNamespace(MeanSquaredError=lambda: lambda y, p: float(np.mean((y - p) ** 2))))
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "jax.numpy", np)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setattr(jax_engines, "decay", lambda spec, rate: lambda step: f"{rate} after {step}")
    model = SimpleNamespace(stateless_call=lambda trainable, fixed, x, training: (trainable[0] * x, fixed))
    return SimpleNamespace(jax=jax, model=model, optimizer=Optimizer())


X, Y = np.arange(5.0).reshape(-1, 1), 10 * np.arange(5.0).reshape(-1, 1)


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
    epoch = jax_engines.make_epoch(Experiment(samples=5, batch_size=batch_size), made.model, made.optimizer)
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
    epoch, slots = jax_engines.make_epoch(spec, made.model, made.optimizer), [6, 0.5]
    epoch(([7.0], slots), X, Y, rate)

    assert [step[1] for step in made.optimizer.steps] == rates
    assert slots == [6, 0.5]


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.25), (lambda rate: rate, 0.001)])
def test_a_member_has_its_own_weights_rate_and_orders(optimizer: Any, rate: float, made: Any) -> None:
    """Its weights are cut into Keras' shapes; an optimizer by its name has its rate; a row of weights an epoch."""
    program: Any = object.__new__(jax_engines.MembersProgram)
    program.jax, program.model, program.optimizer = made.jax, made.model, made.optimizer
    program.experiment = Experiment(samples=5, batch_size=5, optimizer=optimizer)
    program.fresh = [np.array(3), np.array(0.001)]
    bank = np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])
    history = program._traced()(np.array([1.0, 2, 3, 4]), 0.25, np.array([1, 0]), X, Y, bank)

    assert history.tolist() == [[2, 3, 4, 5], [3, 4, 5, 6]]
    assert [step[0][1] for step in made.optimizer.steps] == [[4, 3, 2, 1, 0], [0, 1, 2, 3, 4]]
    assert [float(step[1]) for step in made.optimizer.steps] == [rate, rate]


def test_weights_are_flat_in_keras_order(made: Any) -> None:
    """Kernels and biases one after the other."""
    assert jax_engines.flat([np.array([[1.0]]), np.array([2.0]), np.array([[3.0]])]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("names", "members", "places"),
    [(["cpu:0"], 10, 10), (["cpu:0", "cpu:1"], 10, 10), (["gpu:0", "gpu:1", "gpu:2"], 10, 12), (["gpu:0"] * 4, 1, 4)],
)
def test_members_are_rounded_up_to_the_devices(
    names: list[str], members: int, places: int, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device has as many; a reset fills the places, splits weights, rates and orders, and puts members first."""
    sharding = SimpleNamespace(
        Mesh=lambda found, axes: (found.tolist(), axes),
        NamedSharding=lambda mesh, spec: (*mesh, spec),
        PartitionSpec=lambda *axes: axes,
    )
    made.jax.__dict__.update(
        sharding=sharding,
        device_put=lambda values, where: (values, where),
        block_until_ready=lambda arrays: arrays,
        vmap=lambda function, in_axes, out_axes: (in_axes, out_axes),
        jit=lambda function: function,
    )
    monkeypatch.setattr(backends, "start", lambda: made.jax)
    monkeypatch.setattr(devices, "resolve_all", lambda name: {"gpu:all": names}[name])
    monkeypatch.setattr(devices, "jax_device", lambda name: f"JAX's {name}")
    monkeypatch.setattr(devices, "scope", lambda name: {names[0]: nullcontext}[name])
    monkeypatch.setattr(Network, "build", lambda network: SimpleNamespace(trainable_variables=["weights"]))
    monkeypatch.setattr(jax_engines, "make_optimizer", lambda *told: SimpleNamespace(variables=told))
    monkeypatch.setattr(jax_engines, "values_of", lambda variables: variables)
    spec = Experiment(samples=5, batch_size=5, epochs=2, device="gpu:all", learning_rate=0.5)
    program: Any = jax_engines.MembersProgram(spec, members)
    mesh = [f"JAX's {name}" for name in names]

    assert program.members == places
    assert program.fresh == (spec, 0.5, ["weights"])
    assert program.program == ((0, 0, 0, None, None, None), 2)
    assert [where for _, where in program.inputs] == [(mesh, ("members",), ())] * 3
    assert program.inputs[2][0] is order_bank(5)
    weights, rates, rows = program.reset(np.array([7]), np.array([0.25]))
    assert [part[1] for part in (weights, rates, rows)] == [(mesh, ("members",), ("members",))] * 3
    assert weights[0].shape == (places, 4)
    assert rates[0].tolist() == [0.25] * places
    assert rows[0].tolist() == [[437, 194]] * places
    assert rows[0].flags.c_contiguous
    program.program = lambda *told: [len(told)]
    assert program.run([weights, rates, rows]).tolist() == [6]


class Written:
    """An array whose rows are set as JAX does it: a new array comes back."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __array__(self, *told: Any, **more: Any) -> Any:
        return self.rows

    def __getitem__(self, index: int) -> Any:
        def changed(values: Any) -> Written:
            rows = self.rows.copy()
            rows[index] = values
            return Written(rows)

        return SimpleNamespace(set=changed)

    @property
    def at(self) -> "Written":
        """Return what is indexed to be set."""
        return self


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

    engine: Any = object.__new__(jax_engines.CompiledEngine)
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
    assert (engine.state[0][1].tolist(), engine.state[1]) == ([8], [6, 0.5])


def test_a_run_carries_its_state_on() -> None:
    """Rows go in with -1 after them, up to one more than the epochs; as many rows of weights come out, as a copy."""
    told: list[Any] = []

    def program(state: int, *inputs: Any) -> tuple[int, list[list[int]]]:
        told.append((state, inputs[0], inputs[1].tolist()))
        return state + 1, [[10], [20], [30], [40]]

    engine: Any = object.__new__(jax_engines.CompiledEngine)
    engine.experiment, engine.inputs, engine.state = Experiment(epochs=4), ["inputs"], 1
    engine.program, engine.scope = program, nullcontext

    assert engine.run(np.array([5, 6, 7])).tolist() == [[10], [20], [30]]
    assert type(engine.run(np.zeros(0, np.int32))) is np.ndarray
    assert told == [(1, "inputs", [5, 6, 7, -1, -1]), (2, "inputs", [-1] * 5)]
    assert engine.state == 3


def test_a_load_takes_the_variables_values_for_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainable ones first, then the optimizer's, waited for, and on the device that was asked for."""
    said: list[Any] = []
    monkeypatch.setattr(keras_engine.KerasEngine, "load", lambda engine, *told: said.append(told))
    monkeypatch.setattr(devices, "check_placement", lambda *told: said.append(told))
    engine: Any = object.__new__(jax_engines.CompiledEngine)
    engine.model = SimpleNamespace(trainable_variables=[SimpleNamespace(value="kernel"), SimpleNamespace(value="bias")])
    engine.optimizer = SimpleNamespace(variables=[SimpleNamespace(value="iterations")])
    engine.framework, engine.placement = SimpleNamespace(block_until_ready=lambda state: state), "cpu:1"
    engine.load("weights", 0.5)

    assert engine.state == (["kernel", "bias"], ["iterations"])
    assert said == [("weights", 0.5), ("kernel", "cpu:1")]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_values_are_copies_read_as_the_backend_likes(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch by Keras' own way to NumPy, elsewhere by NumPy's, and never the variable's own memory."""
    memory = np.array([1.0, 2.0])
    ways: list[str] = []

    def by_keras(values: Any) -> Any:
        ways.append("keras")
        return values

    ops = SimpleNamespace(convert_to_tensor=lambda variable: variable, convert_to_numpy=by_keras)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(ops=ops))
    monkeypatch.setenv("KERAS_BACKEND", backend)
    (values,) = keras_engine.values_of([memory])
    memory[0] = 9

    assert values.tolist() == [1.0, 2.0]
    assert ways == (["keras"] if backend == "torch" else [])
