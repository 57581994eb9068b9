"""Many records that are made of one committed record, and the report on them that is timed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.studies import many_records
from benchmarks.studies.documents.measured import record_paths


def test_records_are_an_hour_apart_and_step_up_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is the last committed record without its rounds, at a commit of its own; from half on 10 % slower."""
    monkeypatch.setattr(many_records, "NOISE", 0.0)
    many_records.write(tmp_path, 27)
    origin = json.loads(record_paths()[-1].read_text())
    made = [json.loads(path.read_text()) for path in sorted(tmp_path.iterdir())]
    usual = [one["stats"]["median"] for one in origin["benchmarks"]]

    assert [path.name for path in sorted(tmp_path.iterdir())] == [f"{commit:06}.json" for commit in range(27)]
    assert [one["commit_info"]["id"] for one in made][::13] == ["0" * 40, "0" * 39 + "d", "0" * 38 + "1a"]
    assert [one["commit_info"]["time"] for one in made][::13] == [
        f"2020-01-{day}:00:00+00:00" for day in ("01T00", "01T13", "02T02")
    ]
    assert [one["datetime"] for one in made] == [one["commit_info"]["time"] for one in made]
    for commit, one in enumerate(made):
        level = 1.1 if commit >= 13 else 1.0
        stats = [benchmark["stats"] for benchmark in one["benchmarks"]]
        for name, share in (("median", 1.0), ("q1", 0.99), ("q3", 1.01)):
            np.testing.assert_allclose([each[name] for each in stats], [share * level * each for each in usual])
        assert not any("data" in each for each in stats)
        assert one["machine_info"] == origin["machine_info"]
        assert one["parabola"] == origin["parabola"]


def test_times_wander_by_three_per_cent(tmp_path: Path) -> None:
    """Each case by itself, in its logarithm."""
    many_records.write(tmp_path, 20)
    made = [json.loads(path.read_text())["benchmarks"] for path in sorted(tmp_path.iterdir())]
    logs = np.log([[one["stats"]["median"] for one in benchmarks] for benchmarks in made[:10]])
    logs -= np.log([one["stats"]["median"] for one in json.loads(record_paths()[-1].read_text())["benchmarks"]])

    assert logs.std() == pytest.approx(0.03, rel=0.1)
    assert logs.mean() == pytest.approx(0, abs=0.006)
    assert np.abs(np.corrcoef(logs.T) - np.eye(logs.shape[1])).mean() < 0.4


def test_the_report_alone_is_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Its page, Markdown and terminal, in a folder that has all records and is gone afterwards."""
    clock, asked = [1.0], list[tuple[list[str], list[str], dict[str, Any]]]()

    def write(folder: Path, number: int) -> None:
        clock[0] += 100
        (folder / f"{number}.json").write_text("")

    def run(command: list[str], **of: Any) -> None:
        clock[0] += 2.34
        asked.append((command, [path.name for path in Path(command[4]).iterdir()], of))

    monkeypatch.setattr(many_records, "write", write)
    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    many_records.main(number=1234)
    ((command, names, of),) = asked

    assert capsys.readouterr().out == "1,234 records: page, Markdown and terminal in 2.3 s\n"
    assert command[1:4] == ["-m", "parabola", "report"]
    assert command[5:] == ["--html", "report.html", "--markdown", "report.md"]
    assert (names, of["check"], Path(of["cwd"]) / "records") == (["1234.json"], True, Path(command[4]))
    assert not Path(of["cwd"]).exists()
