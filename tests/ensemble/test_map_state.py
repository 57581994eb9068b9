"""A map while it grows: pieces of cells on disk, shards that become one map, and what is refused on the way."""

import json
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, permutations, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import ensemble, learning_map, map_file, map_state
from parabola.ensemble.learning_map import Grid, groups, train_map
from parabola.ensemble.map_file import OUTCOME
from parabola.ensemble.map_state import MapState
from parabola.ensemble.merging import grid_of, merge
from parabola.ensemble.parts import Part
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola

GRID = Grid(Experiment(epochs=5), (0.3, 0.1, 0.2), (1, 9), seeds=7, first_seed=11)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have two cells in a group, and blocks of four members."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 4)
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 14)


def make_outcomes(part: Part) -> Array:
    """Return outcomes that tell seeds and rates apart; every fifth seed diverged."""
    seeds, rates = part.members()
    outcomes = np.empty(len(part), OUTCOME)
    outcomes["error"] = np.where(seeds % 5 == 0, np.nan, seeds / 3 * rates)
    outcomes["passed"], outcomes["diverged"] = seeds % 3 == 1, seeds % 5 == 0
    return outcomes


def train(parts: Any, progress: Any) -> Iterator[tuple[Part, Array]]:
    """Stand for a trainer: answer at once."""
    for part in parts:
        progress(part, len(part))
        yield part, make_outcomes(part)


