"""The whole run in one XLA program, around the stock Keras model and the stock Keras optimizer."""

from typing import Any

import numpy as np

from parabola.training.data import in_small_integers, padded
from parabola.training.engines.keras_engine import KerasEngine
from parabola.training.target import Array


class CompiledEngine(KerasEngine):
    """Every epoch and step in one XLA program: nested loops around Keras' own forward pass, loss and update.

    The number of epochs is read at run time: a row of -1 ends the run. So building can compile the program by a run of
    no epochs, and a run of any number up to experiment.epochs uses the same program.
    """

    def compile(self) -> None:
        """Copy the inputs to the device; trace and compile by running no epochs."""
        arrays = self.x, self.y, in_small_integers(self.bank)
        self.inputs = [self.framework.constant(array) for array in arrays]
        rows = self.framework.TensorSpec([self.experiment.epochs + 1], self.framework.int32)
        function = self.framework.function(self._traced(), autograph=False, jit_compile=True)
        # One signature, once: to look for the trace that suits its inputs costs a call of the function more than a
        # short run takes.
        self.program = function.get_concrete_function(*self.inputs, rows)
        self.run(np.zeros(0, np.int32))

    def run(self, rows: Array) -> Array:
        """Run the program; inside the clock only the rows are copied to the device, four bytes an epoch."""
        tf = self.framework
        with tf.device(self.placement):
            weights = self.program(*self.inputs, tf.constant(padded(rows, self.experiment.epochs)))
        return np.array(weights.numpy()[: len(rows)])

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        import keras

        tf, model, optimizer, spec = self.framework, self.model, self.optimizer, self.experiment
        mean_squared_error, variables = keras.losses.MeanSquaredError(), self.model.trainable_variables
        whole_steps, rest = divmod(spec.samples, spec.batch_size)
        whole = spec.samples - rest

        def step(x: Any, y: Any) -> None:
            with tf.GradientTape() as tape:
                loss = mean_squared_error(y, model(x, training=True))
            optimizer.apply(tape.gradient(loss, variables), variables)

        def program(x: Any, y: Any, bank: Any, rows: Any) -> Any:
            # tf.gather, not rows[index]: XLA treats the beginning of a strided slice as a constant, and recompiles.
            def epoch(index: Any, history: Any) -> Any:
                # Gathered once an epoch: a gather in every step costs two to three times as much.
                order = tf.cast(tf.gather(bank, tf.gather(rows, index)), tf.int32)
                x_epoch, y_epoch = tf.gather(x, order), tf.gather(y, order)
                x_batches = tf.reshape(x_epoch[:whole], [whole_steps, spec.batch_size, 1])
                y_batches = tf.reshape(y_epoch[:whole], [whole_steps, spec.batch_size, 1])

                def whole_step(position: Any) -> Any:
                    step(tf.gather(x_batches, position), tf.gather(y_batches, position))
                    return (position + 1,)

                tf.while_loop(lambda position: position < whole_steps, whole_step, (tf.constant(0),))
                if rest:
                    step(x_epoch[whole:], y_epoch[whole:])
                weights = tf.concat([tf.reshape(variable, [-1]) for variable in variables], axis=0)
                return index + 1, history.write(index, weights)

            history = tf.TensorArray(tf.float32, spec.epochs, element_shape=[spec.net.size])
            begin = tf.constant(0), history
            return tf.while_loop(lambda index, _: tf.gather(rows, index) >= 0, epoch, begin)[1].stack()

        return program
