"""Tables of text: laid out once, shown on a terminal, in Markdown or on a page."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: what the figures are.
        headings: of the columns.
        rows: as many cells each.
        text_columns: names of the columns that hold words, not figures.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: tuple[str, ...] = ()

    def aligned(self) -> Sequence[str]:
        """Return where each column's cells stand: "left" or "right"."""
        return ["left" if heading in self.text_columns else "right" for heading in self.headings]


def for_terminal(table: Table, styles: Sequence[str] = ()) -> RichTable:
    """Return the table as Rich prints it.

    Args:
        table: what is shown.
        styles: of each row's last cell; plain unless given.
    """
    shown = RichTable(title=Text(table.title) if table.title else None, title_justify="left", box=SIMPLE_HEAD)
    for heading, side in zip(table.headings, table.aligned(), strict=True):
        shown.add_column(Text(heading), justify="left" if side == "left" else "right", overflow="fold")
    for (*cells, last), style in zip(table.rows, styles or [""] * len(table.rows), strict=True):
        shown.add_row(*map(Text, cells), Text(last, style))
    return shown


def markdown_lines(table: Table) -> list[str]:
    """Return the table in Markdown, a line a row, without its title."""
    rule = ["---" if side == "left" else "---:" for side in table.aligned()]
    return [f"| {' | '.join(map(escape, row))} |" for row in (table.headings, rule, *table.rows)]


def escape(text: str) -> str:
    """Return text as Markdown shows it, inside and outside of tables."""
    return html.escape(text, quote=False).replace("|", "\\|").replace("\n", " ")
