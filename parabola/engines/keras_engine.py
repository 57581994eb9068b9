"""What the Keras engines share: the stock model and optimizer on a device, and fresh state in them."""

from typing import Any

import numpy as np

from parabola import devices
from parabola.engines import Engine
from parabola.experiment import OPTIMIZERS, Experiment
from parabola.target import Array


class KerasEngine(Engine):
    """An engine around a stock Keras model and a stock Keras optimizer."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self.placement = devices.resolve(experiment.device)
        self.tf = devices.start()

    def build(self) -> None:
        """Make the model and the optimizer on the device; then let the engine compile."""
        import keras

        make: Any = self.experiment.optimizer
        if isinstance(make, str):
            make = getattr(keras.optimizers, OPTIMIZERS[make])
        with self.tf.device(self.placement):
            self.model = self.experiment.net.build()
            self.optimizer = make(self.experiment.learning_rate)
            self.optimizer.build(self.model.trainable_variables)
            self.device = devices.check_placement(self.model.weights[0].value, self.placement)
            # Not every slot starts at 0: Adagrad's accumulators and Nadam's product of momenta do not.
            self.fresh = [variable.numpy() for variable in self.optimizer.variables]
            self.compile()

    def compile(self) -> None:
        """Trace and compile, the model and the optimizer being in place."""
        raise NotImplementedError

    def load(self, weights: Array, learning_rate: float) -> None:
        """Assign weights, optimizer slots and learning rate: variables that the compiled program reads."""
        for variable, fresh in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(fresh)
        if learning_rate != self.experiment.learning_rate:
            self.optimizer.learning_rate = learning_rate  # Keras refuses this where a schedule is compiled in
        sizes = np.cumsum([np.prod(shape) for shape in self.experiment.net.shapes])[:-1]
        for variable, value in zip(self.model.weights, np.split(weights, sizes), strict=True):
            variable.assign(value.reshape(variable.shape))

    def padded(self, rows: Array, length: int) -> Array:
        """Return rows, shape (n,), followed by -1 up to a length: one shape for any number of epochs."""
        return np.pad(rows, (0, length - len(rows)), constant_values=-1)
