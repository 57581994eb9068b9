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
    jax = SimpleNamespace(lax=SimpleNamespace(scan=scan), grad=gradient, numpy=np)
    keras = SimpleNamespace(losses=SimpleNamespace(MeanSquaredError=lambda: lambda y, p: float(np.mean((y - p) ** 2))))
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setitem(sys.modules, "jax.numpy", np)
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setattr(jax_engine, "decay", lambda spec, rate: lambda step: f"{rate} after {step}")
    model = SimpleNamespace(stateless_call=lambda trainable, fixed, x, training: (trainable[0] * x, fixed))
    return SimpleNamespace(jax=jax, model=model, optimizer=Optimizer())
