"""An ensemble that answers at once, for tests of what is made of its answers."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import learning_map
from parabola.ensemble.cluster import train_task
from parabola.ensemble.ensemble import Members
from parabola.ensemble.map_file import Cell
from parabola.ensemble.map_state import make_cell
from parabola.ensemble.parts import Part, Report, Work, outcomes_of
from parabola.machine import devices
from parabola.training.experiment import Experiment
from parabola.training.target import Array

WORKER = ThreadPoolExecutor(1)  # the one thread of a worker


def make_members(experiment: Experiment, seeds: Array, learning_rates: Array, **values: Any) -> Members:
    """Return members of whom none passed or diverged, but for the values that are given."""
    blank = {item.name: np.zeros(len(seeds)) for item in fields(Members)[3:]}
    return Members(experiment, seeds, learning_rates, **{**blank, **values})


def cell_of(members: Members) -> Cell:
    """Return the cell of members that share a learning rate."""
    return make_cell(members.experiment, members.learning_rates[0], members.seeds, outcomes_of(members))


def count_cell(learning_rate: float, batch_size: int, passed: Array, positive: Array | None, errors: Array) -> Cell:
    """Return the cell of members that passed and began so; the last of them, which have no error, diverged."""
    members, diverged = len(passed), len(passed) - len(errors)
    begun = np.stack([np.zeros(members), np.zeros(members) if positive is None else np.where(positive, 1, -1)], axis=1)
    net = SimpleNamespace(output_kernel=None if positive is None else slice(1, 2))
    experiment: Any = SimpleNamespace(batch_size=batch_size, net=net, initial_weights=lambda seeds: begun[seeds])
    counted = make_members(
        experiment,
        np.arange(members),
        np.full(members, learning_rate),
        passed=passed,
        coefficient_error=np.append(errors, np.full(diverged, 1e9)),
        diverged_epoch=np.repeat([0, 1], [len(errors), diverged]),
    )
    return cell_of(counted)


class Made:
    """Stands for Ensemble: at once, a seed passes where it is a multiple of the batch size; it tells what was asked."""

    asked: list[tuple[Any, ...]]

    def __init__(self, experiment: Experiment, members: int, *, workers: int | None = None) -> None:
        self.experiment = experiment
        self.asked.append(("build", experiment.batch_size, members, workers))

    def train(self, seeds: Array, learning_rates: Array, *, progress: Callable[[int], None] | None = None) -> Members:
        """Return what became of the seeds; half of them are done before the rest."""
        self.asked.append(("train", seeds.tolist(), np.asarray(learning_rates).tolist()))
        for done in (len(seeds) // 2, len(seeds)):
            if progress:
                progress(done)
        passed = seeds % self.experiment.batch_size == 0
        return make_members(self.experiment, seeds, np.asarray(learning_rates), passed=passed)


def plant(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Put it in the place of Ensemble, on a machine with one CPU; return what it is asked, as it is asked."""
    monkeypatch.setattr(Made, "asked", [], raising=False)
    monkeypatch.setattr(learning_map, "Ensemble", Made)
    monkeypatch.setattr(devices, "available", lambda: ["cpu:0"])
    return Made.asked


def train_in_tasks(parts: list[Part], progress: Report, work: Work) -> Iterator[tuple[Part, Array]]:
    """Stand for a cluster: the last block is trained first, each in a task of its own and in a worker's thread.

    All that goes out and comes back is pickled; what is to be done goes out as the name of a function of the package.
    """
    assert work.__module__.startswith("parabola.")
    assert len(pickle.dumps(work)) < 100
    blocks = list[Part]()
    for part in parts:
        firsts = range(part.first, part.end, part.block_members)
        blocks += [replace(part, first=first, end=min(first + part.block_members, part.end)) for first in firsts]
    for part in reversed(blocks):
        sent = pickle.dumps((work, [(part.experiment, part.group_size, *part.members())]))
        back = pickle.dumps(WORKER.submit(train_task, *pickle.loads(sent)).result())
        progress(part, len(part), f"{len(back)}")
        yield part, pickle.loads(back)[1][0]
