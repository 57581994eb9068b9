"""Tables of text: what a terminal, Markdown and a page are given, to the character."""

import io
from typing import Any, Literal

import pytest
from rich.box import MARKDOWN
from rich.console import Console

from parabola.display import tables
from parabola.display.tables import Column, Table
from tests.made_tables import Row, made_table

TABLE = made_table(
    "Times [bold]of[/] <all>",
    {"case": "left", "median": "right", "verdict": "left"},
    ("a|b [red]", "1.25 ms", "pass"),
    ("<x> & 'y'", "12 µs", "fail"),
)


def printed(table: Table[Any], width: int = 60, colours: bool = False, **options: Any) -> str:
    """Return what a console prints of a table, without the spaces at the ends of lines."""
    stream = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=stream, width=width, force_terminal=colours, color_system=system, highlight=False)
    console.print(tables.for_terminal(table, **options))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_a_table_has_a_cell_for_each_item_and_column() -> None:
    """Rows go by the items and cells by the columns; a column stands right, where figures stand, unless it says."""
    columns = Column[int]("number", str), Column[int]("square", lambda number: f"{number**2}", "left")
    table = Table("", columns, [3, 1, 2])

    assert table.headings == ("number", "square")
    assert table.rows == (("3", "9"), ("1", "1"), ("2", "4"))
    assert [column.align for column in table.columns] == ["right", "left"]
    assert Table("", columns, []).rows == ()


def test_cells_are_written_once() -> None:
    """However often a table is shown, each cell is made at the first time only."""
    written = list[str]()

    def cell(item: str) -> str:
        written.append(item)
        return item

    table = Table("", [Column("a", cell)], ["x", "y"])
    shown = printed(table), printed(table), tables.markdown_lines(table)

    assert shown[0] == shown[1]
    assert written == ["x", "y"]


def test_a_terminal_shows_title_headings_and_rows_as_they_are() -> None:
    """The title stands left above; brackets are text, not markup."""
    assert printed(TABLE) == (
        "Times [bold]of[/] <all>\n"
        "\n"
        "  case         median   verdict\n"
        " ───────────────────────────────\n"
        "  a|b [red]   1.25 ms   pass\n"
        "  <x> & 'y'     12 µs   fail\n"
    )


def test_a_table_without_a_title_has_no_line_for_it() -> None:
    """Nothing stands above the headings."""
    assert printed(made_table("", {"b": "right"}, ("1",), ("12",))).splitlines()[:2] == ["", "   b"]


def test_a_narrow_terminal_folds_cells_and_cuts_nothing_off() -> None:
    """Every character of a long cell is still there."""
    table = made_table("", {"case": "right"}, ("abcdefghijklmnopqrstuvwxyz",))
    folded, cut = printed(table, width=14), printed(table, width=14, no_wrap=True)

    assert "…" not in folded
    assert "".join(folded.split()).endswith("abcdefghijklmnopqrstuvwxyz")
    assert len(cut.splitlines()) == len(printed(table).splitlines()) < len(folded.splitlines())


def test_a_table_may_look_otherwise_on_a_terminal() -> None:
    """What Rich's tables can have is handed on, as the frame or the space about the cells."""
    table = made_table("", {"a": "right", "b": "left"}, ("1", "x"))

    assert printed(table, box=None, pad_edge=False) == "a  b\n1  x"
    assert printed(table, box=MARKDOWN).splitlines()[1:3] == ["| a | b |", "|---|---|"]


def test_a_style_is_of_the_cell_of_an_item() -> None:
    """Columns without a style are plain; with one, each row's cell has that of its item."""
    styles: dict[str, str] = {"pass": "green", "fail": "red"}
    last = TABLE.columns[-1]
    verdicts = Column[Row](last.heading, last.cell, last.align, style=lambda row: styles[row[-1]])
    styled = Table(TABLE.title, [*TABLE.columns[:-1], verdicts], TABLE.items)
    plain, coloured = printed(TABLE, colours=True), printed(styled, colours=True)

    assert "\x1b[32mpass" in coloured
    assert "\x1b[31mfail" in coloured
    assert coloured.count("\x1b[32m") == coloured.count("\x1b[31m") == 1
    assert "\x1b[32m" not in plain
    assert "\x1b[31m" not in plain


def test_markdown_has_headings_a_rule_and_the_rows() -> None:
    """Words stand left and figures right; what Markdown or HTML would read is escaped; there is no title."""
    assert tables.markdown_lines(TABLE) == [
        "| case | median | verdict |",
        "| --- | ---: | --- |",
        "| a\\|b \\[red\\] | 1.25 ms | pass |",
        "| &lt;x&gt; &amp; 'y' | 12 µs | fail |",
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\\| a", r"\\\| a"),
        ("[a](b) `c` *d* ~e~", r"\[a\](b) \`c\` \*d\* \~e\~"),
        ("bench_epoch_time _a_", r"bench_epoch_time \_a\_"),
        ("\x1b[31mred\u202e", r"\\x1b\[31mred\\u202e"),
    ],
)
def test_signs_of_markdown_mean_nothing(text: str, shown: str) -> None:
    """A backslash before a bar would free it; an underscore within a word is none of Markdown's signs."""
    assert tables.escape(text) == shown


def test_text_is_escaped_for_markdown() -> None:
    """Quotes stay; ampersands, angle brackets and bars do not; a line break becomes a space."""
    assert tables.escape("a & b <c> \"d\" 'e' |f|\ng") == "a &amp; b &lt;c&gt; \"d\" 'e' \\|f\\| g"
