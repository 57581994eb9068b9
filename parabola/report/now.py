"""What holds now on one machine, at the commit that was measured last."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from parabola import registry
from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.case import short_name
from parabola.records.extra_info import Answer
from parabola.records.fingerprint import differences
from parabola.records.history import History
from parabola.records.record import Measurement, Record
from parabola.report.epoch_times import DAGGER, EpochTime, epoch_times
from parabola.report.parts import (
    Section,
    commit_words,
    count_words,
    current_cases,
    order_of_kind,
    quartiles,
    size_pictures,
    times_by_device,
)


def now_section(history: History, found: Sequence[Record], records: Sequence[Record], name: str) -> Section:
    """Lay out what holds now on one machine.

    Args:
        history: everything that was measured on the machine.
        found: records of the commit that was measured last, the newest first.
        records: all records of the report, in the order in which they were given.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    current = current_cases(found)
    epochs = [measurement for measurement in current if measurement.case.kind == "epoch time"]
    others = [measurement for measurement in current if measurement.case.kind != "epoch time"]
    others.sort(key=lambda measurement: order_of_kind(measurement.case.kind))
    failed_to_learn = any(measurement.answer.verdict != "pass" for measurement in epochs)
    times = [EpochTime(measurement.answer, measurement.times.median) for measurement in epochs]
    return Section(
        title=f"Now: {name}" if name else "Now",
        lines=(
            _commit_line(found),
            _machine_line(dict(found[0].fingerprint)),
            *_unfinished_lines(found),
            *_not_pooled_lines(found[0], records),
            *_gone_device_lines(history, {measurement.case.device for measurement in current}),
            *([f"{DAGGER}."] if failed_to_learn else []),
        ),
        tables=(
            *([epoch_times(times)] if epochs else []),
            *([Table("What else was timed", OTHER_COLUMNS, others)] if others else []),
        ),
        details=(_epoch_details(epochs),) if epochs else (),
        pictures=size_pictures(times_by_device(found, named=False)),
    )


def _commit_line(found: Sequence[Record]) -> str:
    newest = found[0]
    measured = f"measured {newest.measured:%Y-%m-%d %H:%M} UTC"
    return f"{commit_words(newest)}, {measured}, {count_words(len(found), 'record')}."


def _machine_line(facts: Mapping[str, str]) -> str:
    backend = "" if facts["backend"] == "tensorflow" else f"{facts['backend']}, "
    return (
        f"Machine: {facts['cpu_model']}, {facts['cores_usable']} of {facts['cores']} cores, {facts['memory_gib']} GiB; "
        f"GPU {facts['gpu']}; {facts['system']} {facts['kernel']}; Python {facts['python']}, "
        f"{backend}TensorFlow {facts['tensorflow']}, Keras {facts['keras']}; threads {facts['threads']}; "
        f"XLA_FLAGS {facts['xla_flags'] or 'none'}."
    )


def _unfinished_lines(found: Sequence[Record]) -> list[str]:
    """Say which sessions were cut short, and which cases failed."""
    lines = [
        f"{record.path} was cut short: {record.over} of {record.planned} tests were over (or its session still runs)."
        for record in found
        if record.cut_short
    ]
    return lines + [f"{short_name(case)} failed, so it has no time." for record in found for case in record.failed]


def _not_pooled_lines(newest: Record, records: Sequence[Record]) -> list[str]:
    """Say how the first record of another machine differs, if there is one."""
    others = [record for record in records if record.fingerprint != newest.fingerprint]
    return [
        f"Not pooled with {Path(other.path).name}: {'; '.join(differences(newest, other))}." for other in others[:1]
    ]


def _gone_device_lines(history: History, here: Set[str]) -> list[str]:
    """Say when each device that was not measured now was measured last.

    Args:
        history: everything that was measured on the machine.
        here: names of the devices that were measured now.
    """
    lines, named = list[str](), set(here)
    for record in history.records:
        gone = sorted({measurement.case.device for measurement in record.measurements} - named)
        named |= set(gone)
        lines += [f"{device} is not here: it was measured last at {commit_words(record).lower()}." for device in gone]
    return lines


@dataclass(frozen=True)
class _Timed:
    """An epoch time, and that of the limit at the same setting; None where it was not measured."""

    epoch: Measurement
    limit: Measurement | None

    @property
    def ratio(self) -> str:
        """How many times as long as the limit an epoch takes."""
        return f"{self.epoch.times.median / self.limit.times.median:,.2f}" if self.limit else "–"


EPOCH_COLUMNS: tuple[Column[_Timed], ...] = (
    Column("engine", lambda timed: timed.epoch.case.engine, "left"),
    Column("device", lambda timed: timed.epoch.case.device, "left"),
    Column("samples", lambda timed: str(timed.epoch.case.samples)),
    Column("batch size", lambda timed: str(timed.epoch.case.batch_size)),
    Column("learning rate", lambda timed: f"{timed.epoch.case.learning_rate:g}"),
    Column("median", lambda timed: duration(timed.epoch.times.median)),
    Column("quartiles", lambda timed: quartiles(timed.epoch)),
    Column(f"× {registry.limit()}", lambda timed: timed.ratio),
    Column("coefficient error", lambda timed: _error(timed.epoch.answer)),
    Column("verdict", lambda timed: timed.epoch.answer.verdict or "–", "left"),
    Column("rounds", lambda timed: str(timed.epoch.times.rounds)),
)
OTHER_COLUMNS: tuple[Column[Measurement], ...] = (
    Column("what", lambda other: other.case.kind, "left"),
    Column("case", lambda other: other.case.parameters, "left"),
    Column("median", lambda other: duration(other.times.median)),
    Column("quartiles", quartiles),
    Column("rounds", lambda other: str(other.times.rounds)),
    Column("unit", lambda other: other.unit, "left"),
    Column("seeds that pass", lambda other: other.answer.seeds_that_pass or "–"),
)


def _epoch_details(epochs: Sequence[Measurement]) -> Table[_Timed]:
    """Lay out every epoch time with its spread, its ratio to the limit and its answer."""
    limits = {epoch.case.setting: epoch for epoch in epochs if epoch.case.engine == registry.limit()}
    ordered = sorted(epochs, key=lambda epoch: (epoch.case.setting, epoch.case.engine, epoch.case.device))
    timed = [_Timed(epoch, limits.get(epoch.case.setting)) for epoch in ordered]
    return Table("Time per epoch, and what was learnt at the end of the last round", EPOCH_COLUMNS, timed)


def _error(answer: Answer) -> str:
    return "–" if answer.coefficient_error is None else f"{answer.coefficient_error:.2g}"
