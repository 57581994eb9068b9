"""The statistical half of the regression suite: what it can find, what it says, and which seeds it takes."""

import json
import os
import subprocess
import sys
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from benchmarks.harness import pass_rates
from benchmarks.harness.options import BASELINE_SEEDS
from benchmarks.harness.pinned_seeds import TARGETS
from benchmarks.studies import pass_rates as study
from parabola.ensemble.map_file import Cell
from parabola.training.experiment import Experiment
from tests.conftest import git
from tests.made_ensemble import plant

CELLS = [(network, cell) for network in TARGETS for cell in pass_rates.baseline(network).values()]
GRID_SPEC = Experiment()
ROOT = Path(__file__).parents[2]
PLANT = """
import numpy as np
from parabola.ensemble import learning_map
from parabola.ensemble.ensemble import Members
class Failing:
    def __init__(self, experiment, members, workers):
        self.experiment = experiment
    def train(self, seeds, rates, progress):
        n = len(seeds)
        arrays = np.zeros((n, 2)), np.zeros((n, 3)), np.ones(n), np.zeros(n, bool), np.zeros(n)
        return Members(self.experiment, seeds, rates, *arrays)
learning_map.Ensemble = Failing
"""


def test_the_baseline_has_every_cell() -> None:
    """Both networks, all learning rates and batch sizes, 10,000 seeds each; the levels add up to one in 1,000."""
    assert len(CELLS) == 18
    assert {cell.seeds for _, cell in CELLS} == {BASELINE_SEEDS}
    assert pass_rates.LEVEL * len(CELLS) == pytest.approx(0.001)


def fresh(cell: Cell, passes: int) -> Cell:
    """Return the cell of 400 fresh seeds, of which so many pass."""
    return replace(cell, seeds=400, passes=passes)


def count(network: str, cell: Cell, side: int) -> int:
    """Return the count nearest to the baseline's rate, below it (-1) or above it (1), that is called a change."""
    most = round(400 * cell.passes / cell.seeds)
    steps = range(most + 1 if side < 0 else 400 - most + 1)
    return most + side * bisect_left(
        steps, True, key=lambda step: bool(pass_rates.find_deviations(network, [fresh(cell, most + side * step)]))
    )


@pytest.mark.parametrize(("network", "cell"), CELLS)
def test_a_change_of_15_points_in_any_cell_is_found(network: str, cell: Cell) -> None:
    """With 95 % probability, up or down, as far as that leaves a share; and none is found where the level has none.

    The counts that the suite calls a change are asked of it; how probable they are is SciPy's answer.
    """
    low, high, share = count(network, cell, -1), count(network, cell, 1), cell.passes / cell.seeds
    changed = [other for other in (share - 0.15, share + 0.15) if 0 <= other <= 1]
    found = [float(binom.cdf(low, 400, other) + binom.sf(high - 1, 400, other)) for other in changed]

    assert found
    assert min(found) >= 0.95
    for end in {low, high} & {*range(401)}:
        beyond = end + (1 if end == low else -1)
        table = [[passes, 400 - passes] for passes in (end, beyond)]
        held = [cell.passes, cell.seeds - cell.passes]
        inside, outside = (fisher_exact([held, row]).pvalue for row in table)
        assert inside <= 0.001 / 18 < outside


def test_a_change_of_the_least_size_is_found_at_its_level() -> None:
    """A p-value that equals the level is a change, the next larger one is none; a change has both cells."""
    was = pass_rates.baseline("two_neuron")[9, 0.001]
    other = fresh(was, 200)
    level = fisher_exact([[was.passes, was.seeds - was.passes], [200, 200]]).pvalue

    (deviation,) = pass_rates.find_deviations("two_neuron", [other], level)
    assert (deviation.baseline, deviation.fresh, deviation.level) == (was, other, level)
    assert deviation.p_value == pytest.approx(level, rel=1e-12)
    assert len(pass_rates.find_deviations("two_neuron", [other], deviation.p_value)) == 1
    assert pass_rates.find_deviations("two_neuron", [other], np.nextafter(deviation.p_value, 0)) == []


