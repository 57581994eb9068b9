"""How surely is a change of level of a single series found? Made-up series, many times."""

from typing import Annotated

import numpy as np
import typer
from scipy.signal import lfilter

from parabola.display.console import tracked
from parabola.display.tables import markdown_lines, table_of
from parabola.records.levels.changes import find_level_changes
from parabola.records.levels.search import Floats

STEPS = (1.1, 1.05, 1.03)
REACH = 3  # a change counts as placed if it is found at most so many commits off


def series(
    generator: np.random.Generator,
    *steps: tuple[int, float],
    values: int = 200,
    noise: float = 0.03,
    outliers: float = 0.05,
    tails: float = np.inf,
    correlation: float = 0,
) -> Floats:
    """Return made-up seconds per epoch: a level that changes in steps, with noise, and outliers of +10 to +100 %.

    Args:
        generator: generator of random numbers for noise and outliers.
        steps: for each step the index from which on it holds, and the ratio of the level after it to that before it.
        values: number of values.
        noise: scale of the noise of the values' logs.
        outliers: share of the values that are outliers.
        tails: degrees of freedom of the noise's Student's t distribution; infinite for normal noise.
        correlation: correlation of the noise of neighbouring values.

    Returns:
        Shape (values,), float64.
    """
    white = generator.standard_normal(values) if np.isinf(tails) else generator.standard_t(tails, values)
    logs = np.log(0.002) + noise * lfilter([(1 - correlation**2) ** 0.5], [1, -correlation], white)
    for at, ratio in steps:
        logs[at:] += np.log(ratio)
    hit = generator.random(values) < outliers
    seconds: Floats = np.exp(logs) * (1 + hit * generator.uniform(0.1, 1, values))
    return seconds


def main(number: Annotated[int, typer.Option(help="Of series for each row.")] = 1000) -> None:
    """Print the table of the handbook."""
    steps = [find_step(ratio, number) for ratio in tracked(STEPS, "steps")]
    print("\n".join(markdown_lines(table_of("", steps))))


def _per_cent(part: float) -> str:
    return f"{100 * part:.1f} %"


def find_step(ratio: float, number: int) -> dict[str, str]:
    """Return how surely a step is found in so many series, as a row of the table.

    It is found where one change is found, and nothing else; the other shares are of these series: in how many the
    change lies at most REACH commits off, the ratio lies in its interval, and the step's commit in its range.
    """
    random = np.random.default_rng(1)
    places = random.integers(20, 181, number).tolist()
    every = [(at, find_level_changes(series(random, (at, ratio)))) for at in places]
    alone = [(at, changes[0]) for at, changes in every if len(changes) == 1]
    near = sum(abs(change.at - at) <= REACH for at, change in alone)
    size_covered = sum(change.low <= ratio <= change.high for _, change in alone)
    commits_covered = sum(change.first <= at <= change.last for at, change in alone)
    return {
        "planted step": f"{100 * (ratio - 1):+.0f} %",
        "found, and nothing else": _per_cent(len(alone) / number),
        f"within {REACH} commits": _per_cent(near / len(alone)),
        "size covered": _per_cent(size_covered / len(alone)),
        "commits covered": _per_cent(commits_covered / len(alone)),
    }


if __name__ == "__main__":
    typer.run(main)
