"""Measurements, records and devices as a reader of records gives them, made up without a file."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from parabola.records.case import Case
from parabola.records.extra_info import Answer
from parabola.records.fingerprint import FINGERPRINT
from parabola.records.record import Measurement, Record
from parabola.records.schema import Times
from parabola.records.speedups import DeviceTimes
from tests.made_records import MACHINE


def measurement(parameters: str = "", **changed: Any) -> Measurement:
    """Return an epoch time whose figures all differ from each other.

    Args:
        parameters: of the case; of engine, device, batch size and learning rate unless given.
        changed: values that are other, of the case, the times or the answer; "function" for the benchmark's.
    """
    function = changed.pop("function", "bench_epoch_time")
    values: dict[str, Any] = {
        **{"kind": "epoch time", "unit": "seconds per epoch", "engine": "compiled", "device": "cpu"},
        **{"batch_size": 9, "learning_rate": 0.001, "samples": 999, "members": None, "epochs": None},
        **{"median": 4.5e-6, "low_quartile": 4.4e-6, "high_quartile": 4.7e-6, "rounds": 11},
        **{"coefficient_error": 2.5e-4, "verdict": "pass", "seeds": None, "settled_seeds": None},
        **changed,
    }
    setting = "batch_{batch_size}-learning_rate_{learning_rate:g}".format_map(values)
    parameters = parameters or f"{values['engine']}-{values['device']}-{setting}"
    return of_values(**{"name": f"benchmarks/{function}.py::{function}[{parameters}]", **values})


def of_values(**values: Any) -> Measurement:
    """Return the measurement that has such values, by their names in the case, the times and the answer."""

    def part(kind: type[msgspec.Struct]) -> Any:
        return kind(**{name: values[name] for name in kind.__struct_fields__ if name in values})

    return Measurement(part(Case), values["unit"], part(Times), part(Answer))


def values_of(measurement: Measurement) -> dict[str, Any]:
    """Return all values of a measurement, wherever in it they stand."""
    parts = (measurement.case, measurement.times, measurement.answer)
    values = {name: getattr(part, name) for part in parts for name in part.__struct_fields__}
    return {"unit": measurement.unit, **values}


def altered(measurement: Measurement, **changed: Any) -> Measurement:
    """Return a measurement with other values, wherever in it they stand."""
    return of_values(**{**values_of(measurement), **changed})


def record(*measurements: Measurement, machine: dict[str, Any] | None = None, **changed: Any) -> Record:
    """Return a record of measurements; the default's commit was made an hour and a half before it was measured.

    Args:
        measurements: of it.
        machine: facts that are other than MACHINE's.
        changed: attributes that are other.
    """
    facts = {**MACHINE, **(machine or {})}
    values: dict[str, Any] = {
        "path": "records/0007_made.json",
        "name": "",
        "fingerprint": tuple((fact, str(facts[fact])) for fact in FINGERPRINT),
        "commit": "c0ffee123" + "4" * 31,
        "committed": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        "dirty": False,
        "measured": datetime(2026, 3, 4, 6, 36, tzinfo=UTC),
        **{"planned": len(measurements), "over": len(measurements), "failed": ()},
        "measurements": measurements,
    }
    return Record(**{**values, **changed})


def on_device(label: str, device: str, *measurements: Measurement) -> DeviceTimes:
    """Return what was measured on a device."""
    return DeviceTimes(label, device, measurements)
