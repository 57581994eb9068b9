"""What the command `map` prints."""

import sys
from collections.abc import Sequence

from rich.measure import Measurement
from rich.table import Table as RichTable

from parabola.display.console import Terminal
from parabola.display.tables import Column, Table, for_terminal
from parabola.display.units import per_cent
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


def _map_table(cells: Sequence[Cell], grid: Grid, *, whole: bool) -> RichTable:
    """Lay out the map: each cell has the pass rate and its interval if `whole`, and the interval alone otherwise."""
    digits = 0 if grid.seeds < 1000 else 1
    by_place = {(cell.learning_rate, cell.batch_size): cell for cell in cells}

    def column(batch_size: int) -> Column[float]:
        def text(learning_rate: float) -> str:
            cell = by_place[learning_rate, batch_size]
            interval = f"{per_cent(cell.low, digits)}–{per_cent(cell.high, digits)}"
            return f"{per_cent(cell.pass_rate, digits)} ({interval})" if whole else interval

        def style(learning_rate: float) -> str:
            shade = round(by_place[learning_rate, batch_size].pass_rate * (len(_SHADES) - 1))
            return f"color({_SHADES[shade]})"

        return Column(str(batch_size), text, style=style)

    columns = [Column[float]("", lambda learning_rate: f"{learning_rate:g}"), *map(column, grid.batch_sizes)]
    table = Table("", columns, grid.learning_rates)
    return for_terminal(table, no_wrap=True, pad_edge=False, padding=(0, 1, 0, 0))


_SHADES = (243, 31, 37, 78, 148, 220)  # from grey through blue and green to yellow, of the 256 terminal colours
