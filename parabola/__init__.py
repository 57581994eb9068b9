"""The smallest training run with a known answer. The names are imported when first used: no TensorFlow here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parabola.training.experiment import Experiment
    from parabola.training.fit import Fit
    from parabola.training.target import Parabola
    from parabola.training.train import train

__all__ = ["Experiment", "Fit", "Parabola", "__version__", "train"]
__version__ = "0.1.0"
WRITTEN_BY = f"parabola {__version__}"  # what each file says that this package writes
_HOMES = {"Experiment": "experiment", "Fit": "fit", "Parabola": "target", "train": "train"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'parabola' has no attribute {name!r}")
    return getattr(import_module(f"parabola.training.{_HOMES[name]}"), name)
