"""What goes into a training run."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parabola.machine.backends import refuse_keras_limits
from parabola.training.data import curves_up, sample
from parabola.training.networks import NETWORKS, Network
from parabola.training.target import Array, Parabola

# Keras' optimizers whose update is elementwise; Muon and Lamb are not.
OPTIMIZERS = {
    name.lower(): name
    for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
}
ENGINES = ("fit", "fused_fit", "compiled", "native")
STRATEGIES = ("mirrored", "multi_worker")  # of engine "distributed", which is for several devices and has no speed
INITS = ("glorot", "sign-aware")


@dataclass(frozen=True)
class Experiment:
    """Every knob of a training run; the defaults are the published experiment.

    Attributes:
        target: the true parabola.
        network: "two_neuron" or "one_neuron".
        engine: "fit", "fused_fit", "compiled" or "native"; or "distributed".
        strategy: of "distributed": "mirrored" over devices, or "multi_worker" over processes as TF_CONFIG says.
        device: "cpu", "cpu:1", "gpu", "gpu:0", …; "gpu:all" is every GPU, for "mirrored" and for members on JAX.
        optimizer: a name in OPTIMIZERS, or a function that makes a stock Keras optimizer of a learning rate
            (with a momentum or a schedule of its own).
        learning_rate: finite, above 0.
        final_learning_rate: where Keras' CosineDecay goes by the last step, at most learning_rate. None: it stays.
        init: "glorot", or "sign-aware": the same weights, but the second kernel has the sign that the samples bend to.
        batch_size: 1 to samples; an epoch's last batch is what is left.
        epochs: 1 or more.
        samples: 1 or more.
        seed: 0 to 2⁶³ - 1; decides the initial weights, and the order of the samples in every epoch.
        data_seed: 0 to 2³² - 1; decides the samples.
        low, high: the range that they are drawn from; high is not included.

    Raises:
        ValueError: if a value is out of bounds; the message says what was received.
    """

    target: Parabola = field(default_factory=Parabola)
    network: str = "two_neuron"
    engine: str = "compiled"
    strategy: str | None = None
    device: str = "cpu"
    optimizer: str | Callable[[float], Any] = "adam"
    learning_rate: float = 0.001
    final_learning_rate: float | None = None
    init: str = "glorot"
    batch_size: int = 1
    epochs: int = 999
    samples: int = 999
    seed: int = 7
    data_seed: int = 42
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        known("network", self.network, NETWORKS)
        known("engine", self.engine, (*ENGINES, "distributed"))
        if self.strategy is not None:
            known("strategy", self.strategy, STRATEGIES)
        if (self.engine == "distributed") != (self.strategy is not None):
            received = f"engine={self.engine!r}, strategy={self.strategy!r}"
            raise ValueError(f"engine distributed has a strategy, and no other engine has. Received: {received}")
        known("init", self.init, INITS)
        if isinstance(self.optimizer, str):
            known("optimizer", self.optimizer, OPTIMIZERS)
        if self.engine == "native" and self.optimizer != "adam":
            raise ValueError(f"engine native knows adam only. Received: optimizer={self.optimizer!r}")
        if self.engine == "native" and self.device not in ("cpu", "cpu:0"):
            raise ValueError(f"engine native runs on cpu only. Received: device={self.device!r}")
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate must be finite and above 0. Received: {self.learning_rate}")
        if self.final_learning_rate is not None:
            if self.engine == "native" or not isinstance(self.optimizer, str):
                raise ValueError("final_learning_rate needs an optimizer by its name, and an engine other than native")
            if not 0 < self.final_learning_rate <= self.learning_rate:
                bound = f"above 0 and at most learning_rate. Received: {self.final_learning_rate}"
                raise ValueError(f"final_learning_rate must be {bound}")
        fewest = 3 if self.init == "sign-aware" else 1  # of two samples none shows how they bend
        bounds = {"samples": (fewest, 2**31), "epochs": (1, 2**31), "seed": (0, 2**63), "data_seed": (0, 2**32)}
        for name, (low, end) in {**bounds, "batch_size": (1, self.samples + 1)}.items():
            value = getattr(self, name)
            if not (isinstance(value, int) and low <= value < end):
                raise ValueError(f"{name} must be a whole number from {low} to {end - 1}. Received: {value}")
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
    def smallest_learning_rate(self) -> float:
        """What the coefficient error has to get below for a pass."""
        return self.final_learning_rate or self.learning_rate

    @property
    def data(self) -> tuple[Array, Array]:
        """The samples: x and y, each of shape (samples, 1), float32."""
        return sample(self.target, self.samples, seed=self.data_seed, low=self.low, high=self.high)

    def initial_weights(self, seeds: Array | int) -> Array:
        """Return weights for seeds of shape (...): shape (..., weights), float32."""
        weights, kernel = self.net.initial_weights(seeds), self.net.output_kernel
        if self.init == "sign-aware" and kernel is not None:
            weights[..., kernel] = np.copysign(weights[..., kernel], 1 if curves_up(*self.data) else -1)
        return weights


def known(name: str, value: str, values: Collection[str]) -> None:
    """Raise ValueError, naming what is known, unless the value is among it."""
    if value not in values:
        raise ValueError(f"unknown {name} {value!r}; known: {', '.join(values)}")
