"""What a round costs once, and what is said of rounds that are mostly that."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import fixed_cost
from benchmarks.harness.cases import TimedCase
from benchmarks.harness.fixed_cost import FIXED_COSTS, lines, short_run_seconds, tell_fixed_cost
from parabola.training.experiment import Experiment
from tests.conftest import users_environment
from tests.scripted_conductor import Clock

ROOT = Path(__file__).parents[2]


def case_of(epochs: int) -> TimedCase:
    return TimedCase(Experiment(engine="compiled", batch_size=999, epochs=epochs), 10)


@pytest.mark.parametrize(
    ("fixed", "epoch", "epochs", "share", "written", "enough"),
    [
        (1.1e-3, 2.3e-6, 100, "83 %", "1.1 ms", 9100),  # 19 · 1100 / 2.3 = 9086.96
        (0.021, 0.01, 10, "17 %", "21 ms", 40),  # 19 · 2.1 = 39.9
        (0.02, 0.0999, 2, "9 %", "20 ms", 4),  # 19 · 0.2002 = 3.804
        (0.5, 0.0951, 99, "5 %", "500 ms", 100),  # 19 · 5.2576 = 99.894, and 0.5 of 9.9149 is 5.04 %
    ],
)
def test_a_large_fixed_cost_is_told(
    fixed: float, epoch: float, epochs: int, share: str, written: str, enough: int
) -> None:
    """With its share of a round, and with how many epochs it would be little, to two digits and no fewer."""
    told = lines(case_of(epochs), fixed + epochs * epoch, fixed + epoch)

    assert told == [
        f"compiled-cpu-batch_999-learning_rate_0.001: {share} of a round of {epochs} epochs is a cost that every round "
        f"has once ({written}); below 5 % with --epochs {enough}"
    ]
    assert fixed / (fixed + enough * epoch) <= 0.05
    assert lines(case_of(enough), fixed + enough * epoch, fixed + epoch) == []


@pytest.mark.parametrize(("round_seconds", "short_seconds"), [(1.0, 0.1), (1.0, 0.05), (1.0, 1.0), (1.0, 2.0)])
def test_nothing_is_said_of_what_is_little_or_not_known(round_seconds: float, short_seconds: float) -> None:
    """As where ten epochs take ten times as long as one, or noise has made one as long as ten."""
    assert lines(case_of(10), round_seconds, short_seconds) == []


@pytest.mark.parametrize(
    ("seconds", "runs", "smallest"),
    [([0.002] * 9 + [0.001], 10, 0.001), ([0.5], 1, 0.5), ([0.03, 0.08], 2, 0.03), ([0.04, 0.01, 0.05], 3, 0.01)],
)
def test_runs_of_one_epoch(seconds: list[float], runs: int, smallest: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten, or as many as fill a tenth of a second, each from fresh weights, which are outside the clock."""
    clock, happened, left = Clock(), list[Any](), list(seconds)
    monkeypatch.setattr(fixed_cost, "time", clock)

    def reset() -> Any:
        clock.now += 7.0
        happened.append("reset")
        return np.arange(3)

    def run(rows: Any) -> None:
        clock.now += left.pop(0)
        happened.append(rows.tolist())

    engine: Any = SimpleNamespace(reset=reset, run=run)

    assert short_run_seconds(engine) == pytest.approx(smallest)
    assert happened == ["reset", [0]] * runs


@pytest.mark.parametrize(("epochs", "side", "told"), [(100, None, 1), (1, None, 0), (100, "head", 0)])
def test_where_short_runs_are_timed(epochs: int, side: str | None, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for rounds of one epoch, and not in a side of a comparison, where the other side would be timed with them."""
    monkeypatch.delenv("PARABOLA_SIDE", raising=False)
    if side:
        monkeypatch.setenv("PARABOLA_SIDE", side)
    config: Any = SimpleNamespace(stash={FIXED_COSTS: []})
    asked = list[Any]()

    def short_run_seconds(engine: Any) -> float:
        asked.append(engine)
        return 0.1

    monkeypatch.setattr(fixed_cost, "short_run_seconds", short_run_seconds)
    engine: Any = "engine"
    tell_fixed_cost(config, engine, case_of(epochs), 0.002)

    assert (len(config.stash[FIXED_COSTS]), asked) == (told, ["engine"] * told)


@pytest.mark.end_to_end
def test_the_suite_says_so_at_its_end() -> None:
    """Two epochs of native are mostly a call."""
    options = ("--benchmark-only", "--engine", "native", "--batch-size", "999", "-k", "epoch_time", "--rounds", "5")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "--epochs", "2"]
    answer = subprocess.run(
        command, cwd=ROOT, env=users_environment(), capture_output=True, text=True, timeout=120, check=False
    )

    assert answer.returncode == 0, answer.stdout
    assert "of a round of 2 epochs is a cost that every round has once" in answer.stdout
    assert "below 5 % with --epochs " in answer.stdout
