"""The reference: it trains on from any state, and shares no code with any engine.

The slope of a network's formula is found by a complex step, so that a network brings nothing but its forward pass.
"""

import math

import numpy as np

from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.verification.kernel import HALF_UNIT, make_kernel
from parabola.verification.window import Window

NEAREST = 4  # for so many replicas there is one more, which sums each batch with rounding to the nearest
LARGE_BATCH = 100_000  # in smaller batches such sums seldom depart further than those with random rounding
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread evenly over 0 to 1, however many there are


class Reference:
    """The reference for one experiment, whose optimizer is Adam, with or without a cosine decay."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.kernel = make_kernel(type(experiment.net).predict)
        self.x, self.y = (values.ravel().astype(float) for values in experiment.data)
        self.bank = order_bank(experiment.samples)
        self.rows = order_rows(experiment.samples, experiment.seed, experiment.epochs)
        decay_steps = 0 if experiment.final_learning_rate is None else experiment.epochs * experiment.steps
        self.decay = experiment.smallest_learning_rate / experiment.learning_rate, decay_steps

    def fresh(self) -> State:
        """Return what a run has to begin with: the seed's weights, and an optimizer without a past."""
        weights = self.experiment.initial_weights(self.experiment.seed)
        slots = {name: np.zeros_like(weights) for name in ("momentum", "velocity")}
        return State(weights, slots, 0)

    def train_on(self, state: State, epoch: int, replicas: int) -> Window:
        """Train one epoch from a state.

        Args:
            state: where the run is before the epoch.
            epoch: which one, from 0; it decides the order of the samples.
            replicas: number of repetitions with random rounding, each with a random sequence of its own; there are some
                more that sum with rounding to the nearest, where batches are large.
        """
        spec = self.experiment
        order = self.bank[self.rows[epoch]]
        begin = [values.astype(float) for values in (state.weights, state.slots["momentum"], state.slots["velocity"])]
        nearest = replicas // NEAREST if spec.batch_size >= LARGE_BATCH else 0
        ends = np.empty((replicas + nearest + 1, 3, state.weights.size))
        largest = 0.0
        for replica in range(len(ends)):
            spread, forward = (HALF_UNIT if replica else 0.0), (HALF_UNIT if replica % 2 else 0.0)
            units = 2 ** ((replica - replicas - 1) * GOLDEN % 1) if replica > replicas else 0.0
            random = np.random.SeedSequence(replica).generate_state(1, np.uint64)
            ends[replica], gradient = self.kernel(
                *(self.x, self.y, order, spec.batch_size, spec.learning_rate, *begin, state.steps),
                *(spread, forward, random, *self.decay, units),
            )
            largest = max(largest, gradient)
        return Window(epoch, np.array(begin), ends[0], ends[1:], largest)