def test_a_change_in_words() -> None:
    """It has its own cell's place, both rates and numbers of seeds, the p-value and the level."""
    was = Cell(0.3, 27, 2000, 1500, 0, 1, None, None, 0, None, "")
    deviation = pass_rates.Deviation(was, replace(was, seeds=400, passes=5), 1.25e-7, 2.78e-5)

    assert str(deviation) == (
        "batch size 27, learning rate 0.3: 1.2% of 400 seeds pass, 75.0% of 2000 in the baseline "
        "(p = 1.2e-07, level 2.8e-05)"
    )


def test_a_change_says_what_and_where() -> None:
    """Cell, both rates, p-value and level; no change says nothing."""
    was = pass_rates.baseline("two_neuron")[9, 0.001]
    same = replace(was, seeds=400, passes=round(400 * was.passes / was.seeds))
    other = replace(same, passes=same.passes - 100)

    assert pass_rates.find_deviations("two_neuron", [same]) == []
    (deviation,) = pass_rates.find_deviations("two_neuron", [same, other])
    assert str(deviation).startswith(
        "batch size 9, learning rate 0.001: 38.2% of 400 seeds pass, 63.2% of 10000 in the"
    )
    assert "level 5.6e-05" in str(deviation)


def test_deviations_are_each_networks_own() -> None:
    """The cells of one network are held against its own baseline, in the order in which they are given."""
    cells = [cell for network, cell in CELLS if network == "one_neuron"]
    same = [fresh(cell, round(400 * cell.passes / cell.seeds)) for cell in cells]

    assert pass_rates.find_deviations("one_neuron", same) == []
    assert len(pass_rates.find_deviations("two_neuron", same)) > 3
    none = [fresh(cell, 0) for cell in reversed(cells)]
    found = [deviation.fresh for deviation in pass_rates.find_deviations("one_neuron", none)]
    assert found == [cell for cell in none if pass_rates.find_deviations("one_neuron", [cell])]
    assert len(found) > 3


def test_the_grids_of_the_baseline() -> None:
    """Both networks with Keras' initialiser, two neurons with the other one too: 10,000 seeds in each of nine cells."""
    shared = {
        **{"device": "cpu", "optimizer": "adam", "final_learning_rate": None, "epochs": 999, "samples": 999},
        **{"data_seed": 42, "low": 0.0, "high": 1.0, "learning_rates": [0.001, 0.01, 0.1]},
        **{"batch_sizes": [1, 9, 111], "seeds": 10_000, "first_seed": 0},
    }

    assert {name: grid.identity("tensorflow") for name, grid in pass_rates.GRIDS.items()} == {
        "two_neuron-glorot": {**shared, "network": "two_neuron", "init": "glorot", "target": [1, 2, 2]},
        "two_neuron-sign-aware": {**shared, "network": "two_neuron", "init": "sign-aware", "target": [1, 2, 2]},
        "one_neuron-glorot": {**shared, "network": "one_neuron", "init": "glorot", "target": [1, 2, 1]},
    }
    assert pass_rates.SUITE_LEVEL == 0.001
    assert pytest.approx(0.001 / 18, rel=1e-12) == pass_rates.LEVEL
    assert pass_rates.TESTED_SEEDS == 400


def test_the_baseline_is_tensorflows_whatever_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX is held against the same cells; they are read from the file of the network and the initialiser."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    glorot, cured = pass_rates.baseline("two_neuron"), pass_rates.baseline("two_neuron", "sign-aware")
    state = json.loads((ROOT / "benchmarks/baseline/two_neuron-sign-aware.json").read_text())

    assert [*glorot] == [*cured] == [(size, rate) for size in (1, 9, 111) for rate in (0.001, 0.01, 0.1)]
    assert [cell.passes for cell in cured.values()] == [cell["passes"] for cell in state["cells"]]
    assert glorot != cured


