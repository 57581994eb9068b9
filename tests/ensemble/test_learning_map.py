"""The map: its cells, its file, and going on after an interruption."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.ensemble import learning_map, map_file, map_state
from parabola.ensemble.ensemble import Ensemble
from parabola.ensemble.learning_map import BATCH_SIZES, LEARNING_RATES, Grid, train_map
from parabola.ensemble.map_file import Cell
from parabola.machine import host
from parabola.training.experiment import Experiment
from tests.made_ensemble import cell_of

SMALL = Grid(Experiment(epochs=60), (0.01, 0.1, 0.3), (111, 333), seeds=12)
COMMAND = ["map", "--epochs", "60", "--learning-rates", "0.01,0.1", "--batch-sizes", "111,333", "--seeds", "12"]


@pytest.fixture(scope="module", autouse=True)
def _one_core() -> Iterator[None]:
    """Let maps be trained on one core, which they do not hang on: each more would compile the same program again."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(host, "usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    """The small map, trained in one go."""
    return train_map(SMALL, tmp_path_factory.mktemp("map") / "map.json")


def test_default_grid_is_as_promised() -> None:
    """25 learning rates, the published ones among them, and 8 batch sizes, none with a partial batch."""
    assert len(LEARNING_RATES) == 25
    assert {0.001, 0.1} <= set(LEARNING_RATES)
    assert [999 % size for size in BATCH_SIZES] == [0] * 8
    assert Grid(Experiment()).seeds == 200


def test_a_cell_counts_its_members() -> None:
    """Passes, interval, split, divergence, median error and the bits are those of the ensemble."""
    spec = Experiment(epochs=200, batch_size=111)
    members = Ensemble(spec, 30, workers=1).train(np.arange(100, 130), np.full(30, 0.1))
    cell = cell_of(members)
    kernels = spec.initial_weights(np.arange(100, 130))[:, 2]

    assert (cell.learning_rate, cell.batch_size, cell.seeds) == (0.1, 111, 30)
    assert 0 < cell.passes == members.passed.sum() < 30
    assert cell.low < cell.passes / 30 < cell.high
    assert cell.positive_seeds == (kernels > 0).sum()
    assert cell.positive_passes == members.passed[kernels > 0].sum()
    assert cell.median_error == np.median(members.coefficient_error)
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(cell.passed), np.uint8), count=30)
    np.testing.assert_array_equal(bits, members.passed)


def test_map_has_every_cell_in_order(cells: list[Cell]) -> None:
    """Batch size by batch size, learning rate by learning rate; which seeds pass depends on the cell."""
    expected = [(size, rate) for size in SMALL.batch_sizes for rate in SMALL.learning_rates]

    assert [(cell.batch_size, cell.learning_rate) for cell in cells] == expected
    assert len({cell.passed for cell in cells}) > 1


def test_an_interrupted_map_goes_on(cells: list[Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was finished is kept and not trained again; the result is that of a map in one go; no draft is left."""
    path = tmp_path / "map.json"
    monkeypatch.setitem(learning_map.AT_A_TIME, "cpu", 12)
    make = map_state.make_cell
    made: list[Cell] = []
    trained: list[Cell] = []

    def interrupted(*given: Any) -> Cell:
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(make(*given))
        return made[-1]

    monkeypatch.setattr(map_state, "make_cell", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_map(SMALL, path)
    assert map_file.read(path, SMALL.identity()) == made
    assert os.listdir(tmp_path) == ["map.json"]

    def counted(*given: Any) -> Cell:
        trained.append(make(*given))
        return trained[-1]

    monkeypatch.setattr(map_state, "make_cell", counted)
    shares: list[float] = []
    assert train_map(SMALL, path, progress=shares.append) == cells
    assert len(trained) == 2
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)


@pytest.mark.parametrize("content", ["", '{"parabola_map": 1, "grid": {', "[]", '{"benchmarks": []}', "\0"])
def test_a_file_that_is_no_map_is_named_and_kept(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-written, empty or another tool's: one line, exit 2, and the file is as it was."""
    monkeypatch.chdir(tmp_path)
    Path("learning_map.json").write_text(content)
    answer = CliRunner().invoke(app, COMMAND)

    assert answer.exit_code == 2
    assert answer.stderr.startswith("python -m parabola: learning_map.json is not a map, or not a whole one: ")
    assert answer.stderr.count("\n") == 1
    assert Path("learning_map.json").read_text() == content


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--seeds", "13", "seeds 12, not 13"),
        ("--epochs", "61", "epochs 60, not 61"),
        ("--learning-rates", "0.02", "learning_rates [0.01, 0.1, 0.3], not [0.01, 0.1, 0.3, 0.02]"),
        ("--init", "sign-aware", "init glorot, not sign-aware"),
    ],
)
def test_a_map_of_another_grid_is_refused(
    option: str, value: str, says: str, cells: list[Cell], tmp_path: Path
) -> None:
    """The line names what differs; nothing is overwritten."""
    path = tmp_path / "map.json"
    map_file.write(path, SMALL.identity(), cells)
    before = path.read_text()
    same = ["--epochs", "60", "--learning-rates", "0.01,0.1,0.3", "--batch-sizes", "111,333", "--seeds", "12"]
    answer = CliRunner().invoke(app, ["map", *same, option, value, "--json", str(path)])

    assert answer.exit_code == 2
    assert f"{path} is of another grid: {says}: name another file" in answer.stderr
    assert path.read_text() == before


