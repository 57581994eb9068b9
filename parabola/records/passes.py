"""How many seeds passed over commits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parabola.records.extra_info import Answer


@dataclass(frozen=True)
class Passes:
    """How many seeds passed over commits.

    Attributes:
        settled: shape (n,), int: number of seeds that passed at each commit.
        seeds: shape (n,), int: number of seeds that were trained.
    """

    settled: npt.NDArray[np.int_]
    seeds: npt.NDArray[np.int_]

    @property
    def rates(self) -> npt.NDArray[np.float64]:
        """The pass rate at each commit: shape (n,), from 0 to 1."""
        return self.settled / self.seeds


def passes_of(answers: Sequence[Answer]) -> Passes | None:
    """Return how many seeds passed at each commit; None unless every commit counts them."""
    if not all(answer.seeds for answer in answers):
        return None
    settled, seeds = np.array([(answer.settled_seeds, answer.seeds) for answer in answers]).T
    return Passes(settled, seeds)
