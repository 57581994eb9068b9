"""The map's grid, and what is trained of it: groups, seeds, progress and the file; no member is trained here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import learning_map, map_file
from parabola.ensemble.ensemble import Members
from parabola.ensemble.learning_map import (
    BATCH_SIZES,
    LEARNING_RATES,
    MOST_SEEDS,
    Grid,
    cells_at_a_time,
    train_cells,
    train_map,
)
from parabola.ensemble.map_file import Cell
from parabola.training.experiment import Experiment
from parabola.training.target import Parabola
from tests.made_ensemble import Made, cell_of, count_cell, make_members, plant


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of ensembles in this test, in order: "build" and "train"."""
    return plant(monkeypatch)


def keys(cells: list[Cell]) -> list[tuple[int, float]]:
    """Return which cells these are."""
    return [(cell.batch_size, cell.learning_rate) for cell in cells]


@pytest.mark.parametrize(("network", "split"), [("two_neuron", True), ("one_neuron", False)])
def test_diverged_members_count_as_diverged_alone(network: str, split: bool) -> None:
    """They enter the counts of seeds and of diverged ones, but not the median error, whatever error they ended with."""
    spec, seeds = Experiment(network=network, target=Parabola(1, 2, 1), batch_size=9), np.arange(20, 27)
    error = np.array([0.5, np.nan, 0.125, 4.0, np.inf, 9.0, 1.0])
    diverged = np.array([0, 3, 0, 0, 1, 150, 0])
    passed = np.array([False, False, True, False, False, False, True])
    rates = np.full(7, 0.3)
    cell = cell_of(make_members(spec, seeds, rates, coefficient_error=error, diverged_epoch=diverged, passed=passed))
    positive = spec.initial_weights(seeds)[:, -2] > 0

    assert (cell.learning_rate, cell.batch_size, cell.seeds, cell.passes) == (0.3, 9, 7, 2)
    assert (cell.diverged, cell.median_error) == (3, 0.75)
    assert cell.positive_seeds == (positive.sum() if split else None)
    assert cell.positive_passes == ((positive & passed).sum() if split else None)
    assert cell.passed == "22"


def test_sign_aware_members_began_positive() -> None:
    """The split is that of the experiment's own initialiser: where samples bend upwards none began negative."""
    spec, seeds = Experiment(init="sign-aware"), np.arange(9)
    cell = cell_of(make_members(spec, seeds, np.full(9, 0.1), passed=seeds == 4))

    assert (cell.positive_seeds, cell.positive_passes) == (9, 1)


def test_the_default_axes() -> None:
    """Six rates to a factor of ten from 0.0001 to 1, in four digits, and all divisors of 999."""
    sixths = (1, 1.468, 2.154, 3.162, 4.642, 6.813)

    assert (*(float(f"{digits}e{power}") for power in range(-4, 0) for digits in sixths), 1.0) == LEARNING_RATES
    assert tuple(size for size in range(1, 1000) if 999 % size == 0) == BATCH_SIZES
    assert (Grid(Experiment()).learning_rates, Grid(Experiment()).batch_sizes) == (LEARNING_RATES, BATCH_SIZES)
    assert (Grid(Experiment()).seeds, Grid(Experiment()).first_seed) == (200, 0)


