"""What a report says over commits: changes, levels and pass rates, each cell by value, of changes that are given."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parabola.display.tables import Table
from parabola.records import history
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.together import Event, Levels, Series
from parabola.records.record import Measurement, Record
from parabola.report import sections as report_sections
from parabola.report.charts import points
from parabola.report.parts import Section
from tests.made_measurements import measurement, record
from tests.made_tables import alignment

FIRST = datetime(2026, 2, 27, 22, 30, tzinfo=UTC)


def identity(place: int) -> str:
    """Return the id of the commit at a place of the history; the ids do not rise with the places."""
    return f"{place * 37 % 100:02}{place:02}abcde{'f' * 31}"


def short(place: int) -> str:
    return identity(place)[:9]


def at(place: int, *measurements: Measurement, **changed: Any) -> Record:
    """Return the record of the commit at a place of the history: made 7 hours after the one before, measured later."""
    made = FIRST + timedelta(hours=7 * place)
    measured = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=place * 29 % 31)
    values: dict[str, Any] = {"commit": identity(place), "committed": made, "measured": measured}
    return record(*measurements, **{**values, **changed})


def level(letter: str, seconds: float = 1e-6, **changed: Any) -> Measurement:
    """Return an epoch time of a case of such a name."""
    return measurement(letter, median=seconds, **changed)


def finds(monkeypatch: pytest.MonkeyPatch, planted: Mapping[float, Sequence[LevelChange]]) -> None:
    """Have the search for changes find those that are planted for a series, by its first value."""

    def find_levels(series: Sequence[Series], commits: int, family: int) -> Levels:
        return Levels(tuple(tuple(planted.get(float(one.seconds[0]), ())) for one in series))

    monkeypatch.setattr(history, "find_levels", find_levels)


def past(found: Sequence[Record]) -> Section:
    """Return the part on the past of a report on one machine."""
    (section,) = [section for section in report_sections.sections(found) if section.title.startswith("History")]
    return section


def table(section: Section, title: str) -> Table[Any]:
    (found,) = [one for one in (*section.tables, *section.details) if one.title == title]
    return found


TOGETHER = "Changes of level, newest first; the commits are those that may have brought it to all its cases"
ONE_BY_ONE = "Changes of level, case by case; it lies in this range of commits, with 95 % confidence"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([at(0, level("a"))], ["1 commit measured on this machine: a history takes two or more."]),
        (
            [at(0, level("a"), dirty=True)],
            [
                "0 commits measured on this machine: a history takes two or more.",
                "Left out: 1 record of no commit alone.",
            ],
        ),
        (
            [at(0, level("a")), at(0, level("a")), at(1, level("a"), dirty=True), at(2, level("a"), committed=None)],
            [
                "1 commit measured on this machine: a history takes two or more.",
                "Left out: 2 records of no commit alone.",
            ],
        ),
    ],
)
def test_fewer_than_two_commits_are_no_history(found: list[Record], says: list[str]) -> None:
    """The part has sentences alone."""
    section = past(found)

    assert list(section.lines) == says
    assert (section.tables, section.details, section.pictures) == ((), (), ())


def test_a_thousand_records_are_counted_with_a_comma() -> None:
    """As every number of records, commits, cases and changes is."""
    dirty = [at(0, level("a"), dirty=True)] * 1000

    assert past([at(0, level("a")), *dirty]).lines[1] == "Left out: 1,000 records of no commit alone."


def test_two_commits_are_a_history_that_says_what_is_in_it() -> None:
    """Days are those on which commits were made; records that were cut short or left out are counted."""
    found = [
        at(3, level("b"), planned=5, over=4),
        at(0, level("a"), level("c")),
        at(3, level("b")),
        at(9, level("z"), dirty=True, planned=5, over=1),
    ]
    section = past(found)

    assert section.title == "History"
    assert section.lines == (
        "2 commits from 2026-02-27 to 2026-02-28, 3 cases.",
        "Changes of level are looked for from 10 commits on.",
        "1 record of a session that was cut short.",
        "Left out: 1 record of no commit alone.",
    )
    assert section.tables == ()
    assert [one.title for one in section.details] == ["Epoch time by commit"]
    assert len(past([found[0], found[1], at(4, level("a"), planned=2)]).lines[2:]) == 1
    assert past(found[1:3]).lines[2:] == ()


@pytest.mark.parametrize(
    ("lengths", "planted", "says"),
    [
        ({"a": 9, "b": 2}, 0, "Changes of level are looked for from 10 commits on."),
        ({"a": 10, "b": 9}, 0, "No change of level found in 1 case with 10 commits or more; "),
        ({"a": 11, "b": 10}, 0, "No change of level found in 2 cases; "),
        ({"a": 10}, 1, "1 change of level found in 1 case; "),
        ({"a": 11, "b": 10, "c": 9}, 2, "2 changes of level found in 2 cases with 10 commits or more; "),
    ],
)
def test_how_many_changes_were_found_and_where_they_were_looked_for(
    lengths: dict[str, int], planted: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only cases with ten commits or more are searched, and the newest four commits of each cannot be judged yet."""
    finds(monkeypatch, {1e-6: [LevelChange(5, 5, 5, 1.5, 1.4, 1.6), LevelChange(7, 7, 7, 1.5, 1.4, 1.6)][:planted]})
    found = [
        at(place, *(level(letter, 1e-6 if letter == "a" else 2e-6) for letter in lengths if place < lengths[letter]))
        for place in range(max(lengths.values()))
    ]
    told = past(found).lines[1]

    if says.endswith("; "):
        says += "what the newest 4 commits of each bring cannot be told yet."
    assert told == says


