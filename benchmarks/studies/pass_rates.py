"""The baseline of pass rates is trained: python -m benchmarks.studies.pass_rates.

The command trains 10,000 seeds in each cell, for both networks and with either initialiser, about ten minutes on two
cores. Cells that benchmarks/baseline/ already has are not trained again. It then prints the handbook's table.
"""

from dataclasses import dataclass

import typer
from rich.box import MARKDOWN
from rich.console import Console

from benchmarks.harness.pass_rates import FOLDER, GRIDS, baseline, rate_with_interval
from benchmarks.harness.pinned_seeds import TARGETS
from parabola.display import console
from parabola.display.tables import Column, Table, for_terminal
from parabola.ensemble.learning_map import train_map
from parabola.ensemble.map_file import Cell


@dataclass(frozen=True)
class _Split:
    """Pass rates in words: of a cell's seeds by the first sign of the second kernel, and of the same cell's cure."""

    positive: str
    negative: str
    sign_aware: str


@dataclass(frozen=True)
class _Row:
    """A cell of the baseline, and its split; without words where the network has no second kernel."""

    network: str
    cell: Cell
    split: _Split


COLUMNS: tuple[Column[_Row], ...] = (
    Column("network", lambda row: row.network, "left"),
    Column("batch size", lambda row: str(row.cell.batch_size)),
    Column("learning rate", lambda row: f"{row.cell.learning_rate:g}"),
    Column("glorot", lambda row: rate_with_interval(row.cell.passes, row.cell.seeds)),
    Column("of these: began positive", lambda row: row.split.positive),
    Column("began negative", lambda row: row.split.negative),
    Column("sign-aware", lambda row: row.split.sign_aware),
)


def table() -> Table[_Row]:
    """Return the handbook's table: both initialisers, and the split by the second kernel's first sign."""
    rows = list[_Row]()
    for network in TARGETS:
        cured = baseline(network, "sign-aware") if f"{network}-sign-aware" in GRIDS else {}
        rows += [_Row(network, cell, _split(cell, cured.get(key))) for key, cell in baseline(network).items()]
    return Table("", COLUMNS, rows)


def _split(cell: Cell, cured: Cell | None) -> _Split:
    """Return the pass rates of the seeds that began positive, of the others, and of the sign-aware initialiser."""
    passes, seeds = cell.positive_passes, cell.positive_seeds
    if cured is None or passes is None or seeds is None:
        return _Split("", "", "")
    negative = rate_with_interval(cell.passes - passes, cell.seeds - seeds)
    return _Split(rate_with_interval(passes, seeds), negative, rate_with_interval(cured.passes, cured.seeds))


def main() -> None:
    """Train what is missing, and print the table."""
    FOLDER.mkdir(exist_ok=True)
    for name, grid in GRIDS.items():
        with console.progress_bar(f"{{task.percentage:.0f}} % of {name},", 1.0) as bar:
            train_map(grid, FOLDER / f"{name}.json", progress=bar)
    Console(width=160).print(for_terminal(table(), box=MARKDOWN, no_wrap=True))


if __name__ == "__main__":
    typer.run(main)
