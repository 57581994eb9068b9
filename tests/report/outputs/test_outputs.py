"""What a report says to other programs, by value: tidy rows, other trackers' formats, and the gate."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.records import reading
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.together import Levels
from parabola.records.record import Record
from parabola.report.outputs import gate, tidy, trackers
from parabola.report.outputs.tracker import Tracker
from tests import made_records
from tests.made_measurements import measurement, record

CODECS = Path(__file__).parents[2] / "records/foreign/codecs_5.1.0.json"
WORDS = "epoch time: compiled, cpu, batch 9, learning rate 0.001"


def history(*seconds: float, **changed: Any) -> list[Record]:
    """Return a record a commit, of one case with such medians."""
    found = []
    for commit, median in enumerate(seconds):
        made = made_records.committed(commit)
        times: dict[str, Any] = {"median": median, "low_quartile": median, "high_quartile": median}
        values = {key: value[commit] for key, value in changed.items() if key in ("settled_seeds", "seeds")}
        machine = changed.get("machine", [{}] * len(seconds))[commit]
        one = measurement(**times, **values)
        found.append(record(one, machine=machine, commit=made_records.commit_id(commit), committed=made, measured=made))
    return found


def short(commit: int) -> str:
    return made_records.commit_id(commit)[:9]


def test_a_row_has_all_that_is_known_of_a_measurement() -> None:
    """Flat, with the parameters of another suite's case; what is not known is None."""
    (own,) = tidy.rows([record(measurement())])
    *_, foreign = tidy.rows([reading.read(CODECS)])

    assert (own["words"], own["median"], own["q1"], own["q3"], own["rounds"]) == (WORDS, 4.5e-6, 4.4e-6, 4.7e-6, 11)
    assert (own["engine"], own["batch_size"], own["verdict"], own["seeds"]) == ("compiled", 9, "pass", None)
    assert (own["cpu_model"], own["committed"], own["disturbed"]) == (
        *(made_records.MACHINE["cpu_model"], "2026-03-04T05:06:00+00:00", False),
    )
    assert {type(value) for value in own.values()} <= {str, int, float, bool, type(None)}
    first = next(tidy.rows([reading.read(CODECS)]))
    assert (first["param:items"], first["param:codec"], first["engine"]) == (10, "json", None)
    assert foreign["project"] == "codecs"


def test_the_custom_form_has_medians_in_the_unit_of_the_group() -> None:
    """Name, unit, value, range and extra: what github-action-benchmark takes for smaller-is-better."""
    assert trackers.for_tracker([record(measurement())], Tracker.CUSTOM_SMALLER_IS_BETTER) == [
        {
            "name": WORDS,
            "unit": "seconds per epoch",
            "value": 4.5e-6,
            "range": "± 1.5e-07",
            "extra": "median of 11 rounds; range: half the distance of the quartiles",
        }
    ]


def test_benchers_form_has_nanoseconds_between_quartiles() -> None:
    """A measure `latency`, whose limits are the quartiles."""
    found = trackers.for_tracker([record(measurement())], Tracker.BMF)

    assert found == {WORDS: {"latency": pytest.approx({"value": 4500.0, "lower_value": 4400.0, "upper_value": 4700.0})}}


def test_names_of_two_machines_have_the_machine() -> None:
    """A name that was given, or else the processor; of one machine the newest commit alone is there."""
    records = [record(measurement(), machine={"cpu_model": cpu}, name=name) for cpu, name in (("A", ""), ("B", "b"))]
    found = trackers.for_tracker([*records, *history(1.0)], Tracker.BMF)

    machines = "A", "b", made_records.MACHINE["cpu_model"]
    assert set(found) == {f"{WORDS}, on {machine}" for machine in machines}


def planted(monkeypatch: pytest.MonkeyPatch, *changes: LevelChange) -> None:
    monkeypatch.setattr(
        "parabola.records.history.find_levels", lambda series, *_: Levels((tuple(changes),) * len(series))
    )


@pytest.mark.parametrize(("commits", "suspected"), [(25, True), (26, False)])
def test_a_slower_level_is_suspected_while_it_is_new(
    commits: int, suspected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have begun in the newest 20 commits, and the command that confirms it has the ends of its range."""
    planted(monkeypatch, LevelChange(at=4, first=3, last=5, ratio=1.125, low=1.1, high=1.2))
    said = [f"slower by +12.5 %: {WORDS}. Confirm: parabola compare {short(2)} {short(5)}"]

    assert gate.suspicions(history(*[1.0] * commits)) == (said if suspected else [])


def test_a_level_that_is_faster_or_over_is_not_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has become faster is welcome, and a slower level that a faster one followed is mended."""
    slower, faster = (LevelChange(at, at, at, ratio, 0.5, 2.0) for at, ratio in ((3, 1.5), (6, 0.7)))
    planted(monkeypatch, faster)
    assert gate.suspicions(history(*[1.0] * 12)) == []
    planted(monkeypatch, slower, faster)
    assert gate.suspicions(history(*[1.0] * 12)) == []


def test_an_update_in_the_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison of the commits does not tell its part. What came before the range, or after it, has none."""
    planted(monkeypatch, LevelChange(at=4, first=4, last=4, ratio=1.5, low=1.4, high=1.6))
    machine = [{"keras": "2"}] * 3 + [{"keras": "3"}] + [{"keras": "4"}] + [{"keras": "5"}] * 5
    (line,) = gate.suspicions(history(*[1.0] * 10, machine=machine))

    assert line.endswith(
        f". Confirm (or the update in this range: Keras 3 → 4): parabola compare {short(3)} {short(4)}"
    )


@pytest.mark.parametrize(
    ("newest", "suspected"),
    [(12, True), (18, False), (28, False), (40, False)],
)
def test_fewer_seeds_that_pass_are_suspected(newest: int, suspected: bool) -> None:
    """By Fisher's exact test at 1 %: 12 of 40 after 28 of 40 has p = 0.0007, 18 of 40 has p = 0.04."""
    settled = [28, 27, 39, 28, newest]
    said = [f"passes less, {newest / 40:.0%} ({newest} of 40) after 70 % (28 of 40): {WORDS}"]
    said = [line.replace("30%", "30 %") + f". Confirm: parabola compare {short(3)} {short(4)}" for line in said]

    assert gate.suspicions(history(*[1.0] * 5, settled_seeds=settled, seeds=[40] * 5)) == (said if suspected else [])


def test_the_command_exits_1_after_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is suspected is said last, after everything is written; without --check, or a suspicion, it exits 0."""
    monkeypatch.chdir(tmp_path)
    made = [made_records.record(commit=commit) for commit in range(6)]
    for content in made:
        for one in content["benchmarks"]:
            if "seeds" in one["extra_info"]:
                one["extra_info"] |= {"seeds": 40, "settled_seeds": 5 if content is made[-1] else 36}
    paths = [str(path) for path in made_records.write(tmp_path, *made)]
    bad = CliRunner().invoke(app, ["report", *paths, "--check", "--json", "rows.json"])
    good = CliRunner().invoke(app, ["report", *paths[:-1], "--check"])
    tracked = CliRunner().invoke(app, ["report", *paths, "--as", "bmf"])

    assert (bad.exit_code, good.exit_code, tracked.exit_code) == (1, 0, 0)
    assert "passes less, 13 % (5 of 40) after 90 % (36 of 40): " in bad.stderr
    assert len(json.loads(Path("rows.json").read_text())) == sum(len(content["benchmarks"]) for content in made)
    assert len(json.loads(tracked.stdout)) == len(made[0]["benchmarks"])
