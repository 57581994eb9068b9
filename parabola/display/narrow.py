"""Tables on a terminal that is too narrow for them: an item takes two lines, its words and then its figures."""

import re
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from parabola.display.plain import plain
from parabola.display.tables import Column, Table, for_terminal

NARROW = 120  # columns of a terminal, below which an item may take two lines
SHORTEST_PREFIX = 8  # that is worth a line of its own
PIECES = re.compile(r"[^-/\[_ ]*[-/\[_ ]|[^-/\[_ ]+")  # a name may be broken after these signs only
INDENT = "    "


def show(console: Console, table: Table[Any], **look: Any) -> None:
    """Print a table as wide as it is, or where the terminal is too narrow for that, with two lines an item.

    The first has the words, which stand left, and the columns that lead; the second has the figures, which are never
    broken. What all names of the first column begin with is said once.

    Args:
        console: where it is printed.
        table: what is shown.
        look: options of a Rich table that are other than usual.
    """
    whole = for_terminal(table, **look)
    words = [column for column in table.columns if column.align == "left" or column.leads]
    others = [column for column in table.columns if column not in words]
    figures = for_terminal(Table("", others, table.items), no_wrap=True)
    fits = console.width >= NARROW or _width(console, whole) <= console.width
    if fits or not (words and others) or _width(console, figures) > console.width:
        console.print(whole)
        return
    if table.title:
        console.print(Text(plain(table.title)))
    _, head, rule, *lines = console.render_lines(figures, pad=False)
    prefix = _prefix([plain(words[0].cell(item)) for item in table.items])
    if prefix:
        console.print(Text(f"each of these begins with {prefix}"), soft_wrap=True)
    for line in (head, rule):
        console.print(Text("".join(segment.text for segment in line)), soft_wrap=True)
    for item, line in zip(table.items, lines, strict=False):
        cells = [_cell(column, item) for column in words]
        if prefix:
            cells[0] = f"…{cells[0].removeprefix(prefix)}"
        said = (": " if words[0].align == "left" else ", ").join(
            filter(None, [cells[0], ", ".join(filter(None, cells[1:]))])
        )
        style = next((column.style(item) for column in words if column.style), "")
        for part in wrapped(said, console.width):
            console.print(Text(part, style), soft_wrap=True)
        console.print(Text("".join(segment.text for segment in line)), soft_wrap=True)
    console.print()


def wrapped(name: str, width: int) -> list[str]:
    """Return a name in lines that are broken only after a space, "-", "/", "[" or "_", the later ones indented.

    Args:
        name: the name.
        width: how many characters a line may have; a piece without such a sign may have more.
    """
    lines = [""]
    for piece in PIECES.findall(name):
        if lines[-1].strip() and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append(INDENT)
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _cell(column: Column[Any], item: Any) -> str:
    """Return a cell of words; a figure among them has its heading before it."""
    text = plain(column.cell(item)).strip()
    return text if column.align == "left" else f"{column.heading} {text}"


def _prefix(names: Sequence[str]) -> str:
    """Return what all names begin with, up to a sign after which names are broken; empty if that is not worth it."""
    first, last = min(names, default=""), max(names, default="")
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    common = "".join(character for character, _ in alike) if len(names) > 2 else ""
    found = re.match(r".*[-/\[_ ]", common)
    return found[0] if found and len(found[0]) >= SHORTEST_PREFIX else ""


def _width(console: Console, table: RichTable) -> int:
    """Return how wide a table is where nothing is wrapped."""
    return Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum
