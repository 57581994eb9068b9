"""The baseline of pass rates is trained: python -m benchmarks.studies.pass_rates.

The command trains 10,000 seeds in each cell, for both networks and with either initialiser, about ten minutes on two
cores. Cells that benchmarks/baseline/ already has are not trained again. It then prints the handbook's table.
"""

from collections.abc import Mapping

import typer
from rich.box import MARKDOWN
from rich.console import Console

from benchmarks.harness.pass_rates import FOLDER, GRIDS, ClusterOption, baseline, rate_with_interval, trainer
from benchmarks.harness.pinned_seeds import TARGETS
from parabola.display import console
from parabola.display.tables import Table, for_terminal, table_of
from parabola.ensemble.learning_map import train_map
from parabola.ensemble.map_file import Cell


def table() -> Table[Mapping[str, str]]:
    """Return the handbook's table: both initialisers, and the split by the second kernel's first sign."""
    rows = list[dict[str, str]]()
    for network in TARGETS:
        cured = baseline(network, "sign-aware") if f"{network}-sign-aware" in GRIDS else {}
        for key, cell in baseline(network).items():
            row = {"network": network, "batch size": str(cell.batch_size), "learning rate": f"{cell.learning_rate:g}"}
            row["glorot"] = rate_with_interval(cell.passes, cell.seeds)
            rows.append(row | (_split(cell, cured[key]) if cured else {}))
    return table_of("", rows, left=("network",))


def _split(cell: Cell, cured: Cell) -> dict[str, str]:
    """Return the pass rates of the seeds that began positive, of the others, and of the sign-aware initialiser."""
    passes, seeds = cell.positive_passes or 0, cell.positive_seeds or 0
    return {
        "of these: began positive": rate_with_interval(passes, seeds),
        "began negative": rate_with_interval(cell.passes - passes, cell.seeds - seeds),
        "sign-aware": rate_with_interval(cured.passes, cured.seeds),
    }


def main(cluster: ClusterOption = None) -> None:
    """Train what is missing, and print the table."""
    FOLDER.mkdir(exist_ok=True)
    with trainer(cluster) as train:
        for name, grid in GRIDS.items():
            with console.progress_bar(f"{{task.percentage:.0f}} % of {name}{{task.fields[text]}},", 1.0) as bar:
                train_map(grid, FOLDER / f"{name}.json", train=train, progress=bar)
    Console(width=160).print(for_terminal(table(), box=MARKDOWN, no_wrap=True))


if __name__ == "__main__":
    typer.run(main)
