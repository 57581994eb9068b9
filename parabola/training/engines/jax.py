"""JAX: the whole run in one XLA program, around the stock Keras model and optimizer by their stateless calls."""

from typing import Any

import numpy as np

from parabola.machine import devices
from parabola.training.data import padded
from parabola.training.engines.keras_engine import KerasEngine, decay
from parabola.training.experiment import Experiment
from parabola.training.target import Array

ITERATIONS, LEARNING_RATE = 0, 1  # the places of these two among the variables of every Keras optimizer
Carried = tuple[list[Any], list[Any]]  # the trainable variables and the optimizer's variables, each in Keras' order


def make_epoch(experiment: Experiment, model: Any, optimizer: Any) -> Any:
    """Return the function (state, x, y, rate) -> state that trains one epoch on samples that are in its order.

    Pass `rate` to decay from a member's own learning rate; otherwise the optimizer's own schedule is used.
    """
    import jax
    import keras

    mean_squared_error, spec = keras.losses.MeanSquaredError(), experiment
    steps, rest = divmod(spec.samples, spec.batch_size)

    def loss(trainable: list[Any], x: Any, y: Any) -> Any:
        prediction, _ = model.stateless_call(trainable, [], x, training=True)
        return mean_squared_error(y, prediction)

    def epoch(state: Carried, x: Any, y: Any, rate: Any = None) -> Carried:
        def step(state: Carried, batch: tuple[Any, Any]) -> tuple[Carried, None]:
            trainable, slots = state
            if rate is not None and spec.final_learning_rate is not None:
                slots = [*slots]
                slots[LEARNING_RATE] = decay(spec, rate)(slots[ITERATIONS])
            return optimizer.stateless_apply(slots, jax.grad(loss)(trainable, *batch), trainable), None

        whole = [values[: steps * spec.batch_size].reshape(steps, spec.batch_size, 1) for values in (x, y)]
        state, _ = jax.lax.scan(step, state, tuple(whole))
        return step(state, (x[-rest:], y[-rest:]))[0] if rest else state

    return epoch


def flat(trainable: list[Any]) -> Any:
    """Return weights as one vector, as Keras orders them."""
    import jax.numpy as jnp

    return jnp.concatenate([jnp.ravel(variable) for variable in trainable])


class CompiledEngine(KerasEngine):
    """Every epoch and step in one XLA program, as in engines/compiled.py; a row of -1 ends the run."""

    carried: Carried

    def compile(self) -> None:
        """Copy the inputs to the device; trace and compile by running no epochs."""
        with self.here():
            self.inputs = [self.framework.numpy.asarray(array) for array in (self.x, self.y, self.bank)]
        self.program = self.framework.jit(self._traced())
        self._take_state()
        self.run(np.zeros(0, np.int32))

    def load(self, weights: Array, learning_rate: float) -> None:
        """Assign the weights and fresh slots, and begin the next run from the variables' values."""
        super().load(weights, learning_rate)
        self._take_state()

    def run(self, rows: Array) -> Array:
        """Run the program; NumPy waits for the weights."""
        with self.here():
            rows_and_end = padded(rows, self.experiment.epochs)
            self.carried, weights = self.program(self.carried, *self.inputs, rows_and_end)
        return np.array(weights)[: len(rows)]

    def values(self) -> tuple[list[Array], list[Array]]:
        """Return copies of what the program has left, which the variables of Keras are not told of."""
        weights, slots = self.carried
        return [np.array(value) for value in weights], [np.array(value) for value in slots]

    def _take_state(self) -> None:
        owned = self.model.trainable_variables, self.optimizer.variables
        trainable, slots = ([variable.value for variable in variables] for variables in owned)
        self.carried = self.framework.block_until_ready((trainable, slots))
        devices.check_placement(trainable[0], self.placement)

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        jax, spec = self.framework, self.experiment
        train_epoch = make_epoch(spec, self.model, self.optimizer)

        def program(state: Carried, x: Any, y: Any, bank: Any, rows: Any) -> tuple[Carried, Any]:
            def epoch(carried: tuple[Any, Carried, Any]) -> tuple[Any, Carried, Any]:
                index, state, history = carried
                order = bank[rows[index]]
                state = train_epoch(state, x[order], y[order])  # gathered once an epoch
                return index + 1, state, history.at[index].set(flat(state[0]))

            history = jax.numpy.zeros((spec.epochs, flat(state[0]).size))
            begin = jax.numpy.int32(0), state, history
            return jax.lax.while_loop(lambda carried: rows[carried[0]] >= 0, epoch, begin)[1:]  # type: ignore[no-any-return]

        return program
