"""Keras `Model.fit` on any backend: as most people use it, and with the best settings that it offers."""

import numpy as np

from parabola.machine.backends import backend
from parabola.training.engines.feeds import ArrayFeed, EndlessPipeline, Feed, Pipeline
from parabola.training.engines.keras_engine import KerasEngine, flat, values_of
from parabola.training.target import Array

JIT_BY_DEFAULT = {"tensorflow": False, "jax": True, "torch": False}  # what jit_compile="auto" means to Keras on a CPU


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

        self.model.compile(
            loss="mean_squared_error",
            optimizer=self.optimizer,
            jit_compile=self.jit_compile,
            steps_per_execution=self.steps_per_execution,
        )
        if self.model.jit_compile is not self.jit_compile:
            raise RuntimeError(f"Keras turned jit_compile={self.jit_compile} into {self.model.jit_compile}")
        self.feed, self.history = self.make_feed(), list[Array]()
        self.by_epoch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self.feed.begin_epoch(epoch),
            on_epoch_end=lambda epoch, logs: self.history.append(flat(values_of(self.model.weights))),
        )
        self.run(np.zeros(1, np.int32))

    def make_feed(self) -> Feed:
        """Return the feed: arrays, except on TensorFlow, whose `fit` would copy them: there it is a pipeline."""
        if backend() != "tensorflow":
            return ArrayFeed(self)
        return EndlessPipeline(self) if self.one_iterator else Pipeline(self)

    def run(self, rows: Array) -> Array:
        """Call `fit` once for all epochs."""
        self.feed.choose(rows)
        self.history.clear()
        with self.here():
            self.model.fit(**self.feed.arguments, epochs=len(rows), shuffle=False, callbacks=[self.by_epoch], verbose=0)
        return np.stack(self.history)


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
