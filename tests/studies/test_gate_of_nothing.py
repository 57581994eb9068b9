"""Growing histories without any change, and the gate that is asked after each commit."""

from typing import Any

import numpy as np
import pytest

from benchmarks.studies.gate_of_nothing import __main__ as gate_of_nothing
from benchmarks.studies.gate_of_nothing.__main__ import alarms, is_red
from benchmarks.studies.reports_of_nothing import KINDS


@pytest.mark.parametrize(("since", "factor", "red"), [(70, 1.2, True), (70, 1 / 1.2, False), (40, 1.2, False)])
def test_the_gate_is_red_where_the_newest_commits_are_slower(since: int, factor: float, red: bool) -> None:
    """Not where they are faster, nor where the step is older than the newest 20 commits."""
    logs = np.random.default_rng(1).normal(0, 0.01, (4, 80))
    logs[1, since:] += np.log(factor)

    assert is_red(logs) == red
    assert not is_red(logs[:, :40])


def test_shares_are_of_gates_and_of_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two histories have three gates each, at 10 to 12 commits; of one the second and the third are red."""
    seen, answers = list[Any](), [False, True, True, False, False, False]

    def judge(logs: Any) -> bool:
        seen.append(logs)
        return answers[len(seen) - 1]

    monkeypatch.setattr(gate_of_nothing, "is_red", judge)

    assert alarms("neighbours do not correlate", 2, 12) == (2 / 6, 1 / 2, 1 / 2)
    assert [logs.shape for logs in seen] == [(35, length) for length in (10, 11, 12)] * 2
    assert (seen[0] == seen[2][:, :10]).all()
    assert (seen[0] != seen[3]).all()


def test_the_table_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a kind of noise."""
    monkeypatch.setattr(gate_of_nothing, "alarms", lambda kind, histories, commits: (0.001, commits / 1000, 0.5))
    gate_of_nothing.main(histories=3, commits=50)
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 2 + len(KINDS)
    assert "of gates at 50 commits | of histories, once or more in 50 commits" in lines[0]
    assert lines[2] == "| neighbours do not correlate | 0.1 % | 5.0 % | 50.0 % |"
