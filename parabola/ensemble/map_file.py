"""Maps of learning rate × batch size on disk: the one place that knows their JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from parabola import files, statistics

Array = npt.NDArray[Any]
VERSION = 1


@dataclass(frozen=True)
class Cell:
    """One learning rate at one batch size.

    Attributes:
        learning_rate, batch_size: which cell.
        seeds: how many were trained.
        passes: how many ended with a coefficient error below the learning rate (the smallest of a schedule's).
        low, high: Wilson's 95 % interval for the pass rate.
        positive_seeds, positive_passes: the same of those whose second kernel began positive; None where there is none.
        diverged: how many went to NaN or inf.
        median_error: of the coefficients, over those that did not diverge; None if all did.
        passed: which seeds passed: a bit each in hexadecimal, the first seed's first, padded to whole bytes.
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


def count_cell(learning_rate: float, batch_size: int, passed: Array, positive: Array | None, errors: Array) -> Cell:
    """Return the cell that members make.

    Args:
        learning_rate, batch_size: which cell.
        passed: shape (members,), bool: who passed.
        positive: shape (members,), bool: whose second kernel began positive; None where there is none.
        errors: shape (n,), float: coefficient errors of those that did not diverge.
    """
    passes, seeds = int(passed.sum()), len(passed)
    low, high = statistics.share_interval(passes, seeds)
    return Cell(
        learning_rate=learning_rate,
        batch_size=batch_size,
        seeds=seeds,
        passes=passes,
        low=low,
        high=high,
        positive_seeds=None if positive is None else int(positive.sum()),
        positive_passes=None if positive is None else int(passed[positive].sum()),
        diverged=seeds - len(errors),
        median_error=float(np.median(errors)) if len(errors) else None,
        passed=np.packbits(passed).tobytes().hex(),
    )


def read(path: Path, grid: Mapping[str, Any]) -> list[Cell]:
    """Return the cells of a map on disk; none if there is no file.

    Args:
        path: of the map.
        grid: what it has to be of, as JSON holds it.

    Raises:
        ValueError: if the file is no map, is not whole, or is of another grid.
    """
    if not path.exists():
        return []
    remedy = "name another file with --json, or remove this one"
    try:
        state = json.loads(path.read_text())
        cells = [Cell(**cell) for cell in state["cells"]]
        found = {"version": state["parabola_map"], **state["grid"]}
    except (OSError, ValueError, TypeError, KeyError):
        raise ValueError(f"{path} is not a map, or not a whole one: {remedy}") from None
    wanted = {"version": VERSION, **grid}
    for name in [*wanted, *found]:
        if found.get(name) != wanted.get(name):
            raise ValueError(f"{path} is of another grid: {name} {found.get(name)}, not {wanted.get(name)}: {remedy}")
    return cells


def write(path: Path, grid: Mapping[str, Any], cells: Sequence[Cell]) -> None:
    """Put a map on disk, whole or not at all."""
    rows = ",\n".join(json.dumps(asdict(cell)) for cell in cells)
    text = f'{{"parabola_map": {VERSION},\n"grid": {json.dumps(grid)},\n"cells": [\n{rows}\n]}}\n'
    files.write_text(text, path)
