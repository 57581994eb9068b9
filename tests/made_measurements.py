"""Measurements, records and sides as a reader of records gives them, made up without a file."""

from datetime import UTC, datetime
from typing import Any

from parabola.records.fingerprint import FINGERPRINT
from parabola.records.record import Measurement, Record
from parabola.records.speedups import Side
from tests.made_records import MACHINE


def measurement(name: str = "", **changed: Any) -> Measurement:
    """Return an epoch time whose figures all differ from each other.

    Args:
        name: parameters of the case; of engine, device, batch size and learning rate unless given.
        changed: attributes that are other; "function" for the benchmark's.
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
    name = name or f"{values['engine']}-{values['device']}-{setting}"
    return Measurement(**{"case": f"benchmarks/{function}.py::{function}[{name}]", **values})


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


def side(label: str, device: str, *measurements: Measurement) -> Side:
    """Return what was measured on a device."""
    return Side(label, device, measurements)
