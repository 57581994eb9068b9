"""A block of members trains on from where it is, and tells what it is there, one member at a time."""

import time
from typing import Any

import numpy as np
import pytest

from parabola.ensemble.members import members_program
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array

SEEDS, RATES = np.array([3, 2**40, 11]), np.array([0.001, 0.02, 0.05])
SPEC = Experiment(batch_size=100, epochs=5, learning_rate=0.5)


@pytest.fixture(scope="module")
def program() -> Any:
    """One program for this file, with a place more than there are members."""
    return members_program(SPEC, 4)


@pytest.fixture(scope="module")
def whole(program: Any) -> Array:
    """The weights of the whole run in one piece."""
    return np.array(program.run(program.place(program.reset(SEEDS, RATES))))


@pytest.mark.parametrize("pieces", [(1, 1, 1, 1, 1), (2, 0, 3), (4, 1)])
def test_a_run_in_pieces_is_the_run(pieces: tuple[int, ...], program: Any, whole: Array) -> None:
    """Each piece has as many weights as rows, bit for bit those of the whole run, also where a piece is empty."""
    rows = program.reset(SEEDS, RATES)
    parts = [program.run(program.place(part)) for part in np.split(rows, np.cumsum(pieces)[:-1])]

    assert [len(part) for part in parts] == list(pieces)
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_a_reset_tells_the_rows_of_each_member(program: Any) -> None:
    """They are those of a single run with the member's seed, and the last member's fill the place that is left."""
    rows = program.reset(SEEDS, RATES)
    engine = engines.create(Experiment(engine="native", batch_size=100, epochs=5))

    assert (rows.shape, rows.dtype) == ((5, 4), np.int32)
    for place, seed in enumerate([3, 2**40, 11, 11]):
        assert rows[:, place].tolist() == engine.reset(seed=seed).tolist()


@pytest.mark.parametrize("epochs", [0, 1, 3])
def test_a_members_state_is_that_of_its_own_run(epochs: int, program: Any) -> None:
    """Weights, moments and steps are those of `native`, and the weights are the bits that the last run gave back."""
    weights = program.run(program.place(program.reset(SEEDS, RATES)[:epochs]))
    native = engines.build(Experiment(engine="native", batch_size=100, epochs=5))
    for place, (seed, rate) in enumerate(zip(SEEDS.tolist(), RATES.tolist(), strict=True)):
        native.run(native.reset(seed=seed, learning_rate=rate)[:epochs])
        found, expected = program.state(place), native.state()

        assert found.steps == expected.steps == 10 * epochs
        assert list(found.slots) == ["momentum", "velocity"]
        np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=rate / 100)
        for name, values in expected.slots.items():
            assert (found.slots[name].shape, found.slots[name].dtype) == ((4,), np.float32)
            np.testing.assert_allclose(found.slots[name], values, rtol=1e-3, atol=1e-4)
        if epochs:
            assert found.weights.tobytes() == weights[-1, :, place].tobytes()


def test_a_state_is_a_copy(program: Any) -> None:
    """Training on changes no state that was told before."""
    rows = program.reset(SEEDS, RATES)
    before = program.state(1)
    kept = [before.weights.copy(), *(values.copy() for values in before.slots.values())]
    program.run(program.place(rows))

    assert before.steps == 0
    for told, copy in zip([before.weights, *before.slots.values()], kept, strict=True):
        assert told.tobytes() == copy.tobytes()


def test_any_number_of_epochs_uses_the_same_program() -> None:
    """After the first run, which compiles, runs of other lengths take a fraction of its time."""
    program, seconds = members_program(Experiment(batch_size=333, epochs=4), 3), []
    rows = program.reset(SEEDS, RATES)
    for epochs in (4, 3, 1, 2, 4):
        placed, begun = program.place(rows[:epochs]), time.perf_counter()
        program.run(placed)
        seconds.append(time.perf_counter() - begun)

    assert np.median(seconds[1:]) < seconds[0] / 5  # XLA does not say when it compiles, but takes its time
