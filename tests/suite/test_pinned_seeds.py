"""Which seeds are pinned as learning: how they are sorted, and the file that keeps them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import pinned_seeds
from benchmarks.harness.pinned_seeds import CELLS, SEEDS, cell_name, engines_for
from benchmarks.studies import pinned_seeds as study
from benchmarks.studies.pinned_seeds import sort_seeds
from parabola import registry
from parabola.display import console
from parabola.ensemble import cluster
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola
from tests.made_ensemble import train_in_tasks

CELL = Experiment(batch_size=9, learning_rate=0.25)


def test_the_cells_by_their_names() -> None:
    """Both networks at each batch size and learning rate, with a target that each can hold; 20 seeds of each."""
    assert [cell_name(cell) for cell in CELLS] == [
        f"{network}-batch_{batch_size}-learning_rate_{rate}"
        for network in ("two_neuron", "one_neuron")
        for batch_size in (1, 9, 111)
        for rate in ("0.001", "0.01", "0.1")
    ]
    assert [cell.target for cell in CELLS] == [Parabola(1, 2, 2)] * 9 + [Parabola(1, 2, 1)] * 9
    assert {(cell.epochs, cell.samples, cell.optimizer, cell.init) for cell in CELLS} == {(999, 999, "adam", "glorot")}
    assert [*SEEDS] == [*range(20)]


def test_the_limit_decides_on_the_networks_that_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """On any other the default engine decides alone; a limit that lists no networks knows all."""
    assert [engines_for(name) for name in ("two_neuron", "one_neuron")] == [["compiled", "native"]] * 2
    assert engines_for("toy") == ["compiled"]
    monkeypatch.setitem(registry.ENGINES, "native", replace(registry.ENGINES["native"], networks=()))
    assert engines_for("toy") == ["compiled", "native"]


def errors(below: int, first: bool = False) -> Array:
    """Return 100 errors of which so many are below 0.25, and the others equal it; these are the last ones, or first."""
    values = np.full(100, 0.25)
    values[slice(below) if first else slice(100 - below, None)] = 0.2
    return values


def test_seeds_are_sorted_by_what_both_engines_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind has its threshold for both engines, whichever passes less; an error that equals the rate misses."""
    by_engine = {"compiled": dict.fromkeys(SEEDS, errors(0)), "native": dict.fromkeys(SEEDS, errors(0))}
    passing = {
        **{3: (100, 100), 5: (99, 100), 6: (100, 99), 7: (70, 100), 8: (100, 70), 9: (70, 70)},
        **{11: (69, 100), 12: (100, 69), 13: (1, 0), 14: (0, 1), 15: (69, 69), 16: (0, 100), 17: (100, 0)},
    }
    for seed, (compiled, native) in passing.items():
        by_engine["compiled"][seed], by_engine["native"][seed] = errors(compiled), errors(native, first=True)
    asked: list[Any] = []

    def late(experiment: Experiment, members: int = 1, workers: int | None = None) -> Any:
        def train(seeds: Array, rates: Array, progress: Any = None) -> Array:
            asked.append((experiment, seeds.tolist(), rates.tolist()))
            return np.array([by_engine[experiment.engine][seed] for seed in seeds])

        return train

    monkeypatch.setattr(study, "late_errors", late)

    assert sort_seeds(CELL) == {
        "settled": [3],
        "passing": [5, 6, 7, 8, 9],
        "failing": [0, 1, 2, 4, 10, 18, 19],
        "undecided": [11, 12, 13, 14, 15, 16, 17],
    }
    specs = [Experiment(batch_size=9, engine=engine) for engine in ("compiled", "native")]
    assert asked == [(spec, [*SEEDS], [0.25] * 20) for spec in specs]


class Engine:
    """Stands for an engine: after each of 103 epochs, c is off by the seed, the rate and the epoch's number."""

    device = "cpu:0"

    def __init__(self, experiment: Experiment) -> None:
        self.built_with = experiment

    def reset(self, *, seed: int, learning_rate: float) -> Array:
        """Return the errors that a run of these has."""
        return 1000 * seed + learning_rate + np.arange(103)

    def run(self, rows: Array) -> Array:
        """Return weights with these errors."""
        ones = np.ones_like(rows)
        return np.stack([ones, ones, ones, rows + 1], axis=1)


