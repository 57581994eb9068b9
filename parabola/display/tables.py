"""Tables of text: columns over items, shown on a terminal, in Markdown or on a page."""

import html
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Generic, Literal, TypeVar

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable
from rich.text import Text

from parabola.display.plain import plain

Item = TypeVar("Item")


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column of a table: all that is known of it, in one place.

    Attributes:
        heading: text above the cells.
        cell: function that writes the cell of an item.
        align: where heading and cells stand: words stand left, figures right.
        style: function that returns the Rich style of an item's cell on a terminal, as "red"; None for plain cells.
        leads: whether it says what the row is about though it is a figure; columns of words do so anyway.
    """

    heading: str
    cell: Callable[[Item], str]
    align: Literal["left", "right"] = "right"
    style: Callable[[Item], str] | None = None
    leads: bool = False


@dataclass(frozen=True)
class Table(Generic[Item]):
    """A table: a row for each item, and in it a cell for each column.

    Attributes:
        title: what the figures are; empty for none.
        columns: the columns, from left to right.
        items: what the rows are about, from top to bottom.
    """

    title: str
    columns: Sequence[Column[Item]]
    items: Sequence[Item]

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings, from left to right."""
        return tuple(column.heading for column in self.columns)

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells of each row; they are written once, however often the table is shown."""
        return tuple(tuple(plain(column.cell(item)) for column in self.columns) for item in self.items)


def table_of(
    title: str, rows: Sequence[Mapping[str, str]], left: Collection[str] = (), leading: Collection[str] = ()
) -> Table[Mapping[str, str]]:
    """Return a table of rows that are written already, each with its cells by their headings.

    Args:
        title: what the figures are; empty for none.
        rows: the rows, from top to bottom. One that lacks a heading of another has an empty cell there.
        left: headings of the columns that stand left.
        leading: headings of the figures that say what a row is about.
    """

    def column(heading: str) -> Column[Mapping[str, str]]:
        align: Literal["left", "right"] = "left" if heading in left else "right"
        return Column(heading, lambda row: row.get(heading, ""), align, leads=heading in leading)

    return Table(title, [*map(column, dict.fromkeys(chain.from_iterable(rows)))], rows)


def for_terminal(table: Table[Any], *, no_wrap: bool = False, **look: Any) -> RichTable:
    """Return the table as Rich prints it.

    Args:
        table: what is shown.
        no_wrap: whether a row keeps to one line, even where the terminal is too narrow for it.
        look: options of a Rich table that are other than usual, as `box` or `padding`.
    """
    title = Text(plain(table.title)) if table.title else None
    shown = RichTable(**{"title": title, "title_justify": "left", "box": SIMPLE_HEAD, **look})
    for column in table.columns:
        shown.add_column(Text(column.heading), justify=column.align, overflow="fold", no_wrap=no_wrap)
    for item, row in zip(table.items, table.rows, strict=True):
        styles = [column.style(item) if column.style else "" for column in table.columns]
        shown.add_row(*map(Text, row, styles))
    return shown


def markdown_lines(table: Table[Any]) -> list[str]:
    """Return the table in Markdown, a line a row, without its title."""
    rule = ["---" if column.align == "left" else "---:" for column in table.columns]
    return [f"| {' | '.join(map(escape, row))} |" for row in (table.headings, rule, *table.rows)]


def escape(text: str) -> str:
    """Return text as Markdown shows it, inside and outside of tables: none of its signs means anything there."""
    signs = re.sub(r"([\\`*\[\]|~]|\b_|_\b)", r"\\\1", plain(text).replace("\n", " "))
    return html.escape(signs, quote=False)
