"""Times per epoch as one table: a row a setting, a column an engine and device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parabola import registry
from parabola.display.tables import Column, Table
from parabola.display.units import duration

DAGGER = "† a right run (as the reference), at whose end the coefficient error is not below the learning rate"


@dataclass(frozen=True)
class _Row:
    """What was measured at one setting: the cases by engine and device."""

    samples: int
    learning_rate: float
    batch_size: int
    cases: Mapping[tuple[str, str], Mapping[str, Any]]

    def limit(self) -> float | None:
        """Return the limit's seconds per epoch; None where it was not measured."""
        return next(
            (case["seconds_per_epoch"] for (engine, _), case in self.cases.items() if engine == registry.limit()), None
        )


def epoch_times(cases: Sequence[Mapping[str, Any]]) -> Table[_Row]:
    """Lay out seconds per epoch: a row a (batch size, learning rate), a column an engine and device.

    Args:
        cases: for each measured case "engine", "device", "batch_size", "learning_rate", "samples",
            "seconds_per_epoch" (the median) and "verdict".
    """
    rows = _rows(cases)
    measured = list(dict.fromkeys((case["engine"], case["device"]) for case in cases))
    columns: list[Column[_Row]] = [
        Column("batch size", lambda row: str(row.batch_size)),
        Column("learning rate", lambda row: f"{row.learning_rate:g}"),
        *(_times_column(engine, device) for engine, device in measured),
        *(
            _speedup_column(engine, device)
            for engine, device in sorted(measured)
            if device.startswith("gpu") and (engine, "cpu") in measured
        ),
    ]
    if len({row.samples for row in rows}) > 1:
        columns.insert(0, Column("samples", lambda row: str(row.samples)))
    return Table(f"Median time per epoch (and how many times {registry.limit()}, the limit)", columns, rows)


def _rows(cases: Sequence[Mapping[str, Any]]) -> list[_Row]:
    """Return the cases by setting, in the order of samples, learning rate and batch size."""
    by_setting = dict[tuple[int, float, int], dict[tuple[str, str], Mapping[str, Any]]]()
    for case in cases:
        of_setting = by_setting.setdefault((case["samples"], case["learning_rate"], case["batch_size"]), {})
        of_setting[case["engine"], case["device"]] = case
    return [_Row(*setting, of_setting) for setting, of_setting in sorted(by_setting.items())]


def _times_column(engine: str, device: str) -> Column[_Row]:
    """Return the column of an engine's times: each with its ratio to the limit, and marked unless the run passed."""

    def cell(row: _Row) -> str:
        case = row.cases.get((engine, device))
        return _time(case, None if engine == registry.limit() else row.limit()) if case else ""

    return Column(f"{engine} {device}", cell)


def _time(case: Mapping[str, Any], limit: float | None) -> str:
    seconds, mark = case["seconds_per_epoch"], " " if case["verdict"] == "pass" else "†"
    if not limit:
        return f"{duration(seconds)}{mark}"
    times = seconds / limit
    ratio = f"{times:,.0f}×" if times >= 100 else f"{times:.2f}×"
    return f"{duration(seconds)} ({ratio}){mark}"


def _speedup_column(engine: str, device: str) -> Column[_Row]:
    """Return the column of how many times as long the CPU takes as another device."""

    def cell(row: _Row) -> str:
        cpu, other = row.cases.get((engine, "cpu")), row.cases.get((engine, device))
        return f"{cpu['seconds_per_epoch'] / other['seconds_per_epoch']:.3g}" if cpu and other else ""

    return Column(f"{engine} cpu : {device}", cell)
