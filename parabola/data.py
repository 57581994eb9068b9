"""What goes into training: the samples, and their order in every epoch."""

from functools import lru_cache

import numpy as np

from parabola.target import Array, Parabola

BANK_ROWS = 4096  # permutations in a bank,
BANK_BYTES = 64 * 2**20  # or as many as this holds, where a permutation is long
ORDER_STREAM, WEIGHT_STREAM = 1, 2  # keep the draws for orders and for initial weights apart


def sample(
    target: Parabola, samples: int = 999, *, seed: int = 42, low: float = 0.0, high: float = 1.0
) -> tuple[Array, Array]:
    """Draw x uniformly on [low, high) and compute y = target(x).

    Args:
        target: the true parabola.
        samples: how many.
        seed: of NumPy's legacy generator, as the published experiment used it: 42 for training, 43 for tests.
        low: lower end of the range, included.
        high: upper end of the range, not included.

    Returns:
        x and y, each of shape (samples, 1), float32: what Keras trains on.
    """
    x = low + (high - low) * np.random.RandomState(seed).rand(samples, 1)
    return x.astype(np.float32), target(x).astype(np.float32)


def hash_uint64(*keys: Array | int) -> Array:
    """Mix integers, broadcast against each other, into well-spread uint64 values.

    Source: the SplitMix64 finaliser and increment; Steele, Lea and Flood, "Fast splittable pseudorandom
    number generators", OOPSLA 2014.
    """
    state: Array = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = (state ^ np.asarray(key, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return state


@lru_cache(maxsize=1)
def order_bank(samples: int) -> Array:
    """Return the permutations that every order is taken from; made once, bounded in memory.

    Returns:
        Shape (rows, samples), int32, read-only: row r is a permutation of 0 … samples - 1 made from
        (samples, r). 4,096 rows up to 4,096 samples, fewer above (64 MiB at most, never less than one row).
    """
    rows = max(1, min(BANK_ROWS, BANK_BYTES // (4 * samples)))
    bank = np.empty((rows, samples), np.int32)
    for row in range(rows):
        bank[row] = np.random.default_rng((samples, row)).permutation(samples)
    bank.flags.writeable = False
    return bank


def order_rows(samples: int, seed: int, epochs: int) -> Array:
    """Return which row of the bank each epoch trains in: a hash of (seed, epoch), the same for every engine.

    Returns:
        Shape (epochs,), int32, each below len(order_bank(samples)).
    """
    rows = np.uint64(len(order_bank(samples)))
    return (hash_uint64(ORDER_STREAM, seed, np.arange(epochs)) % rows).astype(np.int32)
