"""The baseline of pass rates is trained: python -m benchmarks.studies.pass_rates.

The command trains 10,000 seeds in each cell, for both networks and with either initialiser, about ten minutes on two
cores; what is in benchmarks/baseline/ already it does not train again. It then prints the README's table.
"""

import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from benchmarks.harness.pass_rates import FOLDER, GRIDS, baseline, rate_with_interval
from benchmarks.harness.pinned_seeds import TARGETS
from parabola.display import console
from parabola.ensemble.learning_map import train_map


def table() -> Table:
    """Return the README's table: both initialisers, and the split by the second kernel's first sign."""
    shown = Table(box=MARKDOWN)
    headings = "network, batch size, learning rate, glorot, of these: began positive, began negative, sign-aware"
    for heading in headings.split(", "):
        shown.add_column(heading, justify="left" if heading == "network" else "right", no_wrap=True)
    for network in TARGETS:
        cured = baseline(network, "sign-aware") if f"{network}-sign-aware" in GRIDS else {}
        for key, cell in baseline(network).items():
            split = ["", "", ""]
            if key in cured and cell.positive_seeds is not None and cell.positive_passes is not None:
                positive = cell.positive_passes, cell.positive_seeds
                negative = cell.passes - positive[0], cell.seeds - positive[1]
                split = [
                    rate_with_interval(*positive),
                    rate_with_interval(*negative),
                    rate_with_interval(cured[key].passes, cured[key].seeds),
                ]
            shown.add_row(network, str(key[0]), f"{key[1]:g}", rate_with_interval(cell.passes, cell.seeds), *split)
    return shown


def main() -> None:
    """Train what is missing, and print the table."""
    FOLDER.mkdir(exist_ok=True)
    for name, grid in GRIDS.items():
        with console.progress_bar(f"{{task.percentage:.0f}} % of {name},", 1.0) as bar:
            train_map(grid, FOLDER / f"{name}.json", progress=bar)
    Console(width=160).print(table())


if __name__ == "__main__":
    typer.run(main)
