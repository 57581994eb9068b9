"""The smallest training run with a known answer. The names are imported when first used: no TensorFlow here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parabola.data import sample as sample
    from parabola.experiment import Experiment as Experiment
    from parabola.experiment import Fit as Fit
    from parabola.target import Parabola as Parabola
    from parabola.training import train as train

_HOMES = {"Experiment": "experiment", "Fit": "experiment", "Parabola": "target", "sample": "data", "train": "training"}
__all__ = ["Experiment", "Fit", "Parabola", "sample", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"parabola.{_HOMES[name]}"), name)