@pytest.mark.parametrize(
    "knobs",
    [
        {"seeds": 1},
        {"seeds": MOST_SEEDS},
        {"seeds": 3, "first_seed": 2**63 - 3},
        {"batch_sizes": (999, 1)},
        {"experiment": Experiment(learning_rate=1, final_learning_rate=0.1), "learning_rates": (0.2, 0.1)},
        {"experiment": Experiment(seed=2**62, learning_rate=5, batch_size=7)},
    ],
)
def test_a_grid_at_its_bounds(knobs: dict[str, Any]) -> None:
    """The least and the most seeds, the last seed there is, whole batches, and a rate that does not decay are right."""
    assert Grid(**{"experiment": Experiment(), **knobs}).identity()["seeds"] == knobs.get("seeds", 200)


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"learning_rates": ()}, "learning_rates needs one value or more, each once. Received: ()"),
        ({"batch_sizes": ()}, "batch_sizes needs one value or more, each once. Received: ()"),
        ({"batch_sizes": (9, 1, 9)}, "batch_sizes needs one value or more, each once. Received: (9, 1, 9)"),
        ({"learning_rates": (0.1, 0.1)}, "learning_rates needs one value or more, each once. Received: (0.1, 0.1)"),
        ({"seeds": 0}, "seeds must be a whole number from 1 to 1000000. Received: 0"),
        ({"seeds": 1_000_001}, "seeds must be a whole number from 1 to 1000000. Received: 1000001"),
        ({"first_seed": -1}, f"seed must be a whole number from 0 to {2**63 - 1}. Received: -1"),
        (
            {"first_seed": 2**63 - 3, "seeds": 4},
            f"seed must be a whole number from 0 to {2**63 - 1}. Received: {2**63}",
        ),
        ({"batch_sizes": (1, 1000)}, "batch_size must be a whole number from 1 to 999. Received: 1000"),
        ({"batch_sizes": (1, 0)}, "batch_size must be a whole number from 1 to 999. Received: 0"),
        ({"learning_rates": (0.1, 0.0)}, "learning_rate must be finite and above 0. Received: 0.0"),
        (
            {"experiment": Experiment(learning_rate=1, final_learning_rate=0.1), "learning_rates": (0.2, 0.09)},
            "final_learning_rate must be above 0 and at most learning_rate. Received: 0.1",
        ),
        (
            {"experiment": Experiment(network="one_neuron", low=-1)},
            "one_neuron cannot represent x² + 2x + 2: it holds perfect squares (w x + b)² only; "
            "the closest over [-1, 1) is ",
        ),
    ],
)
def test_a_grid_beyond_its_bounds(knobs: dict[str, Any], says: str) -> None:
    """Each value a step beyond is refused, wherever on its axis it stands, with what was received."""
    with pytest.raises(ValueError, match=r"Received|cannot represent") as caught:
        Grid(**{"experiment": Experiment(), **knobs})

    assert str(caught.value).startswith(says)
    assert "cannot represent" in says or str(caught.value) == says


def test_a_grids_identity_by_value() -> None:
    """It has all that decides a cell and nothing of a single run; a backend is named unless it is TensorFlow."""
    curve, decay = Parabola(-2, 0.5, 3), {"learning_rate": 9, "final_learning_rate": 0.01}
    single: dict[str, Any] = {"batch_size": 5, "seed": 3, **decay}
    shared: dict[str, Any] = {"epochs": 8, "samples": 50, "data_seed": 4, "low": -1, "high": 2.5}
    spec = Experiment(curve, device="gpu:1", optimizer="sgd", init="sign-aware", **single, **shared)
    grid = Grid(spec, (0.3, 0.02), (50, 7), 13, 6)
    expected = {
        **{"target": [-2.0, 0.5, 3.0], "network": "two_neuron", "device": "gpu:1", "optimizer": "sgd"},
        **{"final_learning_rate": 0.01, "init": "sign-aware", "epochs": 8, "samples": 50, "data_seed": 4},
        **{"low": -1, "high": 2.5, "learning_rates": [0.3, 0.02], "batch_sizes": [50, 7]},
        **{"seeds": 13, "first_seed": 6},
    }

    assert grid.identity("tensorflow") == expected
    assert [*grid.identity("tensorflow")] == [*expected]
    assert grid.identity("jax") == {"backend": "jax", **expected}
    assert next(iter(grid.identity("jax"))) == "backend"


def test_a_grids_identity_is_of_the_process_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another backend is meant, KERAS_BACKEND decides."""
    grid = Grid(Experiment())
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert grid.identity()["backend"] == "jax"
    assert "backend" not in grid.identity("tensorflow")
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert "backend" not in grid.identity()


@pytest.mark.parametrize(
    ("device", "rates", "seeds", "cells"),
    [
        *(("cpu", 25, 199, 6), ("cpu", 25, 200, 5), ("cpu", 25, 201, 5), ("cpu", 4, 200, 4), ("cpu:1", 25, 999, 2)),
        *(("cpu", 25, 1000, 1), ("cpu", 25, 1001, 1), ("cpu", 25, 10**6, 1), ("cpu", 25, 1, 25)),
        *(("gpu", 25, 999, 21), ("gpu:0", 25, 1000, 20), ("gpu:all", 25, 20_000, 1), ("gpu:0", 7, 1000, 7)),
    ],
)
def test_how_many_cells_are_trained_at_a_time(device: str, rates: int, seeds: int, cells: int) -> None:
    """As many as have 1,000 members or more on a CPU, 20,000 on a GPU, and never more than there are."""
    assert cells_at_a_time(Experiment(device=device), rates, seeds) == cells


def test_cells_are_trained_a_group_at_a_time(asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each group has all seeds at each of its rates, in one ensemble built for a whole group."""
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 6)  # two cells of three seeds
    rates, seeds = (0.3, 0.1, 0.2, 0.5, 0.4), np.array([7, 9, 12])
    groups = train_cells(Experiment(batch_size=9), rates, seeds, workers=3)
    cells = [*groups]

    assert asked == [
        ("build", 9, 6, 3),
        ("train", [7, 9, 12] * 2, [0.3] * 3 + [0.1] * 3),
        ("train", [7, 9, 12] * 2, [0.2] * 3 + [0.5] * 3),
        ("train", [7, 9, 12], [0.4] * 3),
    ]
    assert [[cell.learning_rate for cell in group] for group in cells] == [[0.3, 0.1], [0.2, 0.5], [0.4]]
    assert {cell.passed for group in cells for cell in group} == {"40"}


