"""What holds now on one machine, at the commit that was measured last."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parabola import registry
from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.fingerprint import differences, short_name
from parabola.records.history import History
from parabola.records.record import Measurement, Record
from parabola.report import epoch_times
from parabola.report.parts import (
    TEXT_COLUMNS,
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
    tables = []
    if epochs:
        tables.append(epoch_times.epoch_times([_as_case(one) for one in epochs]))
        if any(one.verdict != "pass" for one in epochs):
            lines.append(f"{epoch_times.DAGGER}.")
    if others:
        tables.append(_other_times(others))
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


def _epoch_details(epochs: Sequence[Measurement]) -> Table:
    """Lay out every epoch time with its spread, its ratio to the limit and its answer."""
    limits = {_setting(one): one for one in epochs if one.engine == registry.limit()}
    rows = list[tuple[str, ...]]()
    for one in sorted(epochs, key=lambda one: (_setting(one), one.engine, one.device)):
        limit = limits.get(_setting(one))
        rows.append(
            (
                *(one.engine, one.device, str(one.samples), str(one.batch_size), f"{one.learning_rate:g}"),
                duration(one.median),
                quartiles(one),
                f"{one.median / limit.median:,.2f}" if limit else "–",
                "–" if one.coefficient_error is None else f"{one.coefficient_error:.2g}",
                one.verdict or "–",
                str(one.rounds),
            )
        )
    headings = (
        *("engine", "device", "samples", "batch size", "learning rate", "median", "quartiles", f"× {registry.limit()}"),
        *("coefficient error", "verdict", "rounds"),
    )
    title = "Time per epoch, and what was learnt at the end of the last round"
    return Table(title, headings, tuple(rows), TEXT_COLUMNS)


def _setting(one: Measurement) -> tuple[int, float, int]:
    return one.samples or 0, one.learning_rate or 0.0, one.batch_size or 0


def _other_times(others: Sequence[Measurement]) -> Table:
    rows = [
        (
            *(one.kind, one.parameters, duration(one.median), quartiles(one), str(one.rounds), one.unit),
            f"{one.settled_seeds} of {one.seeds}" if one.seeds else "–",
        )
        for one in others
    ]
    headings = ("what", "case", "median", "quartiles", "rounds", "unit", "seeds that pass")
    return Table("What else was timed", headings, tuple(rows), TEXT_COLUMNS)
