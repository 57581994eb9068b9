"""Changes of level over commits as tables: which cases changed together, and each change alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parabola.display.tables import Column, Table
from parabola.display.units import duration
from parabola.records.changes import LevelChange
from parabola.records.history import History, Line

NEAR = 20  # commits to either side of a change, whose medians are shown
MOST_NAMES = 3  # cases that a row names; of more it names the first ones


@dataclass(frozen=True)
class ChangeOfCase:
    """A change of level of one case.

    Attributes:
        line: the case over commits.
        change: the change; its places count the line's own points.
    """

    line: Line
    change: LevelChange

    @property
    def first(self) -> int:
        """Place in the history of the first commit that may have brought it: the line may lack some commits."""
        return int(self.line.at[self.change.first - 1]) + 1

    @property
    def last(self) -> int:
        """Place in the history of the last commit that may have brought it."""
        return int(self.line.at[self.change.last])

    @property
    def slower(self) -> bool:
        """Whether the case takes longer since."""
        return self.change.ratio > 1


@dataclass(frozen=True)
class Together:
    """Changes of one direction, each of another case, whose ranges of commits have some in common."""

    changes: tuple[ChangeOfCase, ...]

    @property
    def first(self) -> int:
        """Place in the history of the first commit that all ranges have."""
        return max(change.first for change in self.changes)

    @property
    def last(self) -> int:
        """Place in the history of the last commit that all ranges have."""
        return min(change.last for change in self.changes)

    def takes(self, other: ChangeOfCase) -> bool:
        """Say whether another change, whose range begins no earlier than these do, belongs to them."""
        of_one_direction = other.slower == self.changes[0].slower
        of_another_case = all(change.line is not other.line for change in self.changes)
        return of_one_direction and of_another_case and other.first <= self.last


def changes_of(history: History) -> list[ChangeOfCase]:
    """Return every change of a history, case by case."""
    return [ChangeOfCase(line, change) for line in history.lines for change in line.changes]


def group(changes: Sequence[ChangeOfCase]) -> list[Together]:
    """Return the changes in groups, those of the newest commits first."""
    groups = list[Together]()
    for change in sorted(changes, key=lambda change: (change.slower, change.first, change.last)):
        if groups and groups[-1].takes(change):
            groups[-1] = Together((*groups[-1].changes, change))
        else:
            groups.append(Together((change,)))
    return sorted(groups, key=lambda together: -together.first)


def together_table(history: History, changes: Sequence[ChangeOfCase]) -> Table[Together]:
    """Lay out which cases changed in the same direction within the same commits: the newest first."""
    columns: tuple[Column[Together], ...] = (
        Column("commits", lambda together: _range(history, together.first - 1, together.last), "left"),
        Column("made", lambda together: f"{history.commits[together.last].made:%Y-%m-%d %H:%M}", "left"),
        Column("verdict", lambda together: "slower" if together.changes[0].slower else "faster", "left"),
        Column("change", _sizes),
        Column("case", lambda together: _cases(together, len(history.lines)), "left"),
    )
    title = "Changes of level, newest first; the commits are those that the ranges of all its cases have in common"
    return Table(title, columns, group(changes))


def changes_table(history: History, changes: Sequence[ChangeOfCase]) -> Table[ChangeOfCase]:
    """Lay out each change with its interval and the medians before and after it."""
    columns: tuple[Column[ChangeOfCase], ...] = (
        Column("case", lambda found: found.line.measurement.case.label, "left"),
        Column("change", lambda found: f"{_per_cent(found.change.ratio):+.1f} %"),
        Column(
            "95 % interval",
            lambda found: f"{_per_cent(found.change.low):+.1f} to {_per_cent(found.change.high):+.1f} %",
        ),
        Column("before", _median_before),
        Column("after", _median_after),
        Column("commits", lambda found: _range(history, found.first - 1, found.last), "left"),
    )
    title = "Changes of level, case by case; it lies in this range of commits, with 95 % confidence"
    return Table(title, columns, changes)


def _per_cent(ratio: float) -> float:
    return 100 * (ratio - 1)


def _sizes(together: Together) -> str:
    """Write the change, or the smallest and the largest of several."""
    sizes = [_per_cent(change.change.ratio) for change in together.changes]
    return f"{min(sizes):+.1f} to {max(sizes):+.1f} %" if len(sizes) > 1 else f"{sizes[0]:+.1f} %"


def _cases(together: Together, number: int) -> str:
    """Name the cases that changed, of so many in the history."""
    names = [change.line.measurement.case.label for change in together.changes]
    if len(names) == number:
        return f"all {number}"
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"{len(names)} of {number}: {', '.join(names[:MOST_NAMES])}{more}"


def _median_before(found: ChangeOfCase) -> str:
    """Write the median of the nearest times before a change, from the change before it on."""
    since = max((other.at for other in found.line.changes if other.at < found.change.at), default=0)
    return duration(float(np.median(found.line.seconds[since : found.change.at][-NEAR:])))


def _median_after(found: ChangeOfCase) -> str:
    """Write the median of the nearest times after a change, up to the next change."""
    until = min((other.at for other in found.line.changes if other.at > found.change.at), default=None)
    return duration(float(np.median(found.line.seconds[found.change.at : until][:NEAR])))


def _range(history: History, before: int, last: int) -> str:
    """Return commits as git takes them: those after the one, up to the other."""
    return f"{history.commits[before].id[:9]}..{history.commits[last].id[:9]}"
