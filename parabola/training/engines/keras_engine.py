"""What the Keras engines share: the stock model and optimizer on a device, and fresh state in them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from parabola.machine import backends, devices
from parabola.training.engines import Engine
from parabola.training.experiment import OPTIMIZERS, Experiment
from parabola.training.state import State
from parabola.training.target import Array


def make_optimizer(experiment: Experiment, learning_rate: Any, variables: Sequence[Any]) -> Any:
    """Return the stock Keras optimizer of an experiment, built for variables.

    Args:
        experiment: says which optimizer.
        learning_rate: a number, a Keras schedule, or a function that returns the rate of the present step.
        variables: the Keras variables that the optimizer will update.

    Raises:
        ValueError: if the optimizer scales the loss, which only `fit` would heed.
    """
    import keras

    make: Any = experiment.optimizer
    optimizer = (getattr(keras.optimizers, OPTIMIZERS[make]) if isinstance(make, str) else make)(learning_rate)
    scaling = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scaling or optimizer.loss_scale_factor is not None:
        received = type(optimizer).__name__ + f" with loss_scale_factor={optimizer.loss_scale_factor}" * (not scaling)
        raise ValueError(f"optimizer must leave the loss as it is, of float32. Received: {received}")
    optimizer.build(variables)
    return optimizer


def decay(experiment: Experiment, learning_rate: Any) -> Any:
    """Return Keras' cosine decay to the experiment's final learning rate.

    Args:
        experiment: says the final learning rate, and after how many steps it is reached.
        learning_rate: where the decay begins: shape (), or (members,) for one rate a member.
    """
    from keras.optimizers.schedules import CosineDecay

    steps = experiment.epochs * experiment.steps
    return CosineDecay(learning_rate, steps, alpha=experiment.final_learning_rate / learning_rate)


def assign(variables: Sequence[Any], values: Sequence[Array]) -> None:
    """Assign the i-th value to the i-th variable."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def values_of(variables: Sequence[Any]) -> list[Array]:
    """Return a copy of each variable's value, on the host."""
    import keras

    # Except on PyTorch, Keras' own conversion to NumPy calls an interface that NumPy 2 has deprecated.
    read: Any = keras.ops.convert_to_numpy if backends.backend() == "torch" else np.asarray
    return [np.array(read(keras.ops.convert_to_tensor(variable))) for variable in variables]


def flat(values: Sequence[Array]) -> Array:
    """Return the elements of all values, one after the other: shape (n,)."""
    return np.concatenate([value.ravel() for value in values])


def state_of(variables: Sequence[Any], optimizer: Any, weights: Array, values: Sequence[Array]) -> State:
    """Return a state, for which an optimizer's values are sorted by the weight that each belongs to.

    Args:
        variables: the Keras variables that the optimizer updates.
        optimizer: the stock Keras optimizer, built for these variables.
        weights: shape (size of the network,), float32: the flat weights.
        values: the value of each of the optimizer's variables, in Keras' order.
    """
    by_name = {variable.name: value for variable, value in zip(optimizer.variables, values, strict=True)}
    slots = dict[str, list[Array]]()
    for weight in variables:
        owner = weight.path.replace("/", "_") + "_"  # Keras names a slot after its weight, and adds the slot's name
        for name, value in by_name.items():
            if name.startswith(owner):
                slots.setdefault(name.removeprefix(owner), []).append(value)
    return State(weights, {name: flat(parts) for name, parts in slots.items()}, int(by_name["iteration"]))


class KerasEngine(Engine):
    """An engine around a stock Keras model and a stock Keras optimizer."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        self.framework = backends.start()
        self.placement = self.place()
        self.scope = devices.scope(self.placement)

    def place(self) -> str:
        """Return the name of the device, with its number."""
        return devices.resolve(self.experiment.device)

    def build(self) -> None:
        """Make the model and the optimizer on the device; then let the engine compile."""
        with self.here():
            self.make()
            self.device = devices.check_placement(self.model.weights[0].value, self.placement)
            self.compile()

    def make(self) -> None:
        """Make the model and the optimizer, and take note of the optimizer's fresh state."""
        spec = self.experiment
        self.model = spec.net.build()
        rate = spec.learning_rate if spec.final_learning_rate is None else decay(spec, spec.learning_rate)
        self.optimizer = make_optimizer(spec, rate, self.model.trainable_variables)
        # Not every slot starts at 0: Adagrad's accumulators and Nadam's product of momenta do not.
        self.fresh = values_of(self.optimizer.variables)

    def compile(self) -> None:
        """Trace and compile; the model and the optimizer are there already."""
        raise NotImplementedError

    def load(self, weights: Array, learning_rate: float) -> None:
        """Assign weights, optimizer slots and learning rate: variables that the compiled program reads."""
        with self.here():
            assign(self.optimizer.variables, self.fresh)
            if learning_rate != self.experiment.learning_rate:
                self.optimizer.learning_rate = learning_rate  # Keras refuses this where a schedule is compiled in
            assign(self.model.weights, self.experiment.net.shaped(weights))

    def state(self) -> State:
        """Return copies of what the model's variables and the optimizer's have now."""
        weights, values = self.values()
        return state_of(self.model.trainable_variables, self.optimizer, flat(weights), values)

    def values(self) -> tuple[list[Array], list[Array]]:
        """Return copies of the values of the model's variables, and of the optimizer's, in Keras' order."""
        return values_of(self.model.trainable_variables), values_of(self.optimizer.variables)

    def here(self) -> AbstractContextManager[Any]:
        """Return a context in which new tensors are placed on the device."""
        return self.scope()
