"""Maps of learning rate × batch size on disk: the one place that knows their JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from parabola import WRITTEN_BY, files

VERSION = 1
OUTCOME = np.dtype([("error", "<f8"), ("passed", "?"), ("diverged", "?")])  # what a piece has of a member: 10 bytes
REMEDY = "name another file with --json, or remove this one"


@dataclass(frozen=True)
class Cell:
    """One cell of a map: what became of the seeds at one learning rate and batch size.

    Attributes:
        learning_rate, batch_size: the place of the cell in the map.
        seeds: how many seeds were trained.
        passes: how many ended with a coefficient error below the learning rate (the smallest of a schedule).
        low, high: Wilson's 95 % interval for the pass rate.
        positive_seeds, positive_passes: how many seeds began with a positive output kernel, and how many of these
            passed; None if the network has no output kernel.
        diverged: how many seeds went to NaN or inf.
        median_error: the median coefficient error of the seeds that did not diverge; None if all did.
        passed: which seeds passed: one bit for each in hexadecimal, the first seed's first, padded to whole bytes.
    """

    learning_rate: float
    batch_size: int
    seeds: int
    passes: int
    low: float
    high: float
    positive_seeds: int | None
    positive_passes: int | None
    diverged: int
    median_error: float | None
    passed: str

    @property
    def pass_rate(self) -> float:
        """The share of the seeds that passed, from 0 to 1."""
        return self.passes / self.seeds


@dataclass(frozen=True)
class Piece:
    """Members of cells that are trained together, of which others are still to be trained.

    Attributes:
        batch_size, learning_rate: the batch size of these cells, and the learning rate of their first.
        first: place of the piece's first member among the members of these cells.
        outcomes: what became of each member, in hexadecimal: its coefficient error, a little-endian double, and a byte
            each for whether it passed and whether it diverged.
    """

    batch_size: int
    learning_rate: float
    first: int
    outcomes: str


@dataclass(frozen=True)
class State:
    """All that a file holds of a map: version, grid, the finished cells, and pieces of unfinished ones."""

    parabola_map: Any
    grid: dict[str, Any]
    cells: list[Cell]
    pieces: list[Piece] = field(default_factory=list)


def load(path: Path) -> State:
    """Return what a file holds of a map.

    Raises:
        ValueError: if the file is no map, or is not whole.
    """
    try:
        state = msgspec.json.decode(path.read_bytes(), type=State)
        places = {(cell.learning_rate, cell.batch_size) for cell in state.cells}
        if len(places) < len(state.cells) or not all([*map(_possible, state.cells), *map(_whole, state.pieces)]):
            raise ValueError
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        raise ValueError(f"{path} is not a map, or not a whole one: {REMEDY}") from None
    return state


def read_state(path: Path, grid: Mapping[str, Any]) -> State:
    """Return what a file holds of a map; nothing if there is no file. Arguments and errors are those of `read`."""
    state = load(path) if path.exists() else State(VERSION, dict(grid), [])
    found, wanted = {"version": state.parabola_map, **state.grid}, {"version": VERSION, **grid}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise ValueError(f"{path} is of another grid: {name} {found.get(name)}, not {wanted.get(name)}: {REMEDY}")
    return state


def read(path: Path, grid: Mapping[str, Any]) -> list[Cell]:
    """Return the finished cells of a map on disk; none if there is no file.

    Args:
        path: the file that holds the map.
        grid: the identity of the grid that the map has to belong to, as JSON holds it.

    Raises:
        ValueError: if the file is no map, is not whole, or belongs to another grid.
    """
    return read_state(path, grid).cells


def _possible(cell: Cell) -> bool:
    """Return whether a cell's counts can be those of its seeds."""
    positive = cell.positive_seeds or 0, cell.positive_passes or 0
    bits = bytes.fromhex(cell.passed)
    counts = cell.passes, cell.diverged, *positive
    return (
        all(0 <= count <= cell.seeds for count in counts)
        and positive[1] <= min(positive[0], cell.passes)
        and len(bits) == -(-cell.seeds // 8)
        and sum(map(int.bit_count, bits)) == cell.passes
        and 0 <= cell.low <= cell.high <= 1
    )


def _whole(piece: Piece) -> bool:
    """Return whether a piece has whole outcomes of one member or more."""
    size = len(bytes.fromhex(piece.outcomes))
    return piece.first >= 0 and size > 0 and size % OUTCOME.itemsize == 0


def write(path: Path, grid: Mapping[str, Any], cells: Sequence[Cell], pieces: Sequence[Piece] = ()) -> None:
    """Write a map to a file, whole or not at all."""
    head = f'"parabola_map": {VERSION},\n"written_by": "{WRITTEN_BY}",\n"grid": {json.dumps(grid)}'
    more = f',\n"pieces": [\n{_rows(pieces)}\n]' if pieces else ""
    files.write_text(f'{{{head},\n"cells": [\n{_rows(cells)}\n]{more}}}\n', path)


def _rows(items: Sequence[Any]) -> str:
    return ",\n".join(json.dumps(asdict(item)) for item in items)
