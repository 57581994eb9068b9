"""A stand-in for JAX, which runs its loops in Python: for tests of batches, states and places without JAX."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.training.engines import jax as jax_engine

X, Y = np.arange(5.0).reshape(-1, 1), 10 * np.arange(5.0).reshape(-1, 1)


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


def fori_loop(first: int, end: int, body: Any, state: Any) -> Any:
    """Loop over whole numbers as JAX does."""
    for index in range(first, end):
        state = body(index, state)
    return state


def vmap(function: Any, in_axes: Any, out_axes: Any) -> Any:
    """Call a function of (weights and slots, rate, row, x, y, bank) for each member, and stack what comes out.

    Slots whose axis is None are the first member's: of these all members have the same.
    """

    def block(state: Any, *told: Any) -> Any:
        weights, slots = state
        (first, by_slot), *others = in_axes
        assert (first, out_axes) == (0, in_axes[0])

        def part(values: Any, axes: Any, member: int) -> list[Any]:
            return [value if axis is None else value[member] for value, axis in zip(values, axes, strict=True)]

        members = range(len(weights))
        ends = [
            function((weights[member], part(slots, by_slot, member)), *part(told, others, member)) for member in members
        ]
        columns = zip(*(own for _, own in ends), strict=True)
        slots = [column[0] if axis is None else np.array(column) for column, axis in zip(columns, by_slot, strict=True)]
        return np.array([own for own, _ in ends]), slots

    return block


class Optimizer:
    """Counts its steps, and notes each step's gradient and learning rate."""

    def __init__(self) -> None:
        self.steps: list[Any] = []

    def stateless_apply(self, slots: list[Any], gradients: Any, trainable: list[Any]) -> tuple[list[Any], list[Any]]:
        """Move each weight by 1."""
        self.steps.append((gradients, slots[1]))
        return [value + 1 for value in trainable], [slots[0] + 1, *slots[1:]]


def plant(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put them in the place of JAX and Keras; return JAX, a model that gives its first weight times x, an optimizer."""
    jax = SimpleNamespace(lax=SimpleNamespace(scan=scan, fori_loop=fori_loop), vmap=vmap, grad=gradient, numpy=np)
    keras = SimpleNamespace(losses=SimpleNamespace(MeanSquaredError=lambda: lambda y, p: float(np.mean((y - p) ** 2))))
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "jax.numpy", np)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setattr(jax_engine, "decay", lambda spec, rate: lambda step: f"{rate} after {step}")
    model = SimpleNamespace(stateless_call=lambda trainable, fixed, x, training: (trainable[0] * x, fixed))
    return SimpleNamespace(jax=jax, model=model, optimizer=Optimizer())