def test_cases_that_change_within_the_same_commits_share_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are of one direction and one range; a commit less in common, or the same case again, makes another row.

    Of places from 0 on, case a slows down in 4 to 6, b in 6 to 7, c in 7 to 8, and a again in 6 to 8; d speeds up in 4
    to 6, e in 6 to 9 and f in 10 to 11.
    """
    finds(
        monkeypatch,
        {
            1e-6: [LevelChange(5, 4, 6, 1.10, 1.05, 1.15), LevelChange(7, 6, 8, 1.5, 1.4, 1.6)],
            2e-6: [LevelChange(6, 6, 7, 1.25, 1.2, 1.3)],
            3e-6: [LevelChange(7, 7, 8, 1.2, 1.1, 1.3)],
            4e-6: [LevelChange(4, 4, 6, 0.8, 0.7, 0.9)],
            5e-6: [LevelChange(7, 6, 9, 0.5, 0.4, 0.6)],
            6e-6: [LevelChange(10, 10, 11, 0.999, 0.9985, 0.9995)],
        },
    )
    cases = [level(*case) for case in zip("abcdef", (1e-6, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6), strict=True)]
    section = past([at(place, *cases) for place in range(12)])
    rows = [
        (f"{short(9)}..{short(11)}", "2026-03-03 03:30", "faster", "-0.1 %", "1 of 6: bench_epoch_time[f]"),
        (f"{short(6)}..{short(8)}", "2026-03-02 06:30", "slower", "+20.0 to +50.0 %", "2 of 6: {a}, {c}"),
        (f"{short(5)}..{short(6)}", "2026-03-01 16:30", "faster", "-50.0 to -20.0 %", "2 of 6: {d}, {e}"),
        (f"{short(5)}..{short(6)}", "2026-03-01 16:30", "slower", "+10.0 to +25.0 %", "2 of 6: {a}, {b}"),
    ]
    names = {letter: f"bench_epoch_time[{letter}]" for letter in "abcdef"}

    assert section.lines[1].startswith("7 changes of level found in 6 cases; ")
    assert section.tables[0].title == TOGETHER
    assert section.tables[0].headings == ("commits", "made", "verdict", "change", "case")
    assert alignment(section.tables[0]) == ["left", "left", "left", "right", "left"]
    assert section.tables[0].rows == tuple((*row[:4], row[4].format(**names)) for row in rows)


def test_the_newest_range_in_common_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cases of a row have in common counts, not where the widest of their ranges begins."""
    finds(
        monkeypatch,
        {
            1e-6: [LevelChange(8, 3, 9, 1.5, 1.4, 1.6)],
            2e-6: [LevelChange(8, 8, 9, 1.5, 1.4, 1.6)],
            3e-6: [LevelChange(5, 5, 6, 0.5, 0.4, 0.6)],
        },
    )
    cases = [level("a", 1e-6), level("b", 2e-6), level("c", 3e-6)]

    assert [row[0] for row in past([at(place, *cases) for place in range(12)]).tables[0].rows] == [
        f"{short(7)}..{short(9)}",
        f"{short(4)}..{short(6)}",
    ]


