"""How surely is a change of level found, and how often is one seen where there is none? Made-up series, many times."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from scipy.signal import lfilter

from parabola.display.console import tracked
from parabola.display.tables import Table, markdown_lines
from parabola.records.changes import find_changes

Floats = npt.NDArray[np.float64]

STEPS = (1.1, 1.05, 1.03)
REACH = 3  # a change counts as placed if it is found at most so many commits off
NOISES: dict[str, dict[str, Any]] = {
    "3 %, 5 % outliers": {},
    "1 %, 5 % outliers": {"noise": 0.01},
    "5 %, 5 % outliers": {"noise": 0.05},
    "3 %, 10 % outliers": {"outliers": 0.1},
    "3 %, Student's t of 3 degrees, 5 % outliers": {"tails": 3.0},
    "3 %, neighbours correlated by 0.3, 5 % outliers": {"correlation": 0.3},
}


def series(
    generator: np.random.Generator,
    *steps: tuple[int, float],
    values: int = 200,
    noise: float = 0.03,
    outliers: float = 0.05,
    tails: float = np.inf,
    correlation: float = 0.0,
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
    """Print both tables of the README."""
    headings = ("planted step", "found, and nothing else", f"within {REACH} commits", "size covered", "commits covered")
    rows = tuple((f"{100 * (ratio - 1):+.0f} %", *found(ratio, number)) for ratio in tracked(STEPS, "steps"))
    alarms = tuple((name, false_alarms(noise, number)) for name, noise in tracked([*NOISES.items()], "noises"))
    kinds = "noise of 200 unchanged values"
    tables = Table("", headings, rows), Table("", (kinds, "false alarms"), alarms, (kinds,))
    print("\n\n".join("\n".join(markdown_lines(table)) for table in tables))


def found(ratio: float, number: int) -> Sequence[str]:
    """Return, in per cent of series, how often a step alone is found, and of these placed and covered."""
    random = np.random.default_rng(1)
    places = random.integers(20, 181, number).tolist()
    every = [(at, find_changes(series(random, (at, ratio)))) for at in places]
    alone = [(at, changes[0]) for at, changes in every if len(changes) == 1]
    counts = (
        sum(abs(change.at - at) <= REACH for at, change in alone),
        sum(change.low <= ratio <= change.high for _, change in alone),
        sum(change.first <= at <= change.last for at, change in alone),
    )
    return f"{100 * len(alone) / number:.1f} %", *(f"{100 * count / len(alone):.1f} %" for count in counts)


def false_alarms(noise: dict[str, Any], number: int) -> str:
    """Return, in per cent, how many unchanged series have any change."""
    random = np.random.default_rng(2)
    return f"{100 * sum(bool(find_changes(series(random, **noise))) for _ in range(number)) / number:.1f} %"


if __name__ == "__main__":
    typer.run(main)
