"""One device against another: how many times faster, and from which size on."""

import math
from collections.abc import Sequence

from parabola.display.tables import table_of
from parabola.display.units import duration, times
from parabola.records.case import Case
from parabola.records.extra_info import Answer
from parabola.records.foreign.case import ForeignCase
from parabola.records.record import Record
from parabola.records.speedups import DeviceTimes, Speedup, crossovers, pairs, speedups
from parabola.report.parts import KINDS, Section, order_of_kind, size_pictures, times_by_device


def device_sections(newest: Sequence[Sequence[Record]], names: Sequence[str]) -> list[Section]:
    """Hold devices against each other: those of one machine, and those of machines that were named, in that order."""
    last = {records[0].name: records for records in reversed(newest) if records[0].name}  # as it was measured last
    named = sorted(last.values(), key=lambda records: names.index(records[0].name))
    groups = [[records] for records in newest if not records[0].name] + ([named] if named else [])
    sections = [_against([device for records in group for device in times_by_device(records)]) for group in groups]
    return [section for section in sections if section]


def no_device_sections(newest: Sequence[Sequence[Record]]) -> list[Section]:
    """Say in a line that nothing is held against each other, where the records know devices."""
    known = any(
        measurement.case.device for records in newest for record in records for measurement in record.measurements
    )
    line = "No machine has measured two devices. Two machines are compared once you name them: NAME=RECORD."
    return [Section("CPU against GPU", "CPU against GPU", lines=(line,))] if known else []


def _against(devices: Sequence[DeviceTimes]) -> Section | None:
    if len(devices) < 2:
        return None
    lines, rows = list[str](), list[dict[str, str]]()
    for first, second in pairs(devices):
        found = [speedup for speedup in speedups(first, second) if _is_compared(speedup.first.case)]
        if not found:
            lines.append(f"{first.label} and {second.label} have no case in common.")
        lines += [f"{sentence}." for sentence in crossovers(found, second.label)]
        ordered = sorted(found, key=lambda speedup: order_of_kind(speedup.first.case.kind))
        rows += [_row(f"{first.label} : {second.label}", speedup) for speedup in ordered]
    title = "How many times faster the second is; the interval is of these processes' rounds"
    return Section(
        title=" against ".join(dict.fromkeys(device.label for device in devices)),
        chapter="CPU against GPU" if _kinds(devices) == {"cpu", "gpu"} else "One against another",
        lines=tuple(lines),
        tables=(table_of(title, rows, left=("case", "what", "verdict")),) if rows else (),
        draw=lambda: size_pictures(devices),
    )


def _kinds(devices: Sequence[DeviceTimes]) -> set[str]:
    """Return the kinds of such devices, as "cpu"."""
    return {times.device.partition(":")[0] for times in devices}


def _row(labels: str, speedup: Speedup) -> dict[str, str]:
    """Return the row of one case on two devices, which have such labels."""
    first, second = speedup.first, speedup.second
    is_foreign = isinstance(first.case, ForeignCase)
    row = {
        "case": first.case.label if is_foreign else f"{first.case.kind}: {first.case.words_on_any_device}",
        "what": labels,
        "first": duration(first.times.median),
        "second": duration(second.times.median),
        "speed-up": f"{times(speedup.ratio)} ×",
        "95 % interval": _interval(speedup),
    }
    return row if is_foreign else {**row, "verdict": f"{_answer(first.answer)} / {_answer(second.answer)}"}


def _is_compared(case: Case) -> bool:
    return isinstance(case, ForeignCase) or case.kind in KINDS


def _interval(speedup: Speedup) -> str:
    first, second = speedup.first.answer, speedup.second.answer
    if first.seeds_timed != second.seeds_timed:
        return "not of the same seeds"
    return f"{times(speedup.low)} – {times(speedup.high)}" if math.isfinite(speedup.high) else "too few rounds"


def _answer(answer: Answer) -> str:
    return answer.seeds_timed or answer.verdict_words or "–"
