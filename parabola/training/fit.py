"""What comes out of a training run: weights, coefficients and loss after each epoch, and the verdict."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from parabola.machine.backends import backend
from parabola.training.experiment import Experiment
from parabola.training.target import Array, coefficient_error, first_true, mean_squared_error, polynomial

OUTCOMES = ("coefficients", "coefficient_error", "loss", "weights")  # the fields of a Fit with a row for every epoch
RunVerdict = Literal["pass", "fail", "not representable", "diverged"]


@dataclass(frozen=True)
class Fit:
    """The one record that comes out of every engine.

    Attributes:
        experiment: the experiment that was run.
        device: where the weights were found to be: "cpu:0", "gpu:0", …
        weights: shape (epochs, size of the network), float32: the flat weights, in Keras' order, after every epoch.
        seconds: how long the epochs took; nothing else is inside the clock.
        compile_seconds: how long building, tracing and compiling took, before the clock was started.
        coefficients: shape (epochs, 3), float64: (a, b, c) after every epoch.
        coefficient_error: shape (epochs,), float64: the error after every epoch; NaN or inf after divergence.
        loss: shape (epochs,), float64: mean squared error over all samples after every epoch.
    """

    experiment: Experiment
    device: str
    weights: Array
    seconds: float
    compile_seconds: float
    coefficients: Array = field(init=False)
    coefficient_error: Array = field(init=False)
    loss: Array = field(init=False)

    def __post_init__(self) -> None:
        spec = self.experiment
        on_host(self.weights)
        with np.errstate(all="ignore"):
            coefficients = spec.net.coefficients(self.weights)
            object.__setattr__(self, "coefficients", coefficients)
            object.__setattr__(self, "coefficient_error", coefficient_error(coefficients, spec.target))
            object.__setattr__(self, "loss", mean_squared_error(coefficients, spec.target, spec.data[0]))

    @property
    def diverged_epoch(self) -> int | None:
        """The first epoch, counted from 1, after which a weight was NaN or inf; None if all were finite."""
        return int(first_true(np.any(~np.isfinite(self.weights), axis=1))) or None

    @property
    def below(self) -> Array:
        """Shape (epochs,), bool: whether the error after each epoch was below the (smallest) learning rate."""
        return np.asarray(self.coefficient_error < self.experiment.smallest_learning_rate)

    @property
    def verdict(self) -> RunVerdict:
        """Whether it learnt: "pass" means coefficient error < learning rate, the smallest of a schedule's."""
        if self.diverged_epoch is not None:
            return "diverged"
        if not self.experiment.net.can_represent(self.experiment.target):
            return "not representable"
        return "pass" if self.below[-1] else "fail"

    def summary(self) -> dict[str, Any]:
        """Return the run as plain numbers and strings, as JSON holds them: NaN and inf are None.

        The coefficients, their error, the loss and the weights are those after the last epoch that left all finite.
        """
        last = -1 if self.diverged_epoch is None else self.diverged_epoch - 2
        finite = self.diverged_epoch != 1
        spec = {name: value for name, value in vars(self.experiment).items() if isinstance(value, int | float | str)}
        return {
            "target": self.experiment.target.coefficients.tolist(),
            "true": polynomial(self.experiment.target.coefficients),
            "learnt": polynomial(self.coefficients[last], digits=8) if finite else None,
            **spec,
            "smallest_learning_rate": self.experiment.smallest_learning_rate,
            "device": self.device,
            "backend": backend(),
            **{name: getattr(self, name)[last].tolist() if finite else None for name in OUTCOMES},
            "verdict": self.verdict,
            "diverged_epoch": self.diverged_epoch,
            "seconds": self.seconds,
            "compile_seconds": self.compile_seconds,
        }


def on_host(weights: Array) -> Array:
    """Return a run's weights as they are, once it is known that they are on the host.

    Raises:
        TypeError: if they are still the device's: then the clock may have stopped before the device did.
    """
    if type(weights) is not np.ndarray:
        found = f"{type(weights).__module__}.{type(weights).__name__}"
        raise TypeError(f"a run must wait for the device and return its weights as a NumPy array. Received: {found}")
    return weights
