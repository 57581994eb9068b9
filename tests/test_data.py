"""The samples and their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from parabola.data import BANK_BYTES, hash_uint64, order_bank, order_rows, sample
from parabola.target import Parabola


def test_default_samples_are_the_published_ones() -> None:
    """With seed 42 the inputs equal np.random.seed(42); np.random.rand(999), and y is the target's."""
    x, y = sample(Parabola())
    np.random.seed(42)  # the published program's own words
    published = np.random.rand(999)

    assert x.shape == y.shape == (999, 1)
    np.testing.assert_array_equal(x.ravel(), published.astype(np.float32))
    np.testing.assert_array_equal(y.ravel(), (published**2 + 2 * published + 2).astype(np.float32))


def test_range_is_uniform_and_selectable() -> None:
    """Samples on [-3, 5) are uniform there (Kolmogorov–Smirnov) and their targets are of those x."""
    x, y = sample(Parabola(2, 0, 1), 5000, seed=1, low=-3, high=5)

    assert stats.kstest(x.ravel(), stats.uniform(-3, 8).cdf).pvalue > 1e-3
    np.testing.assert_allclose(y, 2 * x.astype(float) ** 2 + 1, rtol=1e-5)


def test_hash_is_splitmix64() -> None:
    """Of one key it is SplitMix64's first output; the value is the one published for seed 1234567."""
    assert int(hash_uint64(1234567)) == 6457827717110365317


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3000))
def test_bank_rows_are_permutations(samples: int) -> None:
    """Every order holds every sample once; the bank is read-only and made once."""
    bank = order_bank(samples)

    assert all(np.array_equal(np.sort(row), np.arange(samples)) for row in bank[:: len(bank) // 7])
    assert bank is order_bank(samples)
    assert not bank.flags.writeable


@pytest.mark.parametrize(("samples", "rows"), [(999, 4096), (4096, 4096), (100_000, 167), (2**24 + 1, 1)])
def test_bank_is_bounded(samples: int, rows: int) -> None:
    """4,096 rows, or as many as 64 MiB hold, and never none."""
    assert order_bank(samples).shape == (rows, samples)
    assert order_bank(samples).nbytes <= max(BANK_BYTES, 4 * samples)


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(1, 200), st.integers(1, 200))
def test_an_epochs_order_depends_on_seed_and_epoch_alone(seed: int, few: int, more: int) -> None:
    """A longer run begins with the orders of a shorter one."""
    shortest = min(few, more)

    np.testing.assert_array_equal(order_rows(999, seed, few)[:shortest], order_rows(999, seed, more)[:shortest])


def test_orders_are_spread_over_the_bank() -> None:
    """Rows are uniform over epochs and over seeds (chi-squared), and neighbouring seeds do not share them."""
    by_epoch = order_rows(999, 7, 200_000)
    by_seed = np.concatenate([order_rows(999, seed, 50) for seed in range(4000)])

    for rows in (by_epoch, by_seed):
        assert stats.chisquare(np.bincount(rows, minlength=4096)).pvalue > 1e-3
    assert np.mean(order_rows(999, 1, 10_000) == order_rows(999, 2, 10_000)) < 0.002
