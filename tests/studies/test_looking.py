"""The study of looking after every launch: its simulation is the referee's, its counts are right, and it goes on."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.studies import looking
from benchmarks.studies.looking import BOUND, TRUTHS, at_most, draw, row, simulate
from tests.studies import one_by_one


@pytest.fixture(name="short")
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have comparisons end after 60 launches at most."""
    monkeypatch.setattr(looking, "BUDGETS", (10, 20, 60))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("truth", [truth for truth in TRUTHS if "12" in truth])
def test_errors_are_rare_however_often_one_looks(truth: str) -> None:
    """Of 60 comparisons of each kind and noise, looked at up to 60 times, at most one ends with a wrong verdict."""
    centres = BOUND * np.array(TRUTHS[truth])
    for noise in looking.NOISES:
        decided_after, verdicts, covered = simulate(centres, noise, 0.05, 60, np.random.default_rng(1))
        wrong = np.where(verdicts == 1, centres >= BOUND, (verdicts == 2) & (centres <= 0) | (verdicts == 3))

        assert wrong.any(axis=1).sum() <= 1
        assert covered.mean() >= 0.99
        assert np.mean(decided_after > 0) > 0.3


@pytest.mark.usefixtures("short")
def test_a_dozen_cases_take_few_launches() -> None:
    """At a spread of 2 % eleven launches a case, and 17 with a tenth of bad ones; the last is decided after 24."""
    centres = np.zeros(12)
    usual, bad = (
        simulate(centres, noise, 0.02, 100, np.random.default_rng(2))[0] for noise in ("normal", "a tenth bad")
    )

    assert min(usual.min(), bad.min()) >= 9
    assert (usual.mean() < 11, bad.mean() < 17.5) == (True, True)
    assert (usual.max(axis=1).mean() < 12.5, bad.max(axis=1).mean() < 25) == (True, True)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("spread", [0.02, 0.1])
@pytest.mark.parametrize("truth", ["12 cases, one slower by exactly the minimum effect", "1 case, nothing changed"])
def test_the_simulation_is_the_referees(truth: str, spread: float) -> None:
    """From the same launches of one comparison the same verdicts come, after as many launches, and intervals."""
    centres = BOUND * np.array(TRUTHS[truth])
    for seed in range(3):
        at_once = simulate(centres, "a tenth bad", spread, 1, np.random.default_rng(seed))
        asked = one_by_one.simulate(centres, "a tenth bad", spread, 1, np.random.default_rng(seed))

        assert [known.tolist() for known in at_once] == [known.tolist() for known in asked]
        assert at_once[0].max() > 0 or spread == 0.1


@pytest.mark.parametrize(
    ("noise", "spread"), [("normal", 2.0), ("a tenth bad", 2 * math.sqrt(1 + 0.1 * 100)), ("two modes", 2)]
)
def test_the_noise_of_launches(noise: str, spread: float) -> None:
    """Its spread is what it is called, or with a tenth of bad ones that of the mixture; either side is struck alike."""
    values = draw(np.random.default_rng(3), 50_000, noise, 2.0)

    assert np.std(values) == pytest.approx(spread, rel=0.03)
    assert np.mean(values > 0) == pytest.approx(0.5, abs=0.01)
    assert (set(np.abs(values)) == {2.0}) == (noise == "two modes")
    assert np.mean(np.abs(values) > 8) == pytest.approx(0.1 * 0.689 if noise == "a tenth bad" else 0, abs=0.003)


def test_counts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Same is wrong at the minimum effect, slower at 0 and below, faster at 0 and above; and by when it was said."""
    monkeypatch.setattr(looking, "BUDGETS", (10, 20, 60))
    centres = np.array([0.0, BOUND, 0.01])
    launches = np.array([[9, 12, 0], [10, 20, 7], [15, 30, 60], [21, 9, 9]])
    verdicts = np.array([[1, 2, 0], [1, 1, 1], [2, 3, 3], [3, 2, 2]])
    covered = np.array([[True, True, True], [True, False, True], [False, True, True], [True] * 3])

    assert list(row(centres, (launches, verdicts, covered)).values()) == [
        "4",
        "0 / 2 / 3",  # the second by its launch 20, the third by 15, the fourth by 21
        "3 (≤ 95.44 %)",
        "2 (≤ 44.80 %)",
        "91.7 %",
        "21.8",  # (9 + 12 + 60 + 10 + 20 + 7 + 15 + 30 + 60 + 21 + 9 + 9) / 12
        "40.2",  # (60 + 20 + 60 + 21) / 4
    ]
    assert at_most(0, 3000) == "0 (≤ 0.13 %)"  # z² / (n + z²)


@pytest.mark.usefixtures("short")
def test_the_study_goes_on_and_prints_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row a cell, from files of which those that are there are not simulated again."""
    monkeypatch.setattr(looking, "TRUTHS", {"1 case, nothing changed": (0.0,)})
    asked: list[Any] = []

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[1:4])
        return simulate(*arguments)

    monkeypatch.setattr(looking, "simulate", counted)
    looking.main(tmp_path / "new", 20, [0.02, 0.01])
    first = capsys.readouterr().out
    looking.main(tmp_path / "new", 20, [0.02, 0.01])
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in first.splitlines()]

    assert capsys.readouterr().out == first
    assert asked == [(noise, spread, 20) for spread in (0.02, 0.01) for noise in looking.NOISES]
    assert rows[0][4] == "wrong by 10 / 30 / 100 / 300 / 1000 / 2000 launches"  # as it is without this test's budgets
    assert [cells[:4] for cells in rows[2:4]] == [
        ["1 case, nothing changed", "2 %", "normal", "20"],
        ["1 case, nothing changed", "2 %", "a tenth bad", "20"],
    ]
    assert rows[2][4:8] == ["0 / 0 / 0", "0 (≤ 16.11 %)", "0 (≤ 16.11 %)", "100.0 %"]
    kept = [json.loads(path.read_text()) for path in sorted((tmp_path / "new").iterdir())]
    assert sorted(cell["spread"] for cell in kept) == ["1 %"] * 3 + ["2 %"] * 3


def test_the_handbook_shows_every_kind_of_comparison() -> None:
    """Of 3,000 comparisons of each, the share of wrong ones is below 1 % for sure, and 99 % of intervals hold."""
    lines = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if re.match(r"\| 1.? cases?\b", line)]
    kinds = [
        (truth, f"{100 * spread:g} %", noise)
        for spread in looking.SPREADS
        for truth in TRUTHS
        for noise in looking.NOISES
    ]

    assert [tuple(cell[:3]) for cell in cells] == kinds
    assert {cell[3] for cell in cells} == {"3,000"}
    for truth, _, _, _, _, wrong, missed, *_ in cells:
        assert float(re.findall(r"≤ ([\d.]+) %", wrong)[0]) < 1
        assert int(missed.split()[0].replace(",", "")) <= 0.01 * 3000 * len(TRUTHS[truth])
