"""How surely is a change of level found, and how often is one seen where there is none? Made-up series, many times."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from scipy.signal import lfilter

from parabola.display.console import tracked
from parabola.display.tables import Column, Table, markdown_lines
from parabola.records.changes import find_level_changes

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


@dataclass(frozen=True)
class Found:
    """How surely a planted step is found.

    Attributes:
        step: the ratio of the levels after and before it.
        alone: share of the series in which one change is found; the other shares are of these.
        near: share in which it lies at most REACH commits off.
        size_covered: share in which the ratio lies in the change's interval.
        commits_covered: share in which the step's commit lies in the change's range.
    """

    step: float
    alone: float
    near: float
    size_covered: float
    commits_covered: float


@dataclass(frozen=True)
class FalseAlarms:
    """Share of unchanged series in which a change is found, at a kind of noise."""

    noise: str
    share_of_series: float


FOUND_COLUMNS: tuple[Column[Found], ...] = (
    Column("planted step", lambda found: f"{100 * (found.step - 1):+.0f} %"),
    Column("found, and nothing else", lambda found: _per_cent(found.alone)),
    Column(f"within {REACH} commits", lambda found: _per_cent(found.near)),
    Column("size covered", lambda found: _per_cent(found.size_covered)),
    Column("commits covered", lambda found: _per_cent(found.commits_covered)),
)
ALARM_COLUMNS: tuple[Column[FalseAlarms], ...] = (
    Column("noise of 200 unchanged values", lambda alarms: alarms.noise, "left"),
    Column("false alarms", lambda alarms: _per_cent(alarms.share_of_series)),
)


def main(number: Annotated[int, typer.Option(help="Of series for each row.")] = 1000) -> None:
    """Print both tables of the handbook."""
    steps = Table("", FOUND_COLUMNS, [find_step(ratio, number) for ratio in tracked(STEPS, "steps")])
    noises = tracked([*NOISES.items()], "noises")
    alarms = [FalseAlarms(name, false_alarms(noise, number)) for name, noise in noises]
    tables = markdown_lines(steps), markdown_lines(Table("", ALARM_COLUMNS, alarms))
    print("\n\n".join("\n".join(lines) for lines in tables))


def _per_cent(part: float) -> str:
    return f"{100 * part:.1f} %"


def find_step(ratio: float, number: int) -> Found:
    """Return how often a step alone is found in so many series, and of these placed and covered."""
    random = np.random.default_rng(1)
    places = random.integers(20, 181, number).tolist()
    every = [(at, find_level_changes(series(random, (at, ratio)))) for at in places]
    alone = [(at, changes[0]) for at, changes in every if len(changes) == 1]
    return Found(
        step=ratio,
        alone=len(alone) / number,
        near=sum(abs(change.at - at) <= REACH for at, change in alone) / len(alone),
        size_covered=sum(change.low <= ratio <= change.high for _, change in alone) / len(alone),
        commits_covered=sum(change.first <= at <= change.last for at, change in alone) / len(alone),
    )


def false_alarms(noise: dict[str, Any], number: int) -> float:
    """Return the share of unchanged series, of so many, that have any change."""
    random = np.random.default_rng(2)
    return sum(bool(find_level_changes(series(random, **noise))) for _ in range(number)) / number


if __name__ == "__main__":
    typer.run(main)
