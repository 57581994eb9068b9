"""What noise do times of hosted runners have, and how often is a change seen in it where nothing can have changed?"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from scipy.ndimage import median_filter

from parabola.display.console import tracked
from parabola.records.levels.search import Floats
from parabola.records.levels.together import Series, family_of, find_levels

WINDOW = 41  # sessions of the running median that is taken for the level
FEWEST = 30  # sessions of a case that tell something


def main(
    path: Annotated[Path, typer.Argument(help="dev/bench/data.js of github-action-benchmark, in a branch gh-pages.")],
    orders: Annotated[int, typer.Option(help="Random orders of the sessions in which changes are looked for.")] = 200,
) -> None:
    """Print the noise of each suite of a file, and the share of random orders of its sessions that have a change."""
    entries = json.loads(path.read_text(encoding="utf-8").partition("=")[2].strip().rstrip(";"))["entries"]
    for suite, sessions in entries.items():
        series = read(sorted(sessions, key=lambda session: session["date"]))
        random, number, alarms = np.random.default_rng(0), len(sessions), 0
        family = family_of([len(of_case.at) for of_case in series])
        for _ in tracked(range(orders), "orders"):
            alarms += any(find_levels(shuffled(series, random.permutation(number)), number, family).changes)
        print(f"{suite}: {number} sessions, {len(series)} cases; {noise(series, number)};")
        print(f"  a change in {alarms} of {orders} random orders")


def read(sessions: list[dict[str, Any]]) -> list[Series]:
    """Return the times of each case that enough of the sessions, which are in order, have measured."""
    times = defaultdict[str, dict[int, float]](dict)
    for place, session in enumerate(sessions):
        for bench in session["benches"]:
            per_second = "/sec" in bench["unit"] or "ops" in bench["unit"]
            times[bench["name"]][place] = 1 / bench["value"] if per_second else bench["value"]
    long = [case for case in times.values() if len(case) >= FEWEST]
    return [Series(np.array([*case]), np.array([*case.values()])) for case in long]


def shuffled(series: list[Series], places: Any) -> list[Series]:
    """Return the series as if the sessions had been at other places of the history."""
    orders = [np.argsort(places[of_case.at]) for of_case in series]
    return [
        Series(places[of_case.at][order], of_case.seconds[order]) for of_case, order in zip(series, orders, strict=True)
    ]


def noise(series: list[Series], sessions: int) -> str:
    """Say the median case's scale of noise and correlation of neighbours, and the median correlation of two cases."""
    rows, scales, neighbours = np.full((len(series), sessions), np.nan), list[float](), list[float]()
    for row, of_case in zip(rows, series, strict=True):
        logs: Floats = np.log(of_case.seconds)
        off = logs - median_filter(logs, WINDOW, mode="nearest")
        scales.append(1.4826 * float(np.median(np.abs(off))))
        clipped = np.clip(off, -3 * scales[-1], 3 * scales[-1])
        neighbours.append(float(np.mean(clipped[1:] * clipped[:-1]) / np.mean(clipped**2)))
        row[of_case.at] = clipped
    low, middle, high = np.quantile(neighbours, (0.1, 0.5, 0.9))
    said = f"noise {100 * np.median(scales):.1f} %, neighbours correlate by {middle:.2f} ({low:.2f} to {high:.2f})"
    if len(series) == 1:
        return said
    pairs = np.ma.corrcoef(np.ma.masked_invalid(rows))[np.triu_indices(len(series), 1)]  # type: ignore[no-untyped-call]
    return f"{said}, two cases of a session by {np.ma.median(pairs):.2f}"  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    typer.run(main)
