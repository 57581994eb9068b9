"""What goes into a training run, and what comes out."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from parabola.networks import NETWORKS, Network
from parabola.target import Array, Parabola, coefficient_error, mean_squared_error

if TYPE_CHECKING:
    import keras

# Keras optimizers whose update is elementwise, so that members may share one; Muon and Lamb are not.
OPTIMIZERS = {
    name.lower(): name
    for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
}
ENGINES = ("fit", "fused_fit", "compiled", "native")
Verdict = Literal["pass", "fail", "not representable", "diverged"]


@dataclass(frozen=True)
class Experiment:
    """Every knob of a training run; the defaults are the published experiment.

    Attributes:
        target: the true parabola.
        network: "two_neuron" or "one_neuron".
        engine: "fit", "fused_fit", "compiled" or "native".
        device: "cpu", "cpu:1", "gpu", "gpu:0", …
        optimizer: a name in OPTIMIZERS, or a function of the learning rate that makes a stock Keras optimizer
            (with a schedule or a momentum of its own).
        learning_rate: finite, above 0.
        batch_size: 1 to samples; the last batch of an epoch is what is left.
        epochs: 1 or more.
        samples: 1 or more.
        seed: 0 or more; decides the initial weights and the order of the samples in every epoch.
        data_seed: 0 to 2**32 - 1; decides the samples themselves.
        low: lower end of the sampled range.
        high: upper end of the sampled range.

    Raises:
        ValueError: if a value is out of bounds; the message says what was received.
    """

    target: Parabola = field(default_factory=Parabola)
    network: str = "two_neuron"
    engine: str = "compiled"
    device: str = "cpu"
    optimizer: "str | Callable[[float], keras.Optimizer]" = "adam"
    learning_rate: float = 0.001
    batch_size: int = 1
    epochs: int = 999
    samples: int = 999
    seed: int = 42
    data_seed: int = 42
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        one_of("network", self.network, NETWORKS)
        one_of("engine", self.engine, ENGINES)
        if isinstance(self.optimizer, str):
            one_of("optimizer", self.optimizer, OPTIMIZERS)
        if self.engine == "native" and self.optimizer != "adam":
            raise ValueError(f"engine native knows adam only. Received: optimizer={self.optimizer!r}")
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate must be finite and above 0. Received: {self.learning_rate}")
        for name, smallest in (("samples", 1), ("epochs", 1), ("batch_size", 1), ("seed", 0), ("data_seed", 0)):
            value = getattr(self, name)
            if not (isinstance(value, int) and value >= smallest):
                raise ValueError(f"{name} must be a whole number of at least {smallest}. Received: {value}")
        if self.batch_size > self.samples:
            raise ValueError(f"batch_size must be at most samples ({self.samples}). Received: {self.batch_size}")
        if self.seed >= 2**64 or self.data_seed >= 2**32:
            raise ValueError(f"seed must be below 2**64, data_seed below 2**32. Received: {self.seed}, {self.data_seed}")
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise ValueError(f"the range needs finite low < high. Received: [{self.low}, {self.high})")
        refuse_keras_limits()

    @property
    def net(self) -> Network:
        """The network itself."""
        return NETWORKS[self.network]

    @property
    def steps(self) -> int:
        """Optimizer steps in an epoch, the partial last batch included."""
        return -(-self.samples // self.batch_size)

    @property
    def representable(self) -> bool:
        """Whether the network can hold the target at all."""
        return self.net.can_represent(self.target)


@dataclass(frozen=True)
class Fit:
    """The one record that comes out of every engine.

    Attributes:
        experiment: what was asked for.
        device: where the weights were found to be, as the framework names it.
        weights: shape (epochs, weights), float32, Keras' order: the weights after every epoch.
        seconds: inside the clock: the epochs alone.
        compile_seconds: tracing and compiling, before the clock.
    """

    experiment: Experiment
    device: str
    weights: Array
    seconds: float
    compile_seconds: float
    coefficients_by_epoch: Array = field(init=False)
    coefficient_error_by_epoch: Array = field(init=False)
    loss_by_epoch: Array = field(init=False)

    def __post_init__(self) -> None:
        from parabola.data import sample

        spec = self.experiment
        x, _ = sample(spec.target, spec.samples, seed=spec.data_seed, low=spec.low, high=spec.high)
        with np.errstate(over="ignore", invalid="ignore"):
            coefficients = spec.net.coefficients(self.weights)
            derived: dict[str, Any] = {
                "coefficients_by_epoch": coefficients,
                "coefficient_error_by_epoch": coefficient_error(coefficients, spec.target),
                "loss_by_epoch": mean_squared_error(coefficients, spec.target, x),
            }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def coefficients(self) -> Array:
        """Shape (3,), float64: (a, b, c) learnt."""
        return np.asarray(self.coefficients_by_epoch[-1])

    @property
    def coefficient_error(self) -> float:
        """Largest absolute difference between learnt and true coefficients; NaN or inf after divergence."""
        return float(self.coefficient_error_by_epoch[-1])

    @property
    def diverged_epoch(self) -> int | None:
        """The first epoch, counted from 1, after which a weight was NaN or inf; None if all were finite."""
        bad = ~np.isfinite(self.weights).all(axis=1)
        return int(bad.argmax()) + 1 if bad.any() else None

    @property
    def verdict(self) -> Verdict:
        """Whether it learnt: "pass" means coefficient error < learning rate."""
        if self.diverged_epoch is not None:
            return "diverged"
        if not self.experiment.representable:
            return "not representable"
        return "pass" if self.coefficient_error < self.experiment.learning_rate else "fail"

    @property
    def seconds_per_epoch(self) -> float:
        """Seconds inside the clock for one epoch."""
        return self.seconds / len(self.weights)


def one_of(name: str, value: str, known: Any) -> None:
    """Raise ValueError, naming what is known, unless the value is."""
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}; known: {', '.join(known)}")


def refuse_keras_limits() -> None:
    """Raise ValueError where Keras' environment would silently shorten a run."""
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        if os.environ.get(name):
            raise ValueError(f"{name}={os.environ[name]} would silently shorten the run: unset it")