@pytest.mark.parametrize("shards", [1, 2, 5, 16])
def test_shards_merge_to_the_file_of_one_run(shards: int, tmp_path: Path) -> None:
    """Byte by byte, in any order of the files, though cells are cut; there are no pieces in it any more."""
    train_map(GRID, tmp_path / "whole.json", train=train)
    files = [tmp_path / f"{number}.json" for number in range(1, shards + 1)]
    for number, file in enumerate(files, start=1):
        train_map(GRID, file, shard=(number, shards), train=train)
    grid, cells = merge(files[::-1], tmp_path / "merged.json")

    assert (tmp_path / "merged.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert grid.identity() == GRID.identity()
    assert cells == map_file.read(tmp_path / "whole.json", GRID.identity())
    assert "pieces" not in (tmp_path / "whole.json").read_text()
    assert any(json.loads(file.read_text()).get("pieces") for file in files) == (shards > 1)


def test_a_piece_on_disk_by_its_text(tmp_path: Path) -> None:
    """Batch size, first rate, place and number say whose outcomes they are: doubles and bits in hexadecimal."""
    path, (group, *_) = tmp_path / "map.json", groups(GRID)
    state = MapState(path, GRID.identity(), groups(GRID))
    state.add(replace(group, first=4, end=8), make_outcomes(replace(group, first=4, end=8)))
    state.save()
    (piece,) = json.loads(path.read_text())["pieces"]

    assert path.read_text().endswith("]}\n")
    assert (piece["batch_size"], piece["learning_rate"], piece["first"]) == (1, 0.3, 4)
    found = list(struct.iter_unpack("<d??", bytes.fromhex(piece["outcomes"])))
    assert found[1:] == [(16 / 3 * 0.3, True, False), (17 / 3 * 0.3, False, False), (11 / 3 * 0.1, False, False)]
    assert str(found[0]) == "(nan, False, True)"  # of seed 15
    again = MapState(path, GRID.identity(), groups(GRID))
    assert again.pieces() == state.pieces()
    wanted = [(part.key, part.first, part.end) for part in again.lacking(1, 1)]
    assert wanted[:2] == [((1, 0.3), 0, 4), ((1, 0.3), 8, 14)]


def test_an_interruption_keeps_pieces_of_a_cell(tmp_path: Path) -> None:
    """What was known is trained no more, and the file is that of a map in one go."""
    path, asked = tmp_path / "map.json", list[tuple[int, int]]()

    def interrupted(parts: Any, progress: Any) -> Iterator[tuple[Part, Array]]:
        part = next(iter(parts))
        yield replace(part, first=4, end=8), make_outcomes(replace(part, first=4, end=8))
        raise KeyboardInterrupt

    def watched(parts: Any, progress: Any) -> Iterator[tuple[Part, Array]]:
        asked.extend((part.first, part.end) for part in parts)
        yield from train(parts, progress)

    with pytest.raises(KeyboardInterrupt):
        train_map(GRID, path, train=interrupted)
    shares: list[float] = []
    train_map(GRID, path, train=watched, progress=shares.append)
    train_map(GRID, tmp_path / "whole.json", train=train)

    assert asked == [(0, 4), (8, 14), (0, 7), (0, 14), (0, 7)]
    assert path.read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


def test_what_is_known_is_saved_every_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not at every part, of which there can be many a second."""
    clock, written = [100.0], list[int]()
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(map_file, "write", lambda path, grid, cells, pieces: written.append(len(cells)))
    state = MapState(tmp_path / "map.json", GRID.identity(), groups(GRID))
    for group, now in zip(groups(GRID), (101.9, 102.1, 104.0, 104.2), strict=True):
        clock[0] = now
        state.add(group, make_outcomes(group))

    assert map_state.SAVE_SECONDS == 2
    assert written == [3, 6]


def save_part(path: Path, *shares: Part, flipped: int | None = None) -> Path:
    """Write a file that holds these parts; of the first, a member may have passed where it failed, or failed."""
    state = MapState(path, GRID.identity(), groups(GRID))
    for part in shares:
        outcomes = make_outcomes(part)
        if flipped is not None and part is shares[0]:
            outcomes["passed"][flipped] ^= True
        state.add(part, outcomes)
    state.save()
    return path


def test_reading_a_slow_file_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though seconds pass until its first piece is read, none of the others is lost."""
    parts = [replace(group, first=0, end=4) for group in groups(GRID)]
    path = save_part(tmp_path / "map.json", *parts)
    before, seconds = path.read_bytes(), chain([0.0], repeat(10.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    state = MapState(path, GRID.identity(), groups(GRID))

    assert path.read_bytes() == before
    assert [(piece.batch_size, piece.learning_rate, piece.first) for piece in state.pieces()] == [
        *((1, 0.3, 0), (1, 0.2, 0), (9, 0.3, 0), (9, 0.2, 0))
    ]
    state.save()
    assert path.read_bytes() == before


def test_a_refused_merge_leaves_its_target_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though seconds pass, and the file before the one that is refused has something new."""
    first, second, *others = groups(GRID)
    target = save_part(tmp_path / "target.json", *others)
    new = save_part(tmp_path / "new.json", first, replace(second, first=0, end=4))
    refused = save_part(tmp_path / "refused.json", replace(second, first=0, end=4), flipped=2)
    before, seconds = target.read_bytes(), chain([0.0], repeat(10.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    with pytest.raises(ValueError, match=re.escape(f"{refused} has other results")):
        merge([new, refused], target)
    assert target.read_bytes() == before

    merge([new], target)
    assert len(map_file.read(target, GRID.identity())) == 5
    assert len(map_file.load(target).pieces) == 1


def test_cells_and_pieces_merge_to_the_file_of_one_run_in_any_order(tmp_path: Path) -> None:
    """Of a group that one file has finished, others have pieces: these are not in the file, as after one run."""
    first, *others = groups(GRID)
    train_map(GRID, tmp_path / "whole.json", train=train)
    files = [
        save_part(tmp_path / "finished.json", first),
        save_part(tmp_path / "piece.json", replace(first, first=4, end=12), replace(others[0], first=4, end=7)),
        save_part(tmp_path / "rest.json", *others[1:], replace(others[0], first=0, end=4)),
    ]
    for number, order in enumerate(permutations(files)):
        merge(order, tmp_path / f"{number}.json")
        assert (tmp_path / f"{number}.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_merge_that_lacks_shards_is_the_same_file_in_any_order(tmp_path: Path) -> None:
    """Pieces are in the grid's order, and there are none of the group that one of the files has finished."""
    first, second, third, _ = groups(GRID)
    files = [
        save_part(tmp_path / "finished.json", first),
        save_part(tmp_path / "early.json", replace(first, first=8, end=14), replace(second, first=0, end=4)),
        save_part(tmp_path / "late.json", replace(first, first=0, end=4), replace(third, first=4, end=7)),
    ]
    written = set[bytes]()
    for order in permutations(files):
        merge(order, tmp_path / "merged.json")
        written.add((tmp_path / "merged.json").read_bytes())
        (tmp_path / "merged.json").unlink()
    (text,) = map(json.loads, written)

    assert [(cell["batch_size"], cell["learning_rate"]) for cell in text["cells"]] == [(1, 0.3), (1, 0.1)]
    places = [(piece["batch_size"], piece["learning_rate"], piece["first"]) for piece in text["pieces"]]
    assert places == [(1, 0.2, 0), (9, 0.3, 4)]


@pytest.mark.parametrize("flipped", [0, 3, 5])
def test_pieces_that_contradict_cells_are_refused_in_any_order(flipped: int, tmp_path: Path) -> None:
    """By the file that comes second and the learning rate of the member that passed in one of them alone."""
    group = groups(GRID)[0]
    cells = save_part(tmp_path / "cells.json", group)
    piece = save_part(tmp_path / "piece.json", replace(group, first=4, end=12), flipped=flipped)
    place = f"batch size 1, learning rate {0.3 if 4 + flipped < len(group.seeds) else 0.1} than"
    for files in ([cells, piece], [piece, cells]):
        with pytest.raises(ValueError, match=re.escape(f"{files[1]} has other results at {place}")):
            merge(files, tmp_path / "merged.json")
    assert not (tmp_path / "merged.json").exists()


def test_a_finished_cell_is_not_changed_by_its_group(tmp_path: Path) -> None:
    """Where a file has one cell of two that are trained together, the other one is added."""
    path = tmp_path / "map.json"
    train_map(GRID, path, train=train)
    first, second, *_ = cells = map_file.read(path, GRID.identity())
    held = replace(second, median_error=0.125)
    map_file.write(path, GRID.identity(), [held])

    assert train_map(GRID, path, train=train) == [first, held, *cells[2:]]


@pytest.mark.parametrize("change", ["cell", "piece"])
def test_files_that_contradict_each_other_are_refused(change: str, tmp_path: Path) -> None:
    """The second is named with the place where they differ, and nothing is written."""
    files, (group, *_) = [tmp_path / "a.json", tmp_path / "b.json"], groups(GRID)
    for number, file in enumerate(files):
        state = MapState(file, GRID.identity(), groups(GRID))
        part = group if change == "cell" else replace(group, first=4 * number, end=12)
        outcomes = make_outcomes(part)
        outcomes["error"][-2 if change == "piece" else 1] += number
        state.add(part, outcomes)
        state.save()
    with pytest.raises(ValueError, match="other results") as caught:
        merge(files, tmp_path / "merged.json")

    place = f"{files[1]} has other results at batch size 1, learning rate 0.3 than a file before it"
    assert str(caught.value) == f"{place}: other versions or processors made them"
    assert not (tmp_path / "merged.json").exists()


def test_shards_of_several_maps_are_refused(tmp_path: Path) -> None:
    """As a map of another grid is, by the file and what differs; and so is a file that is not there."""
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    train_map(GRID, first, train=train)
    train_map(replace(GRID, seeds=8), second, train=train)
    with pytest.raises(ValueError, match=re.escape(f"{second} is of another grid: seeds 8, not 7")):
        merge([first, second], tmp_path / "merged.json")
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'c.json'} is not there")):
        merge([first, tmp_path / "c.json"], tmp_path / "merged.json")


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 0.1},
        {"batch_size": 2},
        {"first": 11},
        {"first": -4},
        {"outcomes": ""},
        {"outcomes": "00" * 9},
        {"outcomes": "0x" * 10},
        {"outcomes": "00" * 110},
        {"first": None},
    ],
)
def test_a_piece_that_cannot_be_is_no_map(change: dict[str, Any], tmp_path: Path) -> None:
    """Of another group, beyond its members, or not as long as it says."""
    path, (group, *_) = tmp_path / "map.json", groups(GRID)
    state = MapState(path, GRID.identity(), groups(GRID))
    state.add(replace(group, first=4, end=8), make_outcomes(replace(group, first=4, end=8)))
    state.save()
    text = json.loads(path.read_text())
    text["pieces"][0].update(change)
    path.write_text(json.dumps(text))
    with pytest.raises(ValueError, match="not a map, or not a whole one"):
        MapState(path, GRID.identity(), groups(GRID))


@pytest.mark.parametrize(
    "grid",
    [
        GRID,
        Grid(Experiment(target=Parabola(1, 2, 1), network="one_neuron", low=-1, optimizer="sgd"), (0.5,), (3,), 1),
        Grid(Experiment(learning_rate=1, final_learning_rate=0.01, init="sign-aware", samples=50), (0.1,), (7,), 9),
    ],
)
def test_a_grid_is_read_from_its_identity(grid: Grid) -> None:
    """What a file says of its grid is enough to make the same grid."""
    assert grid_of(grid.identity()).identity() == grid.identity()


@pytest.mark.parametrize("change", [{"target": [1, 2]}, {"learning_rates": 3}, {"seeds": 0}, {"colour": 1}])
def test_a_grid_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    """In words, whatever is wrong with it."""
    with pytest.raises(ValueError, match="a map has no such grid"):
        grid_of({**GRID.identity(), **change})
