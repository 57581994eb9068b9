"""Shards of a map become one map again: of files alone, without any training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parabola.ensemble import map_file
from parabola.ensemble.learning_map import Grid, groups
from parabola.ensemble.map_file import Cell
from parabola.ensemble.map_state import MapState
from parabola.machine import backends
from parabola.training.experiment import Experiment
from parabola.training.target import Parabola


def grid_of(identity: dict[str, Any]) -> Grid:
    """Return the grid of which a file has the identity.

    Raises:
        ValueError: if there is no such grid.
    """
    known: dict[str, Any] = {**identity}
    try:
        for axis in ("learning_rates", "batch_sizes"):
            known[axis] = tuple(known[axis])
        a, b, c = known["target"]
        known["target"] = Parabola(a, b, c)
        shared = {name: known.pop(name) for name in Experiment.__dataclass_fields__ if name in known}
        axes = {name: value for name, value in known.items() if name != "backend"}
        return Grid(Experiment(**shared, learning_rate=max(axes["learning_rates"])), **axes)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"a map has no such grid: {error}") from None


def merge(files: Sequence[Path], path: Path) -> tuple[Grid, list[Cell]]:
    """Write what several files hold of one map to one file; return the map's grid, and its finished cells.

    Args:
        files: one or more; the first says which map it is.
        path: the file that holds the map then. What it holds already stays, and has to be of the same map.

    Raises:
        ValueError: if a file is missing or no map, or if they are of several maps or contradict each other.
    """
    for file in files:
        if not file.exists():
            raise ValueError(f"{file} is not there")
    identity = map_file.load(files[0]).grid
    try:
        grid = grid_of(identity)
    except ValueError as error:
        raise ValueError(f"{files[0]}: {error}") from None
    state = MapState(path, grid.identity(identity.get("backend", backends.BACKENDS[0])), groups(grid))
    for file in files:
        state.take(map_file.read_state(file, state.grid), file)
    state.save()
    return grid, state.finished()