@pytest.mark.parametrize(
    ("changing", "others", "says"),
    [
        ("abcd", "e", "4 of 5: bench_epoch_time[a], bench_epoch_time[b], bench_epoch_time[c], …"),
        ("abc", "e", "3 of 4: bench_epoch_time[a], bench_epoch_time[b], bench_epoch_time[c]"),
        ("abcd", "", "all 4"),
        ("a", "", "all 1"),
    ],
)
def test_a_row_names_three_cases_at_most(
    changing: str, others: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts those that changed and all that there are."""
    finds(monkeypatch, {1e-6: [LevelChange(2, 2, 2, 1.5, 1.4, 1.6)]})
    cases = [level(letter, 1e-6 if letter in changing else 2e-6) for letter in changing + others]

    (row,) = past([at(place, *cases) for place in range(4)]).tables[0].rows
    assert row[4] == says


def test_a_case_that_some_commits_lack_changed_after_the_last_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges count the history's commits, not the points of the case; the other case ends the common range."""
    finds(
        monkeypatch,
        {1e-6: [LevelChange(2, 2, 3, 1.5, 1.4, 1.6)], 2e-6: [LevelChange(4, 4, 4, 1.5, 1.4, 1.6)]},
    )
    rare = [0, 1, 5, 8, 9]  # its second to third point are commits 2 to 8 of the history
    found = [at(place, level("b", 2e-6), *([level("a")] if place in rare else [])) for place in range(10)]
    section = past(found)

    assert [row[0] for row in section.tables[0].rows] == [f"{short(3)}..{short(4)}"]
    assert [(row[0], row[5]) for row in table(section, ONE_BY_ONE).rows] == [
        ("bench_epoch_time[a]", f"{short(1)}..{short(8)}"),
        ("bench_epoch_time[b]", f"{short(3)}..{short(4)}"),
    ]


def test_a_change_has_its_interval_and_the_medians_of_up_to_20_commits_to_either_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The times rise by a microsecond a commit, so that each median tells which commits it is of.

    Of 70 commits the level changes at places 25, 35 and 45: before lie 5 to 24, between 25 to 34 and 35 to 44, and
    after 45 to 64.
    """
    planted = [
        LevelChange(25, 24, 27, 1.25, 1.1249, 1.3751),
        LevelChange(35, 35, 35, 0.5, 0.41, 0.62),
        LevelChange(45, 43, 46, 2.0, 1.9, 2.1),
    ]
    finds(monkeypatch, {1e-6: planted})
    details = table(past([at(place, level("a", (1 + place) * 1e-6)) for place in range(70)]), ONE_BY_ONE)
    case = "bench_epoch_time[a]"

    assert details.headings == ("case", "change", "95 % interval", "before", "after", "commits")
    assert alignment(details) == ["left", "right", "right", "right", "right", "left"]
    assert details.rows == (
        (case, "+25.0 %", "+12.5 to +37.5 %", "15.5 µs", "30.5 µs", f"{short(23)}..{short(27)}"),
        (case, "-50.0 %", "-59.0 to -38.0 %", "30.5 µs", "40.5 µs", f"{short(34)}..{short(35)}"),
        (case, "+100.0 %", "+90.0 to +110.0 %", "40.5 µs", "55.5 µs", f"{short(42)}..{short(46)}"),
    )


def test_times_and_pass_rates_are_laid_out_by_commit() -> None:
    """A row a commit, a column a case of the kind, a dash where a commit lacks it; several records give the median."""
    seeds: dict[str, Any] = {
        "kind": "time to accuracy",
        "function": "bench_time_to_accuracy",
        "unit": "seconds per run",
    }
    found = [
        at(2, level("b", 3e-6), level("t", 1e-3, **seeds, seeds=8, settled_seeds=5)),
        at(0, level("a", 1e-6), level("b", 2e-6)),
        at(1, level("a", 4e-6), level("t", 2e-3, **seeds, seeds=7, settled_seeds=7)),
        at(1, level("a", 5e-6), measured=datetime(2026, 7, 1, tzinfo=UTC)),
        at(1, level("a", 9e-6), measured=datetime(2026, 5, 1, tzinfo=UTC)),
    ]
    section = past(found)
    made = ("2026-02-27 22:30", "2026-02-28 05:30", "2026-02-28 12:30")
    ids = [short(place) for place in range(3)]

    assert [one.title for one in section.details] == [
        "Epoch time by commit",
        "Time to accuracy by commit",
        "Pass rate by commit",
    ]
    assert [one.headings for one in section.details] == [
        ("commits", "made", "a", "b"),
        ("commits", "made", "t"),
        ("commits", "made", "t"),
    ]
    assert alignment(section.details[0]) == ["left", "left", "right", "right"]
    assert section.details[0].rows == (
        (ids[0], made[0], "1 µs", "2 µs"),
        (ids[1], made[1], "5 µs", "–"),
        (ids[2], made[2], "–", "3 µs"),
    )
    assert [row[2] for row in section.details[1].rows] == ["–", "2 ms", "1 ms"]
    assert [row[2] for row in section.details[2].rows] == ["–", "100 %", "63 %"]


def test_neighbours_share_a_row_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The row has the first and last of its commits, the date of the last, the median time and the lowest pass rate."""
    monkeypatch.setattr(points, "MOST_POINTS", 3)
    counts = [(1, 40), (30, 40), (36, 40), (37, 41), (12, 40), (40, 40), (13, 39)]
    found = [
        at(place, level("a", (place % 3 + 1) * 1e-6, seeds=seeds, settled_seeds=settled))
        for place, (settled, seeds) in enumerate(counts)
    ]
    times, rates = past([*found, at(7, level("b"))]).details

    assert times.rows == (
        (f"{short(0)} to {short(2)}", "2026-02-28 12:30", "2 µs", "–"),
        (f"{short(3)} to {short(5)}", "2026-03-01 09:30", "2 µs", "–"),
        (f"{short(6)} to {short(7)}", "2026-03-01 23:30", "1 µs", "1 µs"),
    )
    assert [row[2] for row in rates.rows] == ["3 %", "30 %", "33 %"]


def test_pass_rates_are_those_of_the_newest_commit_with_wilsons_interval() -> None:
    """A case that the newest commit lacks is told as not measured, one that counts no seeds is left out."""
    found = [
        at(1, level("a", seeds=40, settled_seeds=38), level("b", seeds=9, settled_seeds=1)),
        at(2, level("a", seeds=41, settled_seeds=36), level("c"), level("d", seeds=40, settled_seeds=40)),
        at(0, level("a", seeds=40, settled_seeds=30), level("b", seeds=7, settled_seeds=7)),
    ]
    rates = table(past(found), "Pass rate at the newest commit")

    # Wilson's interval of 36 of 41, by hand: (0.878 + 0.0468 ± 1.96 √(0.878 · 0.122 / 41 + 0.000571)) / 1.0937; of 40
    # of 40 it reaches down to 1 / (1 + 1.96² / 40) = 0.912.
    assert rates.headings == ("case", "seeds that pass", "95 % interval", "smallest – largest so far")
    assert alignment(rates) == ["left", "right", "right", "right"]
    assert rates.rows == (
        ("bench_epoch_time[a]", "36 of 41", "74 – 95 %", "75 – 95 %"),
        ("bench_epoch_time[b]", "not measured", "–", "11 – 100 %"),
        ("bench_epoch_time[d]", "40 of 40", "91 – 100 %", "100 – 100 %"),
    )


def test_every_kind_has_a_picture_over_commits_and_pass_rates_one_more() -> None:
    """Pictures go by kind, and a caption names the unit of the times and how one reads it."""
    compile_time: dict[str, Any] = {"kind": "compile time", "function": "bench_compile_time", "unit": "seconds"}
    block: dict[str, Any] = {"kind": "members", "unit": "seconds per epoch of all", "members": 8}
    cases = [
        level("s", kind="odd", unit="laps"),
        level("c", **compile_time),
        level("m", **block),
        level("a", seeds=4, settled_seeds=3),
    ]
    section = past([at(place, *cases) for place in range(2)])
    reading = "against the line's own median."

    assert [(picture.title, picture.caption) for picture in section.pictures] == [
        ("Epoch time over commits", f"Median seconds per epoch, {reading}"),
        ("Members over commits", f"Median seconds per epoch of all, {reading}"),
        ("Compile time over commits", f"Median seconds, {reading}"),
        ("Odd over commits", f"Median laps, {reading}"),
        (
            "Pass rate over commits",
            "Share of the same seeds that pass, with Wilson's 95 % interval; where neighbouring commits share a point, "
            "the lowest.",
        ),
    ]
    assert [[panel.title for panel in picture.panels] for picture in section.pictures] == [[""]] * 5
    assert [one.title for one in section.tables] == ["Pass rate at the newest commit"]


def test_a_caption_names_the_table_of_what_is_not_drawn() -> None:
    """A case that one commit alone has measured makes no line."""
    section = past([at(0, level("a"), level("b")), at(1, level("a"))])

    assert section.pictures[0].caption == (
        "Median seconds per epoch, against the line's own median. A case that one commit alone has measured is in the "
        "table below."
    )


def test_a_history_has_the_name_of_its_machine() -> None:
    """A machine of its own has a history of its own."""
    found = [at(0, level("a"), name="x"), at(1, level("b"), name="x"), at(2, level("a"), name="y")]
    sections = [section for section in report_sections.sections(found) if section.title.startswith("History")]

    assert {section.title: section.lines[0] for section in sections} == {
        "History: x": "2 commits from 2026-02-27 to 2026-02-28, 2 cases.",
        "History: y": "1 commit measured on this machine: a history takes two or more.",
    }


def test_what_most_cases_share_is_one_event_and_flips_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event counts once, with its own range; b changes alone besides; the machine's flips have a sentence."""
    together = [LevelChange(6, 6, 6, ratio, ratio - 0.02, ratio + 0.02) for ratio in (1.08, 1.09)]
    alone = LevelChange(10, 9, 10, 0.8, 0.7, 0.9)
    event = Event(LevelChange(6, 5, 7, 1.085, 1.08, 1.09), ((0, together[0]), (1, together[1])))
    flips = tuple(LevelChange(at, at, at, ratio, 0.9, 1.2) for at, ratio in ((5, 1.08), (10, 1 / 1.1), (15, 1.081)))
    levels = Levels(((together[0],), (together[1], alone)), (event,), flips)
    monkeypatch.setattr(history, "find_levels", lambda series, commits, family: levels)
    section = past([at(place, level("a"), level("b")) for place in range(20)])

    assert section.lines[1].startswith("2 changes of level found in 2 cases; ")
    assert (
        section.lines[2]
        == "The machine went from one of two states to the other 3 times, 8.1 % apart: no change of level."
    )
    assert [(row[0], *row[2:]) for row in section.tables[0].rows] == [
        (f"{short(8)}..{short(10)}", "faster", "-20.0 %", section.details[0].rows[2][0].join(("1 of 2: ", ""))),
        (f"{short(4)}..{short(7)}", "slower", "+8.0 to +9.0 %", "all 2: machine or software?"),
    ]
    assert len(section.details[0].rows) == 3