def test_a_baseline_of_another_grid_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose seeds are others is not taken for the baseline."""
    text = (ROOT / "benchmarks/baseline/one_neuron-glorot.json").read_text()
    (tmp_path / "one_neuron-glorot.json").write_text(text.replace('"seeds": 10000, "first', '"seeds": 9999, "first'))
    monkeypatch.setattr(pass_rates, "FOLDER", tmp_path)

    with pytest.raises(ValueError, match="another grid: seeds 9999, not 10000"):
        pass_rates.baseline("one_neuron")


def test_the_command_trains_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It makes the folder, trains each grid into its own file, and prints the table of these; again it trains none."""
    asked = plant(monkeypatch)
    cells = {name: replace(grid, batch_sizes=(2, 3), seeds=4) for name, grid in pass_rates.GRIDS.items()}
    for module in (pass_rates, study):  # what trains, and what reads
        monkeypatch.setattr(module, "FOLDER", tmp_path / "new")
        monkeypatch.setattr(module, "GRIDS", {name: replace(grid, first_seed=2) for name, grid in cells.items()})
    study.main()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines() if "|" in line
    ]

    assert sorted(os.listdir(tmp_path / "new")) == [f"{name}.json" for name in sorted(pass_rates.GRIDS)]
    assert rows[0] == [
        *("network", "batch size", "learning rate", "glorot", "of these: began positive", "began negative"),
        "sign-aware",
    ]
    half, quarter = "50.0 (15.0–85.0)", "25.0 (4.6–69.9)"
    assert [row[:4] for row in rows[2:]] == [
        [network, size, rate, share]
        for network in ("two_neuron", "one_neuron")
        for size, share in (("2", half), ("3", quarter))
        for rate in ("0.001", "0.01", "0.1")
    ]
    positive = GRID_SPEC.initial_weights(np.arange(2, 6))[:, 2] > 0
    for row, passed in ((rows[2], [True, False, True, False]), (rows[5], [False, True, False, False])):
        split = [(np.array(passed)[began].sum(), began.sum()) for began in (positive, ~positive)]
        assert row[4:6] == [pass_rates.rate_with_interval(*map(int, counts)) for counts in split]
        assert row[6] == row[3]
    assert {cell for row in rows[8:] for cell in row[4:]} == {""}
    assert len([given for given in asked if given[0] == "train"]) == 3 * 2
    study.main()
    assert len([given for given in asked if given[0] == "train"]) == 3 * 2


def test_a_share_in_words() -> None:
    """In per cent with a digit, and Wilson's 95 % interval: of 3 in 8, 13.7 to 69.4 by its formula."""
    assert pass_rates.rate_with_interval(3, 8) == "37.5 (13.7–69.4)"
    assert pass_rates.rate_with_interval(0, 400) == "0.0 (0.0–1.0)"
    assert pass_rates.rate_with_interval(400, 400) == "100.0 (99.0–100.0)"


def test_the_commit_is_that_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a first seed it is git's answer in the suite's folder, wherever the suite is started from."""
    head = git(ROOT, "rev-parse", "HEAD") if (ROOT / ".git").exists() else ""
    monkeypatch.chdir("/")

    assert pass_rates.fresh_seeds()[0] == 10_000 + 400 * int(head[:8] or "0", 16)
    assert pass_rates.fresh_seeds(0).tolist() == [*range(400)]


def test_fresh_seeds_are_the_commits_or_those_asked_for() -> None:
    """400 that follow each other, never the baseline's; the same for the same commit."""
    seeds = pass_rates.fresh_seeds()

    np.testing.assert_array_equal(seeds, pass_rates.fresh_seeds())
    np.testing.assert_array_equal(np.diff(seeds), 1)
    assert len(seeds) == 400
    assert seeds[0] >= BASELINE_SEEDS
    assert pass_rates.fresh_seeds(20_000)[0] == 20_000


@pytest.mark.parametrize(("commit", "first"), [("", 10_000), ("00000002ab\n", 10_800), ("ffffffff00\n", 1717986928000)])
def test_another_commit_has_other_seeds(commit: str, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of its own; without a commit, or without git, those after the baseline's."""
    answer = subprocess.CompletedProcess([], 0, stdout=commit)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert pass_rates.fresh_seeds()[0] == first

    monkeypatch.setenv("PATH", "")
    assert pass_rates.fresh_seeds()[0] == 10_000


@pytest.mark.end_to_end
def test_a_failure_says_how_to_run_it_again(tmp_path: Path) -> None:
    """With members that never pass, the test names the cells, and a command that takes the same seeds."""
    (tmp_path / "plant_failing.py").write_text(PLANT)
    test = "benchmarks/test_coefficients.py::test_pass_rates_are_the_baselines[cpu-one_neuron-111]"
    options = ["-p", "no:cacheprovider", "-p", "plant_failing", "--seeds", "123456", test]
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "pytest", *options]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "batch size 111, learning rate 0.01: " in answer.stdout
    assert f"again: pytest '{test}' --seeds 123456 --device cpu" in answer.stdout
