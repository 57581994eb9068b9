"""Maps of learning rate × batch size on disk: the one place that knows their JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from parabola import WRITTEN_BY, files

VERSION = 1


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


def read(path: Path, grid: Mapping[str, Any]) -> list[Cell]:
    """Return the cells of a map on disk; none if there is no file.

    Args:
        path: the file that holds the map.
        grid: the identity of the grid that the map has to belong to, as JSON holds it.

    Raises:
        ValueError: if the file is no map, is not whole, or belongs to another grid.
    """
    if not path.exists():
        return []
    remedy = "name another file with --json, or remove this one"
    try:
        state = msgspec.json.decode(path.read_bytes())
        cells = msgspec.convert(state["cells"], list[Cell])
        found = {"version": state["parabola_map"], **state["grid"]}
        places = {(cell.learning_rate, cell.batch_size) for cell in cells}
        if len(places) < len(cells) or not all(map(_possible, cells)):
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        raise ValueError(f"{path} is not a map, or not a whole one: {remedy}") from None
    wanted = {"version": VERSION, **grid}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise ValueError(f"{path} is of another grid: {name} {found.get(name)}, not {wanted.get(name)}: {remedy}")
    return cells


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


def write(path: Path, grid: Mapping[str, Any], cells: Sequence[Cell]) -> None:
    """Write a map to a file, whole or not at all."""
    rows = ",\n".join(json.dumps(asdict(cell)) for cell in cells)
    head = f'"parabola_map": {VERSION},\n"written_by": "{WRITTEN_BY}",\n"grid": {json.dumps(grid)}'
    text = f'{{{head},\n"cells": [\n{rows}\n]}}\n'
    files.write_text(text, path)
