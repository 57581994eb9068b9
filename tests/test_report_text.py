"""A report on a terminal, in Markdown and as a page: what of it each shows, to the character."""

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from parabola.tracking import page, report_text
from parabola.tracking.report import Picture, Section
from parabola.tracking.tables import Table


class Chart:
    """What a page asks of a picture."""

    def __init__(self, **specification: Any) -> None:
        self.specification = specification

    def to_dict(self, validate: bool = True) -> dict[str, Any]:
        """Return the specification; checking it would take long."""
        assert not validate
        return self.specification


SECTIONS = [
    Section(
        title="Now: <b> [bold]x[/]",
        lines=("One | two & three of a sentence that is longer than the terminal is wide.", "[red]Two[/]"),
        tables=(Table("Times <1>", ("case", "median"), (("a|b", "1 ms"),), ("case",)), Table("", ("n",), (("7",),))),
        details=(Table("Folded & <2>", ("case",), (("<c>",), ("d",)), ("case",)),),
        pictures=(
            Picture("Over <size>", Chart(mark="<a>", config={"font": "other"}), "A & caption"),
            Picture("P2", Chart(mark="b"), "Second"),
        ),
    ),
    Section(title="History", pictures=(Picture("P3", Chart(mark="</script>"), "Third"),)),
]


def test_a_terminal_shows_headings_sentences_and_tables_but_no_folds_and_pictures() -> None:
    """Sentences are not wrapped, brackets are no markup, and an empty line ends each part."""
    stream = io.StringIO()
    report_text.print_report(SECTIONS, Console(file=stream, width=40, highlight=False))

    assert [line.rstrip() for line in stream.getvalue().splitlines()] == [
        "Now: <b> [bold]x[/]",
        "One | two & three of a sentence that is longer than the terminal is wide.",
        "[red]Two[/]",
        "Times <1>",
        "",
        "  case   median",
        " ───────────────",
        "  a|b      1 ms",
        "",
        "",
        "  n",
        " ───",
        "  7",
        "",
        "",
        "History",
        "",
    ]


def test_headings_are_bold_on_a_terminal() -> None:
    """Nothing else of the sentences is."""
    stream = io.StringIO()
    console = Console(file=stream, width=90, highlight=False, force_terminal=True, color_system="standard")
    report_text.print_report([Section("A", ("b",))], console)

    assert stream.getvalue() == "\x1b[1mA\x1b[0m\nb\n\n"


def test_markdown_has_headings_sentences_tables_and_folds_but_no_pictures() -> None:
    """All text is escaped; folds stand behind the tables, each with its title as its summary."""
    assert report_text.markdown(SECTIONS).split("\n") == [
        "### Now: &lt;b&gt; [bold]x[/]",
        "",
        "- One \\| two &amp; three of a sentence that is longer than the terminal is wide.",
        "- [red]Two[/]",
        "",
        "**Times &lt;1&gt;**",
        "",
        "| case | median |",
        "| --- | ---: |",
        "| a\\|b | 1 ms |",
        "",
        "| n |",
        "| ---: |",
        "| 7 |",
        "",
        "<details><summary>Folded &amp; &lt;2&gt;</summary>",
        "",
        "| case |",
        "| --- |",
        "| &lt;c&gt; |",
        "| d |",
        "",
        "</details>",
        "",
        "### History",
        "",
        "",
    ]
