"""No time for a wrong run: the whole of a run is held against the reference, window by window.

Two right runs drift apart, so that a comparison from the start soon sees nothing. The reference therefore starts again
and again from where the engine is, trains one epoch beside it, and says how far rounding may have led the two apart.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola.training.experiment import Experiment
from parabola.training.fit import Fit, on_host
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.reference import Reference
from parabola.verification.refusal import Subject, subject_of
from parabola.verification.rows import same_bits, suspects
from parabola.verification.windowed import Trained, WindowedRun, look, windows


@dataclass(frozen=True)
class Check:
    """A run that was found to be right.

    Attributes:
        subject: how a refusal names the run.
        fit: the run, without times.
        end: the state that it ended in.
        windows: how many epochs were held against the reference.
        telling: in how many of these a fault would have been seen, since they were not chaotic.
        alone: whether the run diverged in an epoch in which the reference did not, but may have by other roundings.
        first_tolerance: how far each weight may be from the reference's after the first epoch: shape (size,), float64.
        seconds: how long the check took, training included.
    """

    subject: Subject
    fit: Fit
    end: State
    windows: int
    telling: int
    alone: bool
    first_tolerance: Array
    seconds: float

    @property
    def note(self) -> str:
        """What a reader has to know of this check; empty where the whole run was held."""
        if self.alone:
            return "diverged where the reference did not: with gradients so large, right orders of operations disagree"
        if self.telling or self.fit.diverged_epoch is not None:
            return ""
        return "chaotic: only start, completeness, finiteness and repeated bits were checked"

    def hold(self, weights: Array, end: State) -> None:
        """Hold another run of the same engine against this one, bit by bit.

        A device other than a CPU may not repeat its bits. There the first epoch has to agree within rounding, and both
        runs have to be finite for equally long.

        Args:
            weights: shape (epochs, size of the network), float32: the weights after each epoch.
            end: the engine's state after that run.

        Raises:
            WrongRun: if the two differ.
            TypeError: if the weights are the device's still.
        """
        run, checked, device = on_host(weights), self.fit.weights, self.fit.device
        if run.shape != checked.shape:
            self.subject.refuse(f"a timed round has weights of shape {run.shape}, not {checked.shape}")
        alike = (run == checked) | (np.isnan(run) & np.isnan(checked))
        if not device.startswith("cpu"):
            near = np.abs(run[0] - checked[0]) <= self.first_tolerance
            alike = np.isfinite(run) == np.isfinite(checked)
            alike[0] &= near | ~np.isfinite(run[0])
        if not alike.all():
            epoch, weight = np.argwhere(~alike)[0].tolist()
            values = f"{run[epoch, weight]:.9g} in a timed round and {checked[epoch, weight]:.9g} in the checked run"
            which = f"weight {weight + 1} of {run.shape[1]}"
            self.subject.refuse(f"after epoch {epoch + 1} {which} is {values}")
        if end.steps != self.end.steps or not same_bits(end.weights, run[-1]):
            done = f"its optimizer had taken {end.steps} steps, of {self.end.steps}"
            self.subject.refuse(f"a timed round returned weights that it had not trained: {done}")


def told(checks: Sequence[Check]) -> dict[str, Any]:
    """Return what a record says of one or more checks together, by the names of its fields."""
    return {
        "check_seconds": sum(check.seconds for check in checks),
        "checked_epochs": sum(check.windows for check in checks),
        "telling_epochs": sum(check.telling for check in checks),
        "check_note": next((check.note for check in checks if check.note), None),
    }


def check_run(engine: Trained, subject: Subject | None = None) -> Check:
    """Train once, outside of any clock, and hold the run against the reference.

    Args:
        engine: has been built; its optimizer is Adam.
        subject: how a refusal names the run; None for the names of the engine and its settings.

    Raises:
        WrongRun: if the run is not a right one.
    """
    begun = time.perf_counter()
    run = WindowedRun(engine, subject)
    weights, held = run.train(windows(engine.experiment.epochs, run.affordable))
    if again := suspects(weights, [window.epoch for window in held]):
        repeated, more = run.train(again)  # these epochs are known only now, and their states are gone
        if not same_bits(weights, repeated) and engine.device.startswith("cpu"):
            run.subject.refuse("the same run, trained twice, has other weights")
        held += more
    fit = Fit(engine.experiment, engine.device, weights, 0.0, 0.0)
    return Check(
        subject=run.subject,
        fit=fit,
        end=engine.state(),
        windows=len(held),
        telling=sum(window.tells for window in held),
        alone=run.alone,
        first_tolerance=held[0].tolerance,
        seconds=time.perf_counter() - begun,
    )


def check_first_epoch(experiment: Experiment, device: str, weights: Array) -> None:
    """Hold the weights after the first epoch of a run whose engine is out of reach, as that of another process.

    Args:
        experiment: what was run.
        device: where it was run.
        weights: shape (size of the network,), float32.

    Raises:
        WrongRun: if they are not those of a right run.
    """
    reference = Reference(experiment)
    if fault := look(reference, reference.fresh(), 0, weights, None)[1]:
        subject_of(experiment, device).refuse(f"after epoch 1 {fault}")
