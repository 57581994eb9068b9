"""A report on another suite: now, history and one record against another, with what only ours have left out."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parabola.records import reading
from parabola.records.history import histories
from parabola.records.record import Record
from parabola.records.speedups import median_ratio_interval
from parabola.report import page, text
from parabola.report import sections as report_sections
from parabola.report.answer import Opening

FOLDER = Path(__file__).parents[1] / "records/foreign"


def foreign(suite: str, version: str = "5.1.0", **changed: Any) -> Record:
    """Return a record of another suite."""
    return replace(reading.read(FOLDER / f"{suite}_{version}.json"), **changed)


def test_groups_are_tables_and_parameters_columns() -> None:
    """Those without a group come last; figures are those of the file, and nothing is said of engines or verdicts."""
    now, *_ = report_sections.sections([foreign("codecs")])

    assert [(table.title, table.headings) for table in now.tables] == [
        ("Group decode: median seconds of a call", ("case", "items", "median", "quartiles", "rounds")),
        ("Group encode: median seconds of a call", ("case", "items", "codec", "median", "quartiles", "rounds")),
        ("Median seconds of a call", ("case", "median", "quartiles", "rounds")),
    ]
    assert now.tables[1].rows[1] == ("test_encode[10-pickle]", "10", "pickle", "1.66 µs", "1.65 µs – 1.69 µs", "7")
    assert now.lines == (
        "Commit 4e7dc2c74, measured 2026-11-26 11:22 UTC, 1 record.",
        "Machine: Intel(R) Xeon(R) Processor, 2 cores; Linux 6.8.0-45-generic; Python 3.11.7.",
    )
    assert (now.details, now.pictures) == ((), ())


def test_a_parameter_that_some_cases_lack_is_no_column() -> None:
    """An object or long text cannot stand in a column, so that of its parameter is left out; the names have the ids."""
    now, *_ = report_sections.sections([foreign("trees")])

    assert [table.headings for table in now.tables] == [("case", "median", "quartiles", "rounds")] * 2
    assert now.tables[0].title == "Group epoch time: seconds per epoch: median seconds of a call"
    assert [len(table.items) for table in now.tables] == [1, 19]


def test_a_case_without_a_time_is_named() -> None:
    """It is left out of the tables, and its name says so."""
    now, *_ = report_sections.sections([foreign("odd", untimed=("test_odd.py::test_zero[a]",))])

    assert now.lines[-1] == "test_zero[a] is left out: its time is no positive number."


@pytest.mark.parametrize("suite", ["codecs", "trees", "odd"])
def test_one_record_is_held_against_another_case_by_case(suite: str) -> None:
    """Every case has its ratio and the interval of its rounds, whatever the versions and classes of the two."""
    old, new = foreign(suite, "3.4.1", name="a"), foreign(suite, "5.1.0", name="b")
    section = next(one for one in report_sections.sections([old, new]) if " against " in one.title)
    (table,) = section.tables

    assert (section.title, section.lines) == ("a against b", ())
    assert table.headings == ("case", "what", "first", "second", "speed-up", "95 % interval")
    assert len(table.rows) == len(old.measurements)
    first, second = old.measurements[0], new.measurements[0]
    ratio, low, high = median_ratio_interval(first.times, second.times)
    row = next(row for row in table.rows if row[0].endswith(first.case.name.rpartition("::")[2]))
    assert (row[1], row[4], row[5]) == ("a : b", f"{ratio:.3g} ×", f"{low:.3g} – {high:.3g}")


def test_a_step_over_commits_is_found() -> None:
    """A suite of another project has a history with changes of level, and a picture a group."""
    base = foreign("codecs", "4.0.0")
    assert base.committed
    records = list[Record]()
    for day in range(24):
        slower = 1.3 if day >= 12 else 1.0
        slower *= 1 + 0.004 * (day * 7 % 5)
        measurements = [
            msgspec.structs.replace(one, times=msgspec.structs.replace(one.times, median=slower * one.times.median))
            for one in base.measurements
        ]
        made = base.committed + timedelta(days=day)
        commit = f"{day:02}" * 20
        records.append(replace(base, measurements=tuple(measurements), commit=commit, committed=made))
    (history,) = histories(records)
    changes = [change for line in history.lines for change in line.changes]
    _, past, _ = report_sections.sections(records)

    assert [(change.first, change.at, change.last) for change in changes] == [(12, 12, 12)] * 10
    assert all(1.28 < change.ratio < 1.32 for change in changes)
    assert [picture.title for picture in past.pictures] == [
        "Time over commits",
        "Group decode over commits",
        "Group encode over commits",
    ]


@pytest.mark.parametrize("suite", ["codecs", "trees", "odd"])
def test_page_and_markdown_show_every_case(suite: str) -> None:
    """Odd names neither break a page nor a table."""
    record = foreign(suite)
    sections = report_sections.sections([record])
    html, markdown = page.page(sections, Opening("x", (), {})), text.markdown(sections)

    assert html.count("<td") > 3 * len(record.measurements)
    assert "<b>" not in html.partition("<main>")[2].partition("<script>")[0]
    assert json.dumps(markdown)
    assert markdown.count("\n| test") + markdown.count("\n| Test") == len(record.measurements)
