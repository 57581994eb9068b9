"""JAX: the whole run in one XLA program, around the stock Keras model and optimizer by their stateless calls."""

from typing import Any

import numpy as np

from parabola.machine import backends, devices
from parabola.training.data import order_bank
from parabola.training.engines.keras_engine import KerasEngine, decay, fill_block, make_optimizer, values_of
from parabola.training.experiment import Experiment
from parabola.training.target import Array

ITERATIONS, LEARNING_RATE = 0, 1  # where Keras has them among an optimizer's variables
State = tuple[list[Any], list[Any]]  # trainable variables and the optimizer's, as Keras orders them


def make_epoch(experiment: Experiment, model: Any, optimizer: Any) -> Any:
    """Return the function (state, x, y) -> state that trains one epoch on samples in its order.

    A member's learning rate, if given, is one more argument: its decay begins there. Without it the decay is the
    optimizer's own.
    """
    import jax
    import keras

    mean_squared_error, spec = keras.losses.MeanSquaredError(), experiment
    steps, rest = divmod(spec.samples, spec.batch_size)

    def loss(trainable: list[Any], x: Any, y: Any) -> Any:
        prediction, _ = model.stateless_call(trainable, [], x, training=True)
        return mean_squared_error(y, prediction)

    def epoch(state: State, x: Any, y: Any, rate: Any = None) -> State:
        def step(state: State, batch: tuple[Any, Any]) -> tuple[State, None]:
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

    state: State

    def compile(self) -> None:
        """Copy the inputs to the device; trace and compile by running no epochs."""
        with self.here():
            self.inputs = [self.framework.numpy.asarray(array) for array in (self.x, self.y, self.bank)]
        self.program = self.framework.jit(self._traced())
        self._take_state()
        self.run(np.zeros(0, np.int32))

    def load(self, weights: Array, learning_rate: float) -> None:
        """Assign them, and take the variables' values for the state that the program begins with."""
        super().load(weights, learning_rate)
        self._take_state()

    def run(self, rows: Array) -> Array:
        """Run the program; NumPy waits for the weights."""
        with self.here():
            rows_and_end = self.padded(rows, self.experiment.epochs + 1)
            self.state, weights = self.program(self.state, *self.inputs, rows_and_end)
        return np.array(weights)[: len(rows)]

    def _take_state(self) -> None:
        owned = self.model.trainable_variables, self.optimizer.variables
        trainable, slots = ([variable.value for variable in variables] for variables in owned)
        self.state = self.framework.block_until_ready((trainable, slots))
        devices.check_placement(trainable[0], self.placement)

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        jax, spec = self.framework, self.experiment
        train_epoch = make_epoch(spec, self.model, self.optimizer)

        def program(state: State, x: Any, y: Any, bank: Any, rows: Any) -> tuple[State, Any]:
            def epoch(carried: tuple[Any, State, Any]) -> tuple[Any, State, Any]:
                index, state, history = carried
                order = bank[rows[index]]
                state = train_epoch(state, x[order], y[order])  # gathered once an epoch
                return index + 1, state, history.at[index].set(flat(state[0]))

            history = jax.numpy.zeros((spec.epochs, flat(state[0]).size))
            begin = jax.numpy.int32(0), state, history
            return jax.lax.while_loop(lambda carried: rows[carried[0]] >= 0, epoch, begin)[1:]  # type: ignore[no-any-return]

        return program


class MembersProgram:
    """So many members, traced once and run many times: `vmap` over a whole run, each with its learning rate.

    On several devices ("cpu:all", "gpu:all") each has its share of the members, by JAX's own sharding; they have
    nothing to tell each other.
    """

    def __init__(self, experiment: Experiment, members: int) -> None:
        jax, spec = backends.start(), experiment
        names = devices.resolve_all(spec.device)
        self.members = -(-members // len(names)) * len(names)
        self.jax, self.experiment = jax, spec
        mesh = jax.sharding.Mesh(np.array([devices.jax_device(name) for name in names]), ("members",))
        self.split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("members"))
        everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
        with devices.scope(names[0])():
            self.model = spec.net.build()
            self.optimizer = make_optimizer(spec, spec.learning_rate, self.model.trainable_variables)
            self.fresh = values_of(self.optimizer.variables)
        self.inputs = [jax.device_put(values, everywhere) for values in (*spec.data, order_bank(spec.samples))]
        member = jax.vmap(self._traced(), in_axes=(0, 0, 0, None, None, None), out_axes=2)
        self.program = jax.jit(member)  # compiled by the first run

    def reset(self, seeds: Array, learning_rates: Array) -> Any:
        """Return what a run begins with, on the devices: up to so many members' weights, learning rates and orders.

        Args:
            seeds: shape (n,), integers; the last stands in for those that are missing.
            learning_rates: shape (n,).
        """
        weights, rates, rows = fill_block(self.experiment, self.members, seeds, learning_rates)
        arrays = weights, rates, np.ascontiguousarray(rows.T)
        return self.jax.block_until_ready([self.jax.device_put(array, self.split) for array in arrays])

    def run(self, begin: Any) -> Array:
        """Train from a reset, and return the weights after each epoch; NumPy waits for them.

        Returns:
            Shape (epochs, weights, members), float32, on the host.
        """
        return np.asarray(self.program(*begin, *self.inputs))

    def _traced(self) -> Any:
        """Return the Python function of one member that becomes the program."""
        jax, spec = self.jax, self.experiment
        train_epoch = make_epoch(spec, self.model, self.optimizer)

        def member(weights: Any, rate: Any, rows: Any, x: Any, y: Any, bank: Any) -> Any:
            trainable = [weights[place].reshape(shape) for place, shape in enumerate(spec.net.shapes)]
            slots = [jax.numpy.asarray(value) for value in self.fresh]
            if isinstance(spec.optimizer, str):
                slots[LEARNING_RATE] = rate

            def epoch(state: State, row: Any) -> tuple[State, Any]:
                order = bank[row]
                state = train_epoch(state, x[order], y[order], rate)
                return state, flat(state[0])

            return jax.lax.scan(epoch, (trainable, slots), rows)[1]

        return member
