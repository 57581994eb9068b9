"""Numbers that a suite tells of its cases (`extra_info`), compared as times are: a row for each case and metric."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from parabola.compare.outcome import Options
from parabola.compare.referee import Referee
from parabola.compare.sides.launch import CONTROL, Launch


class Row(str):
    """The name of what a metric says of a case, as "a.py::test_a: peak_mebibytes".

    Attributes:
        case: the name of the case.
        metric: a key of the case's extra_info.
    """

    case: str
    metric: str

    def __new__(cls, case: str, metric: str) -> "Row":
        """Make the name."""
        row = super().__new__(cls, f"{case}: {metric}")
        row.case, row.metric = case, metric
        return row


def case_of(name: str) -> str:
    """Return the case whose test has to run for what has such a name: itself, or the case of a metric's row."""
    return name.case if isinstance(name, Row) else name


def cases_of(names: Iterable[str]) -> list[str]:
    """Return the cases whose tests have to run for what has such names, each once, in order."""
    return list(dict.fromkeys(map(case_of, names)))


def names(launch: Launch, metrics: Iterable[str], known: Sequence[str] = ()) -> list[str]:
    """Return the names of all that launches say something of: cases, and the rows of their metrics.

    Args:
        launch: the first, or the next.
        metrics: keys of extra_info.
        known: what launches before it say something of. Cases are those of the first launch; rows may come later, where
            the first ended before it came to their case.
    """
    cases = known or launch.plan[1:]
    later = [row for row in rows(launch, metrics) if row.case in cases and row not in known]
    return [*cases, *later]


def rows(launch: Launch, metrics: Iterable[str]) -> list[Row]:
    """Return the rows of the metrics that a launch has measured on both sides."""
    found = (Row(case, metric) for case in launch.measured for metric in metrics)
    return [row for row in found if values(launch, row)]


def values(launch: Launch, row: Row) -> tuple[float, float] | None:
    """Return what base and head tell of a metric in a launch; None unless both are positive, finite numbers."""
    info = launch.measured[row.case].extra_info if row.case in launch.measured else None
    told = [side.get(row.metric) for side in (info.base, info.head)] if info else []
    base, head = (value if _is_positive(value) else None for value in told or (None, None))
    return None if base is None or head is None else (float(base), float(head))


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def scale(metric: str, metrics: Mapping[str, float], minimum_effect: float) -> float:
    """Return by how much a metric's log ratios are stretched, so that its minimum effect becomes that of times."""
    return math.log1p(minimum_effect) / math.log1p(metrics[metric])


def log_ratios(launch: Launch, metrics: Mapping[str, float], minimum_effect: float) -> dict[str, float]:
    """Return the log ratios head : base of a launch: of the times of its cases, and, stretched, of its metrics."""
    ratios: dict[str, float] = {case: measured.log_ratio for case, measured in launch.measured.items()}
    for row in rows(launch, metrics):
        base, head = values(launch, row) or (1.0, 1.0)
        ratios[row] = math.log(head / base) * scale(row.metric, metrics, minimum_effect)
    return ratios


def tell(referee: Referee, launches: Iterable[Launch], options: Options) -> None:
    """Tell a referee what launches measured of all that it judges."""
    for launch in launches:
        told = log_ratios(launch, options.metrics, options.minimum_effect)
        referee.add({name: told[name] for name in referee.log_ratios if name in told})


def not_measured(launches: Sequence[Launch], metrics: Iterable[str]) -> list[str]:
    """Say in a sentence for each metric of which cases a launch had no positive number of it on both sides."""
    sentences = list[str]()
    for metric in metrics:
        lacking = dict.fromkeys(
            case
            for launch in launches
            for case in launch.measured
            if case != CONTROL and not values(launch, Row(case, metric))
        )
        if lacking:
            count = f"{len(lacking)} case{'s' if len(lacking) > 1 else ''}, as {next(iter(lacking))}"
            sentences.append(f"{metric} is no positive number on both sides in each launch of {count}")
    return sentences
