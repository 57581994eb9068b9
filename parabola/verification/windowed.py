"""A run that is trained in parts, so that what it is before and after each window is known."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from parabola.training.experiment import Experiment
from parabola.training.fit import on_host
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.reference import Reference
from parabola.verification.refusal import Subject, subject_of
from parabola.verification.rows import check_rows, same_bits
from parabola.verification.window import Window

REPLICAS = 16, 64, 1024  # a window that fails with one number is tried again with the next: departures have tails
FEWEST_REPLICAS = 4  # where an epoch has so many samples that a window of more would take seconds
STRETCH, FEWEST_WINDOWS = 20, 16  # one window in every so many epochs; and so many in runs that are shorter
BUDGET_SECONDS = 1.0  # for the windows of a run, of which there are at least two
LAST_SECONDS = 10.0  # for the last attempt at a window
SAMPLE_SECONDS, STEP_SECONDS = 5e-8, 2.5e-7  # what the reference takes for each weight of a sample, and for each step


class Trained(Protocol):
    """What is checked: an engine, or one member of a block; as in `Engine`."""

    experiment: Experiment
    device: str

    def reset(self) -> Array:
        """Load fresh weights and a fresh optimizer; return the rows of the whole run."""

    def run(self, rows: Array) -> Array:
        """Train on; return the weights after each epoch."""

    def state(self) -> State:
        """Return what the next run begins with."""


def windows(epochs: int, most: int) -> list[int]:
    """Return which epochs are held: the first, the last, and one in every stretch between, but at most so many.

    Args:
        epochs: number of epochs of the run; a short one has more windows than its stretches ask for.
        most: how many windows a second of checking allows; there are at least two.

    Returns:
        The epochs, counted from 0.
    """
    number = min(max(2, most), max(FEWEST_WINDOWS, math.ceil((epochs - 1) / STRETCH) + 1), epochs)
    return [int(epoch) for epoch in np.unique(np.linspace(0, epochs - 1, number).round())]


def seconds_per_replica(experiment: Experiment) -> float:
    """Return how long the reference takes for one epoch, as a guess."""
    return experiment.samples * experiment.net.size * SAMPLE_SECONDS + experiment.steps * STEP_SECONDS


def attempts(experiment: Experiment) -> tuple[int, int, int]:
    """Return with how many replicas a window is tried, and tried again if it fails: fewer where an epoch is long."""
    seconds = seconds_per_replica(experiment)
    first = int(np.clip(BUDGET_SECONDS / seconds - 1, FEWEST_REPLICAS, REPLICAS[0]))
    return first, REPLICAS[1], int(np.clip(LAST_SECONDS / seconds, *REPLICAS[1:]))


def look(reference: Reference, before: State, epoch: int, weights: Array, velocity: Array | None) -> tuple[Window, str]:
    """Hold one epoch against the reference, again and again with more replicas while it fails.

    Args:
        reference: trains the same epoch.
        before: where the run was before it.
        epoch: which one, from 0.
        weights: shape (size of the network,), float32: the run's weights after it.
        velocity: the run's velocity after it, of the same shape; None where it is not known.

    Returns:
        The window, and what is wrong; empty where nothing is.
    """
    for replicas in attempts(reference.experiment):
        window = reference.train_on(before, epoch, replicas)
        fault = window.fault(weights, velocity)
        if not fault:
            break
    return window, fault


class WindowedRun:
    """A run that is trained in parts, so that its state before and after each window is known."""

    def __init__(self, engine: Trained, subject: Subject | None = None) -> None:
        spec = engine.experiment
        self.engine, self.experiment, self.reference = engine, spec, Reference(spec)
        self.subject = subject or subject_of(spec, engine.device)
        self.alone = False  # whether the run diverged where the reference did not
        self.affordable = int(BUDGET_SECONDS / seconds_per_replica(spec) / (attempts(spec)[0] + 1))

    def train(self, epochs: Sequence[int]) -> tuple[Array, list[Window]]:
        """Train from the start; return the weights after each epoch, and the windows of the epochs that are named.

        An epoch that begins when the run has diverged already has no window: there is nothing to hold.
        """
        (rows, before), parts, held, done = self._begin(), list[Array](), list[Window](), 0
        for epoch in epochs:
            if epoch > done:
                part, before = self._part(rows[done:epoch], epoch)
                parts.append(part)
            part, after = self._part(rows[epoch : epoch + 1], epoch + 1)
            parts.append(part)
            if np.isfinite(before.weights).all():
                held.append(self._window(epoch, before, after))
            done, before = epoch + 1, after
        if done < len(rows):
            parts.append(self._part(rows[done:], len(rows))[0])
        weights = np.concatenate(parts)
        if fault := check_rows(self.experiment, weights):
            self.subject.refuse(fault)
        return weights, held

    def _begin(self) -> tuple[Array, State]:
        """Load a fresh run; return its rows and its state."""
        rows, fresh, state = self.engine.reset(), self.reference.fresh(), self.engine.state()
        if state.steps or not same_bits(state.weights, fresh.weights):
            self.subject.refuse(f"a fresh run begins at {state.weights.tolist()}, not at the weights of its seed")
        if not all(same_bits(state.slots[name], values) for name, values in fresh.slots.items()):
            self.subject.refuse("a fresh run begins with an optimizer that has a past")
        return rows, state

    def _part(self, rows: Array, epochs: int) -> tuple[Array, State]:
        """Train on, to so many epochs in all; return the weights after each, and the state that the last is held to."""
        weights = on_host(self.engine.run(rows))
        state, shape, steps = self.engine.state(), (len(rows), self.experiment.net.size), epochs * self.experiment.steps
        if weights.shape != shape:
            self.subject.refuse(f"a run of {len(rows)} epochs returned weights of shape {weights.shape}, not {shape}")
        if not same_bits(weights[-1], state.weights):
            returned = f"{weights[-1].tolist()} were returned, and the weights are {state.weights.tolist()}"
            self.subject.refuse(f"after epoch {epochs} {returned}")
        if state.steps != steps:
            self.subject.refuse(f"after epoch {epochs} the optimizer has taken {state.steps} steps, not {steps}")
        return weights, state

    def _window(self, epoch: int, before: State, after: State) -> Window:
        """Hold one epoch against the reference."""
        window, fault = look(self.reference, before, epoch, after.weights, after.slots["velocity"])
        if fault:
            self.subject.refuse(f"after epoch {epoch + 1} {fault}")
        self.alone = self.alone or window.leaves_alone(after.weights)
        return window
