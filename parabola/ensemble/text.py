"""What the command `map` prints."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def print_map(cells: Sequence[Mapping[str, Any]], grid: Mapping[str, Any], title: str) -> None:
    """Print pass rates in per cent with their intervals, by learning rate (rows) and batch size (columns).

    Args:
        cells: the cells, each with the fields of map_file.Cell.
        grid: the identity of the grid, as learning_map.Grid.identity() returns it.
        title: says in a line or two what was trained.
    """
    console = Console(highlight=False)
    table, meaning = _map_table(cells, grid, whole=True), "pass rate in %, with its 95 % interval"
    if Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum > console.width:
        table, meaning = _map_table(cells, grid, whole=False), "95 % interval of the pass rate, in %"
    console.print(f"{title}\n{meaning}: a row a learning rate, a column a batch size\n", soft_wrap=True)
    console.print(table)
    diverged = sum(cell["diverged"] for cell in cells)
    if diverged:
        console.print(f"{diverged} of {sum(cell['seeds'] for cell in cells)} runs diverged; they count as not passed")


def _map_table(cells: Sequence[Mapping[str, Any]], grid: Mapping[str, Any], *, whole: bool) -> Table:
    """Lay out the map: each cell has the pass rate and its interval if `whole`, and the interval alone otherwise."""
    digits = 0 if grid["seeds"] < 1000 else 1
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("", *map(str, grid["batch_sizes"])):
        table.add_column(heading, justify="right", no_wrap=True)
    by_cell = {(cell["learning_rate"], cell["batch_size"]): cell for cell in cells}
    for rate in grid["learning_rates"]:
        row = []
        for batch_size in grid["batch_sizes"]:
            cell = by_cell[rate, batch_size]
            share, low, high = (100 * value for value in (cell["passes"] / cell["seeds"], cell["low"], cell["high"]))
            style = f"color({_SHADES[round(share / 100 * (len(_SHADES) - 1))]})"
            interval = f"{low:.{digits}f}–{high:.{digits}f}"
            row.append(Text(f"{share:.{digits}f} ({interval})" if whole else interval, style))
        table.add_row(f"{rate:g}", *row)
    return table


_SHADES = (243, 31, 37, 78, 148, 220)  # from grey through blue and green to yellow, of the 256 terminal colours
