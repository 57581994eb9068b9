"""JAX's program of members without JAX: weights, rates, orders and places, by a stand-in that runs its loops."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import members_jax
from parabola.machine import backends, devices
from parabola.training.data import order_bank
from parabola.training.experiment import Experiment
from parabola.training.networks import Network
from tests import made_jax
from tests.made_jax import Written, X, Y


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-ins for JAX and Keras, put in their place."""
    return made_jax.plant(monkeypatch)


@pytest.mark.parametrize(("optimizer", "rates"), [("sgd", [0.25, 0.5]), (lambda rate: rate, [0.001, 0.001])])
def test_a_member_has_its_own_weights_rate_and_orders(optimizer: Any, rates: list[float], made: Any) -> None:
    """Each has its weights, rate and orders; all share the steps; a run goes on from where the one before it ended."""
    program: Any = object.__new__(members_jax.MembersProgram)
    program.model, program.optimizer = made.model, made.optimizer
    program.jax = SimpleNamespace(
        lax=made.jax.lax,
        vmap=made.jax.vmap,
        numpy=SimpleNamespace(zeros=lambda shape: Written(np.zeros(shape))),
        device_put=lambda values, where: values,
        block_until_ready=lambda values: values,
    )
    program.experiment, program.members = Experiment(samples=5, batch_size=5, epochs=3, optimizer=optimizer), 2
    program.fresh = [np.array(3), np.array(0.001), np.array([0.5])]
    program.split = program.split_rows = program.everywhere = None
    program.inputs = [X, Y, np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])]
    program.program = program._traced()
    program.reset(np.array([7, 11]), np.array([0.25, 0.5]))
    begin = program.experiment.initial_weights(np.array([7, 11])).T
    first = program.run(program.place(np.array([[1, 0]], np.int32)))
    second = program.run(program.place(np.array([[0, 0], [1, 1]], np.int32)))

    np.testing.assert_array_equal(first, [begin + 1])
    np.testing.assert_allclose(second, [begin + 2, begin + 3], rtol=1e-6)
    forward, backward = [0, 1, 2, 3, 4], [4, 3, 2, 1, 0]
    orders = [backward, forward, forward, forward, backward, backward]
    assert [step[0][1] for step in made.optimizer.steps] == orders
    assert [float(step[1]) for step in made.optimizer.steps] == rates * 3
    assert program.carried[1][0] == 6


def test_a_members_state_is_its_part_of_what_is_carried(made: Any) -> None:
    """Its weights and slots are copies, and the steps are those of all."""
    program: Any = object.__new__(members_jax.MembersProgram)
    program.model = SimpleNamespace(trainable_variables=[SimpleNamespace(path="dense/kernel")])
    names = ("iteration", "learning_rate", "dense_kernel_momentum", "dense_kernel_velocity")
    program.optimizer = SimpleNamespace(variables=[SimpleNamespace(name=name) for name in names])
    weights, momentum, velocity = np.array([[1.0], [2]]), np.array([[[3.0]], [[4]]]), np.array([[[5.0]], [[6]]])
    program.carried = weights, [np.array(9), np.array([0.1, 0.2]), momentum, velocity]
    state = program.state(1)
    for values in (weights, momentum, velocity):
        values[:] = 0

    assert (state.weights.tolist(), state.steps) == ([2], 9)
    assert {name: values.tolist() for name, values in state.slots.items()} == {"momentum": [4], "velocity": [6]}


@pytest.mark.parametrize(
    ("names", "members", "places"),
    [(["cpu:0"], 10, 10), (["cpu:0", "cpu:1"], 10, 10), (["gpu:0", "gpu:1", "gpu:2"], 10, 12), (["gpu:0"] * 4, 1, 4)],
)
def test_members_are_rounded_up_to_the_devices(
    names: list[str], members: int, places: int, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each device has as many; a reset fills the places; weights, slots, rates and rows are split by members."""
    sharding = SimpleNamespace(
        Mesh=lambda found, axes: (found.tolist(), axes),
        NamedSharding=lambda mesh, spec: (*mesh, spec),
        PartitionSpec=lambda *axes: axes,
    )
    made.jax.__dict__.update(
        sharding=sharding,
        device_put=lambda values, where: (values, where),
        block_until_ready=lambda arrays: arrays,
        jit=lambda function, out_shardings: out_shardings,
    )
    monkeypatch.setattr(backends, "start", lambda: made.jax)
    monkeypatch.setattr(devices, "resolve_all", lambda name: {"gpu:all": names}[name])
    monkeypatch.setattr(devices, "jax_device", lambda name: f"JAX's {name}")
    monkeypatch.setattr(devices, "scope", lambda name: {names[0]: nullcontext}[name])
    monkeypatch.setattr(Network, "build", lambda network: SimpleNamespace(trainable_variables=["weights"]))
    monkeypatch.setattr(members_jax, "make_optimizer", lambda *told: SimpleNamespace(variables=told))
    fresh = [np.array(0), np.array(0.5), np.zeros((1, 1))]
    asked = list[Any]()

    def values_of(variables: Any) -> Any:
        asked.append(variables)
        return fresh

    monkeypatch.setattr(members_jax, "values_of", values_of)
    spec = Experiment(samples=5, batch_size=5, epochs=2, device="gpu:all", learning_rate=0.5)
    program: Any = members_jax.MembersProgram(spec, members)
    mesh = [f"JAX's {name}" for name in names]
    everywhere, split = (mesh, ("members",), ()), (mesh, ("members",), ("members",))

    assert (program.members, program.device) == (places, ", ".join(names))
    state = split, [everywhere, split, split]
    assert program.program == (state, (mesh, ("members",), (None, None, "members")))
    assert [where for _, where in program.inputs] == [everywhere] * 3
    assert program.inputs[2][0] is order_bank(5)
    assert asked == [(spec, 0.5, ["weights"])]
    put = list[Any]()

    def device_put(values: Any, where: Any) -> Any:
        put.append((values, where))
        return values

    made.jax.device_put = device_put
    rows = program.reset(np.array([7]), np.array([0.25]))
    (((weights, slots), rates), where) = put.pop()
    assert where == (state, split)
    assert [weights.shape, *(slot.shape for slot in slots)] == [(places, 4), (), (places,), (places, 1, 1)]
    assert slots[1].tolist() == rates.tolist() == [0.25] * places
    assert rows.tolist() == [[437] * places, [194] * places]
    number, *_ = program.place(rows[:1])
    assert number == 1
    assert [(values.tolist(), where) for values, where in put] == [
        ([[437] * places, *[[-1] * places] * 2], (mesh, ("members",), (None, "members"))),
        (1, everywhere),
    ]
