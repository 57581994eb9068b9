"""How many points a line over commits has, and rows a table: what pictures and tables share, without Altair."""

import numpy as np
import numpy.typing as npt

MOST_POINTS = 250  # of a line over commits; beyond, neighbouring commits share a point


def blocks(number: int) -> list[npt.NDArray[np.int_]]:
    """Return the indices of so many values in blocks of neighbours, one value each where they are few."""
    return np.array_split(np.arange(number), min(number, MOST_POINTS))
