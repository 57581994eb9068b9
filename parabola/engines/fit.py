"""Keras `Model.fit`, one dispatch a step, as most people train."""

from typing import Any

import numpy as np

from parabola.engines.keras_engine import KerasEngine
from parabola.target import Array


class FitEngine(KerasEngine):
    """`Model.fit` with `jit_compile=False`.

    The input pipeline has the shape that Keras makes from arrays (indices, batches of indices, gathered samples,
    prefetch; made anew every epoch), but the indices come from our order instead of a shuffle of its own.
    """

    jit_compile = False
    steps_per_execution = 1
    steps_per_epoch: int | None = None

    def compile(self) -> None:
        """Compile the model, make the pipeline, and trace both batch shapes by training one epoch."""
        import keras

        tf, engine = self.tf, self
        self.model.compile(
            loss="mean_squared_error",
            optimizer=self.optimizer,
            jit_compile=self.jit_compile,
            steps_per_execution=self.steps_per_execution,
        )
        if self.model.jit_compile is not self.jit_compile:
            raise RuntimeError(f"Keras turned jit_compile to {self.model.jit_compile}; asked for {self.jit_compile}")
        with tf.device("/CPU:0"):
            self.rows = tf.Variable(np.zeros(self.experiment.epochs, np.int32))
            self.epoch = tf.Variable(0)
            self.pipeline = self.make_pipeline()

        class History(keras.callbacks.Callback):  # type: ignore[misc]
            def on_train_begin(self, logs: Any = None) -> None:
                self.weights: list[Array] = []

            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                engine.epoch.assign(epoch)

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.weights.append(engine.read())

        self.history = History()
        self.run(np.zeros(1, np.int32))

    def run(self, rows: Array) -> Array:
        """Call `fit` once for all epochs."""
        padded = np.zeros(self.experiment.epochs, np.int32)
        padded[: len(rows)] = rows
        self.rows.assign(padded)
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

    def make_pipeline(self) -> Any:
        """Return a dataset of one epoch's batches: the epoch whose row self.epoch points to."""
        tf = self.tf
        bank = tf.constant(self.bank)
        orders = tf.data.Dataset.range(1).map(lambda _: bank[self.rows[self.epoch]]).prefetch(1)
        # Of unknown length, an epoch would end in a call that finds no data, and runs the one part of a step that
        # needs none: `iterations` would count one step too many, and Adam's bias correction be off.
        return self.batches(orders).apply(tf.data.experimental.assert_cardinality(self.experiment.steps))

    def batches(self, orders: Any) -> Any:
        """Return a dataset of (x, y) batches, each order's partial last batch included."""
        tf, batch_size = self.tf, self.experiment.batch_size
        whole = self.experiment.samples // batch_size * batch_size

        def split(order: Any) -> Any:
            indices = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], [-1, batch_size]))
            if whole < self.experiment.samples:
                indices = indices.concatenate(tf.data.Dataset.from_tensors(order[whole:]))
            return indices

        inputs = tf.data.Dataset.from_tensors((tf.constant(self.x), tf.constant(self.y))).repeat()
        dataset = tf.data.Dataset.zip(orders.flat_map(split), inputs).map(
            lambda indices, data: (tf.gather(data[0], indices), tf.gather(data[1], indices)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
