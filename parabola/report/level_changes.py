"""Changes of level over commits as tables: which cases changed together, and each change alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parabola.display.tables import Table, table_of
from parabola.display.units import duration
from parabola.records.history import History, Line
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.together import Event

NEAR = 20  # commits to either side of a change, whose medians are shown
MOST_NAMES = 3  # cases that a row names; of more it names the first ones


@dataclass(frozen=True)
class ChangeOfCase:
    """A change of level of one case.

    Attributes:
        line: the case over commits.
        change: the change; its places count the line's own points.
        first, last: places in the history of the first and the last commit that may have brought it: the line may lack
            some commits.
        event: the event that it belongs to, if most cases share it.
    """

    line: Line
    change: LevelChange
    first: int
    last: int
    event: Event | None = None

    @property
    def slower(self) -> bool:
        """Whether the case takes longer since."""
        return self.change.ratio > 1


def changes_of(history: History) -> list[ChangeOfCase]:
    """Return every change of a history, case by case."""
    events = {(place, change.at): event for event in history.events for place, change in event.cases}
    return [
        ChangeOfCase(
            line=line,
            change=change,
            first=int(line.at[change.first - 1]) + 1,
            last=int(line.at[change.last]),
            event=events.get((place, change.at)),
        )
        for place, line in enumerate(history.lines)
        for change in line.changes
    ]


def group(changes: Sequence[ChangeOfCase]) -> list[list[ChangeOfCase]]:
    """Return the changes in groups, those of the newest commits first.

    The changes of a group are of one direction, each of another case, and their ranges of commits have some in common.
    In a group they are in the order in which their ranges begin.
    """
    groups = list[list[ChangeOfCase]]()
    for change in sorted(changes, key=lambda change: (change.slower, change.first, change.last)):
        together = groups[-1] if groups else []
        fits = together and together[0].slower == change.slower and change.first <= _last(together)
        if fits and all(other.line is not change.line for other in together):
            together.append(change)
        else:
            groups.append([change])
    return sorted(groups, key=lambda together: -together[-1].first)


def _last(together: Sequence[ChangeOfCase]) -> int:
    """Return the place in the history of the last commit that all ranges have."""
    return min(change.last for change in together)


def together_table(history: History, changes: Sequence[ChangeOfCase]) -> Table[Mapping[str, str]]:
    """Lay out the events, and which other cases changed in the same direction within the same commits: newest first."""
    found = [
        _row(history, together, together[-1].first, _last(together), together[0].slower)
        for together in group([change for change in changes if change.event is None])
    ]
    for event in history.events:
        together = [change for change in changes if change.event is event]
        first, row = _row(history, together, event.change.first, event.change.last, event.change.ratio > 1)
        mark = ";" if ":" in row["case"] else ":"
        found.append((first, row | {"case": f"{row['case']}{mark} machine or software?"}))
    rows = [row for _, row in sorted(found, key=lambda row: -row[0])]
    title = "Changes of level, newest first; the commits are those that may have brought it to all its cases"
    return table_of(title, rows, left=("commits", "made", "verdict", "software", "case"))


def _row(
    history: History, together: Sequence[ChangeOfCase], first: int, last: int, slower: bool
) -> tuple[int, dict[str, str]]:
    """Return the row of changes that belong together, and before it the first commit that may have brought them."""
    sizes = sorted(_per_cent(change.change.ratio) for change in together)
    return first, {
        "commits": _range(history, first - 1, last),
        "made": f"{history.commits[last].made:%Y-%m-%d %H:%M}",
        "verdict": "slower" if slower else "faster",
        "change": f"{sizes[0]:+.1f} to {sizes[-1]:+.1f} %" if len(sizes) > 1 else f"{sizes[0]:+.1f} %",
        **_software(history, first, last),
        "case": _cases([change.line.measurement.case.label for change in together], len(history.lines)),
    }


def changes_table(history: History, changes: Sequence[ChangeOfCase]) -> Table[Mapping[str, str]]:
    """Lay out each change with its interval and the medians of the nearest times before and after it.

    These times go back to the change before it, and on to the next one, at most.
    """
    rows = list[dict[str, str]]()
    for found in changes:
        line, change = found.line, found.change
        since = max((other.at for other in line.changes if other.at < change.at), default=0)
        until = min((other.at for other in line.changes if other.at > change.at), default=None)
        rows.append(
            {
                "case": line.measurement.case.label,
                "change": f"{_per_cent(change.ratio):+.1f} %",
                "95 % interval": f"{_per_cent(change.low):+.1f} to {_per_cent(change.high):+.1f} %",
                "before": duration(float(np.median(line.seconds[since : change.at][-NEAR:]))),
                "after": duration(float(np.median(line.seconds[change.at : until][:NEAR]))),
                "commits": _range(history, found.first - 1, found.last),
                **_software(history, found.first, found.last),
            }
        )
    title = "Changes of level, case by case; it lies in this range of commits, with 95 % confidence"
    return table_of(title, rows, left=("case", "commits", "software"))


def _per_cent(ratio: float) -> float:
    return 100 * (ratio - 1)


def _cases(names: Sequence[str], number: int) -> str:
    """Name the cases that changed, of so many in the history."""
    if len(names) == number:
        return f"all {number}"
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"{len(names)} of {number}: {', '.join(names[:MOST_NAMES])}{more}"


def _software(history: History, first: int, last: int) -> dict[str, str]:
    """Return the cell that names the changes of software in a range of commits; none in a history without any."""
    return {"software": history.updates_within(first, last) or "–"} if history.updates else {}


def _range(history: History, before: int, last: int) -> str:
    """Return commits as git takes them: those after the one, up to the other."""
    first, other = history.commits[before].id[:9], history.commits[last].id[:9]
    return f"{first}..{other}" if first != other else f"{first}, measured again"
