"""Find out anew which seeds learn: python -m benchmarks.studies.pinned_seeds writes harness/pinned_seeds.json."""

import json
from dataclasses import replace

import numpy as np
import typer

from benchmarks.harness.pinned_seeds import CELLS, FILE, MOST, SEEDS, cell_name, engines_for, last_errors
from parabola.display import console
from parabola.training.experiment import Experiment


def sort_seeds(cell: Experiment) -> dict[str, list[int]]:
    """Train the seeds of a cell with each engine, and return them by kind, as harness/pinned_seeds.py explains it."""
    runs = [last_errors(replace(cell, engine=engine)) for engine in engines_for(cell.network)]
    sorted_seeds: dict[str, list[int]] = {"settled": [], "passing": [], "failing": [], "undecided": []}
    for seed in SEEDS:
        shares = [np.mean(errors[seed] < cell.learning_rate) for errors in runs]
        settled, passing, failing = min(shares) == 1, min(shares) >= MOST, max(shares) == 0
        kind = "settled" if settled else "passing" if passing else "failing" if failing else "undecided"
        sorted_seeds[kind].append(seed)
    return sorted_seeds


def main() -> None:
    """Sort the seeds of all cells by kind, and write the file."""
    table = {cell_name(cell): sort_seeds(cell) for cell in console.tracked(CELLS, "cells")}
    lines = ",\n".join(f'  "{name}": {json.dumps(seeds)}' for name, seeds in table.items())
    FILE.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    typer.run(main)
