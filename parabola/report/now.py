"""What holds now on one machine, at the commit that was measured last."""

from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from parabola import registry
from parabola.display.tables import Column, Table, table_of
from parabola.display.units import duration
from parabola.records.case import short_name
from parabola.records.fingerprint import differences
from parabola.records.foreign.case import ForeignCase
from parabola.records.history import History
from parabola.records.record import Measurement, Record
from parabola.report import parts
from parabola.report.answer import answer_of
from parabola.report.epoch_times import DAGGER, EpochTime, epoch_times
from parabola.report.foreign import foreign_tables


def now_section(history: History, records: Sequence[Record], name: str) -> parts.Section:
    """Lay out what holds now on one machine.

    Args:
        history: everything that was measured on the machine.
        records: all records of the report, in the order in which they were given.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    found = history.newest
    current = parts.current_cases(found)
    epochs = [measurement for measurement in current if measurement.case.kind == "epoch time"]
    foreign = [measurement for measurement in current if isinstance(measurement.case, ForeignCase)]
    others = [one for one in current if one.case.kind != "epoch time" and not isinstance(one.case, ForeignCase)]
    others.sort(key=lambda measurement: parts.order_of_kind(measurement.case.kind))
    failed_to_learn = any(measurement.answer.verdict != "pass" for measurement in epochs)
    times = [EpochTime(measurement.answer, measurement.times.median) for measurement in epochs]
    return parts.Section(
        title=f"Now: {name}" if name else "Now",
        chapter="Now",
        answer=answer_of(history, name),
        lines=(
            _commit_line(found),
            _machine_line(dict(found[0].fingerprint)),
            *_unfinished_lines(found),
            *_not_pooled_lines(history, records),
            *_gone_device_lines(history, {measurement.case.device for measurement in current}),
            *([f"{DAGGER}."] if failed_to_learn else []),
        ),
        tables=(
            *([epoch_times(times)] if epochs else []),
            *([Table("What else was timed", OTHER_COLUMNS, others)] if others else []),
            *foreign_tables(foreign),
        ),
        details=(_epoch_details(epochs),) if epochs else (),
        draw=lambda: parts.size_pictures(parts.times_by_device(found, named=False)),
    )


def _commit_line(found: Sequence[Record]) -> str:
    newest = found[0]
    measured = f"measured {newest.measured:%Y-%m-%d %H:%M} UTC"
    return f"{parts.commit_words(newest)}, {measured}, {parts.count_words(len(found), 'record')}."


def _machine_line(facts: Mapping[str, str]) -> str:
    if not facts["backend"]:  # pytest-benchmark's own facts alone
        return (
            f"Machine: {facts['cpu_model']}, {facts['cores'] or 'unknown'} cores; {facts['system']} {facts['kernel']}; "
            f"Python {facts['python']}."
        )
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
    lines += [f"{short_name(case)} failed, so it has no time." for record in found for case in record.failed]
    return lines + [
        f"{short_name(case)} is left out: its time is no positive number."
        for record in found
        for case in record.untimed
    ]


def _not_pooled_lines(history: History, records: Sequence[Record]) -> list[str]:
    """Say how the first record of another history differs, if there is one on another machine or software."""
    newest, here = history.newest[0], {record.path for record in history.records}
    others = (record for record in records if record.path not in here)
    found = ((other, differences(newest, other)) for other in others)
    return [
        f"Not pooled with {Path(other.path).name}: {'; '.join(differing)}." for other, differing in found if differing
    ][:1]


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
        lines += [
            f"{device} is not here: it was measured last at {parts.commit_words(record).lower()}." for device in gone
        ]
    return lines


OTHER_COLUMNS: tuple[Column[Measurement], ...] = (
    Column("what", lambda other: other.case.kind, "left"),
    Column("case", lambda other: other.case.words, "left"),
    Column("median", lambda other: duration(other.times.median)),
    Column("quartiles", parts.quartiles),
    Column("rounds", lambda other: str(other.times.rounds)),
    Column("unit", lambda other: other.unit, "left"),
    Column("seeds timed", lambda other: other.answer.seeds_timed or "–"),
    Column("peak memory", lambda other: "–" if (peak := other.answer.peak_mebibytes) is None else f"{peak:,.0f} MiB"),
)


def _epoch_details(epochs: Sequence[Measurement]) -> Table[Mapping[str, str]]:
    """Lay out every epoch time with its spread, its ratio to the limit and its answer."""
    limits = {epoch.case.setting: epoch.times.median for epoch in epochs if epoch.case.engine == registry.LIMIT}
    rows = list[dict[str, str]]()
    for epoch in sorted(epochs, key=lambda epoch: (epoch.case.setting, epoch.case.engine, epoch.case.device)):
        case, answer, limit = epoch.case, epoch.answer, limits.get(epoch.case.setting)
        rows.append(
            {
                "engine": case.engine,
                "device": case.device,
                "samples": str(case.samples),
                "batch size": str(case.batch_size),
                "learning rate": f"{case.learning_rate:g}",
                "median": duration(epoch.times.median),
                "quartiles": parts.quartiles(epoch),
                f"× {registry.LIMIT}": f"{epoch.times.median / limit:,.2f}" if limit else "–",
                "coefficient error": "–" if answer.coefficient_error is None else f"{answer.coefficient_error:.2g}",
                "verdict": answer.verdict_words or "–",
                "rounds": str(epoch.times.rounds),
            }
        )
    title = "Time per epoch, and what was learnt at the end of the last round"
    return table_of(title, rows, left=("engine", "device", "verdict"))
