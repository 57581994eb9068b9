"""The settings of a training run, as learning rate, batch size and seed, with their defaults and bounds."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parabola import registry
from parabola.machine.backends import refuse_keras_limits
from parabola.training.data import curves_up, sample
from parabola.training.networks import Network, load_network
from parabola.training.target import Array, Parabola

# Keras' optimizers whose update is elementwise; Muon and Lamb are not.
OPTIMIZERS = {
    name.lower(): name
    for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Ftrl", "Lion", "Nadam", "RMSprop", "SGD")
}
INITS = ("glorot", "sign-aware")


@dataclass(frozen=True)
class Experiment:
    """Every knob of a training run; the defaults are the published experiment.

    Attributes:
        target: the true parabola.
        network: a name in the registry of networks.
        engine: a name in the registry of engines.
        strategy: how several devices are used, by an engine that has strategies: "mirrored" over the devices of this
            process, or "multi_worker" over the processes that TF_CONFIG names. None for every other engine.
        device: "cpu", "cpu:1", "gpu", "gpu:0", …; "gpu:all" is every GPU, for "mirrored" and for members on JAX.
        optimizer: a name in OPTIMIZERS, or a function that makes a stock Keras optimizer of a learning rate
            (with a momentum or a schedule of its own).
        learning_rate: finite, above 0.
        final_learning_rate: the rate that Keras' CosineDecay reaches by the last step, at most learning_rate. None
            keeps the learning rate as it is.
        init: "glorot", or "sign-aware": the same weights, except that the network's output kernel gets the sign to
            which the samples bend.
        batch_size: 1 to samples; an epoch's last batch has the samples that are left.
        epochs: 1 or more.
        samples: 1 or more.
        seed: 0 to 2⁶³ - 1; decides the initial weights, and the order of the samples in every epoch.
        data_seed: 0 to 2³² - 1; decides the samples.
        low, high: the range from which x is drawn; high is not included. No x or y in it may overflow in float32.

    Whole numbers and NumPy's become floats where a float is meant.

    Raises:
        ValueError: if a value is out of bounds; the message says what was received.
    """

    target: Parabola = field(default_factory=Parabola)
    network: str = registry.DEFAULT_NETWORK
    engine: str = registry.DEFAULT_ENGINE
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
        for name in ("learning_rate", "final_learning_rate", "low", "high"):
            if isinstance(value := getattr(self, name), int | np.number):  # Keras refuses a rate that is no float
                object.__setattr__(self, name, float(value))
        known("network", self.network, registry.NETWORKS)
        known("engine", self.engine, registry.ENGINES)
        self._check_strategy()
        known("init", self.init, INITS)
        if isinstance(self.optimizer, str):
            known("optimizer", self.optimizer, OPTIMIZERS)
        self._check_engine()
        if not (np.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate must be finite and above 0. Received: {self.learning_rate}")
        if self.final_learning_rate is not None:
            without = [name for name, engine in registry.ENGINES.items() if not engine.schedules]
            if self.engine in without or not isinstance(self.optimizer, str):
                others = "an engine other than " + " or ".join(without)
                raise ValueError(f"final_learning_rate needs an optimizer by its name, and {others}")
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
        self._check_samples()
        refuse_keras_limits()

    def _check_strategy(self) -> None:
        """Raise ValueError unless the strategy is one of the engine's; an engine without any takes none."""
        strategies = {name: engine.strategies for name, engine in registry.ENGINES.items() if engine.strategies}
        if self.strategy is not None:
            known("strategy", self.strategy, [strategy for names in strategies.values() for strategy in names])
        if self.strategy not in strategies.get(self.engine, (None,)):
            received = f"engine={self.engine!r}, strategy={self.strategy!r}"
            names = " or ".join(strategies)
            raise ValueError(f"engine {names} has a strategy, and no other engine has. Received: {received}")

    def _check_samples(self) -> None:
        """Raise ValueError unless every x of the range, and its y, is finite in float32."""
        a, b, _ = self.target.coefficients.tolist()
        with np.errstate(over="ignore", invalid="ignore"):
            turn = np.clip(-b / a / 2, self.low, self.high)  # nowhere else is y larger than at both ends
            x = np.array([self.low, self.high, turn])
            y = self.target(x)
            finite = np.isfinite(np.stack([x, y]).astype(np.float32)).all()
        if not finite:
            received = f"x in [{self.low:g}, {self.high:g}), y up to {np.abs(y).max():g} in size"
            raise ValueError(
                f"samples must be within float32, up to {np.finfo(np.float32).max:g}. Received: {received}"
            )

    def _check_engine(self) -> None:
        """Raise ValueError if the engine does not know the optimizer or the network, or has no such device."""
        engine = registry.ENGINES[self.engine]
        for knob, names in (("optimizer", engine.optimizers), ("network", engine.networks)):
            value = getattr(self, knob)
            if names and value not in names:
                raise ValueError(f"engine {self.engine} knows {', '.join(names)} only. Received: {knob}={value!r}")
        if not engine.runs_on(self.device):
            devices = ", ".join(engine.devices)
            raise ValueError(f"engine {self.engine} runs on {devices} only. Received: device={self.device!r}")

    @property
    def net(self) -> Network:
        """The network itself."""
        return load_network(self.network)

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
        """Return the weights with which each seed begins.

        Args:
            seeds: shape (...), integers from 0.

        Returns:
            Shape (..., size of the network), float32.
        """
        weights, kernel = self.net.initial_weights(seeds), self.net.output_kernel
        if self.init == "sign-aware" and kernel is not None:
            weights[..., kernel] = np.copysign(weights[..., kernel], 1 if curves_up(*self.data) else -1)
        return weights


def known(name: str, value: str, values: Collection[str]) -> None:
    """Raise ValueError, naming what is known, unless the value is among it."""
    if value not in values:
        raise ValueError(f"unknown {name} {value!r}; known: {', '.join(values)}")
