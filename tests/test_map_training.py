"""The map's grid, what is trained of it, and what the command makes of its options: no member is trained here."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from parabola import backends, devices, learning_map
from parabola.__main__ import app
from parabola.ensemble import Members
from parabola.experiment import Experiment
from parabola.learning_map import (
    BATCH_SIZES,
    LEARNING_RATES,
    MOST_SEEDS,
    Grid,
    cells_at_a_time,
    make_cell,
    train_cells,
    train_map,
)
from parabola.target import Array, Parabola
from parabola.tracking import figures, maps
from parabola.tracking.maps import Cell


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


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of ensembles in this test, in order: "build" and "train"; the one device is a CPU."""
    monkeypatch.setattr(Made, "asked", [], raising=False)
    monkeypatch.setattr(learning_map, "Ensemble", Made)
    monkeypatch.setattr(devices, "available", lambda: ["cpu:0"])
    return Made.asked


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
    cell = make_cell(make_members(spec, seeds, rates, coefficient_error=error, diverged_epoch=diverged, passed=passed))
    positive = spec.initial_weights(seeds)[:, -2] > 0

    assert (cell.learning_rate, cell.batch_size, cell.seeds, cell.passes) == (0.3, 9, 7, 2)
    assert (cell.diverged, cell.median_error) == (3, 0.75)
    assert cell.positive_seeds == (positive.sum() if split else None)
    assert cell.positive_passes == ((positive & passed).sum() if split else None)
    assert cell.passed == "22"


def test_sign_aware_members_began_positive() -> None:
    """The split is that of the experiment's own initialiser: where samples bend upwards none began negative."""
    spec, seeds = Experiment(init="sign-aware"), np.arange(9)
    cell = make_cell(make_members(spec, seeds, np.full(9, 0.1), passed=seeds == 4))

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


def test_cells_are_trained_a_group_at_a_time(asked: list[tuple[Any, ...]]) -> None:
    """Each group has all seeds at each of its rates, in one ensemble built for a whole group; shares add up to 1."""
    shares: list[float] = []
    rates, seeds = (0.3, 0.1, 0.2, 0.5, 0.4), np.array([7, 9, 12])
    groups = train_cells(Experiment(batch_size=9), rates, seeds, group=2, workers=3, progress=shares.append)
    cells = [*groups]

    assert asked == [
        ("build", 9, 6, 3),
        ("train", [7, 9, 12] * 2, [0.3] * 3 + [0.1] * 3),
        ("train", [7, 9, 12] * 2, [0.2] * 3 + [0.5] * 3),
        ("train", [7, 9, 12], [0.4] * 3),
    ]
    assert [[cell.learning_rate for cell in group] for group in cells] == [[0.3, 0.1], [0.2, 0.5], [0.4]]
    assert {cell.passed for group in cells for cell in group} == {"40"}
    assert shares == pytest.approx([done / 15 for done in (3, 6, 9, 12, 13, 15)])


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
    """From its first seed on; progress is by cost, the file in the order of training, the answer in the grid's."""
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 8)  # two cells of four seeds
    grid, path, shares = Grid(Experiment(), (0.3, 0.1, 0.2), (333, 111), 4, 331), tmp_path / "map.json", list[float]()
    held = maps.count_cell(0.1, 111, np.array([True, False, False, True]), None, np.array([0.5]))
    maps.write(path, grid.identity(), [held])
    cells = train_map(grid, path, progress=shares.append)

    seeds = [331, 332, 333, 334]
    assert asked == [
        ("build", 333, 8, None),
        ("train", seeds * 2, [0.3] * 4 + [0.1] * 4),
        ("train", seeds, [0.2] * 4),
        ("build", 111, 8, None),
        ("train", seeds * 2, [0.3] * 4 + [0.2] * 4),
    ]
    assert keys(cells) == [(333, 0.3), (333, 0.1), (333, 0.2), (111, 0.3), (111, 0.1), (111, 0.2)]
    assert [cell.passed for cell in cells] == ["20", "20", "20", "20", "90", "20"]
    assert keys(maps.read(path, grid.identity())) == [
        *((111, 0.1), (333, 0.3), (333, 0.1), (333, 0.2), (111, 0.3), (111, 0.2)),
    ]
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
    assert keys(maps.read(path, grid.identity())) == [(333, 0.3)]

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


