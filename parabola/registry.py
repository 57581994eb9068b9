"""Every engine and every network by its name: pure data, from which options, checks, tables and grids follow.

A class is named here as "module:Class" and imported only when it is used, so that this file stands below all rooms that
train or report, imports no framework and no NumPy, and answers at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from parabola.machine.backends import BACKENDS


@dataclass(frozen=True)
class Cost:
    """What an epoch is predicted to take: used to choose how many epochs make a round, never in a result.

    Attributes:
        epoch: seconds for each epoch.
        step: seconds for each optimizer step.
        sample: seconds for each sample.
    """

    epoch: float
    step: float
    sample: float = 0.0


@dataclass(frozen=True)
class Timing:
    """How the speed suite times an engine.

    Attributes:
        cpu: the cost model on a CPU.
        gpu: the cost model on a GPU.
        round_seconds: about how long a timed round should last.
        quick_batch_sizes: the batch sizes of the quick grid.
    """

    cpu: Cost
    gpu: Cost
    round_seconds: float
    quick_batch_sizes: tuple[int, ...]


@dataclass(frozen=True)
class EngineEntry:
    """What the rest of the program knows of an engine without importing it.

    Attributes:
        classes: for each backend that has the engine, its class.
        members: for each backend on which the engine trains many seeds together, the class of that program.
        devices: the only devices that it runs on, as "cpu"; empty where it runs on every device of the backend.
        optimizers: the only optimizers that it knows; empty where it takes every optimizer of Keras.
        networks: the only networks that it knows; empty where it trains every network.
        strategies: the ways to use several devices between which the user chooses; empty where there is one device.
        schedules: whether the learning rate can decay to final_learning_rate.
        needs_backend: whether the backend has to be started first; the backend's threads then are the engine's.
        fast: whether a whole published run takes milliseconds, so that many seeds can be trained to the end.
        timing: how the speed suite times it; None where it has no speed worth timing.
    """

    classes: Mapping[str, str]
    members: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    optimizers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    schedules: bool = True
    needs_backend: bool = True
    fast: bool = False
    timing: Timing | None = None

    def runs_on(self, device: str) -> bool:
        """Say whether the engine has a device of that name; "cpu" and "cpu:0" are the same one."""
        return not self.devices or device.removesuffix(":0") in self.devices


def on_every_backend(path: str) -> dict[str, str]:
    """Return the classes of an engine that is the same on every backend."""
    return dict.fromkeys(BACKENDS, path)


# Of the quick grid: 1 is the published run; 9, 27 and 111 divide 999, and lie where the cost moves from the steps to
# the samples; 999 is one step an epoch.
BATCH_SIZES, FEW_BATCH_SIZES = (1, 9, 27, 111, 999), (1, 111, 999)
# Costs are fitted by eye to runs on two cores of an AMD EPYC. On a GPU the loop of `compiled` is driven from the host:
# a guess, not measured.
ENGINES = {
    "fit": EngineEntry(
        classes=on_every_backend("parabola.training.engines.fit:FitEngine"),
        timing=Timing(Cost(0.03, 1.2e-3), Cost(0.03, 1.2e-3), round_seconds=0.2, quick_batch_sizes=FEW_BATCH_SIZES),
    ),
    "fused_fit": EngineEntry(
        classes=on_every_backend("parabola.training.engines.fit:FusedFitEngine"),
        timing=Timing(Cost(2.5e-3, 2e-4), Cost(2.5e-3, 2e-4), round_seconds=0.2, quick_batch_sizes=FEW_BATCH_SIZES),
    ),
    "compiled": EngineEntry(
        classes={
            "tensorflow": "parabola.training.engines.compiled:CompiledEngine",
            "jax": "parabola.training.engines.jax:CompiledEngine",
        },
        members={
            "tensorflow": "parabola.ensemble.members_tensorflow:MembersProgram",
            "jax": "parabola.ensemble.members_jax:MembersProgram",
        },
        fast=True,
        timing=Timing(Cost(1e-6, 3.5e-8, 2e-9), Cost(1e-4, 2e-5), round_seconds=0.02, quick_batch_sizes=BATCH_SIZES),
    ),
    "native": EngineEntry(
        classes=on_every_backend("parabola.training.engines.native:NativeEngine"),
        devices=("cpu",),
        optimizers=("adam",),
        networks=("two_neuron", "one_neuron"),
        schedules=False,
        needs_backend=False,
        fast=True,
        timing=Timing(
            Cost(1e-6, 2.5e-8, 2e-9), Cost(1e-6, 2.5e-8, 2e-9), round_seconds=0.02, quick_batch_sizes=BATCH_SIZES
        ),
    ),
    "distributed": EngineEntry(
        classes={"tensorflow": "parabola.training.engines.distributed:DistributedEngine"},
        strategies=("mirrored", "multi_worker"),
    ),
}
DEFAULT_ENGINE = "compiled"
LIMIT = "native"  # its time is the machine's limit, which tables divide by, and its weights are the reference

NETWORKS = {
    "two_neuron": "parabola.training.networks.two_neuron:TwoNeuron",
    "one_neuron": "parabola.training.networks.one_neuron:OneNeuron",
}
DEFAULT_NETWORK = "two_neuron"


def load(path: str) -> Any:
    """Return the class that is named as "module:Class"."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def timings() -> dict[str, Timing]:
    """Return how each engine is timed, for those that have a speed worth timing."""
    return {name: engine.timing for name, engine in ENGINES.items() if engine.timing}


def fast_engines() -> tuple[str, ...]:
    """Return the engines that can train many seeds to the end."""
    return tuple(name for name, engine in ENGINES.items() if engine.fast)


def engine_for(strategy: str | None) -> str:
    """Return the engine that is meant where none is named: the one that has the strategy, or else the default one."""
    having = [name for name, engine in ENGINES.items() if strategy and engine.strategies]
    return having[0] if having else DEFAULT_ENGINE
