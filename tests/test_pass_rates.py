"""The statistical half of the regression suite: what it can find, what it says, and which seeds it takes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import pass_rates
from benchmarks.cases import BASELINE_SEEDS
from benchmarks.pinned_seeds import TARGETS
from parabola.tracking import statistics
from parabola.tracking.maps import Cell

CELLS = [(network, cell) for network in TARGETS for cell in pass_rates.baseline(network).values()]
ROOT = Path(__file__).parents[1]
PLANT = """
import numpy as np
from parabola import learning_map
from parabola.ensemble import Members
class Failing:
    def __init__(self, experiment, members, workers):
        self.experiment = experiment
    def train(self, seeds, rates, progress):
        n = len(seeds)
        arrays = np.zeros((n, 2)), np.zeros((n, 3)), np.ones(n), np.zeros(n, bool), *np.zeros((4, n))
        return Members(self.experiment, seeds, rates, *arrays)
learning_map.Ensemble = Failing
"""


def test_the_baseline_has_every_cell() -> None:
    """Both networks, all learning rates and batch sizes, 10,000 seeds each; the levels add up to one in 1,000."""
    assert len(CELLS) == 18
    assert {cell.seeds for _, cell in CELLS} == {BASELINE_SEEDS}
    assert pass_rates.LEVEL * len(CELLS) == pytest.approx(0.001)


@pytest.mark.parametrize(("network", "cell"), CELLS)
def test_a_change_of_15_points_in_any_cell_is_found(network: str, cell: Cell) -> None:
    """With 95 % probability, up or down, as far as that leaves a share; computed exactly for the committed counts."""
    held, share = (cell.passes, cell.seeds), cell.passes / cell.seeds
    changed = [other for other in (share - pass_rates.CHANGE, share + pass_rates.CHANGE) if 0 <= other <= 1]
    found = [
        statistics.rejection_probability(held, pass_rates.TESTED_SEEDS, other, pass_rates.LEVEL) for other in changed
    ]

    assert found
    assert min(found) >= pass_rates.POWER


def test_a_change_says_what_and_where() -> None:
    """Cell, both rates, p-value and level; no change says nothing."""
    was = pass_rates.baseline("two_neuron")[9, 0.001]
    same = replace(was, seeds=400, passes=round(400 * was.passes / was.seeds))
    other = replace(same, passes=same.passes - 100)

    assert pass_rates.find_changes("two_neuron", [same]) == []
    (change,) = pass_rates.find_changes("two_neuron", [same, other])
    assert str(change).startswith("batch size 9, learning rate 0.001: 38.2% of 400 seeds pass, 63.2% of 10000 in the")
    assert "level 5.6e-05" in str(change)


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
