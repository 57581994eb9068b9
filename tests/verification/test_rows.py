"""What can be said of a run by the weights after each epoch alone, by value."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.rows import REACH, check_rows, same_bits, suspects

NAN, INF = float("nan"), float("inf")
EXPERIMENT = Experiment(samples=10, batch_size=4, epochs=9, learning_rate=0.5)  # three steps an epoch


def step(gradients: Array) -> float:
    """Return how many learning rates Adam's last step has after a sequence of gradients, as Kingma and Ba have it."""
    m = v = 0.0
    for gradient in gradients:
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
    number = len(gradients)
    return float(m / (1 - 0.9**number) / np.sqrt(v / (1 - 0.999**number) + 1e-300))


def test_no_sequence_of_gradients_makes_a_longer_step() -> None:
    """After thousands of small gradients, sixty that grow by 0.999 / 0.9 each make the longest step: 7.27 rates."""
    worst = (0.999 / 0.9) ** np.arange(-9940.0, 60)

    assert pytest.approx(7.2702, abs=1e-4) == REACH
    assert REACH * (1 - 1e-4) < step(worst) < REACH


@pytest.mark.parametrize("number", [1, 2, 5, 20])
def test_short_sequences_do_not_reach_as_far(number: int) -> None:
    """An optimiser that looks for the longest step finds none beyond, whatever number of steps was made before."""
    random = np.random.default_rng(number)
    found = [minimize(lambda given: -step(given), random.normal(size=number)).fun for _ in range(3)]

    assert 0.999 < -min(found) < REACH


@pytest.mark.parametrize(("weight", "sign"), [(0, 1), (3, -1)])
def test_weights_reach_as_far_as_their_steps(weight: int, sign: int) -> None:
    """Three steps of 1.01 times the reach, and three last places, at a rate of 0.5."""
    rows = np.zeros((4, 4), np.float32)
    for factor, right in ((1.00999, True), (1.01001, False)):
        rows[2:, weight] = sign * 3 * factor * REACH * 0.5
        assert (check_rows(EXPERIMENT, rows) == "") == right


def test_the_last_places_are_added() -> None:
    """At a rate of 1e-9 weights near 1.5 move by whole last places: by three of them, one a step, and no more."""
    tiny = Experiment(samples=10, batch_size=4, epochs=9, learning_rate=1e-9)
    for places, right in ((0, True), (3, True), (-3, True), (4, False), (-4, False)):
        rows = np.full((3, 2), 1.5, np.float32)
        rows[1:] += np.float32(places * 2.0**-23)
        assert (check_rows(tiny, rows) == "") == right


def test_the_first_jump_is_named() -> None:
    """With the epoch, counted from 1, the weight and how far it went, which is more than so many steps reach."""
    rows = np.zeros((6, 4), np.float32)
    rows[4:, 2], rows[3:, 1] = 50, -1e9

    assert check_rows(EXPERIMENT, rows) == (
        "after epoch 4 weight 2 of 4 has moved by 1e+09 since the epoch before, further than 3 steps of Adam reach"
    )


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_run_that_has_diverged_stays_so(value: float) -> None:
    """A row that is finite again is wrong, and is named; one that diverges for good, in part or at once, is not."""
    rows = np.zeros((5, 4), np.float32)
    rows[2, 1] = value
    says = "after epoch 4 the weights are finite, and after the epoch before they were not"
    assert check_rows(EXPERIMENT, rows) == says
    rows[3:, 0] = NAN
    assert check_rows(EXPERIMENT, rows) == ""
    rows[:] = value
    assert check_rows(EXPERIMENT, rows) == ""
    rows[4] = 0
    assert check_rows(EXPERIMENT, rows) == says.replace("4", "5")


def test_what_comes_before_divergence_is_held() -> None:
    """A jump between two finite rows is found where later ones are not finite."""
    rows = np.zeros((5, 4), np.float32)
    rows[1:, 3], rows[3:] = 1e6, NAN

    assert check_rows(EXPERIMENT, rows).startswith("after epoch 2 weight 4 of 4 has moved by 1e+06 since")


def test_one_row_alone_cannot_be_wrong() -> None:
    """There is nothing to compare it with."""
    assert check_rows(EXPERIMENT, np.full((1, 4), 1e30, np.float32)) == ""


def moving(epochs: int, still: Any = ()) -> Array:
    """Return rows in which every weight moves in every epoch but those named, counted from 0."""
    moves = np.ones(epochs)
    moves[list(still)] = 0
    return np.cumsum(moves)[:, None] * np.ones(4, np.float32)


def test_epochs_in_which_no_weight_moved_are_suspect() -> None:
    """Unless they were held already; one weight that moves is enough to be none."""
    rows = moving(30, still=(7, 12, 20))
    rows[12:, 3] += 1

    assert suspects(moving(30), held=[0, 29]) == []
    assert suspects(rows, held=[0, 29]) == [7, 20]
    assert suspects(rows, held=[0, 20, 29]) == [7]


@pytest.mark.parametrize(
    ("still", "some"),
    [
        (range(2, 10), [2, 3, 4, 5, 6, 7, 8, 9]),
        (range(2, 11), [2, 4, 6, 8, 10]),
        (range(1, 1000), [1, 126, 251, 376, 501, 626, 751, 876]),
    ],
)
def test_of_many_some_are_suspect(still: range, some: list[int]) -> None:
    """Eight at most, spread over all of them."""
    assert suspects(moving(1000, still), held=[0]) == some


def test_the_epoch_that_diverges_is_suspect() -> None:
    """It alone, since NaN is not NaN; and not where it was held."""
    rows = moving(30, still=(7,))
    rows[11:, 2] = NAN

    assert suspects(rows, held=[0, 29]) == [7, 11]
    assert suspects(rows, held=[0, 11, 29]) == [7]
    assert suspects(rows * NAN, held=[5]) == [0]


@given(st.integers(1, 400), st.data())
def test_suspects_are_epochs_that_were_not_held(epochs: int, data: st.DataObject) -> None:
    """They are sorted, no more than nine, none was held, and in each of them no weight moved or one diverged."""
    still = data.draw(st.sets(st.integers(1, epochs - 1))) if epochs > 1 else set()
    held = data.draw(st.sets(st.integers(0, epochs - 1)))
    diverged = data.draw(st.none() | st.integers(0, epochs - 1))
    rows = moving(epochs, still)
    rows[epochs if diverged is None else diverged :] = NAN
    found = suspects(rows, held)

    assert found == sorted(set(found))
    assert len(found) <= 9
    assert not held & set(found)
    assert set(found) <= still | {diverged}
    assert bool(found) == bool({epoch for epoch in still if diverged is None or epoch < diverged} - held) or (
        diverged is not None and diverged not in held
    )


def test_the_same_bits() -> None:
    """NaN is NaN; shapes and values count."""
    assert same_bits(np.array([1, NAN, INF]), np.array([1, NAN, INF]))
    assert not same_bits(np.array([1, NAN]), np.array([NAN, 1]))
    assert not same_bits(np.ones(2), np.ones((1, 2)))
    assert not same_bits(np.ones(2), np.ones(2) + 1e-15)
