"""What holds now on one machine, at the commit that was measured last."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parabola import registry
from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.fingerprint import differences, short_name
from parabola.records.history import History
from parabola.records.record import Measurement, Record
from parabola.report import epoch_times
from parabola.report.parts import (
    Section,
    commit_words,
    count_words,
    current_cases,
    order_of_kind,
    quartiles,
    sides_of,
    size_pictures,
)


def now_section(history: History, found: Sequence[Record], records: Sequence[Record], name: str) -> Section:
    """Lay out what holds now on one machine.

    Args:
        history: everything that was measured on the machine.
        found: records of the commit that was measured last, the newest first.
        records: all records of the report, in the order in which they were given.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    newest, facts = found[0], dict(found[0].fingerprint)
    current = current_cases(found)
    epochs = [one for one in current if one.kind == "epoch time"]
    others = sorted((one for one in current if one.kind != "epoch time"), key=lambda one: order_of_kind(one.kind))
    lines = [
        f"{commit_words(newest)}, measured {newest.measured:%Y-%m-%d %H:%M} UTC, {count_words(len(found), 'record')}.",
        f"Machine: {facts['cpu_model']}, {facts['cores_usable']} of {facts['cores']} cores, {facts['memory_gib']} GiB; "
        f"GPU {facts['gpu']}; {facts['system']} {facts['kernel']}; Python {facts['python']}, "
        f"{'' if facts['backend'] == 'tensorflow' else facts['backend'] + ', '}"
        f"TensorFlow {facts['tensorflow']}, Keras {facts['keras']}; threads {facts['threads']}; "
        f"XLA_FLAGS {facts['xla_flags'] or 'none'}.",
    ]
    lines += [
        f"{one.path} was cut short: {one.over} of {one.planned} tests were over (or its session still runs)."
        for one in found
        if one.cut_short
    ]
    lines += [f"{short_name(case)} failed, so it has no time." for one in found for case in one.failed]
    other = next((one for one in records if one.fingerprint != newest.fingerprint), None)
    if other:
        lines.append(f"Not pooled with {Path(other.path).name}: {'; '.join(differences(newest, other))}.")
    here = {one.device for one in current}
    for record in history.records:
        gone = sorted({one.device for one in record.measurements} - here)
        here |= set(gone)
        lines += [f"{device} is not here: it was measured last at {commit_words(record).lower()}." for device in gone]
    tables = list[Table[Any]]()
    if epochs:
        tables.append(epoch_times.epoch_times([_as_case(one) for one in epochs]))
        if any(one.verdict != "pass" for one in epochs):
            lines.append(f"{epoch_times.DAGGER}.")
    if others:
        tables.append(Table("What else was timed", OTHER_COLUMNS, others))
    pictures = size_pictures(sides_of(found, named=False))
    return Section(
        title=f"Now: {name}" if name else "Now",
        lines=tuple(lines),
        tables=tuple(tables),
        details=(_epoch_details(epochs),) if epochs else (),
        pictures=pictures,
    )


def _as_case(one: Measurement) -> dict[str, Any]:
    names = ("engine", "device", "batch_size", "learning_rate", "samples", "verdict")
    return {**{name: getattr(one, name) for name in names}, "seconds_per_epoch": one.median}


@dataclass(frozen=True)
class _Timed:
    """An epoch time, and that of the limit at the same setting; None where it was not measured."""

    epoch: Measurement
    limit: Measurement | None


EPOCH_COLUMNS: tuple[Column[_Timed], ...] = (
    Column("engine", lambda timed: timed.epoch.engine, "left"),
    Column("device", lambda timed: timed.epoch.device, "left"),
    Column("samples", lambda timed: str(timed.epoch.samples)),
    Column("batch size", lambda timed: str(timed.epoch.batch_size)),
    Column("learning rate", lambda timed: f"{timed.epoch.learning_rate:g}"),
    Column("median", lambda timed: duration(timed.epoch.median)),
    Column("quartiles", lambda timed: quartiles(timed.epoch)),
    Column(
        f"× {registry.limit()}", lambda timed: f"{timed.epoch.median / timed.limit.median:,.2f}" if timed.limit else "–"
    ),
    Column("coefficient error", lambda timed: _error(timed.epoch)),
    Column("verdict", lambda timed: timed.epoch.verdict or "–", "left"),
    Column("rounds", lambda timed: str(timed.epoch.rounds)),
)
OTHER_COLUMNS: tuple[Column[Measurement], ...] = (
    Column("what", lambda other: other.kind, "left"),
    Column("case", lambda other: other.parameters, "left"),
    Column("median", lambda other: duration(other.median)),
    Column("quartiles", quartiles),
    Column("rounds", lambda other: str(other.rounds)),
    Column("unit", lambda other: other.unit, "left"),
    Column("seeds that pass", lambda other: f"{other.settled_seeds} of {other.seeds}" if other.seeds else "–"),
)


def _epoch_details(epochs: Sequence[Measurement]) -> Table[_Timed]:
    """Lay out every epoch time with its spread, its ratio to the limit and its answer."""
    limits = {_setting(epoch): epoch for epoch in epochs if epoch.engine == registry.limit()}
    ordered = sorted(epochs, key=lambda epoch: (_setting(epoch), epoch.engine, epoch.device))
    timed = [_Timed(epoch, limits.get(_setting(epoch))) for epoch in ordered]
    return Table("Time per epoch, and what was learnt at the end of the last round", EPOCH_COLUMNS, timed)


def _setting(one: Measurement) -> tuple[int, float, int]:
    return one.samples or 0, one.learning_rate or 0.0, one.batch_size or 0


def _error(measurement: Measurement) -> str:
    error = measurement.coefficient_error
    return "–" if error is None else f"{error:.2g}"
