"""How `fit` gets the samples in the order that all engines share: arrays, or on TensorFlow a tf.data pipeline."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from parabola.training.data import padded
from parabola.training.engines.keras_engine import KerasEngine
from parabola.training.target import Array


class Feed(ABC):
    """Gives `fit` the samples in the order of each epoch.

    Attributes:
        arguments: the keyword arguments by which `fit` is given the samples.
    """

    arguments: dict[str, Any]

    def choose(self, rows: Array) -> None:
        """Take note of a run's rows of the bank of orders."""
        self.rows = rows

    @abstractmethod
    def begin_epoch(self, epoch: int) -> None:
        """Put an epoch's order in place; called before `fit` asks for the epoch's first batch."""


class ArrayFeed(Feed):
    """Arrays, as most people pass them. `fit` does not shuffle; the arrays are put into each epoch's order instead."""

    def __init__(self, engine: KerasEngine) -> None:
        self.engine, self.x, self.y = engine, engine.x.copy(), engine.y.copy()
        self.arguments = {"x": self.x, "y": self.y, "batch_size": engine.experiment.batch_size}

    def begin_epoch(self, epoch: int) -> None:
        """Put the samples into the epoch's order, in place."""
        order = self.engine.bank[self.rows[epoch]]
        np.take(self.engine.x, order, axis=0, out=self.x)
        np.take(self.engine.y, order, axis=0, out=self.y)


class Pipeline(Feed):
    """The pipeline that Keras makes from arrays, except that our order takes the place of its own shuffle.

    It makes batches of indices, gathers their samples and prefetches them. Keras makes a new iterator every epoch.
    """

    steps_per_epoch: int | None = None

    def __init__(self, engine: KerasEngine) -> None:
        self.tf, self.engine = engine.framework, engine
        with self.tf.device("/CPU:0"):
            self.arguments = {"x": self._batches(), "steps_per_epoch": self.steps_per_epoch}

    def begin_epoch(self, epoch: int) -> None:
        """Put the epoch's order into the variable that the iterator, which Keras makes next, will read."""
        self.order.assign(self.engine.bank[self.rows[epoch]])

    def _orders(self) -> Any:
        """Return a dataset whose one element is the order of the present epoch."""
        self.order = self.tf.Variable(self.engine.bank[0])
        return self.tf.data.Dataset.range(1).map(lambda _: self.order.read_value()).prefetch(1)

    def _batches(self) -> Any:
        """Return a dataset of (x, y) batches, each order's partial last batch included."""
        tf, spec = self.tf, self.engine.experiment
        whole = spec.samples // spec.batch_size * spec.batch_size

        def split(order: Any) -> Any:
            indices = tf.data.Dataset.from_tensor_slices(tf.reshape(order[:whole], [-1, spec.batch_size]))
            return indices.concatenate(tf.data.Dataset.from_tensors(order[whole:])) if whole < spec.samples else indices

        inputs = tf.data.Dataset.from_tensors((tf.constant(self.engine.x), tf.constant(self.engine.y))).repeat()
        dataset = tf.data.Dataset.zip(self._orders().flat_map(split), inputs).map(
            lambda indices, data: (tf.gather(data[0], indices), tf.gather(data[1], indices)),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        options = tf.data.Options()
        options.experimental_optimization.apply_default_optimizations = False
        # If Keras does not know the length, it ends an epoch by a call that finds no data but still runs the one part
        # of a step that needs none: `iterations` counts one step too many, and Adam's bias correction is off.
        length = spec.steps if self.steps_per_epoch is None else tf.data.INFINITE_CARDINALITY
        dataset = dataset.with_options(options).apply(tf.data.experimental.assert_cardinality(length))
        return dataset.prefetch(tf.data.AUTOTUNE)


class EndlessPipeline(Pipeline):
    """One iterator for all epochs: Keras keeps its iterator if it is told how many steps an epoch has."""

    def __init__(self, engine: KerasEngine) -> None:
        self.steps_per_epoch = engine.experiment.steps
        super().__init__(engine)

    def choose(self, rows: Array) -> None:
        """Put the run's rows into the variable that the iterator reads."""
        self.chosen.assign(padded(rows, self.engine.experiment.epochs))

    def begin_epoch(self, epoch: int) -> None:
        """Do nothing, as the iterator goes on to the next order by itself."""

    def _orders(self) -> Any:
        """Return a dataset of all epochs' orders, one after the other, without end."""
        tf, spec, bank = self.tf, self.engine.experiment, self.tf.constant(self.engine.bank)
        self.chosen = tf.Variable(np.zeros(spec.epochs + 1, np.int32))
        epochs = tf.data.Dataset.range(spec.epochs).repeat()
        return epochs.map(lambda epoch: tf.gather(bank, tf.maximum(self.chosen[epoch], 0)))
