"""One device against another: how many times faster, and from which size on."""

import math
from collections.abc import Sequence

from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.record import Measurement, Record
from parabola.records.speedups import Side, crossovers, pairs, speedups
from parabola.report.parts import KINDS, TEXT_COLUMNS, Section, order_of_kind, sides_of, size_pictures


def device_sections(newest: Sequence[Sequence[Record]], names: Sequence[str]) -> list[Section]:
    """Hold devices against each other: those of one machine, and those of machines that were named, in that order."""
    last = {found[0].name: found for found in reversed(newest) if found[0].name}  # as the machine was measured last
    named = sorted(last.values(), key=lambda found: names.index(found[0].name))
    groups = [[found] for found in newest if not found[0].name] + ([named] if named else [])
    made = [_against([side for found in group for side in sides_of(found)]) for group in groups]
    return [section for section in made if section]


def _against(sides: Sequence[Side]) -> Section | None:
    if len(sides) < 2:
        return None
    lines, rows = list[str](), list[tuple[str, ...]]()
    for first, second in pairs(sides):
        found = [one for one in speedups(first, second) if one.first.kind in KINDS]
        if not found:
            lines.append(f"{first.label} and {second.label} have no case in common.")
        lines += [f"{sentence}." for sentence in crossovers(found, second.label)]
        for one in sorted(found, key=lambda one: order_of_kind(one.first.kind)):
            interval = f"{_times(one.low)} – {_times(one.high)}" if math.isfinite(one.high) else "too few rounds"
            times = duration(one.first.median), duration(one.second.median)
            what = f"{one.first.kind}: {_without_device(one.first)}"
            answers = " / ".join(map(_answer, (one.first, one.second)))
            if (one.first.settled_seeds, one.first.seeds) != (one.second.settled_seeds, one.second.seeds):
                interval = "not of the same seeds"
            rows.append((what, f"{first.label} : {second.label}", *times, f"{_times(one.ratio)} ×", interval, answers))
    headings = ("case", "what", "first", "second", "speed-up", "95 % interval", "verdict")
    title = "How many times faster the second is; the interval is of these processes' rounds"
    return Section(
        title=" against ".join(dict.fromkeys(side.label for side in sides)),
        lines=tuple(lines),
        tables=(Table(title, headings, tuple(rows), TEXT_COLUMNS),) if rows else (),
        pictures=size_pictures(sides),
    )


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _answer(one: Measurement) -> str:
    return f"{one.settled_seeds} of {one.seeds}" if one.seeds else one.verdict or "–"


def _without_device(one: Measurement) -> str:
    return one.parameters.replace(f"{one.device}-", "", 1).replace(f"-{one.device}", "", 1)
