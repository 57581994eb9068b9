"""What happened over commits on one machine: changes of level, pass rates, and all values."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median  # of few values far faster than NumPy's
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from parabola import statistics
from parabola.display.tables import Column, Table, table_of
from parabola.display.units import duration, per_cent
from parabola.records.history import History, Line
from parabola.records.levels.search import FEWEST, SHORTEST, Floats
from parabola.report.charts.points import blocks
from parabola.report.hardware.updates import update_sentence, update_table
from parabola.report.level_changes import changes_of, changes_table, together_table
from parabola.report.parts import Section, count_words, heading, order_of_kind

if TYPE_CHECKING:
    from parabola.report.charts.panels import Picture


def past_section(history: History, name: str) -> Section:
    """Lay out what happened over commits on one machine.

    Args:
        history: everything that was measured on the machine.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    commits, number = history.commits, history.number_of_commits
    title = f"History: {name}" if name else "History"
    aside = f"Left out: {count_words(history.left_out, 'record')} of no commit alone." if history.left_out else ""
    if len(commits) < 2:
        known = f"{count_words(number, 'commit')} measured on this machine: a history takes two or more."
        return Section(title, "History", lines=tuple(line for line in (known, aside) if line))
    found = changes_of(history)
    lines = [
        f"{count_words(number, 'commit')} from {commits[0].made:%Y-%m-%d} to {commits[-1].made:%Y-%m-%d}, "
        f"{count_words(len(history.lines), 'case')}.",
        _count_changes(
            len(history.events) + sum(change.event is None for change in found),
            [len(line.at) for line in history.lines],
        ),
        _flips(history),
        update_sentence(history),
        f"{count_words(history.cut_short, 'record')} of a session that was cut short." if history.cut_short else "",
        aside,
    ]
    together = together_table(history, found)
    rates = _newest_pass_rates(history)
    kinds = sorted(dict.fromkeys(line.measurement.case.kind for line in history.lines), key=order_of_kind)
    return Section(
        title=title,
        chapter="History",
        lines=tuple(line for line in lines if line),
        tables=tuple(table for table in (together, rates) if table.items),
        details=(
            *([changes_table(history, found)] if found else []),
            *([update_table(history)] if history.updates else []),
            *(_level_table(history, kind) for kind in kinds),
            *([_pass_rate_table(history)] if rates.items else []),
        ),
        draw=lambda: _pictures(history, kinds),
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


def _flips(history: History) -> str:
    if not history.flips:
        return ""
    apart = 100 * (float(np.median([max(flip.ratio, 1 / flip.ratio) for flip in history.flips])) - 1)
    times = f"{count_words(len(history.flips), 'time')}"
    return f"The machine went from one of two states to the other {times}, {apart:.1f} % apart: no change of level."


def _pictures(history: History, kinds: Sequence[str]) -> tuple["Picture", ...]:
    """Draw the times of each kind over commits, and the pass rates where seeds were counted."""
    from parabola.report.charts.panels import Picture
    from parabola.report.charts.pass_rates import pass_rate_panels

    pictures = [picture for kind in kinds if (picture := _history_picture(history, kind)).panels]
    if any(line.passes for line in history.lines):
        caption = (
            "Share of the same seeds that pass, with Wilson's 95 % interval; where neighbouring commits share a point, "
            "the lowest."
        )
        pictures.append(Picture("Pass rate over commits", pass_rate_panels(history), caption))
    return tuple(pictures)


def _history_picture(history: History, kind: str) -> "Picture":
    from parabola.report.charts.commits import history_panels
    from parabola.report.charts.panels import Picture

    lines = [line for line in history.lines if line.measurement.case.kind == kind]
    said = [f"Median {lines[0].measurement.unit}, against the line's own median"]
    if any(line.changes for line in lines):
        said.append("; dashed rules stand where a level changed")
    if history.updates:
        said.append("; dotted rules where the machine's software changed")
    if any(len(line.at) == 1 for line in lines):
        said.append(". A case that one commit alone has measured is in the table below")
    return Picture(f"{heading(kind)} over commits", history_panels(history, kind), f"{''.join(said)}.")


def _newest_pass_rates(history: History) -> Table[Mapping[str, str]]:
    """Lay out the pass rate at the newest commit of each case that counts seeds, and the range of those so far."""
    rows = list[dict[str, str]]()
    for line in history.lines:
        if line.passes is None:
            continue
        settled, seeds = int(line.passes.settled[-1]), int(line.passes.seeds[-1])
        low, high = statistics.share_interval(settled, seeds)
        is_newest, rates = line.at[-1] == len(history.commits) - 1, line.passes.rates
        rows.append(
            {
                "case": line.measurement.case.label,
                "seeds that pass": f"{settled} of {seeds}" if is_newest else "not measured",
                "95 % interval": f"{per_cent(low)} – {per_cent(high)} %" if is_newest else "–",
                "smallest – largest so far": f"{per_cent(rates.min())} – {per_cent(rates.max())} %",
            }
        )
    return table_of("Pass rate at the newest commit", rows, left=("case",))


Block = npt.NDArray[np.int_]  # places of neighbouring commits that share a row
Values = tuple[Line, Floats]  # a case, and what is laid out of it at its own points, of shape (n,)


def _level_table(history: History, kind: str) -> Table[Block]:
    """Lay out the times by commit; where neighbours share a row, their median."""
    cases = [(line, line.seconds) for line in history.lines if line.measurement.case.kind == kind]
    return _by_commit(history, heading(kind), cases, lambda values: duration(median(values.tolist())))


def _pass_rate_table(history: History) -> Table[Block]:
    """Lay out the pass rates by commit; where neighbours share a row, the lowest."""
    cases = [(line, line.passes.rates) for line in history.lines if line.passes]
    return _by_commit(history, "Pass rate", cases, lambda values: f"{per_cent(values.min())} %")


def _by_commit(history: History, what: str, cases: Sequence[Values], write: Callable[[Floats], str]) -> Table[Block]:
    """Lay out values by commit: a column a case; as in the pictures, neighbours share a row where there are many."""

    def column_of(line: Line, values: Floats) -> Column[Block]:
        def cell(block: Block) -> str:
            here = values[(line.at >= block[0]) & (line.at <= block[-1])]
            return write(here) if len(here) else "–"

        return Column(line.measurement.case.words, cell)

    columns: list[Column[Block]] = [
        Column("commits", lambda block: _first_and_last(history, block), "left"),
        Column("made", lambda block: f"{history.commits[block[-1]].made:%Y-%m-%d %H:%M}", "left"),
        *(column_of(*case) for case in cases),
    ]
    return Table(f"{what} by commit", columns, blocks(len(history.commits)))


def _first_and_last(history: History, block: Block) -> str:
    first, last = history.commits[block[0]].id[:9], history.commits[block[-1]].id[:9]
    return first if len(block) == 1 else f"{first} to {last}"
