"""A block of members in one XLA program on JAX, around the stock Keras model and optimizer."""

from typing import Any

import numpy as np

from parabola.ensemble.members import fill_block
from parabola.machine import backends, devices
from parabola.training.data import order_bank, padded
from parabola.training.engines.jax import ITERATIONS, LEARNING_RATE, flat, make_epoch
from parabola.training.engines.keras_engine import make_optimizer, state_of, values_of
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array


class MembersProgram:
    """A block of members, traced once and run many times: `vmap` over every epoch, each with its own learning rate.

    On several devices ("cpu:all", "gpu:all") each device gets its part of the members by JAX's own sharding; the
    devices do not communicate.
    """

    def __init__(self, experiment: Experiment, members: int) -> None:
        jax, spec = backends.start(), experiment
        names = devices.resolve_all(spec.device)
        self.members = -(-members // len(names)) * len(names)
        self.jax, self.experiment, self.device = jax, spec, ", ".join(names)
        mesh = jax.sharding.Mesh(np.array([devices.jax_device(name) for name in names]), ("members",))
        by_first, by_second, by_third, self.everywhere = (
            jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec(*axes))
            for axes in (["members"], [None, "members"], [None, None, "members"], [])
        )
        with devices.scope(names[0])():
            self.model = spec.net.build()
            self.optimizer = make_optimizer(spec, spec.learning_rate, self.model.trainable_variables)
            self.fresh = values_of(self.optimizer.variables)
        self.inputs = [jax.device_put(values, self.everywhere) for values in (*spec.data, order_bank(spec.samples))]
        # All members share the count of steps: a bias correction for each costs time, and rounds in another way.
        slots = [self.everywhere if place == ITERATIONS else by_first for place in range(len(self.fresh))]
        self.split, self.split_rows = ((by_first, slots), by_first), by_second
        self.program = jax.jit(self._traced(), out_shardings=((by_first, slots), by_third))  # compiled by the first run

    def reset(self, seeds: Array, learning_rates: Array) -> Array:
        """Put fresh weights, a fresh optimizer and the learning rates on the devices."""
        weights, rates, rows = fill_block(self.experiment, self.members, seeds, learning_rates)
        slots = [np.broadcast_to(value, (self.members, *value.shape)) for value in self.fresh]
        slots[ITERATIONS] = self.fresh[ITERATIONS]
        if isinstance(self.experiment.optimizer, str):
            slots[LEARNING_RATE] = rates
        self.carried, self.rates = self._put(((weights, slots), rates), self.split)
        return rows

    def place(self, rows: Array) -> Any:
        """Return the number of rows; and, on the devices, the rows and their number."""
        number, whole = len(rows), padded(rows, self.experiment.epochs)
        return number, self._put(whole, self.split_rows), self._put(np.int32(number), self.everywhere)

    def run(self, placed: Any) -> Array:
        """Run the program; NumPy waits for the weights."""
        number, *rows_and_number = placed
        self.carried, history = self.program(self.carried, self.rates, *rows_and_number, *self.inputs)
        return np.asarray(history)[:number]

    def state(self, member: int) -> State:
        """Return copies of what the program has left of one member."""
        weights, slots = self.carried
        own = [np.array(value if place == ITERATIONS else value[member]) for place, value in enumerate(slots)]
        return state_of(self.model.trainable_variables, self.optimizer, np.array(weights[member]), own)

    def _put(self, values: Any, sharding: Any) -> Any:
        """Copy arrays to the devices, and wait for that."""
        return self.jax.block_until_ready(self.jax.device_put(values, sharding))

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        jax, spec = self.jax, self.experiment
        train_epoch = make_epoch(spec, self.model, self.optimizer)

        def member(begin: tuple[Any, list[Any]], rate: Any, row: Any, x: Any, y: Any, bank: Any) -> Any:
            weights, slots = begin
            order = bank[row]
            trainable, slots = train_epoch((spec.net.shaped(weights), slots), x[order], y[order], rate)
            return flat(trainable), slots

        axes = 0, [None if place == ITERATIONS else 0 for place in range(len(self.fresh))]
        block = jax.vmap(member, in_axes=(axes, 0, 0, None, None, None), out_axes=axes)

        # The number of rows is an input of its own: to look for a row of -1 the devices would have to communicate.
        def program(begin: Any, rates: Any, rows: Any, number: Any, x: Any, y: Any, bank: Any) -> Any:
            def epoch(index: Any, carried: Any) -> Any:
                state, history = carried
                state = block(state, rates, rows[index], x, y, bank)
                return state, history.at[index].set(state[0].T)

            history = jax.numpy.zeros((spec.epochs, spec.net.size, self.members))
            return jax.lax.fori_loop(0, number, epoch, (begin, history))

        return program
