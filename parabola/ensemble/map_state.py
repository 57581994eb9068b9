"""A map while it grows: outcomes of members become cells, and what is known is kept on disk."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from parabola import statistics
from parabola.ensemble import map_file, parts
from parabola.ensemble.map_file import OUTCOME, Cell, Piece, State
from parabola.ensemble.parts import Part
from parabola.training.experiment import Experiment
from parabola.training.target import Array

SAVE_SECONDS = 2.0  # how much work is lost, at most, when the machine goes off


def make_cell(experiment: Experiment, learning_rate: float, seeds: Array, outcomes: Array) -> Cell:
    """Return the cell that sums up members that share a learning rate.

    Args:
        experiment: what all members have in common; its learning rate and seed are not used.
        learning_rate: the learning rate of the cell.
        seeds: shape (members,): each member's seed.
        outcomes: shape (members,), of the type OUTCOME: what became of each.
    """
    passed, errors = outcomes["passed"], outcomes["error"][~outcomes["diverged"]]
    kernel = experiment.net.output_kernel
    positive = None if kernel is None else np.all(experiment.initial_weights(seeds)[:, kernel] > 0, axis=1)
    low, high = statistics.share_interval(int(passed.sum()), len(seeds))
    return Cell(
        learning_rate=float(learning_rate),
        batch_size=experiment.batch_size,
        seeds=len(seeds),
        passes=int(passed.sum()),
        low=low,
        high=high,
        positive_seeds=None if positive is None else int(positive.sum()),
        positive_passes=None if positive is None else int(passed[positive].sum()),
        diverged=len(seeds) - len(errors),
        median_error=float(np.median(errors)) if len(errors) else None,
        passed=np.packbits(passed).tobytes().hex(),
    )


def make_cells(group: Part, outcomes: Array) -> list[Cell]:
    """Return the cells of a whole group, given what became of all its members."""
    parts = np.split(outcomes, len(group.learning_rates))
    pairs = zip(group.learning_rates, parts, strict=True)
    return [make_cell(group.experiment, rate, group.seeds, part) for rate, part in pairs]


class MapState:
    """What is known of a map: finished cells, and outcomes of members of the other cells."""

    def __init__(self, path: Path, grid: Mapping[str, Any], groups: Sequence[Part]) -> None:
        """Read what a file holds of the map.

        Args:
            path: the file that holds the map, or will hold it.
            grid: the identity of the map's grid.
            groups: all groups of the map, whole, in the grid's order.

        Raises:
            ValueError: if the file is no map, is not whole, or belongs to another grid.
        """
        self.path, self.grid = path, grid
        self.groups = {group.key: group for group in groups}
        self.cells = dict[tuple[int, float], Cell]()
        self.outcomes = dict[tuple[int, float], Array]()  # of a group's members, of the type OUTCOME
        self.known = dict[tuple[int, float], Array]()  # whether these are known
        state = map_file.read_state(path, grid)
        self.take(state, path)
        self.changed = len(self.cells) > len(state.cells) or len(self.pieces()) < len(state.pieces)
        self.saved = time.monotonic()

    def take(self, state: State, path: Path) -> None:
        """Add what a file holds of the same map; nothing is written, as only some of it may be known until the end.

        Raises:
            ValueError: if its values are others than those that are known, or are none of this map.
        """
        for cell in state.cells:
            if self.cells.setdefault((cell.batch_size, cell.learning_rate), cell) != cell:
                raise ValueError(_differs(path, cell.batch_size, cell.learning_rate))
            self.changed = True
        for piece in state.pieces:
            group = self.groups.get((piece.batch_size, piece.learning_rate))
            outcomes = np.frombuffer(bytes.fromhex(piece.outcomes), OUTCOME)
            members = slice(piece.first, piece.first + len(outcomes))
            if group is None or members.stop > len(group):
                raise ValueError(f"{path} is not a map, or not a whole one: {map_file.REMEDY}")
            part = replace(group, first=members.start, end=members.stop)
            known = self.known.get(part.key, np.zeros(part.end, bool))[members]
            if known.any() and outcomes[known].tobytes() != self.outcomes[part.key][members][known].tobytes():
                raise ValueError(_differs(path, *part.key))
            self._enter(part, outcomes)
        for key in filter(self._finished, self.known):
            rates, seeds = self.groups[key].learning_rates, len(self.groups[key].seeds)
            bits = [np.frombuffer(bytes.fromhex(self.cells[key[0], rate].passed), np.uint8) for rate in rates]
            passed = np.concatenate([np.unpackbits(row, count=seeds) for row in bits])
            wrong = np.flatnonzero(self.known[key] & (passed != self.outcomes[key]["passed"]))
            if len(wrong):
                raise ValueError(_differs(path, key[0], rates[wrong[0] // seeds]))

    def lacking(self, number: int, shards: int) -> Iterator[Part]:
        """Yield what is not known yet of one of the map's shards, from 1."""
        wanted = parts.shard([*self.groups.values()], number, shards)
        return parts.lacking((part for part in wanted if not self._finished(part.key)), self.known)

    def add(self, part: Part, outcomes: Array) -> None:
        """Add the outcomes of a part's members, cells once all of the group are known; save if it is time."""
        if self._finished(part.key):
            return
        if self._enter(part, outcomes):
            del self.outcomes[part.key], self.known[part.key]
        if time.monotonic() - self.saved > SAVE_SECONDS:
            self.save()

    def finished(self) -> list[Cell]:
        """Return the finished cells in the grid's order."""
        places = [(size, rate) for (size, _), group in self.groups.items() for rate in group.learning_rates]
        return [self.cells[place] for place in places if place in self.cells]

    def pieces(self) -> list[Piece]:
        """Return what is known of unfinished groups, as the file has it."""
        found = list[Piece]()
        # Of a group that is finished there are some left where one file has pieces of it and another one its cells.
        for key in (key for key in self.groups if key in self.known and not self._finished(key)):
            edges = np.flatnonzero(np.diff(self.known[key], prepend=False, append=False)).reshape(-1, 2)
            rows = [(first, self.outcomes[key][first:end].tobytes().hex()) for first, end in edges.tolist()]
            found += [Piece(*key, *row) for row in rows]
        return found

    def save(self) -> None:
        """Write the file, if there is something new."""
        if self.changed:
            map_file.write(self.path, self.grid, self.finished(), self.pieces())
        self.changed, self.saved = False, time.monotonic()

    def _finished(self, key: tuple[int, float]) -> bool:
        return all((key[0], rate) in self.cells for rate in self.groups[key].learning_rates)

    def _enter(self, part: Part, outcomes: Array) -> bool:
        """Take note of a part's outcomes; if all of its group are known, make the cells that are missing and say so."""
        key, group, members = part.key, self.groups[part.key], slice(part.first, part.end)
        self.outcomes.setdefault(key, np.zeros(len(group), OUTCOME))[members] = outcomes
        self.known.setdefault(key, np.zeros(len(group), bool))[members] = self.changed = True
        whole = bool(self.known[key].all())
        for cell in make_cells(group, self.outcomes[key]) if whole else ():
            self.cells.setdefault((cell.batch_size, cell.learning_rate), cell)
        return whole


def _differs(path: Path, batch_size: int, learning_rate: float) -> str:
    place = f"batch size {batch_size}, learning rate {learning_rate:g}"
    return f"{path} has other results at {place} than a file before it: other versions or processors made them"
