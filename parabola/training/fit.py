"""What comes out of a training run."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from parabola.machine.backends import backend
from parabola.training.experiment import Experiment
from parabola.training.target import Array, coefficient_error, first_true, mean_squared_error, polynomial

OUTCOMES = ("coefficients", "coefficient_error", "loss", "weights")  # of a Fit: a row after every epoch
Verdict = Literal["pass", "fail", "not representable", "diverged"]


@dataclass(frozen=True)
class Fit:
    """The one record that comes out of every engine.

    Attributes:
        experiment: what was asked for.
        device: where the weights were found to be: "cpu:0", "gpu:0", …
        weights: shape (epochs, weights), float32, in Keras' order, after every epoch.
        seconds: inside the clock: the epochs alone.
        compile_seconds: building, tracing and compiling, before the clock.
        coefficients: shape (epochs, 3), float64.
        coefficient_error: shape (epochs,), float64; NaN or inf after divergence.
        loss: shape (epochs,), float64: mean squared error over all samples.
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
        """Shape (epochs,), bool: after which epochs the coefficient error was below the (smallest) learning rate."""
        return np.asarray(self.coefficient_error < self.experiment.smallest_learning_rate)

    @property
    def verdict(self) -> Verdict:
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
    """Return a run's weights.

    Raises:
        TypeError: if they are the device's still: then the clock may have stopped before the device did.
    """
    if type(weights) is not np.ndarray:
        found = f"{type(weights).__module__}.{type(weights).__name__}"
        raise TypeError(f"a run must wait for the device and return its weights as a NumPy array. Received: {found}")
    return weights
