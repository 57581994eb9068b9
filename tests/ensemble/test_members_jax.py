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
from tests.made_jax import X, Y


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-ins for JAX and Keras, put in their place."""
    return made_jax.plant(monkeypatch)


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.25), (lambda rate: rate, 0.001)])
def test_a_member_has_its_own_weights_rate_and_orders(optimizer: Any, rate: float, made: Any) -> None:
    """Its weights are cut into Keras' shapes; an optimizer by its name has its rate; a row of weights an epoch."""
    program: Any = object.__new__(members_jax.MembersProgram)
    program.jax, program.model, program.optimizer = made.jax, made.model, made.optimizer
    program.experiment = Experiment(samples=5, batch_size=5, optimizer=optimizer)
    program.fresh = [np.array(3), np.array(0.001)]
    bank = np.array([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])
    history = program._traced()(np.array([1.0, 2, 3, 4]), 0.25, np.array([1, 0]), X, Y, bank)

    assert history.tolist() == [[2, 3, 4, 5], [3, 4, 5, 6]]
    assert [step[0][1] for step in made.optimizer.steps] == [[4, 3, 2, 1, 0], [0, 1, 2, 3, 4]]
    assert [float(step[1]) for step in made.optimizer.steps] == [rate, rate]


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
    monkeypatch.setattr(members_jax, "make_optimizer", lambda *told: SimpleNamespace(variables=told))
    monkeypatch.setattr(members_jax, "values_of", lambda variables: variables)
    spec = Experiment(samples=5, batch_size=5, epochs=2, device="gpu:all", learning_rate=0.5)
    program: Any = members_jax.MembersProgram(spec, members)
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
