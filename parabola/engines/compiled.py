"""The whole run in one XLA program, around the stock Keras model and the stock Keras optimizer."""

from typing import Any

import numpy as np

from parabola.engines.keras_engine import KerasEngine
from parabola.target import Array


class CompiledEngine(KerasEngine):
    """Every epoch and step in one XLA program: nested loops around Keras' own forward pass, loss and update.

    The samples of an epoch are gathered once, before its steps. The number of epochs is read at run time, so
    building means compiling alone (a run of no epochs), and any number up to experiment.epochs reuses it.
    """

    def compile(self) -> None:
        """Copy the inputs to the device; trace and compile by running no epochs."""
        tf = self.tf
        self.inputs = [tf.constant(array) for array in (self.x, self.y, self.bank)]
        self.program = tf.function(self._trace(), autograph=False, jit_compile=True)
        self.run(np.zeros(0, np.int32))

    def run(self, rows: Array) -> Array:
        """Run the program; the rows, a few bytes an epoch, are copied within."""
        padded = np.full(self.experiment.epochs + 1, -1, np.int32)
        padded[: len(rows)] = rows
        with self.tf.device(self.placement):
            weights = self.program(*self.inputs, self.tf.constant(padded))
        return np.asarray(weights.numpy()[: len(rows)])

    def _trace(self) -> Any:
        """Return the function that TensorFlow traces."""
        import keras

        tf, model, optimizer = self.tf, self.model, self.optimizer
        mean_squared_error = keras.losses.MeanSquaredError()
        variables = model.trainable_variables
        samples, batch_size, epochs = self.experiment.samples, self.experiment.batch_size, self.experiment.epochs
        whole_steps, rest = divmod(samples, batch_size)
        whole = whole_steps * batch_size

        def step(x: Any, y: Any) -> None:
            with tf.GradientTape() as tape:
                loss = mean_squared_error(y, model(x, training=True))
            optimizer.apply(tape.gradient(loss, variables), variables)

        def flat_weights() -> Any:
            return tf.concat([tf.reshape(variable, [-1]) for variable in variables], axis=0)

        def program(x: Any, y: Any, bank: Any, rows: Any) -> Any:
            def epoch(index: Any, history: Any) -> Any:
                order = tf.gather(bank, tf.gather(rows, index))
                x_epoch, y_epoch = tf.gather(x, order), tf.gather(y, order)
                x_batches = tf.reshape(x_epoch[:whole], [whole_steps, batch_size, 1])
                y_batches = tf.reshape(y_epoch[:whole], [whole_steps, batch_size, 1])

                def whole_step(position: Any) -> Any:
                    step(x_batches[position], y_batches[position])
                    return (position + 1,)

                tf.while_loop(lambda position: position < whole_steps, whole_step, (tf.constant(0),))
                if rest:
                    step(x_epoch[whole:], y_epoch[whole:])
                history = tf.tensor_scatter_nd_update(history, [[index]], [flat_weights()])
                return index + 1, history

            history = tf.zeros([epochs, flat_weights().shape[0]])
            start = (tf.constant(0), history)
            return tf.while_loop(lambda index, _: tf.gather(rows, index) >= 0, epoch, start)[1]

        return program
