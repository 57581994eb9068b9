"""The class that a report is made of, a section, and the words that several sections share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.case import PUBLISHED_SAMPLES, Case
from parabola.records.record import Measurement, Record
from parabola.records.speedups import DeviceTimes

if TYPE_CHECKING:
    from parabola.report.charts.panels import Picture

MEMBERS = "Members are runs of other seeds that one program trains together: the time is of all, on a CPU of one core."
AXIS_TITLES = {"epoch time": "batch size", "members": "members trained together"}
KINDS = ("epoch time", "members", "compile time", "cold start", "time to accuracy")


@dataclass(frozen=True)
class Answer:
    """What a reader of a page wants to know first of one machine.

    Attributes:
        machine: what ran where.
        line: how fast it is now, and how often it changed.
        details: sentences on what the line is of, and on the newest change.
    """

    machine: str
    line: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        chapter: what a reader seeks who finds it here, as "Now" or "History"; the title may begin with it.
        answer: what of it the page begins with; None for nothing.
        lines: sentences.
        tables: what a reader of the terminal sees, too.
        details: tables that are folded away, and that the terminal leaves out.
        draw: draws the pictures of what the tables have. It is called once a page asks for them: Altair takes long to
            import, and a terminal shows no picture.
    """

    title: str
    chapter: str = ""
    answer: Answer | None = None
    lines: tuple[str, ...] = ()
    tables: tuple[Table[Any], ...] = ()
    details: tuple[Table[Any], ...] = ()
    draw: Callable[[], tuple["Picture", ...]] = tuple

    @cached_property
    def pictures(self) -> tuple["Picture", ...]:
        """Return the pictures, drawn when they are asked for first."""
        return self.draw()


def current_cases(records: Sequence[Record]) -> list[Measurement]:
    """Return each case once, as it was measured last.

    Args:
        records: records of one commit on one machine, the newest first.
    """
    by_case = dict[tuple[str, int], Measurement]()
    for record in records:
        for measurement in record.measurements:
            by_case.setdefault(measurement.case.key, measurement)
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
    return f"{duration(measurement.times.low_quartile)} – {duration(measurement.times.high_quartile)}"


def order_of_kind(kind: str) -> int:
    """Return where a kind of benchmark stands in tables; kinds that are not known here come last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def heading(kind: str) -> str:
    """Return a kind of benchmark as a heading begins: with a capital, the rest as it is."""
    return kind[:1].upper() + kind[1:]


def size_pictures(devices: Sequence[DeviceTimes]) -> tuple["Picture", ...]:
    """Draw times over each axis that has two sizes or more; of a size at several learning rates, the smallest's."""
    from parabola.report.charts.panels import Picture
    from parabola.report.charts.sizes import size_panels, size_row

    caption = (
        "Medians over rounds, with bars between the quartiles. Both axes are logarithmic. A size that was timed at "
        "several learning rates is drawn at the smallest."
    )
    drawn = list[Picture]()
    for kind, axis_title in AXIS_TITLES.items():
        measured = [
            (_line_label(times.label, measurement.case), measurement)
            for times in devices
            for measurement in times.measurements
            if measurement.case.kind == kind
        ]
        rows = _size_rows([size_row(*line) for line in measured])
        if len({row["size"] for row in rows}) > 1:
            of_members = f" {MEMBERS}" if kind == "members" else ""
            panels = size_panels(rows, axis_title)
            drawn.append(Picture(f"Time per epoch over {axis_title}", panels, caption + of_members))
    return tuple(drawn)


def _size_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return points, each size of a line once: at its smallest learning rate."""
    chosen = dict[tuple[str, int], dict[str, Any]]()
    for row in sorted(rows, key=itemgetter("learning rate")):
        chosen.setdefault((row["line"], row["size"]), row)
    return list(chosen.values())


def _line_label(device: str, case: Case) -> str:
    samples = f", {case.samples:,} samples" if case.samples not in (None, PUBLISHED_SAMPLES) else ""
    epochs = f", {case.epochs} epochs a round" if case.epochs else ""
    return f"{case.engine}, {device}{samples}{epochs}"


def times_by_device(records: Sequence[Record], *, named: bool = True) -> list[DeviceTimes]:
    """Return the times of each device that was measured, in the order of the devices' names.

    Args:
        records: records of one commit on one machine, the newest first.
        named: whether the labels have the machine's name, where it was given one.
    """
    current = current_cases(records)
    devices = sorted({measurement.case.device for measurement in current})
    name = records[0].name if named else ""
    found = list[DeviceTimes]()
    for device in devices:
        label = f"{name} {device}" if name and len(devices) > 1 else name or device
        here = tuple(measurement for measurement in current if measurement.case.device == device)
        found.append(DeviceTimes(label, device, here))
    return found
