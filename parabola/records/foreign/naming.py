"""Names that tell the cases of a report apart, where classes or files have tests of the same name."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from parabola.records.case import short_name, short_names
from parabola.records.foreign.case import ForeignCase
from parabola.records.record import Measurement, Record


def told_apart(records: Sequence[Record]) -> list[Record]:
    """Return the records, with a longer short name for each foreign case whose short name another one has, too."""
    names = {
        measurement.case.name
        for record in records
        for measurement in record.measurements
        if isinstance(measurement.case, ForeignCase)
    }
    longer = {name: short for name, short in short_names(names).items() if short != short_name(name)}
    return [_renamed(record, longer) for record in records] if longer else list(records)


def _renamed(record: Record, names: dict[str, str]) -> Record:
    def renamed(measurement: Measurement) -> Measurement:
        if measurement.case.name not in names:
            return measurement
        case = msgspec.structs.replace(measurement.case, short=names[measurement.case.name])
        return msgspec.structs.replace(measurement, case=case)

    return replace(record, measurements=tuple(map(renamed, record.measurements)))
