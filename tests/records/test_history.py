"""Many records over commits: what is a line, in which order its points are, and what each point is made of."""

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from parabola.records.history import Commit, History, Line, histories
from parabola.records.passes import Passes
from parabola.records.record import Measurement, Record
from tests.made_measurements import of_values

KEYS = "coefficient_error", "verdict", "seeds", "settled_seeds"
MACHINE = (("cpu_model", "A"), ("cores", "3"))


def measurement(case: str = "b[x]", median: float = 1.0, **changed: Any) -> Measurement:
    """Return a measurement of a case, in whose fields no two numbers are alike."""
    values: dict[str, Any] = {"kind": "epoch time", "unit": "seconds per epoch", "engine": "native", "device": "cpu"}
    values |= {"batch_size": 9, "learning_rate": 0.01, "samples": 99, "members": None, "epochs": None, "rounds": 7}
    values |= {"low_quartile": median * 0.9, "high_quartile": median * 1.3} | dict.fromkeys(KEYS)
    return of_values(**{**values, "name": case, "median": median, **changed})


def record(commit: str, made: int | None, measured: int, *measurements: Measurement, **changed: Any) -> Record:
    """Return a record of a commit; when it was made and measured is told in hours, the first by an odd clock."""
    start, clock = datetime(2026, 1, 1, tzinfo=UTC), timezone(timedelta(hours=13 if made and made % 2 else -8))
    values: dict[str, Any] = {"path": f"{measured}.json", "name": "", "fingerprint": MACHINE, "dirty": False}
    values |= {"planned": 4, "over": 4, "failed": ()}
    return Record(
        **{
            **values,
            "commit": commit,
            "committed": None if made is None else (start + timedelta(hours=made)).astimezone(clock),
            "measured": start + timedelta(hours=measured),
            "measurements": measurements or (measurement(),),
            **changed,
        }
    )


def only(*records: Record) -> History:
    """Return the one history of these records."""
    (found,) = histories(records)
    return found


def test_commits_go_by_their_dates() -> None:
    """Neither their ids nor the order in which they were measured or named decide, and those of one moment go by id."""
    found = only(
        record("a", 30, 99, measurement(median=3.0)),
        record("c", 10, 97, measurement(median=1.0)),
        record("b2", 20, 96, measurement(median=2.5)),
        record("b1", 20, 98, measurement(median=2.0)),
    )
    (line,) = found.lines

    assert [commit.id for commit in found.commits] == ["c", "b1", "b2", "a"]
    assert [commit.made.timestamp() for commit in found.commits] == [1767225600 + 3600 * h for h in (10, 20, 20, 30)]
    assert line.at.tolist() == [0, 1, 2, 3]
    assert line.seconds.tolist() == [1.0, 2.0, 2.5, 3.0]
    assert line.measurement.times.median == 3.0


def test_records_come_newest_first_with_those_of_no_commit() -> None:
    """All that were measured on the machine are there, those left out are counted, and so are those cut short."""
    found = only(
        record("a", 3, 10, over=3),
        record("b", 2, 12),
        record("b", 2, 11, over=3),
        record("b", 2, 14, dirty=True, over=3),
        record("", None, 13, over=3),
    )

    assert [one.path for one in found.records] == ["14.json", "13.json", "12.json", "11.json", "10.json"]
    assert [commit.id for commit in found.commits] == ["b", "a"]
    assert (found.left_out, found.cut_short) == (2, 2)


def test_a_machine_without_a_commit_has_no_line() -> None:
    """Its records are left out, all of them."""
    found = only(record("", None, 2), record("a", 1, 1, dirty=True))

    assert (found.commits, found.lines, found.left_out, found.cut_short) == ((), (), 2, 0)
    assert len(found.records) == 2


def test_each_machine_and_each_name_has_its_own_history() -> None:
    """A history shares all facts and the name; what was measured last comes first."""
    other = (("cpu_model", "A"), ("cores", "4"))
    found = histories(
        [
            record("a", 1, 12),
            record("a", 1, 14, fingerprint=other),
            record("a", 1, 15, name="mine"),
            record("b", 2, 13),
            record("a", 1, 11, fingerprint=other, name="mine"),
        ]
    )

    assert [(one.records[0].name, one.records[0].fingerprint, len(one.records)) for one in found] == [
        ("mine", MACHINE, 1),
        ("", other, 1),
        ("", MACHINE, 2),
        ("mine", other, 1),
    ]


@pytest.mark.parametrize(("medians", "median"), [((7.0, 1.0, 2.0), 2.0), ((1.0, 8.0, 2.0, 3.0), 2.5), ((5.0,), 5.0)])
def test_a_point_is_the_median_of_the_commits_records(medians: tuple[float, ...], median: float) -> None:
    """Of an even number it lies halfway between the two in the middle."""
    found = only(*[record("a", 1, 9 + n, measurement(median=one)) for n, one in enumerate(medians)])

    assert found.lines[0].seconds.tolist() == [median]


