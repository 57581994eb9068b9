"""Faults that are planted in the real engines: in what a run does, in its order and samples, and in its arithmetic."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from parabola import registry
from parabola.machine.backends import backend
from parabola.training.engines import feeds, native
from parabola.training.experiment import Experiment
from parabola.training.target import Array

Run = Callable[[Any, Array], Array]
Plant = Callable[[pytest.MonkeyPatch, Experiment], None]


@dataclass(frozen=True)
class Fault:
    """A fault that can be planted.

    Attributes:
        name: as the table has it.
        plant: puts it into the engine of an experiment, before that is built.
        absent: says why it cannot be in an experiment, or cannot be seen there; empty where it is found.
    """

    name: str
    plant: Plant
    absent: Callable[[Experiment], str] = lambda experiment: ""


def engine_class(experiment: Experiment) -> Any:
    """Return the class of an experiment's engine."""
    return registry.load(registry.ENGINES[experiment.engine].classes[backend()])


def builders(experiment: Experiment) -> tuple[Any, ...]:
    """Return what faults may change of all that builds the engine of an experiment."""
    made, adam = engine_class(experiment), None
    if made is not native.NativeEngine:
        from keras import optimizers

        adam = optimizers.Adam
    return made.__init__, made.build, feeds.ArrayFeed.__init__, native.make_kernel, adam


def in_run(change: Callable[[Run, Any, Array], Array]) -> Plant:
    """Return what changes a run: given the right method, the engine and the rows, it returns the weights."""

    def plant(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
        made = engine_class(experiment)
        right: Run = made.run
        monkeypatch.setattr(made, "run", lambda engine, rows: change(right, engine, rows))

    return plant


def in_whole_runs(change: Callable[[Run, Any, Array], Array]) -> Plant:
    """Return what changes whole runs alone, so that a run in parts, as the check trains one, is right."""

    def only(right: Run, engine: Any, rows: Array) -> Array:
        return change(right, engine, rows) if len(rows) == engine.experiment.epochs else right(engine, rows)

    return in_run(only)


def in_making(change: Callable[[Any], None]) -> Plant:
    """Return what changes an engine once it is made, before it is built."""

    def plant(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
        made = engine_class(experiment)
        make = made.__init__

        def changed(engine: Any, given: Experiment) -> None:
            make(engine, given)
            change(engine)

        monkeypatch.setattr(made, "__init__", changed)

    return plant


def in_arithmetic(kernel: tuple[str, str], keras: Callable[[type[Any]], type[Any]]) -> Plant:
    """Return what changes the arithmetic of a step.

    Args:
        kernel: for `native`: a piece of its kernel's source, and what stands in its place.
        keras: for the other engines: from the class of Keras' Adam to another one.
    """

    def plant(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
        if engine_class(experiment) is native.NativeEngine:
            monkeypatch.setattr(native, "make_kernel", changed_source(native.make_kernel, kernel))
            return
        import keras as framework

        monkeypatch.setattr(framework.optimizers, "Adam", keras(framework.optimizers.Adam))

    return plant


def changed_source(function: Any, *changes: tuple[str, str]) -> Any:
    """Return a function of a module, made anew from its source with pieces exchanged.

    Raises:
        ValueError: if a piece is not there.
    """
    function = inspect.unwrap(function)
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        if old not in source:
            raise ValueError(f"{old!r} is not in the source of {function.__name__}")
        source = source.replace(old, new)
    names = dict(vars(inspect.getmodule(function)))
    exec(compile(source, f"<{function.__name__} with a fault>", "exec"), names)
    return names[function.__name__]


def of_adam(**other: float) -> Callable[[type[Any]], type[Any]]:
    """Return what makes an Adam with other constants."""

    def changed(adam: type[Any]) -> type[Any]:
        def make(self: Any, learning_rate: Any) -> None:
            adam.__init__(self, learning_rate, **other)

        return type("Adam", (adam,), {"__init__": make})

    return changed


def in_update(change: Callable[..., tuple[Any, Any]]) -> Callable[[type[Any]], type[Any]]:
    """Return what makes an Adam that changes (optimizer, gradient, variable, learning rate) to (gradient, rate)."""

    def changed(adam: type[Any]) -> type[Any]:
        def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
            adam.update_step(self, *_with(variable, change(self, gradient, variable, learning_rate)))

        return type("Adam", (adam,), {"update_step": update_step})

    return changed


def _with(variable: Any, changed: tuple[Any, Any]) -> tuple[Any, Any, Any]:
    gradient, learning_rate = changed
    return gradient, variable, learning_rate


def repeat_last(share: float) -> Callable[[Run, Any, Array], Array]:
    """Return a run that leaves the last part of its epochs out, at least one, and repeats its last weights for them."""

    def run(right: Run, engine: Any, rows: Array) -> Array:
        left_out = max(1, round(share * len(rows)))
        begin = engine.state().weights[None]
        trained = right(engine, rows[:-left_out]) if left_out < len(rows) else begin[:0]
        return np.concatenate([trained, np.repeat(np.concatenate([begin, trained])[-1:], left_out, axis=0)])

    return run


def overwrite(first: float, last: float, value: float) -> Callable[[Run, Any, Array], Array]:
    """Return a run whose weights after some epochs, between two shares of the run, have another value."""

    def run(right: Run, engine: Any, rows: Array) -> Array:
        weights = right(engine, rows)
        weights[int(first * len(rows)) : max(1, int(last * len(rows)))] = value
        return weights

    return run


def reorder(begin: float) -> Callable[[Run, Any, Array], Array]:
    """Return a run in which one order serves all epochs from a share of the run on."""

    def run(right: Run, engine: Any, rows: Array) -> Array:
        at = int(begin * len(rows))
        return right(engine, np.concatenate([rows[:at], np.repeat(rows[at : at + 1], len(rows) - at)]))

    return run
