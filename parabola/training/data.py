"""The samples, and their order in every epoch: drawn by a hash of seeds, so that every engine has the same."""

from functools import lru_cache

import numpy as np

from parabola.training.target import Array, Parabola

BANK_ROWS, BANK_BYTES = 4096, 64 * 2**20  # a bank holds at most so many permutations, in at most so many bytes
SMALL_BANKS = 4  # so many small banks are kept, which together take no more bytes than a large one
SMALL_BANK_SAMPLES = BANK_BYTES // (4 * BANK_ROWS * SMALL_BANKS)  # a bank of more is large
ORDER_STREAM, WEIGHT_STREAM = 1, 2  # the first key of a hash: keeps draws for orders and for initial weights apart


def sample(
    target: Parabola, samples: int = 999, *, seed: int = 42, low: float = 0.0, high: float = 1.0
) -> tuple[Array, Array]:
    """Draw x uniformly on [low, high), by NumPy's legacy generator as in the published experiment; y = target(x).

    Args:
        target: the parabola that gives y.
        samples: how many are drawn.
        seed: decides which x are drawn.
        low, high: the range of x; high is not included.

    Returns:
        x and y, each of shape (samples, 1), float32: what Keras trains on.
    """
    x = low + (high - low) * np.random.RandomState(seed).rand(samples, 1)
    return x.astype(np.float32), target(x).astype(np.float32)


def curves_up(x: Array, y: Array) -> bool:
    """Say whether samples bend upwards: whether the middle one lies below the chord of the outer two.

    A network that opens to the other side has to pass through a = 0, where the linear term needs an infinite first
    kernel: few runs find the way.

    Args:
        x, y: the samples, each of shape (samples, 1), float32. Three samples are needed: the answer means nothing for
            fewer, and it is only as good as their float32 values.
    """
    ends = np.argsort(x, axis=None)[[0, -1]]
    middle = np.abs(x - x[ends].mean()).argmin()
    return bool(y[middle] <= np.interp(x[middle], x[ends].ravel(), y[ends].ravel()))


def hash_uint64(*keys: Array | int) -> Array:
    """Mix integers into well-spread uint64 values.

    Args:
        keys: integers from 0, whose shapes broadcast against each other.

    Returns:
        The shape of all keys together, uint64.

    Source: SplitMix64's increment and finaliser; Steele, Lea and Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014.
    """
    state: Array = np.zeros((), np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = (state ^ np.asarray(key, np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return state


def order_bank(samples: int) -> Array:
    """Return the permutations from which every order is taken; they are made once, and bounded in memory.

    Making a bank takes a tenth of a second. The one large bank and the four small ones that were asked for last are
    kept, in 128 MiB at most, or in four bytes a sample where those are more.

    Args:
        samples: number of samples in each permutation.

    Returns:
        Shape (rows, samples), int32, read-only: row r is a permutation of 0 … samples - 1 made from (samples, r).
        There are 4,096 rows for up to 4,096 samples, and fewer for more, so that all fit into 64 MiB; at least one.
    """
    return (_small_bank if samples <= SMALL_BANK_SAMPLES else _large_bank)(samples)


def _make_bank(samples: int) -> Array:
    """Return a new bank."""
    rows = max(1, min(BANK_ROWS, BANK_BYTES // (4 * samples)))
    bank = np.empty((rows, samples), np.int32)
    for row in range(rows):
        bank[row] = np.random.default_rng((samples, row)).permutation(samples)
    bank.flags.writeable = False
    return bank


_small_bank, _large_bank = lru_cache(maxsize=SMALL_BANKS)(_make_bank), lru_cache(maxsize=1)(_make_bank)


def in_small_integers(bank: Array) -> Array:
    """Return a bank of orders in the smallest unsigned integers that hold it, so that there is less of it to read.

    A program on TensorFlow needs it so: int32 tensors are kept in host memory, and copied to a GPU in every run.

    Args:
        bank: shape (rows, samples), int32: each row is a permutation.

    Returns:
        The same shape and values, uint8, uint16 or uint32.
    """
    return bank.astype(np.min_scalar_type(bank.max()))


def order_rows(samples: int, seeds: Array | int, epochs: int) -> Array:
    """Return which row of the bank gives each epoch its order: a hash of (seed, epoch), the same for all engines.

    Args:
        samples: number of samples in each permutation of the bank.
        seeds: shape (...), integers from 0; one run for each.
        epochs: number of epochs in a run.

    Returns:
        Shape (epochs, ...), int32: rows of order_bank(samples).
    """
    rows = np.uint64(len(order_bank(samples)))
    epoch = np.arange(epochs).reshape(-1, *[1] * np.ndim(seeds))
    return (hash_uint64(ORDER_STREAM, seeds, epoch) % rows).astype(np.int32)


def padded(rows: Array, epochs: int) -> Array:
    """Return rows followed by rows of -1, at least one: one shape for any number of epochs.

    Args:
        rows: shape (n, ...), int32: rows of a bank of orders.
        epochs: the most epochs that a program can train.

    Returns:
        Shape (epochs + 1, ...), int32.

    Raises:
        ValueError: if there are more rows than epochs.
    """
    if len(rows) > epochs:
        raise ValueError(f"a program of {epochs} epochs cannot train {len(rows)}")
    whole = np.full((epochs + 1, *rows.shape[1:]), -1, np.int32)
    whole[: len(rows)] = rows
    return whole
