"""What a report is made of: sections, pictures, and the words that several sections share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.record import Measurement, Record
from parabola.records.speedups import AXES, Side
from parabola.report import figures

AXIS_TITLES = {"epoch time": "batch size", "members": "members trained together (a CPU's on one core)"}
KINDS = ("epoch time", "members", "compile time", "cold start", "time to accuracy")
PUBLISHED_SAMPLES = 999


@dataclass(frozen=True)
class Picture:
    """A chart, its title, and the sentence below it that says how to read it."""

    title: str
    chart: Any
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        lines: sentences.
        tables: what a reader of the terminal sees, too.
        details: tables that are folded away, and that the terminal leaves out.
        pictures: drawn from the tables.
    """

    title: str
    lines: tuple[str, ...] = ()
    tables: tuple[Table[Any], ...] = ()
    details: tuple[Table[Any], ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


def current_cases(found: Sequence[Record]) -> list[Measurement]:
    """Return each case once, as it was measured last."""
    by_case = dict[tuple[str, int | None], Measurement]()
    for record in found:
        for one in record.measurements:
            by_case.setdefault(one.key, one)
    return list(by_case.values())


def count_words(number: int, name: str) -> str:
    """Return a number with the noun that it counts, as "1 record" or "2,000 records"."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def commit_words(record: Record) -> str:
    """Return which commit a record is of, as "Commit 012345678 with changes of its own"."""
    changed = " with changes of its own" if record.dirty else ""
    return f"Commit {record.commit[:9]}{changed}" if record.commit else "No commit"


def quartiles(measurement: Measurement) -> str:
    """Return the range between the quartiles of a measurement's rounds, as "20 µs – 22 µs"."""
    return f"{duration(measurement.low_quartile)} – {duration(measurement.high_quartile)}"


def order_of_kind(kind: str) -> int:
    """Return where a kind of benchmark stands in tables; kinds that are not known here come last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _line_label(side: Side, one: Measurement) -> str:
    samples = f", {one.samples:,} samples" if one.samples not in (None, PUBLISHED_SAMPLES) else ""
    epochs = f", {one.epochs} epochs a round" if one.epochs else ""
    return f"{one.engine} {side.label}{samples}{epochs}"


def size_pictures(sides: Sequence[Side]) -> tuple[Picture, ...]:
    """Draw times over each axis that has two sizes or more; of a size at several learning rates, the smallest's."""
    caption = (
        "Median over rounds, with the range between the quartiles. Both axes are logarithmic; of a size at several "
        "learning rates the smallest's is drawn. Click a name to pick it, again to see all; hover for figures."
    )
    drawn = []
    for kind, axis in AXES.items():
        found = [(_line_label(side, one), one) for side in sides for one in side.measurements if one.kind == kind]
        points = dict[tuple[str, Any], tuple[str, Measurement]]()
        for label, one in sorted(found, key=lambda pair: pair[1].learning_rate or 0):
            points.setdefault((label, getattr(one, axis)), (label, one))
        if len({size for _, size in points}) > 1:
            figure = figures.size_figure(list(points.values()), axis, AXIS_TITLES[kind])
            title = f"Time per epoch over {AXIS_TITLES[kind]}"
            drawn.append(Picture(title, figure, caption))
    return tuple(drawn)


def sides_of(found: Sequence[Record], *, named: bool = True) -> list[Side]:
    """Return a side for each device that was measured, in the order of the devices' names.

    Args:
        found: records of one commit on one machine, the newest first.
        named: whether the labels have the machine's name, where it was given one.
    """
    current = current_cases(found)
    devices = sorted({one.device for one in current})
    name = found[0].name if named else ""
    labels = [f"{name} {on}" if name and len(devices) > 1 else name or on for on in devices]
    sides = zip(labels, devices, strict=True)
    return [Side(label, on, tuple(one for one in current if one.device == on)) for label, on in sides]