def test_rates_may_decay_from_any_of_the_grids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last rate is held against the grid's own, not against the default."""
    monkeypatch.chdir(tmp_path)
    options = ["--learning-rates", "0.05,0.1", "--batch-sizes", "333", "--final-learning-rate", "0.02"]
    answer = CliRunner().invoke(app, ["map", *options, "--epochs", "3", "--seeds", "2"])

    assert answer.exit_code == 0, answer.output
    assert "adam, decaying to 0.02, init glorot" in answer.stdout


def test_map_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table with intervals, the JSON and the picture; the second time nothing is trained."""
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, [*COMMAND, "--plot", "map.svg"])

    assert answer.exit_code == 0, answer.output
    assert "which share of 12 seeds passes" in answer.stdout
    assert re.search(r"0\.01 +\d+ \(\d+–\d+\) +\d+ \(\d+–\d+\)", answer.stdout)
    assert answer.stderr == ""
    assert sorted(os.listdir()) == ["learning_map.json", "map.svg"]
    assert Path("map.svg").read_text().startswith("<svg")
    assert len(json.loads(Path("learning_map.json").read_text())["cells"]) == 4

    monkeypatch.setattr(learning_map, "Ensemble", lambda *_, **__: pytest.fail("trained again"))
    assert CliRunner().invoke(app, COMMAND).stdout == answer.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--seeds 0", "seeds must be a whole number from 1"),
        ("--first-seed -1", "seed must be a whole number from 0"),
        ("--learning-rates ,", "--learning-rates needs numbers with commas between, as in 1,10. Received: ','"),
        ("--learning-rates=", "--learning-rates needs numbers with commas between, as in 1,10. Received: ''"),
        ("--seeds 1000001", "seeds must be a whole number from 1 to 1000000. Received: 1000001"),
        ("--init sign-aware --samples 2", "samples must be a whole number from 3 to 2147483647. Received: 2"),
        ("--learning-rates 0.1,0.1", "learning_rates needs one value or more, each once. Received: (0.1, 0.1)"),
        ("--learning-rates 0.1,nan", "learning_rate must be finite and above 0. Received: nan"),
        ("--batch-sizes 9,1000", "batch_size must be a whole number from 1 to 999. Received: 1000"),
        ("--batch-sizes few", "--batch-sizes needs numbers"),
        ("--init zeros", "unknown init 'zeros'; known: glorot, sign-aware"),
        ("--network one_neuron", "one_neuron cannot represent x² + 2x + 2"),
        ("--final-learning-rate 0.5", "final_learning_rate must be above 0 and at most learning_rate. Received: 0.5"),
        ("--device gpu:3", "device gpu:3 is not there"),
        ("--plot map.pdf", "unknown format '.pdf'"),
        ("--json map.txt", "unknown format '.txt' of map.txt; known: .json"),
        ("--json no/such/folder/map.json", "cannot write no/such/folder/map.json"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(
    options: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any training, without a traceback or a file."""
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["map", *options.split()])

    assert answer.exit_code == 2
    assert says in answer.stderr
    assert "Traceback" not in answer.output
    assert answer.stdout == ""
    assert os.listdir() == []
