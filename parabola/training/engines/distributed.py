"""Several devices, or several processes, train one model on the same global batches, by tf.distribute."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from parabola.machine import devices
from parabola.machine.tf_config import index_here
from parabola.training.engines import PeerError
from parabola.training.engines.keras_engine import KerasEngine, flat, values_of
from parabola.training.target import Array


class DistributedEngine(KerasEngine):
    """One dispatch an epoch: our own loop around `strategy.run`, as Keras' `fit` does not work under all strategies.

    A batch is dealt out to the replicas sample by sample. Where the samples do not suffice for all, a replica gets one
    with the weight 0. Each replica's loss is its part of the batch's mean; the stock Keras optimizer adds up the
    gradients of all replicas, and so has the gradient that one process would have. XLA does not compile it, because
    tf.distribute and XLA exclude each other. `multi_worker` finds its peers in TF_CONFIG, as TensorFlow documents it.
    """

    def place(self) -> str:
        """Make the strategy, and return the name of its first device in this process."""
        tf, kind = self.framework, self.experiment.device.partition(":")[0]
        if self.experiment.strategy == "mirrored":
            self.strategy = tf.distribute.MirroredStrategy(devices.resolve_all(self.experiment.device))
        else:  # this has to come before any other use of TensorFlow, even before a list of its devices
            if index_here() is None:
                raise ValueError("strategy multi_worker needs TF_CONFIG, which says who the other processes are")
            if kind == "cpu":
                tf.config.set_visible_devices([], "GPU")  # the strategy would take all GPUs
            with self._peers():
                self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.local: list[str] = list(self.strategy.extended.worker_devices)
        self.names = [name.rpartition("device:")[2].lower() for name in self.local]
        if not all(name.startswith(kind) for name in self.names):
            raise ValueError(f"{self.experiment.strategy} is on {', '.join(self.names)} here, not on {kind}")
        return self.names[0]

    def build(self) -> None:
        """Make a model and an optimizer on each replica; then trace and compile."""
        with self._peers(), self.strategy.scope():
            self.make()
        copies = self.strategy.experimental_local_results(self.model.weights[0].value)
        found = [devices.check_placement(copy, name) for copy, name in zip(copies, self.names, strict=True)]
        self.device = ", ".join(found)
        self.inputs = self._deal_out()
        self.program = self.framework.function(self._traced(), autograph=False)
        self.run(np.zeros(1, np.int32))

    def here(self) -> AbstractContextManager[Any]:
        """Return a context in which new variables are placed on every replica."""
        return self.strategy.scope()  # type: ignore[no-any-return]

    def run(self, rows: Array) -> Array:
        """Train epoch by epoch, one dispatch each."""
        history = []
        with self._peers():
            for row in rows:
                self.program(*self.inputs, self.framework.constant(row))
                history.append(flat(values_of(self.model.weights)))
        return np.stack(history)

    @contextmanager
    def _peers(self) -> Iterator[None]:
        """Turn the many errors by which TensorFlow reports that a process is gone into one PeerError of one line."""
        try:
            yield
        except self.framework.errors.OpError as error:
            if self.experiment.strategy == "mirrored":
                raise
            raise PeerError(f"a worker is gone, or cannot be reached: {error.message.splitlines()[0]}") from None

    def _deal_out(self) -> list[Any]:
        """Return the inputs on each replica: x, y, the bank of orders, and the replica's own part of every batch.

        A part is given as places in an order, and as their weights; both have the shape (steps, samples a part, 1).
        """
        tf, spec, replicas = self.framework, self.experiment, self.strategy.num_replicas_in_sync
        part = -(-spec.batch_size // replicas)
        batches = np.arange(spec.steps * spec.batch_size, dtype=np.int32).reshape(spec.steps, spec.batch_size)
        places = np.pad(batches, ((0, 0), (0, part * replicas - spec.batch_size)), constant_values=spec.samples)
        there = places < spec.samples
        weights = (there / there.sum(axis=1, keepdims=True)).astype(np.float32)
        dealt = [values.reshape(spec.steps, part, 1, replicas) for values in (places * there, weights)]
        alike = [
            np.broadcast_to(values.reshape(-1, 1), (values.size, replicas)) for values in (self.x, self.y, self.bank)
        ]

        def on_each(values: Array) -> Any:
            def own(context: Any) -> Any:
                replica = context.replica_id_in_sync_group
                with tf.device(self.local[replica % len(self.local)]):
                    return tf.constant(values[..., replica])

            return self.strategy.experimental_distribute_values_from_function(own)

        return [on_each(values) for values in (*alike, *dealt)]

    def _traced(self) -> Any:
        """Return the Python function that becomes the program of an epoch."""
        tf, variables, spec = self.framework, self.model.trainable_variables, self.experiment

        def take(x: Any, y: Any, bank: Any, places: Any, row: Any) -> tuple[Any, Any]:
            chosen = tf.gather(bank, row * spec.samples + places)
            return tf.gather(x, chosen), tf.gather(y, chosen)

        def step(x: Any, y: Any, weights: Any, position: Any) -> None:
            with tf.GradientTape() as tape:
                errors = tf.square(y[position] - self.model(x[position], training=True))
                loss = tf.reduce_sum(weights[position] * errors)
            self.optimizer.apply(tape.gradient(loss, variables), variables)

        def epoch(x: Any, y: Any, bank: Any, places: Any, weights: Any, row: Any) -> None:
            own = self.strategy.run(take, args=(x, y, bank, places, row))  # gathered once an epoch

            def every(position: Any) -> Any:
                self.strategy.run(step, args=(*own, weights, position))
                return (position + 1,)

            tf.while_loop(lambda position: position < spec.steps, every, (tf.constant(0),))

        return epoch
