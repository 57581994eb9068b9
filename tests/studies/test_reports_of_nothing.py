"""Made-up reports without any change, and with a step: what they are made of, and how they are counted."""

from typing import Any

import numpy as np
import pytest

from benchmarks.studies import reports_of_nothing
from benchmarks.studies.reports_of_nothing import found, judged, made, shares


def test_noise_has_its_scale_and_correlation() -> None:
    """Of each case alone; 5 % of the values are outliers of +10 to +100 %."""
    logs = made(np.random.default_rng(1), 40, 2000, {"noise": 0.03, "correlation": 0.7})
    quiet = np.where(logs > 0.1, np.nan, logs)
    products = (quiet[:, 1:] * quiet[:, :-1])[np.isfinite(quiet[:, 1:] * quiet[:, :-1])]

    assert logs.shape == (40, 2000)
    assert np.nanstd(quiet) == pytest.approx(0.03, rel=0.03)
    assert products.mean() / np.nanvar(quiet) == pytest.approx(0.7, abs=0.03)
    assert np.mean(logs > 0.1) == pytest.approx(0.05, abs=0.005)
    assert 0.6 < logs.max() < np.log(2) + 5 * 0.03


def test_cases_share_what_is_the_machines() -> None:
    """From half to one and a half times as strongly, be it noise or one of two states that last as long as they say."""
    shared = made(np.random.default_rng(2), 5, 2000, {"noise": 0.0, "shared": 0.01})
    states = made(np.random.default_rng(3), 5, 20_000, {"noise": 0.0, "lasts": 20})
    slopes = [np.polyfit(shared[0][ok], row[ok], 1)[0] for row in shared for ok in [(shared[0] < 0.09) & (row < 0.09)]]
    high = states[0] > 0.02
    kept = high[(states[0] < 0.13)]

    assert all(1 / 3 <= slope <= 3 for slope in slopes)
    assert len(np.unique(np.round(slopes, 6))) > 1
    assert high.mean() == pytest.approx(0.5, abs=0.1)
    assert np.mean(kept[1:] != kept[:-1]) == pytest.approx(1 / 20, rel=0.3)


def test_what_a_report_says_of_cases_and_of_the_machine() -> None:
    """A step of one case, of all, and none."""
    quiet = np.random.default_rng(4).normal(0, 0.01, (5, 40))
    alone, together = quiet.copy(), quiet.copy()
    alone[2, 20:] += 0.2
    together[:, 20:] += 0.2

    assert [judged(logs) for logs in (quiet, alone, together)] == [(False, False), (True, False), (False, True)]


def test_shares_are_of_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of eight say that a case changed and one that the machine did; in two of four a step is found alone."""
    answers = [(True, False), (True, True), (True, False), *[(False, False)] * 5]
    left = list(answers)
    assert shares("neighbours do not correlate", 2, 10, 8, lambda _: left.pop(0)) == (3 / 8, 1 / 8)

    seen = list[Any]()
    said = [(True, False), (True, True), (False, True), (True, False)] * 2

    def judge(logs: Any) -> tuple[bool, bool]:
        seen.append(logs)
        return said[len(seen) - 1]

    monkeypatch.setattr(reports_of_nothing, "judged", judge)
    assert found(9.0, 3, 10, 4, 1) == 2 / 4
    assert found(9.0, 3, 10, 4, 3) == 1 / 4
    assert [(logs > 1.5).sum() for logs in seen] == [5] * 4 + [15] * 4


def test_both_tables_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a kind of noise, and a row for each number of commits of each kind of step."""
    monkeypatch.setattr(reports_of_nothing, "shares", lambda kind, cases, commits, reports: (commits / reports, 0.5))
    monkeypatch.setattr(reports_of_nothing, "found", lambda step, cases, commits, reports, changed: step * changed / 50)
    reports_of_nothing.main(reports=1000)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 2 + len(reports_of_nothing.KINDS) + 1 + 2 + 21 + 1
    assert lines[2] == "| neighbours do not correlate | 2.0 % | 50.0 % | 10.0 % | 50.0 % |"
    assert lines[-2] == "| all 35 | 100 | 4 % | 7 % | 14 % | 35 % |"
