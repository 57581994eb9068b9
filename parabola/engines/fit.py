"""Keras `Model.fit`: as most people train, and with the best that its own knobs give."""

from typing import Any

import numpy as np

from parabola.engines.keras_engine import KerasEngine
from parabola.target import Array


class FitEngine(KerasEngine):
    """`Model.fit` with `jit_compile=False`, one dispatch a step.

    The input pipeline has the shape of the one that Keras makes from arrays (batches of indices, gathered samples,
    prefetch; made anew every epoch), but the indices are the epoch's order instead of a shuffle of its own.
    """

    jit_compile = False
    steps_per_execution = 1
    steps_per_epoch: int | None = None
    rows: Any

    def compile(self) -> None:
        """Compile the model, make the pipeline, and trace both batch shapes by training an epoch."""
        import keras

        tf, engine = self.tf, self
        self.model.compile(
            loss="mean_squared_error",
            optimizer=self.optimizer,
            jit_compile=self.jit_compile,
            steps_per_execution=self.steps_per_execution,
        )
        if self.model.jit_compile is not self.jit_compile:
            raise RuntimeError(f"Keras turned jit_compile={self.jit_compile} into {self.model.jit_compile}")
        with tf.device("/CPU:0"):
            self.pipeline = self.batches()

        class History(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self, logs: Any = None) -> None:
                self.weights: list[Array] = []

            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                engine.begin_epoch(epoch)

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.weights.append(np.concatenate([weight.numpy().ravel() for weight in engine.model.weights]))

        self.history = History()
        self.run(np.zeros(1, np.int32))

    def run(self, rows: Array) -> Array:
        """Call `fit` once for all epochs."""
        self.choose(rows)
        with self.tf.device(self.placement):
            self.model.fit(
                self.pipeline,
                epochs=len(rows),
                steps_per_epoch=self.steps_per_epoch,
                shuffle=False,
                callbacks=[self.history],
                verbose=0,
            )
        return np.stack(self.history.weights)

    def orders(self) -> Any:
        """Return a dataset of one order: the present epoch's."""
        self.order = self.tf.Variable(self.bank[0])
        return self.tf.data.Dataset.range(1).map(lambda _: self.order.read_value()).prefetch(1)

    def choose(self, rows: Array) -> None:
        """Take note of the run's rows."""
        self.rows = rows

    def begin_epoch(self, epoch: int) -> None:
        """Put the epoch's order where its iterator, which Keras makes next, will find it."""
        self.order.assign(self.bank[self.rows[epoch]])

    def batches(self) -> Any:
        """Return a dataset of (x, y) batches, each order's partial last batch included."""
        tf, spec = self.tf, self.experiment
        whole = spec.samples // spec.batch_size * spec.batch_size

        def split(order: Any) -> Any:
            indices = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], [-1, spec.batch_size]))
            return indices.concatenate(tf.data.Dataset.from_tensors(order[whole:])) if whole < spec.samples else indices

        inputs = tf.data.Dataset.from_tensors((tf.constant(self.x), tf.constant(self.y))).repeat()
        dataset = tf.data.Dataset.zip(self.orders().flat_map(split), inputs).map(
            lambda indices, data: (tf.gather(data[0], indices), tf.gather(data[1], indices)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        # Where its length is unknown, Keras ends an epoch by a call that finds no data but still runs the one part of
        # a step that needs none: `iterations` counts one step too many, and Adam's bias correction is off.
        length = spec.steps if self.steps_per_epoch is None else tf.data.INFINITE_CARDINALITY
        dataset = dataset.with_options(options).apply(tf.data.experimental.assert_cardinality(length))
        return dataset.prefetch(tf.data.AUTOTUNE)


class FusedFitEngine(FitEngine):
    """`Model.fit` with `jit_compile=True`, an epoch a dispatch, and one iterator for all epochs.

    `steps_per_execution` puts an epoch's steps into one call; `steps_per_epoch` lets Keras keep its iterator, where
    it would make a new one every epoch at tens of milliseconds each.
    """

    jit_compile = True

    def compile(self) -> None:
        """Set the knobs; the rest is as in `fit`."""
        self.steps_per_execution = self.steps_per_epoch = self.experiment.steps
        super().compile()

    def orders(self) -> Any:
        """Return a dataset of all epochs' orders, one after the other, without end."""
        tf, bank = self.tf, self.tf.constant(self.bank)
        self.rows = tf.Variable(np.zeros(self.experiment.epochs, np.int32))
        epochs = tf.data.Dataset.range(self.experiment.epochs).repeat()
        return epochs.map(lambda epoch: tf.gather(bank, tf.maximum(self.rows[epoch], 0)))

    def choose(self, rows: Array) -> None:
        """Put the run's rows where the iterator will find them."""
        self.rows.assign(self.padded(rows, self.experiment.epochs))

    def begin_epoch(self, epoch: int) -> None:
        """Do nothing: the iterator goes on."""