OPTIONS = [
    *("--learning-rates", "0.1,0.001,0.5", "--batch-sizes", "1,9", "--seeds", "5", "--first-seed", "7"),
    *("--target=-1,0.5,3", "--optimizer", "sgd", "--final-learning-rate", "0.0005", "--init", "sign-aware"),
    *("--epochs", "8", "--samples", "50", "--data-seed", "4", "--low", "-1", "--high", "2.5"),
]
IDENTITY = {
    **{"target": [-1.0, 0.5, 3.0], "network": "two_neuron", "device": "cpu", "optimizer": "sgd"},
    **{"final_learning_rate": 0.0005, "init": "sign-aware", "epochs": 8, "samples": 50, "data_seed": 4},
    **{"low": -1.0, "high": 2.5, "learning_rates": [0.1, 0.001, 0.5], "batch_sizes": [1, 9]},
    **{"seeds": 5, "first_seed": 7},
}


def test_each_option_reaches_the_map(tmp_path: Path, asked: list[tuple[Any, ...]]) -> None:
    """The file has each option's value, and the seeds that are trained begin with the first one; both are printed."""
    path = tmp_path / "a map.json"
    answer = CliRunner().invoke(app, ["map", *OPTIONS, "--json", str(path)], env={"COLUMNS": "80"})
    state = json.loads(path.read_text())

    assert answer.exit_code == 0, answer.output
    assert state["grid"] == IDENTITY
    assert [cell["passed"] for cell in state["cells"]] == ["f8"] * 3 + ["20"] * 3
    assert asked[:2] == [("build", 1, 15, None), ("train", [*range(7, 12)] * 3, [0.1] * 5 + [0.001] * 5 + [0.5] * 5)]
    assert [line.rstrip() for line in answer.stdout.splitlines()] == [
        "two_neuron learns -x² + 0.5x + 3: which share of 5 seeds passes",
        "8 epochs of 50 samples, sgd, decaying to 0.0005, init sign-aware",
        "pass rate in %, with its 95 % interval: a row a learning rate, a column a batch size",
        "",
        "",
        "                   1          9",
        " ──────────────────────────────",
        "   0.1  100 (57–100)  20 (4–62)",
        " 0.001  100 (57–100)  20 (4–62)",
        "   0.5  100 (57–100)  20 (4–62)",
        "",
        f"{path} holds the map",
    ]
    assert answer.stderr == ""


