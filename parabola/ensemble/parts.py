"""Parts of a map: members that any machine can train, cut where blocks end, and what is kept of each member."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parabola.ensemble.ensemble import Members, block_size
from parabola.ensemble.map_file import OUTCOME
from parabola.training.experiment import Experiment
from parabola.training.target import Array

Report = Callable[..., None]  # told of a part how many of its members are done, and perhaps a text for the bar
Work = Callable[[Experiment, int, int | None], Callable[..., Array]]  # builds, as Ensemble, what trains members
Trainer = Callable[..., Iterator[tuple["Part", Array]]]  # of parts, a Report and a `work`: yields what comes of parts
TASK_SECONDS = 10.0  # of a task; near the end tasks are shorter, so that all workers end together


@dataclass(frozen=True)
class Part:
    """Consecutive members of a group of cells: what becomes of them is a function of this alone, on like processors.

    A group's members are the seeds at its first learning rate, then at its second, and so on.

    Attributes:
        experiment: what all members have in common.
        group_size: number of members for which a program is built; it decides the size of the blocks, and so rounding.
        learning_rates: learning rates of the whole group.
        seeds: shape (n,), integers: seeds of each cell.
        first, end: place of the first member in the group, at which a block begins, and of the one after the last.
    """

    experiment: Experiment
    group_size: int
    learning_rates: tuple[float, ...]
    seeds: Array
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def key(self) -> tuple[int, float]:
        """Batch size and first learning rate, which no other group of a map has."""
        return self.experiment.batch_size, self.learning_rates[0]

    @property
    def block_members(self) -> int:
        """Number of members in a block; the last block of a group may have fewer."""
        return block_size(self.experiment, self.group_size)

    @property
    def cost_of_member(self) -> int:
        """Cost of a member, in samples; a step costs about as much as a sample."""
        return self.experiment.epochs * (self.experiment.samples + self.experiment.steps)

    @property
    def cost_of_block(self) -> int:
        """Cost of a block, in samples."""
        return self.block_members * self.cost_of_member

    @property
    def cost(self) -> int:
        """Cost of all its members, in samples."""
        return len(self) * self.cost_of_member

    def members(self) -> tuple[Array, Array]:
        """Return the members' seeds and learning rates, both of shape (members,)."""
        places = np.arange(self.first, self.end)
        return self.seeds[places % len(self.seeds)], np.array(self.learning_rates)[places // len(self.seeds)]

    def cut(self, cost: float) -> "tuple[Part, Part | None]":
        """Return blocks from its beginning that cost about so much, one at least, and what is left, if anything is."""
        blocks = max(1, round(cost / self.cost_of_block))
        middle = self.first + blocks * self.block_members
        return (self, None) if middle >= self.end else (replace(self, end=middle), replace(self, first=middle))


def outcomes_of(members: Members) -> Array:
    """Return what a map keeps of members, shape (members,), of the type OUTCOME."""
    outcomes = np.empty(len(members.seeds), OUTCOME)
    outcomes["error"], outcomes["passed"] = members.coefficient_error, members.passed
    outcomes["diverged"] = members.diverged_epoch > 0
    return outcomes


def shard(groups: Sequence[Part], number: int, shards: int) -> Iterator[Part]:
    """Yield the parts of a map that are one of its shards: consecutive blocks, about as costly as any other shard's.

    Args:
        groups: all groups of the map, whole.
        number: number of the shard, from 1.
        shards: number of all shards. Each block is in one of them.
    """
    total, before = sum(group.cost for group in groups), 0
    for group in groups:
        block = group.cost_of_block * shards
        edges = [-(-(total * edge - before * shards) // block) * group.block_members for edge in (number - 1, number)]
        first, end = (min(max(edge, 0), len(group)) for edge in edges)
        if first < end:
            yield replace(group, first=first, end=end)
        before += group.cost


def lacking(parts: Iterable[Part], known: dict[tuple[int, float], Array]) -> Iterator[Part]:
    """Yield the parts without the blocks of which the outcome is known.

    Args:
        parts: the parts that are wanted.
        known: for groups of which a part is known, by their key: shape (members of the group,), bool, whether the
            outcome of each is known.
    """
    for part in parts:
        there = known.get(part.key, np.zeros(part.end, bool))
        size, blocks = part.block_members, range(part.first, part.end, part.block_members)
        missing = [not there[first : min(first + size, part.end)].all() for first in blocks]
        for begun, ended in np.flatnonzero(np.diff(missing, prepend=False, append=False)).reshape(-1, 2).tolist():
            yield replace(part, first=blocks[begun], end=min(part.first + ended * size, part.end))


class Tasks:
    """Parts that are left, dealt out in tasks that take as long as they should, as far as is known by then."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.left = deque(parts)
        self.speed = 0.0  # samples a second and thread

    def draw(self, shares: int) -> list[Part]:
        """Return the next task: one block while no speed is known, and at most so many a share of what is left."""
        task = list[Part]()
        cost = min(self.speed * TASK_SECONDS, sum(part.cost for part in self.left) / shares)
        while self.left and (not task or cost > self.left[0].cost_of_block / 2):
            part, rest = self.left.popleft().cut(cost)
            self.left.extendleft([rest] if rest else [])
            task.append(part)
            cost -= part.cost
        return task

    def learn(self, task: Sequence[Part], seconds: float) -> None:
        """Take note of how long a task has taken."""
        measured = sum(part.cost for part in task) / seconds
        self.speed = (self.speed + measured) / 2 if self.speed else measured