def test_the_last_errors_are_of_each_seeds_own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each seed has the cell's learning rate and its last 100 errors, from one engine for all rates of a batch size."""
    built: list[Engine] = []

    def build(experiment: Experiment) -> Engine:
        built.append(Engine(experiment))
        return built[-1]

    monkeypatch.setattr(engines, "build", build)
    pinned_seeds.build.cache_clear()
    found = pinned_seeds.last_errors(CELL, [4, 2])

    assert [engine.built_with for engine in built] == [Experiment(batch_size=9)]
    assert [*found] == [4, 2]
    for seed, values in found.items():
        np.testing.assert_allclose(values, 1000 * seed + 0.25 + np.arange(3, 103), rtol=0, atol=1e-9)
    assert [*pinned_seeds.last_errors(CELL)] == [*range(20)]
    pinned_seeds.build.cache_clear()


def test_a_cluster_sorts_seeds_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs go out one by one, last errors come back; a worker builds an engine once for all rates of a batch size."""
    built: list[Experiment] = []

    class Learning(Engine):
        """Stands for an engine whose seeds learn in time, early for the smaller ones; the one engine's, later."""

        def __init__(self, experiment: Experiment) -> None:
            super().__init__(experiment)
            built.append(experiment)

        def reset(self, *, seed: int, learning_rate: float) -> Array:
            """Return the errors that a run of these has."""
            late = 10 * seed + (3 if self.built_with.engine == "native" else 0)
            return np.where(np.arange(103) < late, 2.0, 0.5) * learning_rate

    monkeypatch.setattr(engines, "build", Learning)
    cluster._built.cache_clear()
    cells = [CELL, replace(CELL, learning_rate=0.5)]
    there = [sort_seeds(cell, train_in_tasks) for cell in cells]
    assert sorted(spec.engine for spec in built) == ["compiled", "native"]
    cluster._built.cache_clear()

    assert there == [sort_seeds(cell) for cell in cells]
    assert there[0] == {"settled": [0], "passing": [1, 2, 3], "failing": [*range(11, 20)], "undecided": [*range(4, 11)]}


def test_one_engine_is_kept() -> None:
    """The engine of a batch size is built once for the cells that follow each other."""
    assert pinned_seeds.build.cache_parameters()["maxsize"] == 1


def test_the_file_by_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line a cell, in the cells' order, each with its seeds by kind; what was there before is replaced."""
    assert pinned_seeds.FILE.name == "pinned_seeds.json"
    path = tmp_path / "pinned.json"
    path.write_text("old")
    monkeypatch.setattr(study, "FILE", path)
    named: list[str] = []

    def tracked(cells: list[Experiment], name: str) -> list[Experiment]:
        named.append(name)
        return cells

    monkeypatch.setattr(console, "tracked", tracked)
    monkeypatch.setattr(study, "CELLS", [CELL, replace(CELL, learning_rate=0.001)])
    monkeypatch.setattr(study, "sort_seeds", lambda cell, train: {train: [int(1000 * cell.learning_rate)]})

    @contextmanager
    def trainer(address: str | None, *packages: str, kept: str) -> Iterator[str]:
        asked.append((address, packages, kept))
        yield "settled"

    asked = list[Any]()
    monkeypatch.setattr(study, "trainer", trainer)
    study.main()
    study.main("tcp://there:1")

    assert named == ["cells"] * 2
    assert asked == [(address, ("numba",), "pinned.json stays as it was") for address in (None, "tcp://there:1")]
    assert path.read_text() == (
        '{\n  "two_neuron-batch_9-learning_rate_0.25": {"settled": [250]},\n'
        '  "two_neuron-batch_9-learning_rate_0.001": {"settled": [1]}\n}\n'
    )