def test_passes_and_the_case_are_those_of_the_newest_record() -> None:
    """Seeds that pass are counted once a commit, as measured last; the case is told by the newest commit's record."""
    counted = {"kind": "time to accuracy"}
    found = only(
        record("a", 3, 20, measurement(median=3.0, seeds=40, settled_seeds=31, **counted)),
        record("a", 3, 22, measurement(median=5.0, seeds=44, settled_seeds=33, **counted)),
        record("a", 3, 21, measurement(median=4.0, seeds=42, settled_seeds=32, **counted)),
        record("b", 2, 30, measurement(median=1.0, seeds=50, settled_seeds=5, **counted)),
        record("b", 2, 29, measurement(median=2.0, seeds=60, settled_seeds=6, **counted)),
    )
    (line,) = found.lines

    assert line.passes is not None
    assert line.passes.settled.tolist() == [5, 33]
    assert line.passes.seeds.tolist() == [50, 44]
    assert line.passes.rates == pytest.approx([0.1, 0.75])
    assert line.measurement.times.median == 5.0
    assert line.seconds.tolist() == [1.5, 4.0]


@pytest.mark.parametrize("without", [0, 1, 2])
def test_a_case_counts_passes_only_if_every_commit_does(without: int) -> None:
    """One commit without a count, wherever it is, and there is no line of pass rates."""
    counts: list[dict[str, Any]] = [{"seeds": 40 + n, "settled_seeds": n} for n in range(3)]
    every = [record(f"{9 - n}", n, n, measurement(**counts[n])) for n in range(3)]
    some = [record(f"{9 - n}", n, n, measurement(**({} if n == without else counts[n]))) for n in range(3)]
    passes = only(*every).lines[0].passes

    assert passes is not None
    assert passes.settled.tolist() == [0, 1, 2]
    assert only(*some).lines[0].passes is None


def test_a_line_has_the_commits_that_measured_it() -> None:
    """Lines go by the cases' names and then their epochs; rounds of another length make another line."""
    found = only(
        record("c", 1, 50, measurement("b[y]", 1.0), measurement("b[x]", 2.0, epochs=10)),
        record("b", 2, 49, measurement("b[x]", 3.0, epochs=1), measurement("b[x]", 4.0)),
        record("a", 3, 48, measurement("b[y]", 5.0), measurement("b[x]", 6.0, epochs=10), measurement("a[z]", 7.0)),
    )
    told = [(line.measurement.case.name, line.measurement.case.epochs, line.at.tolist()) for line in found.lines]

    assert told == [
        ("a[z]", None, [2]),
        ("b[x]", None, [1]),
        ("b[x]", 1, [1]),
        ("b[x]", 10, [0, 2]),
        ("b[y]", None, [0, 2]),
    ]
    assert [line.seconds.tolist() for line in found.lines] == [[7.0], [4.0], [3.0], [2.0, 6.0], [1.0, 5.0]]


def test_a_line_has_one_unit() -> None:
    """It is that of the newest record: where the unit of a case changes, something else is measured from there on."""
    newer, older = {"unit": "seconds to arrive", "seeds": 40}, {"unit": "seconds per run", "seeds": 40}
    found = only(
        record("a", 1, 40, measurement("b[x]", 9.0, **older, settled_seeds=7), measurement("b[y]", 1.0)),
        record("b", 2, 41, measurement("b[x]", 8.0, **older, settled_seeds=6), measurement("b[y]", 2.0)),
        record("b", 2, 42, measurement("b[x]", 3.0, **newer, settled_seeds=5), measurement("b[y]", 4.0)),
        record("c", 3, 43, measurement("b[x]", 5.0, **newer, settled_seeds=4), measurement("b[y]", 6.0)),
    )
    lines = {line.measurement.case.name: line for line in found.lines}

    assert {name: line.at.tolist() for name, line in lines.items()} == {"b[x]": [1, 2], "b[y]": [0, 1, 2]}
    assert lines["b[x]"].seconds.tolist() == [3.0, 5.0]
    assert lines["b[x]"].measurement.unit == "seconds to arrive"
    passes = lines["b[x]"].passes
    assert passes is not None
    assert passes.settled.tolist() == [5, 4]


@pytest.mark.parametrize("kind", [Commit, Passes, Line, History])
def test_what_was_found_cannot_be_changed(kind: type[Any]) -> None:
    """Report, page and pictures see the same history."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(object.__new__(kind), dataclasses.fields(kind)[0].name, None)


def test_changes_are_of_the_lines_own_points() -> None:
    """Of a case that every other commit measures the change is at its sixth point, whatever the others do."""
    every = [
        record(
            f"{90 - n}", n, 80 - n, measurement("b[all]"), *([measurement("b[some]", 2.0 + (n > 10))] * (n % 2 == 0))
        )
        for n in range(24)
    ]
    steady, stepped = only(*every).lines
    (change,) = stepped.changes

    assert steady.changes == ()
    assert (change.first, change.at, change.last) == (6, 6, 6)
    assert stepped.at[change.at] == 12
    np.testing.assert_allclose([change.low, change.ratio, change.high], 1.5)