def test_cells_are_grouped_by_their_number_unless_told(asked: list[tuple[Any, ...]]) -> None:
    """Of six rates at 300 seeds four go together, as 1,000 members are reached with them; no one needs to watch."""
    groups = [*train_cells(Experiment(), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], np.arange(300))]

    assert [len(group) for group in groups] == [4, 2]
    assert asked[0] == ("build", 1, 1200, None)


@pytest.mark.parametrize(("rates", "seeds"), [([], [1, 2]), ([0.1], [])])
def test_no_members_build_no_ensemble(rates: list[float], seeds: list[int], asked: list[tuple[Any, ...]]) -> None:
    """Without a rate or a seed no cell is given, and nothing is compiled."""
    assert [*train_cells(Experiment(), rates, np.array(seeds, int))] == []
    assert asked == []


def test_a_map_trains_what_is_missing(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its first seed on; progress is by cost, the file and the answer in the grid's order."""
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 8)  # two cells of four seeds
    grid, path, shares = Grid(Experiment(), (0.3, 0.1, 0.2), (333, 111), 4, 331), tmp_path / "map.json", list[float]()
    held = count_cell(0.2, 111, np.array([True, False, False, True]), None, np.array([0.5]))
    map_file.write(path, grid.identity(), [held])
    cells = train_map(grid, path, progress=shares.append)

    seeds = [331, 332, 333, 334]
    assert asked == [
        ("build", 333, 8, None),
        ("train", seeds * 2, [0.3] * 4 + [0.1] * 4),
        ("train", seeds, [0.2] * 4),
        ("build", 111, 8, None),
        ("train", seeds * 2, [0.3] * 4 + [0.1] * 4),
    ]
    assert keys(cells) == [(333, 0.3), (333, 0.1), (333, 0.2), (111, 0.3), (111, 0.1), (111, 0.2)]
    assert [cell.passed for cell in cells] == ["20", "20", "20", "20", "20", "90"]
    assert map_file.read(path, grid.identity()) == cells
    first, second = 3 * (999 + 3), 2 * (999 + 9)
    done = [first * part / 12 for part in (4, 8, 10, 12)] + [first + second * part / 8 for part in (4, 8)]
    assert shares == pytest.approx([cost / (first + second) for cost in done])


def test_a_map_is_on_disk_after_each_group(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When training stops in the second group, the first one's cells are kept, and only the rest is trained then."""
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 1)
    grid, path = Grid(Experiment(), (0.3, 0.1), (333, 111), 4, 2**62), tmp_path / "map.json"
    train = Made.train

    def stops(made: Made, *given: Any, **knobs: Any) -> Members:
        if len(asked) == 2:
            raise KeyboardInterrupt
        return train(made, *given, **knobs)

    monkeypatch.setattr(Made, "train", stops)
    with pytest.raises(KeyboardInterrupt):
        train_map(grid, path)
    assert keys(map_file.read(path, grid.identity())) == [(333, 0.3)]

    asked.clear()
    monkeypatch.setattr(Made, "train", train)
    assert keys(train_map(grid, path)) == [(333, 0.3), (333, 0.1), (111, 0.3), (111, 0.1)]
    assert [given[1:] for given in asked if given[0] == "train"] == [
        ([2**62, 2**62 + 1, 2**62 + 2, 2**62 + 3], [rate] * 4) for rate in (0.1, 0.3, 0.1)
    ]


def test_a_finished_map_builds_nothing(tmp_path: Path, asked: list[tuple[Any, ...]]) -> None:
    """Its cells are read, and the file stays as it is."""
    grid, path = Grid(Experiment(), (0.3,), (333,), 4), tmp_path / "map.json"
    cells = train_map(grid, path)
    before, asked[:] = path.stat().st_mtime_ns, []

    assert train_map(grid, path) == cells
    assert (path.stat().st_mtime_ns, asked) == (before, [])
