"""What the Keras engines share: the stock model and optimizer on a device, and putting fresh state into them."""

from typing import Any

import numpy as np

from parabola import devices
from parabola.engines.engine import Engine
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
            # Not all slots start at 0: Adagrad's accumulators, Nadam's product of momenta.
            self.fresh = [variable.numpy() for variable in self.optimizer.variables]
            self.compile()

    def compile(self) -> None:
        """Trace and compile, the model and the optimizer being in place."""
        raise NotImplementedError

    def load(self, weights: Array, learning_rate: float) -> None:
        """Assign weights, optimizer slots and learning rate; the compiled program reads all of them."""
        for variable, fresh in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(fresh)
        if not self.scheduled:
            self.optimizer.learning_rate = learning_rate
        elif learning_rate != self.experiment.learning_rate:
            raise ValueError(f"a learning-rate schedule is compiled in. Received: learning_rate={learning_rate}")
        sizes = np.cumsum([np.prod(shape) for shape in self.experiment.net.shapes])[:-1]
        for variable, value in zip(self.model.weights, np.split(weights, sizes), strict=True):
            variable.assign(value.reshape(variable.shape))

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate is a Keras schedule rather than a number."""
        import keras

        return isinstance(self.optimizer._learning_rate, keras.optimizers.schedules.LearningRateSchedule)

    def read(self) -> Array:
        """Return the weights, shape (weights,), float32, on the host."""
        return np.concatenate([np.ravel(weight.numpy()) for weight in self.model.weights])
