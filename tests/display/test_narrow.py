"""Tables on narrow terminals: two lines an item, nothing of a figure broken, and names broken after signs only."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from parabola.display.narrow import show, wrapped
from parabola.display.tables import Column, Table, table_of

CASES = (
    "bench_epoch_time[compiled-cpu-batch_1]",
    "bench_epoch_time[compiled-cpu-batch_999]",
    "bench_epoch_time[native]",
)


def lines(table: Table[Any], width: int) -> list[str]:
    """Return what is printed on a console of such a width."""
    stream = io.StringIO()
    show(Console(file=stream, width=width, highlight=False), table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def table_on(cases: Sequence[str]) -> Table[str]:
    """Return a table that is 105 characters wide, with a verdict behind the figures."""
    return Table(
        "base main, head HEAD",
        (
            Column("case", lambda case: case, "left"),
            Column("base", lambda case: "4.5 µs"),
            Column("99 % interval", lambda case: "-12.3 to +123.4 %"),
            Column("verdict", lambda case: "inconclusive: about 12 more launches", "left"),
        ),
        cases,
    )


def test_at_80_columns_a_case_has_a_line_of_words_and_one_of_figures() -> None:
    """The verdict stands beside the name; what all names begin with is said once."""
    assert lines(table_on(CASES), 80) == [
        "base main, head HEAD",
        "each of these begins with bench_epoch_time[",
        "    base       99 % interval",
        " ────────────────────────────",
        "…compiled-cpu-batch_1]: inconclusive: about 12 more launches",
        "  4.5 µs   -12.3 to +123.4 %",
        "…compiled-cpu-batch_999]: inconclusive: about 12 more launches",
        "  4.5 µs   -12.3 to +123.4 %",
        "…native]: inconclusive: about 12 more launches",
        "  4.5 µs   -12.3 to +123.4 %",
        "",
    ]


@pytest.mark.parametrize("width", [120, 140])
def test_from_120_columns_on_and_where_it_fits_a_case_has_one_line(width: int) -> None:
    """So has a small table on any terminal."""
    assert len(lines(table_on(CASES), width)) == len(CASES) + 5
    assert "bench_epoch_time[native]" in lines(table_on(CASES), width)[-2]
    assert len(lines(table_of("t", [{"a": "1", "b": "2"}], left=("a",)), 20)) == 6


def test_figures_that_say_what_a_row_is_about_lead_with_their_headings() -> None:
    """A column of figures may lead; where none does, the table is folded as it always was."""
    rows = [{"batch size": "27", "time": "x" * 30, "other": "y" * 30}]

    assert lines(table_of("", rows, leading=("batch size",)), 72) == [
        f"  {'time':>30}   {'other':>30}",
        " " + 65 * "─",
        "batch size 27",
        f"  {'x' * 30}   {'y' * 30}",
        "",
    ]
    assert len(lines(table_of("", rows), 60)) > 5
    assert len(lines(table_of("", rows, leading=("batch size",)), 40)) > 6


@pytest.mark.parametrize(
    ("name", "width", "parts"),
    [
        ("short", 20, ["short"]),
        ("bench_epoch_time[compiled-cpu]", 20, ["bench_epoch_time[", "    compiled-cpu]"]),
        ("a/b/c-d_e", 4, ["a/b/", "    c-", "    d_", "    e"]),
        ("two words", 5, ["two", "    words"]),
        ("x" * 30, 20, ["x" * 30]),
    ],
)
def test_names_are_broken_after_their_signs_only(name: str, width: int, parts: list[str]) -> None:
    """Later lines are indented; a piece without a sign stays whole."""
    assert wrapped(name, width) == parts


def test_nothing_is_lost_of_names() -> None:
    """All characters come, in their order."""
    text = "".join(CASES)

    assert "".join(part.strip() for part in wrapped(text, 30)) == text
