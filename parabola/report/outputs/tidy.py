"""Records as tidy rows for a notebook: one a measurement, with all that is known of it under a key of its own."""

from collections.abc import Iterator, Sequence
from typing import Any

from parabola.records.extra_info import Answer
from parabola.records.foreign.case import ForeignCase
from parabola.records.record import Measurement, Record


def rows(records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    """Return a flat row for each measurement of each record.

    Times are in seconds of the row's `unit`, moments in ISO 8601; None is what is not known. The parameters of another
    suite's case have `param:` before their names.
    """
    for record in records:
        about = {
            **{"record": record.path, "name": record.name, "project": record.project, "commit": record.commit},
            "committed": record.committed.isoformat() if record.committed else None,
            **{"dirty": record.dirty, "measured": record.measured.isoformat(), "disturbed": record.disturbed},
            **dict(record.fingerprint),
        }
        for measurement in record.measurements:
            yield {**_of_case(measurement), **about}


def _of_case(measurement: Measurement) -> dict[str, Any]:
    case, times, answer = measurement.case, measurement.times, measurement.answer
    params = case.params if isinstance(case, ForeignCase) else ()
    return {
        **{"case": case.name, "words": case.label, "kind": case.kind, "unit": measurement.unit, "epochs": case.epochs},
        **{"median": times.median, "q1": times.low_quartile, "q3": times.high_quartile, "rounds": times.rounds},
        **{field: getattr(answer, field) or None for field in ("engine", "device")},
        **{field: getattr(answer, field) for field in Answer.__struct_fields__ if field not in ("engine", "device")},
        **{f"param:{name}": value for name, value in params},
    }
