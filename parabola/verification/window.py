"""One epoch of the reference: where exact arithmetic ends it, and how far rounding may lead from there."""

from dataclasses import dataclass

import numpy as np

from parabola.training.target import Array
from parabola.verification.kernel import HALF_UNIT

TOLERANCE = 3.0  # right runs were seen up to 2.0 times as far away as the replicas, planted faults from 4.3 times on
LAST_PLACES = 3  # right runs were seen up to 2.4 such units, of the largest weight, away where all replicas agree
TELLING = 0.05  # a window tells something where the tolerance is at most this part of how far the weights moved
OVERFLOWS = 1e10  # with such a gradient float32 may overflow in one right order of operations and not in another


@dataclass(frozen=True)
class Window:
    """What the reference makes of one epoch: weights, momentum and velocity, in this order.

    Attributes:
        epoch: which one, counted from 0.
        start: shape (3, size of the network), float64: where the epoch began.
        end: shape (3, size of the network), float64: where exact arithmetic ends it, overflowing where float32 does.
        replicas: shape (replicas, 3, size of the network), float64: where it ends with random rounding.
        largest_gradient: over all steps and replicas.
    """

    epoch: int
    start: Array
    end: Array
    replicas: Array
    largest_gradient: float

    @property
    def tolerance(self) -> Array:
        """How far each weight may be from the exact one: so many times the largest departure of any replica's weight.

        Shape (size of the network,), float64, alike for all; some units in the largest weight's last place at least. A
        run that comes to rest where its rounded outputs are the rounded samples has gradients of exactly 0, as no
        replica has, and what that makes of an update is as large in a small weight as in a large one.
        """
        departure = np.abs(self.replicas[:, 0] - self.end[0]).max()
        with np.errstate(invalid="ignore"):
            last_places = LAST_PLACES * np.spacing(np.abs(self.end[0]).max().astype(np.float32))
        return np.full(len(self.end[0]), np.maximum(TOLERANCE * departure, last_places))

    @property
    def tells(self) -> bool:
        """Whether a fault would have been seen: the tolerance is a small part of how far the weights moved."""
        return float(self.tolerance.max()) <= TELLING * float(np.abs(self.end[0] - self.start[0]).max())

    def leaves_alone(self, weights: Array) -> bool:
        """Say whether an engine that began this epoch with finite weights has diverged, and no replica has."""
        finite = np.isfinite(self.start).all() and np.isfinite(self.replicas[:, 0]).all()
        return bool(finite and not np.isfinite(weights).all())

    def fault(self, weights: Array, velocity: Array | None = None) -> str:
        """Say what is wrong with an engine that has trained the same epoch; empty where nothing is.

        Args:
            weights: shape (size of the network,), float32: the engine's, after the epoch.
            velocity: the engine's velocity, of the same shape; None where it is not known.
        """
        if not np.isfinite(self.start).all():
            return ""
        finite = np.isfinite(self.replicas[:, 0]).all(axis=1)
        if not np.isfinite(weights).all():
            excused = not finite.all() or self.largest_gradient > OVERFLOWS
            return "" if excused else f"the weights are {weights.tolist()}, and the reference's are finite"
        if not finite.any():
            return f"the weights are {weights.tolist()}, and the reference's are not finite"
        if not finite.all():
            return ""
        moved = np.abs(self.replicas[:, 0] - self.start[0]).max(axis=1).min()
        if np.array_equal(weights, self.start[0]) and moved > 4 * np.spacing(np.abs(weights)).max():
            return f"no weight has moved, and the reference's have, by {moved:.3g} at least"
        far = self._differs("weight", weights, self.end[0], self.tolerance)
        return far if far or velocity is None else self._velocity_fault(velocity)

    def _velocity_fault(self, velocity: Array) -> str:
        """Say what is wrong with the roots of velocities, by which updates divide; those that may overflow are left."""
        known = np.isfinite(self.end[2]) & np.isfinite(self.replicas[:, 2]).all(axis=0)
        known &= np.isfinite(velocity) | (self.largest_gradient <= OVERFLOWS)
        found, end, replicas = (
            np.sqrt(np.where(known, np.maximum(values, 0), 0).astype(float))
            for values in (velocity, self.end[2], self.replicas[:, 2])
        )
        tolerance = TOLERANCE * np.maximum(np.abs(replicas - end).max(axis=0), 2 * HALF_UNIT * end)
        # In a chaotic epoch a burst of large gradients multiplies a velocity, in some right runs and not in others; so
        # the tolerance is one of its logarithm, where replicas depart by more than a third of it.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            times = end * np.expm1(TOLERANCE * np.abs(np.log(replicas / end)).max(axis=0))
        bursts = (tolerance > end) & np.isfinite(times)
        return self._differs("root of velocity", found, end, np.where(bursts, times, tolerance))

    def _differs(self, name: str, found: Array, expected: Array, tolerance: Array) -> str:
        excess = np.abs(found - expected) - tolerance
        worst = int(np.argmax(excess))
        if excess[worst] <= 0:  # not so where it is NaN
            return ""
        reason = f"they may differ by {tolerance[worst]:.2g}: {TOLERANCE:g} times what random rounding to float32 does"
        which = f"{name} {worst + 1} of {len(expected)}"
        return f"{which} is {found[worst]:.9g}, the reference has {expected[worst]:.9g} ({reason})"
