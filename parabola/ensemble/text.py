"""What the command `map` prints."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.measure import Measurement
from rich.table import Table as RichTable

from parabola.display.console import Terminal
from parabola.display.tables import Column, Table, for_terminal
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell


def print_map(cells: Sequence[Cell], grid: Grid, title: str) -> None:
    """Print pass rates in per cent with their intervals, by learning rate (rows) and batch size (columns).

    Args:
        cells: the cells of the grid, in any order.
        grid: the order of rows and columns.
        title: says in a line or two what was trained.
    """
    console = Terminal(highlight=False)
    table, meaning = _map_table(cells, grid, whole=True), "pass rate in %, with its 95 % interval"
    if Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum > console.width:
        table, meaning = _map_table(cells, grid, whole=False), "95 % interval of the pass rate, in %"
    console.print(f"{title}\n{meaning}: a row a learning rate, a column a batch size\n", soft_wrap=True)
    console.print(table)
    diverged = sum(cell.diverged for cell in cells)
    if diverged:
        console.print(f"{diverged} of {sum(cell.seeds for cell in cells)} runs diverged; they count as not passed")


@dataclass(frozen=True)
class _Row:
    """The cells of a learning rate, by batch size."""

    learning_rate: float
    cells: Mapping[int, Cell]


def _map_table(cells: Sequence[Cell], grid: Grid, *, whole: bool) -> RichTable:
    """Lay out the map: each cell has the pass rate and its interval if `whole`, and the interval alone otherwise."""
    digits = 0 if grid.seeds < 1000 else 1
    by_rate: dict[float, dict[int, Cell]] = {learning_rate: {} for learning_rate in grid.learning_rates}
    for cell in cells:
        by_rate[cell.learning_rate][cell.batch_size] = cell
    columns: list[Column[_Row]] = [
        Column("", lambda row: f"{row.learning_rate:g}"),
        *(_column(batch_size, digits, whole) for batch_size in grid.batch_sizes),
    ]
    table = Table("", columns, [_Row(learning_rate, row) for learning_rate, row in by_rate.items()])
    return for_terminal(table, no_wrap=True, pad_edge=False, padding=(0, 1, 0, 0))


def _column(batch_size: int, digits: int, whole: bool) -> Column[_Row]:
    """Return the column of a batch size."""

    def text(row: _Row) -> str:
        cell = row.cells[batch_size]
        interval = f"{100 * cell.low:.{digits}f}–{100 * cell.high:.{digits}f}"
        return f"{100 * cell.pass_rate:.{digits}f} ({interval})" if whole else interval

    def style(row: _Row) -> str:
        return f"color({_SHADES[round(row.cells[batch_size].pass_rate * (len(_SHADES) - 1))]})"

    return Column(str(batch_size), text, style=style)


_SHADES = (243, 31, 37, 78, 148, 220)  # from grey through blue and green to yellow, of the 256 terminal colours
