"""What happened over commits on one machine: changes of level, pass rates, and all values."""

from collections.abc import Callable, Sequence
from statistics import median  # of few values far faster than NumPy's

import numpy as np
import numpy.typing as npt

from parabola import statistics
from parabola.display.tables import Table
from parabola.display.units import duration
from parabola.records.changes import FEWEST, SHORTEST, Change
from parabola.records.history import History, Line
from parabola.report import figures, marks
from parabola.report.parts import TEXT_COLUMNS, Picture, Section, count_words, order_of_kind

Values = npt.NDArray[np.float64]


def past_section(history: History, name: str) -> Section:
    """Lay out what happened over commits on one machine.

    Args:
        history: everything that was measured on the machine.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    commits = history.commits
    title = f"History: {name}" if name else "History"
    aside = f"Left out: {count_words(history.left_out, 'record')} of no commit alone." if history.left_out else ""
    if len(commits) < 2:
        known = f"{count_words(len(commits), 'commit')} measured on this machine: a history takes two or more."
        return Section(title, tuple(line for line in (known, aside) if line))
    found = [(line, change) for line in history.lines for change in line.changes]
    lines = [
        f"{count_words(len(commits), 'commit')} from {commits[0].made:%Y-%m-%d} to {commits[-1].made:%Y-%m-%d}, "
        f"{count_words(len(history.lines), 'case')}.",
        _count_changes(len(found), [len(line.at) for line in history.lines]),
        f"{count_words(history.cut_short, 'record')} of a session that was cut short." if history.cut_short else "",
        aside,
    ]
    changed = tuple(_change_row(history, line, change) for line, change in found)
    headings = ("case", "change", "95 % interval", "before", "after", "commits")
    where = "Changes of level, case by case; it lies in this range of commits, with 95 % confidence"
    changes = Table(where, headings, changed, TEXT_COLUMNS)
    together = _changes_together(history, found)
    rates = _pass_rates(history)
    kinds = sorted({line.measurement.kind for line in history.lines}, key=order_of_kind)
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
    where = f"in {count_words(searched, 'case')}" + (
        "" if searched == len(lengths) else f" with {FEWEST} commits or more"
    )
    found = f"{count_words(number, 'change') if number else 'No change'} of level found {where}"
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
    for part in marks.blocks(len(history.commits)):
        first, last = (history.commits[place] for place in (part[0], part[-1]))
        ids = first.id[:9] if first is last else f"{first.id[:9]} to {last.id[:9]}"
        here = [values[(line.at >= part[0]) & (line.at <= part[-1])] for line, values in lines]
        rows.append((ids, f"{last.made:%Y-%m-%d %H:%M}", *(told(some) if len(some) else "–" for some in here)))
    names = [line.measurement.parameters for line, _ in lines]
    return Table(f"{what} by commit", ("commits", "made", *names), tuple(rows), TEXT_COLUMNS)
