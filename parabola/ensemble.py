"""Many members in one program: independent runs, each with its own seed, order and learning rate, trained together."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from parabola import devices
from parabola.data import order_bank, order_rows
from parabola.engines.keras_engine import assign, decay, make_optimizer
from parabola.experiment import Experiment, first_settled, first_true
from parabola.target import Array, coefficient_error

BLOCK_MEMBERS = 512  # on a CPU: weights, moments and gradients of so many about fit a core's first-level cache
BLOCK_VALUES = 2**23  # at most so many samples, and so many weights over all epochs, a block: 32 MiB each
GPU_BLOCK_VALUES = 2**26  # a guess, not measured
LAST_EPOCHS = 100


@dataclass(frozen=True)
class Members:
    """What came out of an ensemble, a value a member; epochs count from 1, and 0 means never.

    Attributes:
        experiment: what all have in common; its seed and, unless it is a function's, its learning rate are not used.
        seeds: shape (members,), int64.
        learning_rates: shape (members,), float64.
        weights: shape (members, weights), float32, after the last epoch.
        coefficients: shape (members, 3), float64, after the last epoch.
        coefficient_error: shape (members,), float64, after the last epoch; NaN or inf after divergence.
        passed: shape (members,), bool: coefficient error < learning rate (the smallest of a schedule's) at the end.
        first_pass_epoch: shape (members,), int64: the first after which the error was below it.
        settled_epoch: shape (members,), int64: the first from which it was, and stayed to the end.
        late_pass_share: shape (members,), float64: the share of the last 100 epochs after which it was.
        diverged_epoch: shape (members,), int64: the first after which a weight was NaN or inf.
    """

    experiment: Experiment
    seeds: Array
    learning_rates: Array
    weights: Array
    coefficients: Array
    coefficient_error: Array
    passed: Array
    first_pass_epoch: Array
    settled_epoch: Array
    late_pass_share: Array
    diverged_epoch: Array

    def split(self, parts: int) -> "list[Members]":
        """Return the members in so many equal parts, in order."""
        arrays = [np.split(getattr(self, item.name), parts) for item in fields(self)[1:]]
        return [Members(self.experiment, *part) for part in zip(*arrays, strict=True)]


class Ensemble:
    """An experiment's members, in blocks of one size; built once, and run for any seeds and learning rates.

    Raises:
        ValueError: if the device is not there.
    """

    def __init__(self, experiment: Experiment, members: int, *, workers: int | None = None) -> None:
        """Build for about so many members at a time.

        Args:
            experiment: what all have in common.
            members: how many a call of `train` has, or so; any number will do, but this one fills the blocks.
            workers: blocks that run side by side, each on a core; as many as there are, or one on a GPU.
        """
        gpu = experiment.device.startswith("gpu")
        workers = workers or (1 if gpu else len(os.sched_getaffinity(0)))
        values = max(experiment.samples, experiment.epochs * len(experiment.net.shapes))
        most = max(1, (GPU_BLOCK_VALUES if gpu else BLOCK_VALUES) // values)
        turns = -(-members // (workers * min(most, members if gpu else BLOCK_MEMBERS)))
        self.block_members = -(-members // (workers * turns))
        self.experiment = experiment
        self.programs = [Program(experiment, self.block_members) for _ in range(min(workers, members))]

    def train(
        self, seeds: Array, learning_rates: Array | None = None, *, progress: Callable[[int], None] | None = None
    ) -> Members:
        """Train members from fresh weights.

        Args:
            seeds: shape (members,), integers from 0: initial weights and order, as for a single run.
            learning_rates: shape (members,); the experiment's unless given.
            progress: called after each block with the number of members done.

        Returns:
            What became of each, in the order of the seeds.

        Raises:
            ValueError: if learning rates are given where the optimizer is a function, which takes one for all.
        """
        spec, size = self.experiment, self.block_members
        if learning_rates is None:
            learning_rates = np.full(len(seeds), spec.learning_rate)
        elif not isinstance(spec.optimizer, str):
            raise ValueError("a learning rate a member needs an optimizer by its name, not a function")
        idle = list(self.programs)

        def run(first: int) -> tuple[Array, ...]:
            program, part = idle.pop(), slice(first, first + size)
            try:
                return summarise(spec, learning_rates[part], program.run(seeds[part], learning_rates[part]))
            finally:
                idle.append(program)

        pool = ThreadPoolExecutor(len(self.programs))
        try:
            blocks = [pool.submit(run, first) for first in range(0, len(seeds), size)]
            for done, _ in enumerate(as_completed(blocks), start=1):
                if progress:
                    progress(min(done * size, len(seeds)))
            parts = zip(*(block.result() for block in blocks), strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Members(spec, seeds, learning_rates, *map(np.concatenate, parts))


def summarise(experiment: Experiment, learning_rates: Array, history: Array) -> tuple[Array, ...]:
    """Return the fields of Members from `weights` on, of weights of shape (epochs, weights, members)."""
    history = np.moveaxis(history, 1, 2)
    with np.errstate(all="ignore"):
        coefficients = experiment.net.coefficients(history)
        error = coefficient_error(coefficients, experiment.target)
    below = error < (experiment.final_learning_rate or learning_rates)
    diverged = first_true(np.any(~np.isfinite(history), axis=2))
    ends = history[-1], coefficients[-1], error[-1], below[-1]
    return *ends, first_true(below), first_settled(below), below[-LAST_EPOCHS:].mean(axis=0), diverged


class Program:
    """A block in one XLA program, around the stock Keras optimizer and the network's own formula.

    Weights are one variable of shape (weights, members). An optimizer that is elementwise, given the gradient of the
    sum of all members' losses, updates each as if it were alone; its learning rate is a vector, one a member.
    """

    def __init__(self, experiment: Experiment, members: int) -> None:
        tf, spec = devices.start(), experiment
        import keras

        self.tf, self.experiment, self.members = tf, spec, members
        self.placement = devices.resolve(spec.device)
        with tf.device(self.placement):
            self.weights = keras.Variable(np.zeros((len(spec.net.shapes), members), np.float32))
            self.learning_rates = tf.Variable(np.ones(members, np.float32))
            rate = self._learning_rate if isinstance(spec.optimizer, str) else spec.learning_rate
            self.optimizer = make_optimizer(spec, rate, [self.weights])
            self.fresh = [variable.numpy() for variable in self.optimizer.variables]
            devices.check_placement(self.weights.value, self.placement)
            bank = order_bank(spec.samples).view(np.float32)  # as float32 bits, as in engines/compiled.py
            self.inputs = [tf.constant(array) for array in (*map(np.ravel, spec.data), bank)]
            rows = tf.TensorSpec([spec.epochs, members], tf.int32)
            function = tf.function(self._traced(), autograph=False, jit_compile=True)
            self.program = function.get_concrete_function(*self.inputs, rows)  # traced here; compiled by the first run

    def run(self, seeds: Array, learning_rates: Array) -> Array:
        """Train up to so many members from fresh weights and a fresh optimizer.

        Args:
            seeds: shape (n,), integers.
            learning_rates: shape (n,).

        Returns:
            Shape (epochs, weights, n), float32, on the host: the weights after each epoch.
        """
        spec, missing = self.experiment, self.members - len(seeds)
        seeds, learning_rates = (np.pad(values, (0, missing), mode="edge") for values in (seeds, learning_rates))
        assign([self.weights, self.learning_rates], [spec.initial_weights(seeds).T, learning_rates.astype(np.float32)])
        assign(self.optimizer.variables, self.fresh)
        with self.tf.device(self.placement):
            rows = self.tf.constant(order_rows(spec.samples, seeds, spec.epochs))
            return np.asarray(self.program(*self.inputs, rows).numpy()[..., : self.members - missing])

    def _learning_rate(self) -> Any:
        """Return the members' learning rates at the present step, shape (members,)."""
        rates = self.learning_rates.read_value()
        spec = self.experiment
        return rates if spec.final_learning_rate is None else decay(spec, rates)(self.optimizer.iterations)

    def _traced(self) -> Any:
        """Return the Python function that becomes the program."""
        tf, spec, variable = self.tf, self.experiment, self.weights
        steps, rest = divmod(spec.samples, spec.batch_size)

        def gradient(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                weights = tf.unstack(variable.value.read_value())
                tape.watch(weights)
                loss = tf.reduce_sum(tf.square(spec.net.predict(weights, x) - y))
            return tf.stack(tape.gradient(loss, weights))

        def step(x: Any, y: Any, first: Any, size: int) -> None:
            # Sample by sample: the sum stays in the cache, where whole batches of all members would not.
            total = gradient(tf.gather(x, first), tf.gather(y, first))
            if size > 1:
                _, total = tf.while_loop(
                    lambda at, _: at < first + size,
                    lambda at, total: (at + 1, total + gradient(tf.gather(x, at), tf.gather(y, at))),
                    (first + 1, total),
                )
            self.optimizer.apply([total / size], [variable])

        def program(x: Any, y: Any, bank: Any, rows: Any) -> Any:
            def epoch(index: Any, history: Any) -> Any:
                order = tf.transpose(tf.bitcast(tf.gather(bank, tf.gather(rows, index)), tf.int32))
                x_epoch, y_epoch = tf.gather(x, order), tf.gather(y, order)

                def whole_step(position: Any) -> Any:
                    step(x_epoch, y_epoch, position * spec.batch_size, spec.batch_size)
                    return (position + 1,)

                tf.while_loop(lambda position: position < steps, whole_step, (tf.constant(0),))
                if rest:
                    step(x_epoch, y_epoch, tf.constant(steps * spec.batch_size), rest)
                return index + 1, tf.tensor_scatter_nd_update(history, [[index]], variable.value[None])

            history = tf.zeros([spec.epochs, *variable.shape])
            return tf.while_loop(lambda index, _: index < spec.epochs, epoch, (tf.constant(0), history))[1]

        return program
