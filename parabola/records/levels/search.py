"""The search for levels by least squares."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SHORTEST = 5  # values of a level: the fewest whose trimmed mean has an error worth the name
FEWEST = 2 * SHORTEST  # values of a series that can have a change
MOST = 2000  # values searched one by one: the search takes up to n² steps, so longer series are searched in blocks


def search(values: Floats, penalty: float) -> list[int]:
    """Return the indices of new levels that have the least squared error plus penalty; of blocks, in a long series.

    Args:
        values: shape (n,), with noise whose means vary as those of independent values of variance 1.
        penalty: how much of the squared error each change must save.

    Source: Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear computational cost",
    JASA 2012, as in ruptures.
    """
    if len(values) < FEWEST:
        return []
    from ruptures import KernelCPD

    block = -(-len(values) // MOST)
    means = values[: len(values) // block * block].reshape(-1, block).mean(axis=1)
    detector = KernelCPD("linear", min_size=-(-SHORTEST // block)).fit(means * block**0.5)
    return [int(edge) * block for edge in detector.predict(pen=penalty)[:-1]]
