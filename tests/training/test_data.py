"""The samples and their order."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from parabola.training import data
from parabola.training.data import (
    BANK_BYTES,
    curves_up,
    hash_uint64,
    in_small_integers,
    order_bank,
    order_rows,
    padded,
    sample,
)
from parabola.training.target import Parabola


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


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 3000))
@example(1)
@example(3000)
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


def test_another_range_stretches_the_same_draws() -> None:
    """On [-3, 5) the draws of the seed are multiplied by 8 and moved by -3; y is the target of the unrounded x."""
    x, y = sample(Parabola(2, -1, 0.5), 7, seed=5, low=-3, high=5)
    np.random.seed(5)
    wide = -3 + 8 * np.random.rand(7)

    assert x.dtype == y.dtype == np.float32
    assert x.shape == y.shape == (7, 1)
    assert x.ravel().tolist() == wide.astype(np.float32).tolist()
    assert y.ravel().tolist() == (2 * wide**2 - wide + 0.5).astype(np.float32).tolist()


@pytest.mark.parametrize(
    ("x", "y", "up"),
    [
        ([0.5, 0.0, 1.0, 0.1], [0.9, 1.0, 1.0, 1.3], True),  # 0.1 lies above the chord, but 0.5 is the middle
        ([0.5, 0.0, 1.0, 0.1], [1.1, 1.0, 1.0, 0.2], False),
        ([1.0, 0.5, 0.0], [3.0, 2.0, 1.0], True),  # a straight line counts as bending upwards
        ([1.0, 0.5, 0.0], [3.0, 2.0 + 2.0**-22, 1.0], False),
        ([1.0, 0.5, 0.0], [1.0, 2.0 + 2.0**-22, 3.0], False),
        ([0.0, 0.75, 1.0], [0.0, 2.9, 4.0], True),  # the chord at 0.75, where the sample is, has 3
        ([0.0, 0.75, 1.0], [0.0, 3.1, 4.0], False),
        ([-4.0, 6.0, 0.9, 3.0], [0.0, 0.0, -1.0, 1.0], True),  # the middle of the range is 1, not 0 and not the mean
        ([-4.0, 6.0, 0.9, 3.0], [0.0, 0.0, 1.0, -1.0], False),
    ],
)
def test_the_middle_sample_is_held_against_the_chord(x: list[float], y: list[float], up: bool) -> None:
    """The sample next to the middle of the range decides, whatever the order of the samples."""
    columns = (np.array(values, np.float32).reshape(-1, 1) for values in (x, y))

    assert curves_up(*columns) is up


def test_hash_of_several_keys_is_chained() -> None:
    """Each key is mixed into the hash of those before it: values worked out by SplitMix64 in whole numbers."""
    assert int(hash_uint64(1, 7, 3)) == 12767982615181141716
    assert int(hash_uint64(3, 7, 1)) == 9826705540319768415
    grid = hash_uint64(np.array([[2], [3]]), np.array([2**63 - 1, 7]), np.array([5, 1]))
    assert grid.shape == (2, 2)
    assert grid.dtype == np.uint64
    assert [int(grid[0, 0]), int(grid[1, 1])] == [7854464552384268071, 9826705540319768415]


def test_the_bank_has_these_permutations() -> None:
    """The first, second and last order of five samples are the recorded ones."""
    bank = order_bank(5)

    assert bank[[0, 1, 4095]].tolist() == [[4, 3, 1, 2, 0], [2, 0, 4, 3, 1], [2, 0, 4, 1, 3]]
    assert bank.dtype == np.int32


def test_four_small_banks_and_a_large_one_are_kept() -> None:
    """Those that were asked for last; a bank of more than 1,024 samples is large. Four of 1,024 fill 64 MiB."""
    small, large = [order_bank(samples) for samples in (1, 2, 3, 1024)], order_bank(1025)
    assert small[-1].nbytes * 4 == BANK_BYTES
    assert all(order_bank(bank.shape[1]) is bank for bank in (*small, large))

    order_bank(4)
    assert order_bank(1025) is large
    assert [order_bank(bank.shape[1]) is bank for bank in small[1:]] == [True, True, True]
    assert order_bank(1) is not small[0]
    order_bank(1026)
    assert order_bank(1025) is not large


@pytest.mark.parametrize(
    ("samples", "seed", "rows"),
    [
        (999, 0, [1731, 3635, 1523, 130, 4033]),
        (999, 7, [437, 194, 1946, 1748, 763]),
        (999, 2**63 - 1, [3705, 688, 1982, 2874, 3953]),
    ],
)
def test_orders_are_the_recorded_ones(samples: int, seed: int, rows: list[int]) -> None:
    """Each epoch's row is the hash of (1, seed, epoch), epochs from 0, modulo the bank: worked out in whole numbers."""
    assert order_rows(samples, seed, 5).tolist() == rows


def test_orders_of_a_smaller_bank_are_within_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is taken modulo the bank's own number of rows, 167 for 100,000 samples."""
    monkeypatch.setattr(data, "order_bank", lambda samples: np.empty((167, 1)))

    assert order_rows(100_000, 11, 5).tolist() == [141, 78, 144, 125, 101]


def test_orders_of_many_seeds_have_the_epoch_first() -> None:
    """Seeds of any shape follow the axis of the epochs, and each seed has the orders that it has alone."""
    rows = order_rows(999, np.array([[0, 7], [2**63 - 1, 7]]), 3)

    assert rows.shape == (3, 2, 2)
    assert rows.dtype == np.int32
    assert rows[:, 0, 1].tolist() == rows[:, 1, 1].tolist() == [437, 194, 1946]
    assert rows[:, 1, 0].tolist() == [3705, 688, 1982]


@pytest.mark.parametrize(
    ("samples", "dtype"), [(1, "uint8"), (256, "uint8"), (257, "uint16"), (999, "uint16"), (65_537, "uint32")]
)
def test_a_small_bank_has_the_same_orders(samples: int, dtype: str) -> None:
    """Its type is the smallest that holds the last sample's place, and its values are those of the bank."""
    found = in_small_integers(order_bank(samples))

    assert found.dtype == dtype
    assert found.max() == samples - 1
    np.testing.assert_array_equal(found, order_bank(samples))


def test_rows_are_padded_with_an_end() -> None:
    """Rows of -1 follow, one at least, so that all numbers of epochs have one shape; too many rows are refused."""
    none = padded(np.zeros(0, np.int32), 2)

    assert padded(np.array([5, 0, 9]), 5).tolist() == [5, 0, 9, -1, -1, -1]
    assert padded(np.array([5, 0, 9]), 3).tolist() == [5, 0, 9, -1]
    assert none.tolist() == [-1, -1, -1]
    assert none.dtype == np.int32
    assert padded(np.array([[5, 6]]), 3).tolist() == [[5, 6], [-1, -1], [-1, -1], [-1, -1]]
    assert padded(np.array([[5, 6]]), 1).tolist() == [[5, 6], [-1, -1]]
    for rows in ([5, 7], [[5, 6], [7, 8]]):
        with pytest.raises(ValueError, match=r"^a program of 1 epochs cannot train 2$"):
            padded(np.array(rows), 1)
