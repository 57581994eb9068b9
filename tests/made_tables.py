"""Tables of given cells, and where the columns of a table stand."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Literal

from parabola.display.tables import Column, Table

Row = tuple[str, ...]


def made_table(title: str, columns: dict[str, Literal["left", "right"]], *rows: Row) -> Table[Row]:
    """Return a table of such cells.

    Args:
        title: title of the table.
        columns: where each column stands, by its heading.
        rows: the cells of each row.
    """
    made = [Column[Row](heading, itemgetter(place), align) for place, (heading, align) in enumerate(columns.items())]
    return Table(title, made, rows)


def alignment(table: Table[Any]) -> Sequence[str]:
    """Return where each column stands."""
    return [column.align for column in table.columns]
