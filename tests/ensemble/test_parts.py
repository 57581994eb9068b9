"""Parts of a map: which members they have, how they are cut and dealt out to shards, and that a cut changes no bit."""

from dataclasses import replace

import numpy as np
import pytest

from parabola.ensemble import ensemble
from parabola.ensemble.ensemble import Ensemble
from parabola.ensemble.learning_map import Grid, groups, train_here
from parabola.ensemble.map_file import OUTCOME
from parabola.ensemble.parts import Part, lacking, outcomes_of, shard
from parabola.training.experiment import Experiment
from tests.made_ensemble import make_members

SPEC = Experiment(epochs=3, batch_size=333)
PART = Part(SPEC, 6, (0.3, 0.1), np.array([7, 9, 12]), 2, 5)


def test_members_are_seeds_rate_by_rate() -> None:
    """From the third of six: the last seed at the first rate, and two at the second."""
    seeds, rates = PART.members()

    assert (seeds.tolist(), rates.tolist(), len(PART)) == ([12, 7, 9], [0.3, 0.1, 0.1], 3)
    assert PART.key == (333, 0.3)
    assert PART.cost == 3 * 3 * (999 + 3)


def test_an_outcome_is_ten_bytes() -> None:
    """Error, whether it passed and whether it diverged, in whatever epoch."""
    made = make_members(
        SPEC,
        np.arange(3),
        np.full(3, 0.1),
        coefficient_error=np.array([0.5, np.nan, 2.0]),
        passed=np.array([True, False, False]),
        diverged_epoch=np.array([0, 2, 0]),
    )
    outcomes = outcomes_of(made)

    assert OUTCOME.itemsize == 10
    assert outcomes["passed"].tolist() == [True, False, False]
    assert outcomes["diverged"].tolist() == [False, True, False]
    np.testing.assert_array_equal(outcomes["error"], [0.5, np.nan, 2.0])


@pytest.mark.parametrize(
    ("blocks", "end"), [(0, 2), (0.4, 2), (1, 2), (1.4, 2), (1.6, 4), (2, 4), (2.4, 4), (2.6, None), (9, None)]
)
def test_a_part_is_cut_at_a_block(blocks: float, end: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the block that is nearest to a cost, one at least; where that is the last nothing is left."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 2)
    whole = replace(PART, first=0, end=5)
    first, left = whole.cut(blocks * 2 * whole.cost_of_member)

    assert whole.block_members == 2
    assert (first.first, first.end) == (0, end or 5)
    assert (left and (left.first, left.end)) == (end and (end, 5))


def test_a_cut_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eleven members in blocks of two, each has the same outcome in a part as in the whole."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 2)
    whole = Part(replace(SPEC, epochs=40), 12, (0.3, 0.1), np.arange(6), 0, 11)
    first, rest = whole.cut(2 * 2 * whole.cost_of_member)
    assert rest
    ((_, expected),) = train_here([whole], lambda *_: None, workers=1)
    found = [outcomes for _, outcomes in train_here([rest, first], lambda *_: None, workers=1)]

    assert np.concatenate(found[::-1]).tobytes() == expected.tobytes()
    assert len({*expected["error"]}) == 11
    alone = Ensemble(whole.experiment, 12, workers=1).train(*replace(whole, first=10).members())
    assert alone.coefficient_error.tobytes() == expected["error"][10:].tobytes()


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 16, 200])
def test_each_block_is_in_one_shard(shards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put together, the shards are the map; none costs more than its share and a block, cheap and dear cells alike."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 8)
    whole = groups(Grid(Experiment(epochs=5), (0.3, 0.1, 0.2), (1, 333, 10), seeds=501, first_seed=3))
    dealt = [[*shard(whole, number, shards)] for number in range(1, shards + 1)]
    covered = {group.key: np.zeros(len(group), int) for group in whole}
    for part in (part for own in dealt for part in own):
        assert part.first % part.block_members == 0
        covered[part.key][part.first : part.end] += 1
    costs = [sum(part.cost for part in own) for own in dealt]
    block = max(group.block_members * group.cost_of_member for group in whole)

    assert all((count == 1).all() for count in covered.values())
    assert max(abs(cost - sum(costs) / shards) for cost in costs) <= block
    assert [part.key for own in dealt for part in own] == sorted(
        [part.key for own in dealt for part in own], key=[group.key for group in whole].index
    )


def test_what_is_known_is_lacking_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of which all members are known are left out, and one of which a member is unknown is not."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 2)
    part = Part(SPEC, 12, (0.3, 0.1), np.arange(6), 2, 11)
    known = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1], bool)
    other = replace(part, learning_rates=(0.2, 0.5), first=0)

    found = [(one.key[1], one.first, one.end) for one in lacking([other, part], {part.key: known})]
    assert found == [(0.2, 0, 11), (0.3, 2, 4), (0.3, 6, 8)]
    assert [*lacking([part], {part.key: np.ones(11, bool)})] == []
    assert [(one.first, one.end) for one in lacking([part], {part.key: np.zeros(11, bool)})] == [(2, 11)]