def test_the_defaults_of_the_map(tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options it is the published experiment over the default axes; sizes above the samples are left out."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["map"]).exit_code == 0
    assert json.loads(Path("learning_map.json").read_text())["grid"] == Grid(Experiment()).identity()
    assert os.listdir() == ["learning_map.json"]

    for samples, sizes in ((37, [1, 3, 9, 27, 37]), (36, [1, 3, 9, 27])):
        path = tmp_path / f"{samples}.json"
        assert (
            CliRunner()
            .invoke(app, ["map", "--samples", str(samples), "--learning-rates", "0.1", "--json", str(path)])
            .exit_code
            == 0
        )
        assert json.loads(path.read_text())["grid"]["batch_sizes"] == sizes


@pytest.mark.parametrize(
    ("rates", "sizes", "framed", "says"),
    [
        ("0.1,0.02,0.001", "9,1", [(0.001, 1), (0.1, 1)], "; framed: as published"),
        ("0.1,0.02", "1", [(0.1, 1)], "; framed: as published"),
        ("0.1,0.001", "9", [], ""),
        ("0.2,0.002", "1", [], ""),
    ],
)
def test_the_picture_frames_what_was_published(
    rates: str,
    sizes: str,
    framed: list[tuple[float, int]],
    says: str,
    tmp_path: Path,
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two published cells are framed where they are on the map, and the subtitle says so only then."""
    saved: dict[Path, Any] = {}
    monkeypatch.setattr(figures, "save", lambda chart, path: saved.update({path: chart.to_dict()}))
    options = ["--learning-rates", rates, "--batch-sizes", sizes, "--seeds", "4", "--json", str(tmp_path / "map.json")]
    answer = CliRunner().invoke(app, ["map", *options, "--plot", str(tmp_path / "map.svg")])

    assert answer.exit_code == 0, answer.output
    assert [*saved] == [tmp_path / "map.svg"]
    (drawn,) = saved.values()
    frames = [row for layer in drawn["layer"][2:] for row in layer["data"]["values"]]
    assert frames == [{"learning_rate": rate, "batch_size": size} for rate, size in framed]
    assert drawn["title"]["text"] == "two_neuron learns x² + 2x + 2: which share of 4 seeds passes"
    assert drawn["title"]["subtitle"] == f"999 epochs of 999 samples, adam, init glorot{says}"
    shown = {
        (row["learning_rate"], row["batch_size"]): row["passes"]
        for row in drawn["layer"][0].get("data", drawn.get("data"))["values"]
    }
    passes = {1: "4 of 4 (100.0 %)", 9: "1 of 4 (25.0 %)"}
    cells = [(float(rate), int(size)) for size in sizes.split(",") for rate in rates.split(",")]
    assert shown == {(rate, size): passes[size] for rate, size in cells}
    assert says not in answer.stdout or not says


@pytest.mark.parametrize(("before", "after"), [("tensorflow", "jax"), ("jax", "tensorflow")])
def test_a_map_of_one_backend_is_not_continued_by_another(
    before: str, after: str, tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A map of TensorFlow is none of JAX and the other way round: exit 2, and the file stays as it is."""
    monkeypatch.setattr(backends, "choose", lambda name: None)  # a process cannot have both
    options = ["--learning-rates", "0.1", "--batch-sizes", "9", "--seeds", "4", "--json", str(tmp_path / "map.json")]
    monkeypatch.setenv("KERAS_BACKEND", before)
    assert CliRunner().invoke(app, ["map", *options]).exit_code == 0
    text = (tmp_path / "map.json").read_text()
    monkeypatch.setenv("KERAS_BACKEND", after)
    answer = CliRunner().invoke(app, ["map", *options])

    named = {"tensorflow": None, "jax": "jax"}
    assert answer.exit_code == 2
    assert f"map.json is of another grid: backend {named[before]}, not {named[after]}: name" in answer.stderr
    assert (tmp_path / "map.json").read_text() == text


@pytest.mark.parametrize(
    ("backend", "options", "says"),
    [
        ("torch", [], "members is not there on the torch backend, which has fit, fused_fit, native"),
        (
            "tensorflow",
            ["--device", "gpu:all"],
            "unknown device 'gpu:all'; devices are named cpu, cpu:1, gpu, gpu:0, …",
        ),
        ("tensorflow", ["--device", "cpu:7"], "device cpu:7 is not there; here: cpu:0"),
        ("jax", ["--device", "gpu:all"], "device gpu is not there; here: cpu:0"),
        ("tensorflow", ["--json", "map.svg"], "unknown format '.svg' of map.svg; known: .json"),
        ("tensorflow", ["--plot", "map.json"], "unknown format '.json' of map.json; known: .png, .svg, .html"),
        (
            "tensorflow",
            ["--batch-sizes", "1.5"],
            "--batch-sizes needs numbers with commas between, as in 1,10. Received",
        ),
        ("tensorflow", ["--samples", "0"], "samples must be a whole number from 1 to 2147483647. Received: 0"),
    ],
)
def test_a_map_that_cannot_be_trained_is_refused(
    backend: str,
    options: list[str],
    says: str,
    tmp_path: Path,
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line on stderr and exit 2, before anything is built or written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "choose", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    answer = CliRunner().invoke(app, ["map", *options])

    assert answer.exit_code == 2
    assert re.fullmatch(f"python -m parabola: {re.escape(says)}.*\n", answer.stderr)
    assert (answer.stdout, os.listdir(), asked) == ("", [], [])


def test_the_backend_option_is_the_one_that_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the option names is handed on, and what is wrong with it is said."""

    def refuse(name: str | None) -> None:
        raise ValueError(f"chosen: {name}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "choose", refuse)
    for options, name in (([], None), (["--backend", "jax"], "jax")):
        answer = CliRunner().invoke(app, ["map", *options])
        assert (answer.exit_code, answer.stderr) == (2, f"python -m parabola: chosen: {name}\n")
