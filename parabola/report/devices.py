"""One device against another: how many times faster, and from which size on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.record import Measurement, Record
from parabola.records.speedups import Side, Speedup, crossovers, pairs, speedups
from parabola.report.parts import KINDS, Section, order_of_kind, sides_of, size_pictures


def device_sections(newest: Sequence[Sequence[Record]], names: Sequence[str]) -> list[Section]:
    """Hold devices against each other: those of one machine, and those of machines that were named, in that order."""
    last = {found[0].name: found for found in reversed(newest) if found[0].name}  # as the machine was measured last
    named = sorted(last.values(), key=lambda found: names.index(found[0].name))
    groups = [[found] for found in newest if not found[0].name] + ([named] if named else [])
    made = [_against([side for found in group for side in sides_of(found)]) for group in groups]
    return [section for section in made if section]


@dataclass(frozen=True)
class _Compared:
    """One case on two devices, which have such labels."""

    labels: str
    speedup: Speedup


COLUMNS: tuple[Column[_Compared], ...] = (
    Column("case", lambda row: f"{row.speedup.first.kind}: {_without_device(row.speedup.first)}", "left"),
    Column("what", lambda row: row.labels, "left"),
    Column("first", lambda row: duration(row.speedup.first.median)),
    Column("second", lambda row: duration(row.speedup.second.median)),
    Column("speed-up", lambda row: f"{_times(row.speedup.ratio)} ×"),
    Column("95 % interval", lambda row: _interval(row.speedup)),
    Column("verdict", lambda row: f"{_answer(row.speedup.first)} / {_answer(row.speedup.second)}", "left"),
)


def _against(sides: Sequence[Side]) -> Section | None:
    if len(sides) < 2:
        return None
    lines, rows = list[str](), list[_Compared]()
    for first, second in pairs(sides):
        found = [speedup for speedup in speedups(first, second) if speedup.first.kind in KINDS]
        if not found:
            lines.append(f"{first.label} and {second.label} have no case in common.")
        lines += [f"{sentence}." for sentence in crossovers(found, second.label)]
        ordered = sorted(found, key=lambda speedup: order_of_kind(speedup.first.kind))
        rows += [_Compared(f"{first.label} : {second.label}", speedup) for speedup in ordered]
    title = "How many times faster the second is; the interval is of these processes' rounds"
    return Section(
        title=" against ".join(dict.fromkeys(side.label for side in sides)),
        lines=tuple(lines),
        tables=(Table(title, COLUMNS, rows),) if rows else (),
        pictures=size_pictures(sides),
    )


def _interval(speedup: Speedup) -> str:
    first, second = speedup.first, speedup.second
    if (first.settled_seeds, first.seeds) != (second.settled_seeds, second.seeds):
        return "not of the same seeds"
    return f"{_times(speedup.low)} – {_times(speedup.high)}" if math.isfinite(speedup.high) else "too few rounds"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _answer(one: Measurement) -> str:
    return f"{one.settled_seeds} of {one.seeds}" if one.seeds else one.verdict or "–"


def _without_device(one: Measurement) -> str:
    return one.parameters.replace(f"{one.device}-", "", 1).replace(f"-{one.device}", "", 1)
