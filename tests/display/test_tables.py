"""Tables of text: what a terminal, Markdown and a page are given, to the character."""

import io
from collections.abc import Sequence
from typing import Literal

import pytest
from rich.console import Console

from parabola.display import tables
from parabola.display.tables import Table

TABLE = Table(
    "Times [bold]of[/] <all>",
    ("case", "median", "verdict"),
    (("a|b [red]", "1.25 ms", "pass"), ("<x> & 'y'", "12 µs", "fail")),
    ("verdict", "case"),
)


def printed(table: Table, width: int = 60, colours: bool = False, styles: Sequence[str] = ()) -> str:
    """Return what a console prints of a table, without the spaces at the ends of lines."""
    stream = io.StringIO()
    system: Literal["standard"] | None = "standard" if colours else None
    console = Console(file=stream, width=width, force_terminal=colours, color_system=system, highlight=False)
    console.print(tables.for_terminal(table, styles))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_columns_of_words_stand_left_and_figures_right() -> None:
    """A column stands left if its heading is among the text columns."""
    assert TABLE.aligned() == ["left", "right", "left"]
    assert Table("", ("a", "b"), ()).aligned() == ["right", "right"]


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
    assert printed(Table("", ("b",), (("1",), ("12",)))).splitlines()[:2] == ["", "   b"]


def test_a_narrow_terminal_folds_cells_and_cuts_nothing_off() -> None:
    """Every character of a long cell is still there."""
    said = printed(Table("", ("case",), (("abcdefghijklmnopqrstuvwxyz",),)), width=14)

    assert "…" not in said
    assert "".join(said.split()).endswith("abcdefghijklmnopqrstuvwxyz")


def test_a_style_is_of_a_rows_last_cell() -> None:
    """Without styles nothing is coloured; with them each row's last cell has its own, and there is one a row."""
    plain, coloured = printed(TABLE, colours=True), printed(TABLE, colours=True, styles=["green", "red"])

    assert "\x1b[32mpass" in coloured
    assert "\x1b[31mfail" in coloured
    assert coloured.count("\x1b[32m") == coloured.count("\x1b[31m") == 1
    assert "\x1b[32m" not in plain
    assert "\x1b[31m" not in plain
    with pytest.raises(ValueError, match="zip"):
        tables.for_terminal(TABLE, ["green"])


def test_markdown_has_headings_a_rule_and_the_rows() -> None:
    """Words stand left and figures right; what Markdown or HTML would read is escaped; there is no title."""
    assert tables.markdown_lines(TABLE) == [
        "| case | median | verdict |",
        "| --- | ---: | --- |",
        "| a\\|b [red] | 1.25 ms | pass |",
        "| &lt;x&gt; &amp; 'y' | 12 µs | fail |",
    ]


def test_text_is_escaped_for_markdown() -> None:
    """Quotes stay; ampersands, angle brackets and bars do not; a line break becomes a space."""
    assert tables.escape("a & b <c> \"d\" 'e' |f|\ng") == "a &amp; b &lt;c&gt; \"d\" 'e' \\|f\\| g"
