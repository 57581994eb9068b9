"""The signature that every engine has."""

from abc import ABC, abstractmethod

from parabola.data import order_bank, order_rows, sample
from parabola.experiment import Experiment
from parabola.target import Array


class Engine(ABC):
    """A training run that can be built once and run many times.

    Attributes:
        experiment: what it was made for.
        x: shape (samples, 1), float32.
        y: shape (samples, 1), float32.
        bank: shape (rows, samples), int32: the permutations that orders are taken from.
        device: where the weights are, as the framework names it; known once built.
        compile_seconds: what building took: tracing and compiling.
    """

    device: str
    compile_seconds: float

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.x, self.y = sample(
            experiment.target,
            experiment.samples,
            seed=experiment.data_seed,
            low=experiment.low,
            high=experiment.high,
        )
        self.bank = order_bank(experiment.samples)

    @abstractmethod
    def build(self) -> None:
        """Trace and compile, so that no later run does."""

    @abstractmethod
    def load(self, weights: Array, learning_rate: float) -> None:
        """Put weights, shape (weights,), and an optimizer that has seen nothing into what was built."""

    @abstractmethod
    def run(self, rows: Array) -> Array:
        """Train on, one epoch for each row of the bank. This is what is inside the clock.

        Args:
            rows: shape (n,), int32, 1 <= n <= experiment.epochs: each epoch's row of the bank.

        Returns:
            Shape (n, weights), float32, on the host: the weights after each epoch.
        """

    def reset(self, seed: int | None = None, learning_rate: float | None = None) -> Array:
        """Load fresh weights; a new seed or learning rate never recompiles. Returns the run's rows."""
        experiment = self.experiment
        seed = experiment.seed if seed is None else seed
        self.load(experiment.net.initial_weights(seed), learning_rate or experiment.learning_rate)
        return order_rows(experiment.samples, seed, experiment.epochs)
