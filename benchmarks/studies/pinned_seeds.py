"""Find out anew which seeds learn: python -m benchmarks.studies.pinned_seeds writes harness/pinned_seeds.json."""

import json
from dataclasses import replace

import numpy as np
import typer

from benchmarks.harness.pass_rates import ClusterOption, trainer
from benchmarks.harness.pinned_seeds import CELLS, FILE, MOST, SEEDS, cell_name, engines_for
from parabola.display import console
from parabola.ensemble.learning_map import train_here
from parabola.ensemble.parts import Part, Trainer
from parabola.training.experiment import Experiment
from parabola.training.late_errors import late_errors


def sort_seeds(cell: Experiment, train: Trainer = train_here) -> dict[str, list[int]]:
    """Train the seeds of a cell with each engine, and return them by kind, as harness/pinned_seeds.py explains it."""
    plain, rates, number = replace(cell, learning_rate=Experiment.learning_rate), (cell.learning_rate,), len(SEEDS)
    specs = [replace(plain, engine=engine) for engine in engines_for(cell.network)]  # cells share what is built of them
    below = {spec: np.empty(number) for spec in specs}
    parts = [Part(spec, 1, rates, np.array(SEEDS), 0, number) for spec in specs]
    for part, errors in train(parts, lambda *_: None, work=late_errors):
        below[part.experiment][part.first : part.end] = (errors < cell.learning_rate).mean(axis=1)
    sorted_seeds: dict[str, list[int]] = {"settled": [], "passing": [], "failing": [], "undecided": []}
    for seed, *shares in zip(SEEDS, *below.values(), strict=True):
        settled, passing, failing = min(shares) == 1, min(shares) >= MOST, max(shares) == 0
        kind = "settled" if settled else "passing" if passing else "failing" if failing else "undecided"
        sorted_seeds[kind].append(seed)
    return sorted_seeds


def main(cluster: ClusterOption = None) -> None:
    """Sort the seeds of all cells by kind, and write the file."""
    with trainer(cluster, "numba", kept=f"{FILE.name} stays as it was") as train:
        table = {cell_name(cell): sort_seeds(cell, train) for cell in console.tracked(CELLS, "cells")}
    lines = ",\n".join(f'  "{name}": {json.dumps(seeds)}' for name, seeds in table.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
