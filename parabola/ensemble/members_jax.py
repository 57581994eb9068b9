"""A block of members in one XLA program on JAX, around the stock Keras model and optimizer."""

from typing import Any

import numpy as np

from parabola.ensemble.members import fill_block
from parabola.machine import backends, devices
from parabola.training.data import order_bank
from parabola.training.engines.jax import LEARNING_RATE, Carried, flat, make_epoch
from parabola.training.engines.keras_engine import make_optimizer, values_of
from parabola.training.experiment import Experiment
from parabola.training.target import Array


class MembersProgram:
    """A block of members, traced once and run many times: `vmap` over a whole run, each with its own learning rate.

    On several devices ("cpu:all", "gpu:all") each device gets its part of the members by JAX's own sharding; the
    devices do not communicate.
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
        """Put fresh weights, the learning rates and the orders of up to a block of members on the devices.

        Args:
            seeds: shape (n,), integers, n at most the size of the block; the last seed fills the places that are left.
            learning_rates: shape (n,), one for each seed.

        Returns:
            What `run` begins with.
        """
        weights, rates, rows = fill_block(self.experiment, self.members, seeds, learning_rates)
        arrays = weights, rates, np.ascontiguousarray(rows.T)
        return self.jax.block_until_ready([self.jax.device_put(array, self.split) for array in arrays])

    def run(self, begin: Any) -> Array:
        """Train from what a reset returned.

        Returns:
            Shape (epochs, size of the network, members), float32, on the host (NumPy waits for the device): the weights
            after each epoch.
        """
        return np.asarray(self.program(*begin, *self.inputs))

    def _traced(self) -> Any:
        """Return the Python function of one member that becomes the program."""
        jax, spec = self.jax, self.experiment
        train_epoch = make_epoch(spec, self.model, self.optimizer)

        def member(weights: Any, rate: Any, rows: Any, x: Any, y: Any, bank: Any) -> Any:
            trainable = spec.net.shaped(weights)
            slots = [jax.numpy.asarray(value) for value in self.fresh]
            if isinstance(spec.optimizer, str):
                slots[LEARNING_RATE] = rate

            def epoch(state: Carried, row: Any) -> tuple[Carried, Any]:
                order = bank[row]
                state = train_epoch(state, x[order], y[order], rate)
                return state, flat(state[0])

            return jax.lax.scan(epoch, (trainable, slots), rows)[1]

        return member
