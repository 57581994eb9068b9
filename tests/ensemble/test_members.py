"""Which program trains a block of members, and what the block begins with."""

from typing import Any

import numpy as np
import pytest

from parabola import registry
from parabola.ensemble.members import fill_block, members_program
from parabola.ensemble.members_tensorflow import piece_size, whole_turns
from parabola.training.experiment import Experiment


def test_a_block_is_filled_up_with_its_last_member() -> None:
    """Five places for three members: weights, rates and rows of the third stand twice more; orders are by epoch."""
    spec = Experiment(samples=9, epochs=2)
    weights, rates, rows = fill_block(spec, 5, np.array([7, 0, 11]), np.array([0.1, 0.3, 0.2]))

    np.testing.assert_array_equal(weights, [spec.initial_weights(seed) for seed in (7, 0, 11, 11, 11)])
    assert rates.tolist() == np.array([0.1, 0.3, 0.2, 0.2, 0.2], np.float32).tolist()
    assert rates.dtype == np.float32
    assert rows.tolist() == [[437, 1731, 2211, 2211, 2211], [194, 3635, 1357, 1357, 1357]]
    full = fill_block(spec, 3, np.array([7, 0, 11]), np.array([0.1, 0.3, 0.2]))
    assert [len(full[0]), len(full[1]), full[2].shape[1]] == [3, 3, 3]


def test_the_program_is_the_engines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine with a program of its own trains members by it; the others' members are trained by `compiled`."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    made = list[tuple[str, Any, int]]()
    monkeypatch.setattr(registry, "load", lambda path: lambda *told: made.append((path, *told)))
    own = registry.EngineEntry(
        classes={"tensorflow": "a:Engine"}, members={"tensorflow": "a:Members", "jax": "b:Members"}
    )
    monkeypatch.setitem(registry.ENGINES, "own", own)
    for engine in ("compiled", "native", "own"):
        members_program(Experiment(engine=engine), 5)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    for engine in ("fit", "own"):
        members_program(Experiment(engine=engine), 5)

    assert made == [
        ("parabola.ensemble.members_tensorflow:MembersProgram", Experiment(), 5),
        ("parabola.ensemble.members_tensorflow:MembersProgram", Experiment(engine="native"), 5),
        ("a:Members", Experiment(engine="own"), 5),
        ("parabola.ensemble.members_jax:MembersProgram", Experiment(engine="fit"), 5),
        ("b:Members", Experiment(engine="own"), 5),
    ]


@pytest.mark.parametrize(
    ("samples", "size"),
    [(1, 1), (2, 2), (27, 27), (111, 111), (128, 128), (129, 43), (262, 2), (509, 509), (997, 997), (999, 111)],
)
def test_pieces_are_of_one_size_and_small(samples: int, size: int) -> None:
    """A piece is the largest divisor up to 128, which leaves none over; a larger prime number is one piece."""
    assert piece_size(samples) == size


@pytest.mark.parametrize(
    ("members", "places"),
    [(1, 1), (4, 4), (31, 32), (30, 30), (32, 32), (60, 60), (61, 64), (257, 257), (500, 512), (512, 512), (513, 544)],
)
def test_few_places_of_a_block_are_left_empty(members: int, places: int) -> None:
    """A block has whole turns of 32 members where at most a sixteenth more than is asked for is trained."""
    assert whole_turns(members) == places


def test_empty_places_change_nothing() -> None:
    """Of 61 members in 64 places each has the weights that it has among 30, which fill their places."""
    seeds, spec = np.arange(61), Experiment(batch_size=111, epochs=3, learning_rate=0.01)
    found = []
    for number in (61, 30):
        program = members_program(spec, number)
        rows = program.reset(seeds[:number], np.full(number, 0.01))
        found.append(program.run(program.place(rows)))

    assert found[0].shape[-1] >= 61
    np.testing.assert_allclose(found[0][..., :30], found[1][..., :30], rtol=0, atol=1e-6)
