"""Cases of another suite as tables: one a group, with a column for each parameter that all cases of the group have."""

from collections import defaultdict
from collections.abc import Sequence

from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.foreign.case import ForeignCase
from parabola.records.record import Measurement
from parabola.report import parts


def foreign_tables(measurements: Sequence[Measurement]) -> list[Table[Measurement]]:
    """Lay out the cases of another suite: a table a group, those without a group last; rows in the record's order."""
    by_kind = defaultdict[str, list[Measurement]](list)
    for measurement in measurements:
        by_kind[measurement.case.kind].append(measurement)
    kinds = sorted(by_kind, key=lambda kind: (kind == "time", kind))
    return [_table(parts.heading(kind), by_kind[kind]) for kind in kinds]


def _table(title: str, group: Sequence[Measurement]) -> Table[Measurement]:
    shared = [name for name in _params(group[0]) if all(name in _params(measurement) for measurement in group)]
    return Table(
        f"{title}: median seconds of a call" if title != "Time" else "Median seconds of a call",
        (
            Column("case", lambda one: one.case.label, "left"),
            *map(_param_column, shared),
            Column("median", lambda one: duration(one.times.median)),
            Column("quartiles", parts.quartiles),
            Column("rounds", lambda one: f"{one.times.rounds:,}"),
        ),
        group,
    )


def _param_column(name: str) -> Column[Measurement]:
    return Column(name, lambda measurement: str(_params(measurement)[name]))


def _params(measurement: Measurement) -> dict[str, str | float]:
    return dict(measurement.case.params) if isinstance(measurement.case, ForeignCase) else {}
