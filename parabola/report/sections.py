"""What records say: now, one device against another, and over commits. Laid out once; text and page show it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median  # of few values far faster than NumPy's
from typing import Any

import numpy as np
import numpy.typing as npt

from parabola import statistics
from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.changes import FEWEST, SHORTEST, Change
from parabola.records.fingerprint import differences, in_words, short_name
from parabola.records.history import History, Line, histories
from parabola.records.record import Measurement, Record
from parabola.records.speedups import AXES, Side, crossovers, pairs, speedups
from parabola.report import epoch_times, figures

Values = npt.NDArray[np.float64]
AXIS_TITLES = {"epoch time": "batch size", "members": "members trained together (a CPU's on one core)"}
KINDS = ("epoch time", "members", "compile time", "cold start", "time to accuracy")
PUBLISHED_SAMPLES = 999
MOST_MACHINES = 4  # with parts of their own, unless they have names
TEXT_COLUMNS = ("case", "engine", "device", "verdict", "what", "commits", "made", "unit")


class RefusedError(ValueError):
    """Records cannot be reported on as it was asked; the message says why."""


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
    tables: tuple[Table, ...] = ()
    details: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = field(default=())


def sections(records: Sequence[Record]) -> list[Section]:
    """Return the parts of a report: for each machine what holds now, then devices, then the past.

    A machine that was updated is another one: of those that have no name, only the last few have parts of their own.

    Args:
        records: one or more.

    Raises:
        RefusedError: if machines with other processors have one name. One that was updated may keep it.
    """
    past = histories(records)
    newest = [_newest(history) for history in past]
    for found, other in combinations((found[0] for found in newest), 2):
        differing = differences(found, other)
        if found.name and found.name == other.name and any(one.startswith(("cpu model:", "gpu:")) for one in differing):
            said = f"Received: {found.name!r} for two, which differ: {'; '.join(differing)}"
            raise RefusedError(f"a name is for one machine. {said}")
    names = _machine_names([found[0] for found in newest])
    every = list(zip(past, newest, names, strict=True))
    shown = [one for at, one in enumerate(every) if at < MOST_MACHINES or one[1][0].name]
    now = [_now(history, found, records, name) for history, found, name in shown]
    then = [_history(history, name) for history, _, name in shown]
    devices = _devices([found for _, found, _ in shown], [record.name for record in records])
    others = [one for one in every if one not in shown]
    return [*now, *devices, *then, *([_others(others)] if others else [])]


def _others(machines: Sequence[tuple[History, list[Record], str]]) -> Section:
    """Name the machines that have no part of their own, so that nothing is left out unsaid."""
    rows = [
        (name, str(len(history.commits)), f"{found[0].measured:%Y-%m-%d %H:%M}", found[0].path)
        for history, found, name in machines
    ]
    headings = ("machine", "commits", "measured last", "newest record")
    said = "Measured longer ago; give them alone, or with a name (NAME=RECORD), and they are reported, too."
    return Section("Earlier machines", (said,), (Table("", headings, tuple(rows), (*TEXT_COLUMNS, *headings)),))


def _newest(history: History) -> list[Record]:
    """Return the records of the commit that was measured last on a machine, newest first."""
    newest = history.records[0]
    if newest.dirty or not newest.commit:
        return [newest]  # nobody knows whether another one is of the same code
    return [one for one in history.records if one.commit == newest.commit and not one.dirty]


def _current(found: Sequence[Record]) -> list[Measurement]:
    """Return each case once, as it was measured last."""
    by_case = dict[tuple[str, int | None], Measurement]()
    for record in found:
        for one in record.measurements:
            by_case.setdefault(one.key, one)
    return list(by_case.values())


def _machine_names(newest: Sequence[Record]) -> list[str]:
    """Return what tells machines apart: the names that were given, else the facts that are not the same for all."""
    facts = [dict(record.fingerprint) for record in newest]
    telling = [name for name in facts[0] if len({one[name] for one in facts}) > 1]
    apart = [", ".join(f"{in_words(name)} {one[name] or 'none'}" for name in telling) for one in facts]
    given = [record.name for record in newest]
    return [
        told if not name else name if given.count(name) == 1 else f"{name}, {told}"
        for name, told in zip(given, apart, strict=True)
    ]


def _now(history: History, found: Sequence[Record], records: Sequence[Record], name: str) -> Section:
    newest, facts = found[0], dict(found[0].fingerprint)
    current = _current(found)
    epochs = [one for one in current if one.kind == "epoch time"]
    others = sorted((one for one in current if one.kind != "epoch time"), key=lambda one: _place(one.kind))
    lines = [
        f"{_commit(newest)}, measured {newest.measured:%Y-%m-%d %H:%M} UTC, {_count(len(found), 'record')}.",
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
        lines += [f"{device} is not here: it was measured last at {_commit(record).lower()}." for device in gone]
    tables = []
    if epochs:
        tables.append(epoch_times.epoch_times([_as_case(one) for one in epochs]))
        if any(one.verdict != "pass" for one in epochs):
            lines.append(f"{epoch_times.DAGGER}.")
    if others:
        tables.append(_other_times(others))
    pictures = _size_pictures(_sides(found, named=False))
    return Section(
        title=f"Now: {name}" if name else "Now",
        lines=tuple(lines),
        tables=tuple(tables),
        details=(_epoch_details(epochs),) if epochs else (),
        pictures=pictures,
    )


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _commit(record: Record) -> str:
    changed = " with changes of its own" if record.dirty else ""
    return f"Commit {record.commit[:9]}{changed}" if record.commit else "No commit"


def _as_case(one: Measurement) -> dict[str, Any]:
    names = ("engine", "device", "batch_size", "learning_rate", "samples", "verdict")
    return {**{name: getattr(one, name) for name in names}, "seconds_per_epoch": one.median}


def _epoch_details(epochs: Sequence[Measurement]) -> Table:
    """Lay out every epoch time with its spread, its ratio to the limit and its answer."""
    limits = {_setting(one): one for one in epochs if one.engine == "native"}
    rows = list[tuple[str, ...]]()
    for one in sorted(epochs, key=lambda one: (_setting(one), one.engine, one.device)):
        limit = limits.get(_setting(one))
        rows.append(
            (
                *(one.engine, one.device, str(one.samples), str(one.batch_size), f"{one.learning_rate:g}"),
                duration(one.median),
                _spread(one),
                f"{one.median / limit.median:,.2f}" if limit else "–",
                "–" if one.coefficient_error is None else f"{one.coefficient_error:.2g}",
                one.verdict or "–",
                str(one.rounds),
            )
        )
    headings = (
        *("engine", "device", "samples", "batch size", "learning rate", "median", "quartiles", "× native"),
        *("coefficient error", "verdict", "rounds"),
    )
    title = "Time per epoch, and what was learnt at the end of the last round"
    return Table(title, headings, tuple(rows), TEXT_COLUMNS)


def _setting(one: Measurement) -> tuple[int, float, int]:
    return one.samples or 0, one.learning_rate or 0.0, one.batch_size or 0


def _spread(one: Measurement) -> str:
    return f"{duration(one.low_quartile)} – {duration(one.high_quartile)}"


def _other_times(others: Sequence[Measurement]) -> Table:
    rows = [
        (
            *(one.kind, one.parameters, duration(one.median), _spread(one), str(one.rounds), one.unit),
            f"{one.settled_seeds} of {one.seeds}" if one.seeds else "–",
        )
        for one in others
    ]
    headings = ("what", "case", "median", "quartiles", "rounds", "unit", "seeds that pass")
    return Table("What else was timed", headings, tuple(rows), TEXT_COLUMNS)


def _place(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _line_label(side: Side, one: Measurement) -> str:
    samples = f", {one.samples:,} samples" if one.samples not in (None, PUBLISHED_SAMPLES) else ""
    epochs = f", {one.epochs} epochs a round" if one.epochs else ""
    return f"{one.engine} {side.label}{samples}{epochs}"


def _size_pictures(sides: Sequence[Side]) -> tuple[Picture, ...]:
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


def _devices(newest: Sequence[Sequence[Record]], names: Sequence[str]) -> list[Section]:
    """Hold devices against each other: those of one machine, and those of machines that were named, in that order."""
    last = {found[0].name: found for found in reversed(newest) if found[0].name}  # as the machine was measured last
    named = sorted(last.values(), key=lambda found: names.index(found[0].name))
    groups = [[found] for found in newest if not found[0].name] + ([named] if named else [])
    made = [_against([side for found in group for side in _sides(found)]) for group in groups]
    return [section for section in made if section]


def _sides(found: Sequence[Record], *, named: bool = True) -> list[Side]:
    current = _current(found)
    devices = sorted({one.device for one in current})
    name = found[0].name if named else ""
    labels = [f"{name} {on}" if name and len(devices) > 1 else name or on for on in devices]
    sides = zip(labels, devices, strict=True)
    return [Side(label, on, tuple(one for one in current if one.device == on)) for label, on in sides]


def _against(sides: Sequence[Side]) -> Section | None:
    if len(sides) < 2:
        return None
    lines, rows = list[str](), list[tuple[str, ...]]()
    for first, second in pairs(sides):
        found = [one for one in speedups(first, second) if one.first.kind in KINDS]
        if not found:
            lines.append(f"{first.label} and {second.label} have no case in common.")
        lines += [f"{sentence}." for sentence in crossovers(found, second.label)]
        for one in sorted(found, key=lambda one: _place(one.first.kind)):
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
        pictures=_size_pictures(sides),
    )


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _answer(one: Measurement) -> str:
    return f"{one.settled_seeds} of {one.seeds}" if one.seeds else one.verdict or "–"


def _without_device(one: Measurement) -> str:
    return one.parameters.replace(f"{one.device}-", "", 1).replace(f"-{one.device}", "", 1)


def _history(history: History, name: str) -> Section:
    commits = history.commits
    title = f"History: {name}" if name else "History"
    aside = f"Left out: {_count(history.left_out, 'record')} of no commit alone." if history.left_out else ""
    if len(commits) < 2:
        known = f"{_count(len(commits), 'commit')} measured on this machine: a history takes two or more."
        return Section(title, tuple(line for line in (known, aside) if line))
    found = [(line, change) for line in history.lines for change in line.changes]
    lines = [
        f"{_count(len(commits), 'commit')} from {commits[0].made:%Y-%m-%d} to {commits[-1].made:%Y-%m-%d}, "
        f"{_count(len(history.lines), 'case')}.",
        _count_changes(len(found), [len(line.at) for line in history.lines]),
        f"{_count(history.cut_short, 'record')} of a session that was cut short." if history.cut_short else "",
        aside,
    ]
    changed = tuple(_change_row(history, line, change) for line, change in found)
    headings = ("case", "change", "95 % interval", "before", "after", "commits")
    where = "Changes of level, case by case; it lies in this range of commits, with 95 % confidence"
    changes = Table(where, headings, changed, TEXT_COLUMNS)
    together = _changes_together(history, found)
    rates = _pass_rates(history)
    kinds = sorted({line.measurement.kind for line in history.lines}, key=_place)
    pictures = [_history_picture(history, kind) for kind in kinds]
    if rates.rows:
        caption = (
            "Share of the same seeds that pass, with Wilson's 95 % interval; where neighbouring commits share a point, "
            "the lowest."
        )
        pictures.append(Picture("Pass rate over commits", figures.pass_rate_figure(history), caption))
    return Section(
        title=title,
        lines=tuple(line for line in lines if line),
        tables=tuple(one for one in (together, rates) if one.rows),
        details=(
            *([changes] if found else []),
            *(_level_table(history, kind) for kind in kinds),
            *([_pass_rate_table(history)] if rates.rows else []),
        ),
        pictures=tuple(pictures),
    )


def _count_changes(number: int, lengths: Sequence[int]) -> str:
    searched = sum(length >= FEWEST for length in lengths)
    if not searched:
        return f"Changes of level are looked for from {FEWEST} commits on."
    where = f"in {_count(searched, 'case')}" + ("" if searched == len(lengths) else f" with {FEWEST} commits or more")
    found = f"{_count(number, 'change') if number else 'No change'} of level found {where}"
    return f"{found}; what the newest {SHORTEST - 1} commits of each bring cannot be told yet."


def _history_picture(history: History, kind: str) -> Picture:
    unit = next(line.measurement.unit for line in history.lines if line.measurement.kind == kind)
    caption = f"Median {unit}: a line a case, dashed where its level changed. Pick a case from the list; "
    caption += "drag to move, Shift and wheel to zoom, double click to see all."
    return Picture(f"{kind.capitalize()} over commits", figures.history_figure(history, kind), caption)


def _changes_together(history: History, found: Sequence[tuple[Line, Change]]) -> Table:
    """Lay out which cases changed in the same direction within the same commits: the newest first."""
    spans = [(int(line.at[one.first - 1]) + 1, int(line.at[one.last]), line, one) for line, one in found]
    groups = list[list[tuple[int, int, Line, Change]]]()
    for span in sorted(spans, key=lambda span: (span[3].ratio > 1, span[0], span[1])):
        last = groups[-1] if groups else []
        common = min((end for _, end, _, _ in last), default=-1)
        fresh = all(line is not span[2] for _, _, line, _ in last)
        if last and fresh and span[0] <= common and (span[3].ratio > 1) == (last[0][3].ratio > 1):
            last.append(span)
        else:
            groups.append([span])
    rows = []
    for group in sorted(groups, key=lambda group: -max(start for start, *_ in group)):
        first, last_place = max(start for start, *_ in group), min(end for _, end, *_ in group)
        ratios = [100 * (change.ratio - 1) for *_, change in group]
        cases = [line.measurement.label for _, _, line, _ in group]
        rows.append(
            (
                _range(history, first - 1, last_place),
                f"{history.commits[last_place].made:%Y-%m-%d %H:%M}",
                "slower" if ratios[0] > 0 else "faster",
                f"{min(ratios):+.1f} to {max(ratios):+.1f} %" if len(ratios) > 1 else f"{ratios[0]:+.1f} %",
                f"{len(cases)} of {len(history.lines)}: {', '.join(cases[:3])}{', …' if len(cases) > 3 else ''}"
                if len(cases) < len(history.lines)
                else f"all {len(cases)}",
            )
        )
    headings = ("commits", "made", "verdict", "change", "case")
    title = "Changes of level, newest first; the commits are those that the ranges of all its cases have in common"
    return Table(title, headings, tuple(rows), TEXT_COLUMNS)


def _change_row(history: History, line: Line, change: Change) -> tuple[str, ...]:
    edges = [0, *(one.at for one in line.changes), len(line.seconds)]
    place = edges.index(change.at)
    before, after = line.seconds[edges[place - 1] : change.at], line.seconds[change.at : edges[place + 1]]
    return (
        line.measurement.label,
        f"{100 * (change.ratio - 1):+.1f} %",
        f"{100 * (change.low - 1):+.1f} to {100 * (change.high - 1):+.1f} %",
        duration(float(np.median(before[-_NEAR:]))),
        duration(float(np.median(after[:_NEAR]))),
        _range(history, line.at[change.first - 1], line.at[change.last]),
    )


def _range(history: History, before: int, last: int) -> str:
    """Return commits as git takes them: those after the one, up to the other."""
    return f"{history.commits[before].id[:9]}..{history.commits[last].id[:9]}"


_NEAR = 20  # commits to either side of a change, whose medians are shown


def _pass_rates(history: History) -> Table:
    rows = []
    for line in history.lines:
        if line.passes is None:
            continue
        settled, seeds, shares = line.passes.settled, line.passes.seeds, 100 * line.passes.shares
        newest = ("not measured", "–")
        if line.at[-1] == len(history.commits) - 1:
            low, high = statistics.share_interval(int(settled[-1]), int(seeds[-1]))
            newest = f"{settled[-1]} of {seeds[-1]}", f"{100 * low:.0f} – {100 * high:.0f} %"
        rows.append((line.measurement.label, *newest, f"{shares.min():.0f} – {shares.max():.0f} %"))
    headings = ("case", "seeds that pass", "95 % interval", "smallest – largest so far")
    return Table("Pass rate at the newest commit", headings, tuple(rows), TEXT_COLUMNS)


def _level_table(history: History, kind: str) -> Table:
    """Lay out the times by commit; where neighbours share a row, their median."""
    lines = [(line, line.seconds) for line in history.lines if line.measurement.kind == kind]
    return _by_commit(history, kind.capitalize(), lines, lambda here: duration(median(here.tolist())))


def _pass_rate_table(history: History) -> Table:
    """Lay out the pass rates by commit; where neighbours share a row, the lowest."""
    lines = [(line, line.passes.shares) for line in history.lines if line.passes]
    return _by_commit(history, "Pass rate", lines, lambda here: f"{100 * here.min():.0f} %")


def _by_commit(
    history: History, what: str, lines: Sequence[tuple[Line, Values]], told: Callable[[Values], str]
) -> Table:
    """Lay out values by commit: a column a line; as in the pictures, neighbours share a row where there are many."""
    rows = []
    for part in figures.blocks(len(history.commits)):
        first, last = (history.commits[place] for place in (part[0], part[-1]))
        ids = first.id[:9] if first is last else f"{first.id[:9]} to {last.id[:9]}"
        here = [values[(line.at >= part[0]) & (line.at <= part[-1])] for line, values in lines]
        rows.append((ids, f"{last.made:%Y-%m-%d %H:%M}", *(told(some) if len(some) else "–" for some in here)))
    names = [line.measurement.parameters for line, _ in lines]
    return Table(f"{what} by commit", ("commits", "made", *names), tuple(rows), TEXT_COLUMNS)
