"""Engines: the ways to execute one training run. One file each, one signature, this registry."""

import time
from importlib import import_module
from typing import TYPE_CHECKING

from parabola.experiment import Experiment

if TYPE_CHECKING:
    from parabola.engines.engine import Engine

CLASSES = {
    "fit": "parabola.engines.fit:FitEngine",
    "fused_fit": "parabola.engines.fused_fit:FusedFitEngine",
    "compiled": "parabola.engines.compiled:CompiledEngine",
    "native": "parabola.engines.native:NativeEngine",
}


def build(experiment: Experiment) -> "Engine":
    """Build an engine for an experiment: place, trace, compile; it then stands at fresh weights.

    Raises:
        ValueError: if the device is not there, or the engine cannot run on it.
        RuntimeError: if the weights turn out to be on another device than asked for.
    """
    module, _, name = CLASSES[experiment.engine].partition(":")
    engine: Engine = getattr(import_module(module), name)(experiment)
    begun = time.perf_counter()
    engine.build()
    engine.compile_seconds = time.perf_counter() - begun
    engine.reset()
    return engine
