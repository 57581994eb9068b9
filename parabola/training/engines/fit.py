"""Keras `Model.fit` on any backend: as most people use it, and with the best settings that it offers."""

from importlib import import_module
from typing import Any, Protocol

import numpy as np

from parabola.machine.backends import backend
from parabola.training.engines.keras_engine import KerasEngine, values_of
from parabola.training.target import Array

JIT_BY_DEFAULT = {"tensorflow": False, "jax": True, "torch": False}  # what jit_compile="auto" means to Keras on a CPU


class Feed(Protocol):
    """Gives `fit` the samples in the order of each epoch.

    Attributes:
        arguments: the keyword arguments by which `fit` is given the samples.
    """

    arguments: dict[str, Any]

    def choose(self, rows: Array) -> None:
        """Take note of a run's rows of the bank of orders."""

    def begin_epoch(self, epoch: int) -> None:
        """Put an epoch's order in place; called before `fit` asks for the epoch's first batch."""


class ArrayFeed:
    """Arrays, as most people pass them. `fit` does not shuffle; the arrays are put into each epoch's order instead."""

    def __init__(self, engine: KerasEngine) -> None:
        self.engine, self.x, self.y = engine, engine.x.copy(), engine.y.copy()
        self.arguments = {"x": self.x, "y": self.y, "batch_size": engine.experiment.batch_size}

    def choose(self, rows: Array) -> None:
        """Take note of the run's rows."""
        self.rows = rows

    def begin_epoch(self, epoch: int) -> None:
        """Put the samples into the epoch's order, in place."""
        order = self.engine.bank[self.rows[epoch]]
        np.take(self.engine.x, order, axis=0, out=self.x)
        np.take(self.engine.y, order, axis=0, out=self.y)


class FitEngine(KerasEngine):
    """`Model.fit`, one dispatch a step, compiled only where Keras does so by default: on JAX."""

    one_iterator = False  # whether one iterator serves all epochs
    steps_per_execution = 1

    @property
    def jit_compile(self) -> bool:
        """Whether XLA, or torch.compile, compiles a step."""
        return JIT_BY_DEFAULT[backend()]

    def compile(self) -> None:
        """Compile the model, make the feed, and trace both batch shapes by training an epoch."""
        import keras

        engine = self
        self.model.compile(
            loss="mean_squared_error",
            optimizer=self.optimizer,
            jit_compile=self.jit_compile,
            steps_per_execution=self.steps_per_execution,
        )
        if self.model.jit_compile is not self.jit_compile:
            raise RuntimeError(f"Keras turned jit_compile={self.jit_compile} into {self.model.jit_compile}")
        self.feed = self.make_feed()

        class History(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self, logs: Any = None) -> None:
                self.weights: list[Array] = []

            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                engine.feed.begin_epoch(epoch)

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.weights.append(np.concatenate([value.ravel() for value in values_of(engine.model.weights)]))

        self.history = History()
        self.run(np.zeros(1, np.int32))

    def make_feed(self) -> Feed:
        """Return the feed: arrays, except on TensorFlow, whose `fit` would copy them: there it is a pipeline."""
        if backend() != "tensorflow":
            return ArrayFeed(self)
        pipeline: Any = import_module("parabola.training.engines.pipeline")
        feed: Feed = (pipeline.EndlessPipeline if self.one_iterator else pipeline.Pipeline)(self)
        return feed

    def run(self, rows: Array) -> Array:
        """Call `fit` once for all epochs."""
        self.feed.choose(rows)
        with self.here():
            self.model.fit(**self.feed.arguments, epochs=len(rows), shuffle=False, callbacks=[self.history], verbose=0)
        return np.stack(self.history.weights)


class FusedFitEngine(FitEngine):
    """`Model.fit` with `jit_compile=True`, and with one dispatch for each epoch where the backend can do that.

    `steps_per_execution` puts an epoch's steps into one call. On TensorFlow `steps_per_epoch` lets Keras keep its
    iterator; otherwise it would make a new one every epoch, which takes tens of milliseconds. On JAX the steps of a
    call are still dispatched one by one, and PyTorch allows only one step a call.
    """

    one_iterator = True
    jit_compile = True

    def compile(self) -> None:
        """Set the knobs; the rest is as in `fit`."""
        self.steps_per_execution = 1 if backend() == "torch" else self.experiment.steps
        if backend() == "torch":
            # Otherwise the models that were compiled before decide how this one is compiled, and after too many of them
            # PyTorch would run it uncompiled.
            self.framework.compiler.reset()
            self.framework._dynamo.config.fail_on_recompile_limit_hit = True
        super().compile()
