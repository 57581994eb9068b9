"""What a run is between two epochs: all that decides how it goes on, besides the samples and their order."""

from collections.abc import Mapping
from dataclasses import dataclass

from parabola.training.target import Array


@dataclass(frozen=True)
class State:
    """A run between two epochs, as copies on the host.

    Attributes:
        weights: shape (size of the network,), float32, in Keras' order.
        slots: what the optimizer keeps of each weight, by its own name for it, in Keras' order: of Adam "momentum" and
            "velocity", of the same shape each.
        steps: how many steps the optimizer has taken since it was fresh.
    """

    weights: Array
    slots: Mapping[str, Array]
    steps: int
