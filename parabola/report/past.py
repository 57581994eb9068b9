"""What happened over commits on one machine: changes of level, pass rates, and all values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median  # of few values far faster than NumPy's

import numpy as np
import numpy.typing as npt

from parabola import statistics
from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.changes import FEWEST, SHORTEST
from parabola.records.history import History, Line, Passes
from parabola.report import figures, marks
from parabola.report.level_changes import changes_of, changes_table, together_table
from parabola.report.parts import Picture, Section, count_words, order_of_kind

Floats = npt.NDArray[np.float64]


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
    found = changes_of(history)
    lines = [
        f"{count_words(len(commits), 'commit')} from {commits[0].made:%Y-%m-%d} to {commits[-1].made:%Y-%m-%d}, "
        f"{count_words(len(history.lines), 'case')}.",
        _count_changes(len(found), [len(line.at) for line in history.lines]),
        f"{count_words(history.cut_short, 'record')} of a session that was cut short." if history.cut_short else "",
        aside,
    ]
    together = together_table(history, found)
    rates = _newest_pass_rates(history)
    kinds = sorted({line.measurement.case.kind for line in history.lines}, key=order_of_kind)
    pictures = [_history_picture(history, kind) for kind in kinds]
    if rates.items:
        caption = (
            "Share of the same seeds that pass, with Wilson's 95 % interval; where neighbouring commits share a point, "
            "the lowest."
        )
        pictures.append(Picture("Pass rate over commits", figures.pass_rate_figure(history), caption))
    return Section(
        title=title,
        lines=tuple(line for line in lines if line),
        tables=tuple(table for table in (together, rates) if table.items),
        details=(
            *([changes_table(history, found)] if found else []),
            *(_level_table(history, kind) for kind in kinds),
            *([_pass_rate_table(history)] if rates.items else []),
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
    unit = next(line.measurement.unit for line in history.lines if line.measurement.case.kind == kind)
    caption = f"Median {unit}: a line a case, dashed where its level changed. Pick a case from the list; "
    caption += "drag to move, Shift and wheel to zoom, double click to see all."
    return Picture(f"{kind.capitalize()} over commits", figures.history_figure(history, kind), caption)


@dataclass(frozen=True)
class _PassRate:
    """How many seeds of a case passed over commits, and whether the newest commit has measured it."""

    label: str
    passes: Passes
    is_newest: bool


PASS_RATE_COLUMNS: tuple[Column[_PassRate], ...] = (
    Column("case", lambda rate: rate.label, "left"),
    Column("seeds that pass", lambda rate: _count(rate) if rate.is_newest else "not measured"),
    Column("95 % interval", lambda rate: _interval(rate) if rate.is_newest else "–"),
    Column("smallest – largest so far", lambda rate: _range_so_far(100 * rate.passes.rates)),
)


def _newest_pass_rates(history: History) -> Table[_PassRate]:
    """Lay out the pass rate at the newest commit of each case that counts seeds, and the range of those so far."""
    newest = len(history.commits) - 1
    counting = [(line, line.passes) for line in history.lines if line.passes]
    rates = [_PassRate(line.measurement.case.label, passes, bool(line.at[-1] == newest)) for line, passes in counting]
    return Table("Pass rate at the newest commit", PASS_RATE_COLUMNS, rates)


def _count(rate: _PassRate) -> str:
    return f"{rate.passes.settled[-1]} of {rate.passes.seeds[-1]}"


def _interval(rate: _PassRate) -> str:
    low, high = statistics.share_interval(int(rate.passes.settled[-1]), int(rate.passes.seeds[-1]))
    return f"{100 * low:.0f} – {100 * high:.0f} %"


def _range_so_far(per_cent: Floats) -> str:
    return f"{per_cent.min():.0f} – {per_cent.max():.0f} %"


@dataclass(frozen=True)
class _Values:
    """What is laid out of a case by commit.

    Attributes:
        line: the case.
        values: shape (n,), at the line's own points.
    """

    line: Line
    values: Floats


@dataclass(frozen=True)
class _Neighbours:
    """Neighbouring commits that share a row: the places of the first and the last in the history."""

    first: int
    last: int


def _level_table(history: History, kind: str) -> Table[_Neighbours]:
    """Lay out the times by commit; where neighbours share a row, their median."""
    cases = [_Values(line, line.seconds) for line in history.lines if line.measurement.case.kind == kind]
    return _by_commit(history, kind.capitalize(), cases, lambda values: duration(median(values.tolist())))


def _pass_rate_table(history: History) -> Table[_Neighbours]:
    """Lay out the pass rates by commit; where neighbours share a row, the lowest."""
    cases = [_Values(line, line.passes.rates) for line in history.lines if line.passes]
    return _by_commit(history, "Pass rate", cases, lambda values: f"{100 * values.min():.0f} %")


def _by_commit(
    history: History, what: str, cases: Sequence[_Values], write: Callable[[Floats], str]
) -> Table[_Neighbours]:
    """Lay out values by commit: a column a case; as in the pictures, neighbours share a row where there are many."""
    columns: list[Column[_Neighbours]] = [
        Column("commits", lambda row: _first_and_last(history, row), "left"),
        Column("made", lambda row: f"{history.commits[row.last].made:%Y-%m-%d %H:%M}", "left"),
        *(_column_of_case(case, write) for case in cases),
    ]
    blocks = marks.blocks(len(history.commits))
    return Table(f"{what} by commit", columns, [_Neighbours(int(block[0]), int(block[-1])) for block in blocks])


def _first_and_last(history: History, row: _Neighbours) -> str:
    first, last = history.commits[row.first], history.commits[row.last]
    return first.id[:9] if first is last else f"{first.id[:9]} to {last.id[:9]}"


def _column_of_case(case: _Values, write: Callable[[Floats], str]) -> Column[_Neighbours]:
    def cell(row: _Neighbours) -> str:
        values = case.values[(case.line.at >= row.first) & (case.line.at <= row.last)]
        return write(values) if len(values) else "–"

    return Column(case.line.measurement.case.parameters, cell)
