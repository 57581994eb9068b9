"""A block of members in one XLA program on TensorFlow, around the stock Keras optimizer and the network's formula."""

from typing import Any

import numpy as np

from parabola.ensemble.members import fill_block
from parabola.machine import backends, devices
from parabola.training.data import in_small_integers, order_bank, padded
from parabola.training.engines.keras_engine import assign, decay, make_optimizer, state_of, values_of
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Array

MOST_IN_PIECE = 128  # samples of each member whose order is transposed at a time; from 27 to 128 it makes no difference

TURN, MOST_EMPTY = 32, 1 / 16  # members in a turn of XLA's loops; the share of a block that may be left empty


class MembersProgram:
    """A block of members, traced once and run many times; a row of -1 ends a run, as in engines/compiled.py.

    All weights are one variable of shape (size of the network, members). An elementwise optimizer that is given the
    gradient of the sum of all members' losses updates each member as if it were alone; its learning rate is a vector
    with one rate a member.
    """

    def __init__(self, experiment: Experiment, members: int) -> None:
        tf, spec, members = backends.start(), experiment, whole_turns(members)
        import keras

        self.tf, self.experiment, self.members = tf, spec, members
        self.placement = devices.resolve(spec.device)
        with tf.device(self.placement):
            self.weights = keras.Variable(np.zeros((spec.net.size, members), np.float32))
            self.learning_rates = tf.Variable(np.ones(members, np.float32))
            rate = self._learning_rate if isinstance(spec.optimizer, str) else spec.learning_rate
            self.optimizer = make_optimizer(spec, rate, [self.weights])
            self.fresh = values_of(self.optimizer.variables)
            self.device = devices.check_placement(self.weights.value, self.placement)
            bank = in_small_integers(order_bank(spec.samples))
            self.inputs = [tf.constant(array) for array in (*map(np.ravel, spec.data), bank)]
            rows = tf.TensorSpec([spec.epochs + 1, members], tf.int32)
            function = tf.function(self._traced(), autograph=False, jit_compile=True)
            self.program = function.get_concrete_function(*self.inputs, rows)  # traced here; compiled by the first run

    def reset(self, seeds: Array, learning_rates: Array) -> Array:
        """Assign fresh weights, learning rates and a fresh optimizer: variables that the program reads."""
        weights, rates, rows = fill_block(self.experiment, self.members, seeds, learning_rates)
        assign([self.weights, self.learning_rates], [weights.T, rates])
        assign(self.optimizer.variables, self.fresh)
        return rows

    def place(self, rows: Array) -> Any:
        """Return the number of rows, and the rows on the device."""
        with self.tf.device(self.placement):
            return len(rows), self.tf.constant(padded(rows, self.experiment.epochs))

    def run(self, placed: Any) -> Array:
        """Run the program, and copy the weights to the host."""
        epochs, rows = placed
        with self.tf.device(self.placement):
            return np.asarray(self.program(*self.inputs, rows).numpy())[:epochs]

    def state(self, member: int) -> State:
        """Return copies of one member's column of the variables, and of what all members share."""
        (weights,), values = values_of([self.weights]), values_of(self.optimizer.variables)
        own = [value[:, member] if value.shape == weights.shape else value for value in values]
        return state_of([self.weights], self.optimizer, weights[:, member], own)

    def _learning_rate(self) -> Any:
        """Return each member's learning rate at the present step, shape (members,)."""
        rates, final = self.learning_rates.read_value(), self.experiment.final_learning_rate
        return rates if final is None else decay(self.experiment, rates)(self.optimizer.iterations)

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        tf, spec, variable = self.tf, self.experiment, self.weights
        steps, rest = divmod(spec.samples, spec.batch_size)
        whole, alone = steps * spec.batch_size, spec.batch_size == 1
        # Where a batch is one sample, a piece has several steps; else a step has one piece or more.
        size = piece_size(spec.samples if alone else spec.batch_size)

        def gradient(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                weights = tf.unstack(variable.value.read_value())
                tape.watch(weights)
                loss = tf.reduce_sum(tf.square(spec.net.predict(weights, x) - y))
            return tf.stack(tape.gradient(loss, weights))

        def program(x: Any, y: Any, bank: Any, rows: Any) -> Any:
            def samples(order: Any) -> tuple[Any, Any]:
                # Piece by piece, so that what is transposed stays in the cache.
                order = tf.transpose(tf.cast(order, tf.int32))
                return tf.gather(x, order), tf.gather(y, order)

            def add(total: Any, order: Any) -> Any:
                # Sample by sample, so that the sum stays in the cache; a batch of all members would not fit there.
                x_piece, y_piece = samples(order)
                return tf.while_loop(
                    lambda at, _: at < order.shape[1],
                    lambda at, total: (at + 1, total + gradient(tf.gather(x_piece, at), tf.gather(y_piece, at))),
                    (tf.constant(0), total),
                )[1]

            def epoch(index: Any, history: Any) -> Any:
                order = tf.gather(bank, tf.gather(rows, index))
                pieces, none = tf.reshape(order[:, :whole], [self.members, -1, size]), tf.zeros(variable.shape)

                def single_steps(piece: Any) -> Any:
                    x_piece, y_piece = samples(tf.gather(pieces, piece, axis=1))

                    def single_step(at: Any) -> Any:
                        self.optimizer.apply([gradient(tf.gather(x_piece, at), tf.gather(y_piece, at))], [variable])
                        return (at + 1,)

                    tf.while_loop(lambda at: at < size, single_step, (tf.constant(0),))
                    return (piece + 1,)

                def step(first: Any) -> Any:
                    _, total = tf.while_loop(
                        lambda piece, _: piece < first + spec.batch_size // size,
                        lambda piece, total: (piece + 1, add(total, tf.gather(pieces, piece, axis=1))),
                        (first, none),
                    )
                    self.optimizer.apply([total / spec.batch_size], [variable])
                    return (first + spec.batch_size // size,)

                tf.while_loop(lambda piece: piece < whole // size, single_steps if alone else step, (tf.constant(0),))
                if rest:
                    self.optimizer.apply([add(none, order[:, whole:]) / rest], [variable])
                return index + 1, tf.tensor_scatter_nd_update(history, [[index]], variable.value[None])

            history = tf.zeros([spec.epochs, *variable.shape])
            return tf.while_loop(lambda index, _: tf.gather(rows, index)[0] >= 0, epoch, (tf.constant(0), history))[1]

        return program


def whole_turns(members: int) -> int:
    """Return how many places a block has: such that loops over it end with a whole turn, where few are left empty.

    Of 500 members each takes a fifth longer than of 512, since XLA takes those that do not fill a turn one by one.

    Args:
        members: how many members the block is for.
    """
    places = -(-members // TURN) * TURN
    return places if places <= members * (1 + MOST_EMPTY) else members


def piece_size(samples: int) -> int:
    """Return how many samples of each member are put into order at a time.

    Args:
        samples: number of samples in a row that are to be cut into pieces of one size.
    """
    size = max(divisor for divisor in range(1, min(samples, MOST_IN_PIECE) + 1) if samples % divisor == 0)
    return size if size > 1 else samples  # a prime number cannot be cut
