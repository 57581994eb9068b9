"""An ensemble that answers at once, for tests of what is made of its answers."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import learning_map
from parabola.ensemble.ensemble import Members
from parabola.machine import devices
from parabola.training.experiment import Experiment
from parabola.training.target import Array


def make_members(experiment: Experiment, seeds: Array, learning_rates: Array, **values: Any) -> Members:
    """Return members of whom none passed or diverged, but for the values that are given."""
    blank = {item.name: np.zeros(len(seeds)) for item in fields(Members)[3:]}
    return Members(experiment, seeds, learning_rates, **{**blank, **values})


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
