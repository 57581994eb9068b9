"""Many records over commits: for each machine a line for each case, with the changes of its level."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median  # of few values far faster than NumPy's
from typing import Any

import numpy as np
import numpy.typing as npt

from parabola.records.fingerprint import hardware, software
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.together import Event, Series, family_of, find_levels
from parabola.records.machines.software import lineages, update
from parabola.records.passes import Passes, passes_of
from parabola.records.record import Fingerprint, Measurement, Record


@dataclass(frozen=True)
class Commit:
    """A commit that was measured by one software.

    Attributes:
        id: its id.
        made: when it was made.
        software: facts of the software that measured it.
    """

    id: str
    made: datetime
    software: Fingerprint = ()


@dataclass(frozen=True)
class Update:
    """A change of a machine's software.

    Attributes:
        at: place of the first commit in the history that was measured by the new software.
        words: what changed, as "TensorFlow 2.20.0 → 2.21.0".
    """

    at: int
    words: str


@dataclass(frozen=True)
class Line:
    """One case over commits.

    Attributes:
        measurement: the newest measurement of the case.
        at: shape (n,), int: the commits that have measured the case, as places in the history's commits.
        seconds: shape (n,): the median time at these commits; of several records of a commit, the median of theirs.
        passes: how many seeds passed at these commits; None where the case counts none.
        changes: changes of the level of the times, alone or in an event; their places count the line's own points.
    """

    measurement: Measurement
    at: npt.NDArray[np.int_]
    seconds: npt.NDArray[np.float64]
    passes: Passes | None
    changes: tuple[LevelChange, ...] = ()


@dataclass(frozen=True)
class History:
    """All that was measured on one machine, whose software may change.

    Attributes:
        records: all records of the machine, the one that was measured last first.
        commits: the commits that were measured, the oldest first; one that two kinds of software have measured is there
            for each.
        lines: a line for each case, in the order of the cases' keys.
        left_out: number of records that are in no line, because they belong to no commit alone.
        cut_short: number of records in the lines whose session did not come to its end.
        updates: the changes of software from one commit to the next.
        events: changes of level that most lines share; their cases are places in the lines.
        flips: steps there and back between two states of the machine, which are no changes, as places in the commits.
    """

    records: tuple[Record, ...]
    commits: tuple[Commit, ...]
    lines: tuple[Line, ...]
    left_out: int
    cut_short: int
    updates: tuple[Update, ...] = ()
    events: tuple[Event, ...] = ()
    flips: tuple[LevelChange, ...] = ()

    @property
    def number_of_commits(self) -> int:
        """How many commits were measured, each counted once."""
        return len({commit.id for commit in self.commits})

    @property
    def measured(self) -> list[Record]:
        """The records that are in the lines, newest first."""
        return [record for record in self.records if record.committed and not record.dirty]

    @property
    def newest(self) -> list[Record]:
        """The records of the commit that was measured last, newest first."""
        newest = self.records[0]
        if newest.dirty or not newest.commit:
            return [newest]  # nobody knows whether another one is of the same code
        here = software(newest.fingerprint)
        same = [record for record in self.records if record.commit == newest.commit and not record.dirty]
        return [record for record in same if software(record.fingerprint) == here]

    def updates_within(self, first: int, last: int) -> str:
        """Return the changes of software that lie in a range of commits, in words; empty for none.

        Args:
            first, last: places of the first and the last commit of the range.
        """
        return "; ".join(update.words for update in self.updates if first <= update.at <= last)


def histories(records: Iterable[Record]) -> list[History]:
    """Return a history for each machine, project, and name that the reader gave, the last measured first.

    A machine is its hardware: an update of its software goes on with the history (see `lineages`).

    A record of a working tree that had changes, or of no repository, belongs to no commit: it is only counted.
    """
    by_machine = defaultdict[tuple[Any, ...], list[Record]](list)
    for record in sorted([*records][::-1], key=lambda record: record.measured):  # of one moment, the first is newest
        by_machine[record.name, record.project, hardware(record.fingerprint)].append(record)
    found = [_history(group[::-1]) for records in by_machine.values() for group in lineages(records)]
    family = sum(family_of([len(line.at) for line in history.lines]) for history in found)
    told = [with_changes(history, family) for history in found]
    return sorted(told[::-1], key=lambda history: history.records[0].measured, reverse=True)


def with_changes(history: History, family: int) -> History:
    """Return a history with the changes of its levels, among so many series of all histories."""
    series = [Series(line.at, line.seconds) for line in history.lines]
    levels = find_levels(series, len(history.commits), family)
    lines = [replace(line, changes=found) for line, found in zip(history.lines, levels.changes, strict=True)]
    return replace(history, lines=tuple(lines), events=levels.events, flips=levels.flips)


def _history(newest_first: Sequence[Record]) -> History:
    usable = [record for record in newest_first if record.committed and not record.dirty]
    made = {
        (record.commit, software(record.fingerprint)): (record.committed, record.commit, -number)
        for number, record in enumerate(usable)
        if record.committed
    }
    commits = [Commit(id, made[id, by][0], by) for id, by in sorted(made, key=made.__getitem__)]
    places = {(commit.id, commit.software): place for place, commit in enumerate(commits)}
    by_case = defaultdict[tuple[str, int], dict[int, list[Measurement]]](lambda: defaultdict(list))
    for record in usable:
        for measurement in record.measurements:
            by_case[measurement.case.key][places[record.commit, software(record.fingerprint)]].append(measurement)
    lines = tuple(_line(at) for _, at in sorted(by_case.items()))
    cut_short = sum(record.cut_short for record in usable)
    left_out = len(newest_first) - len(usable)
    updates = tuple(
        Update(place, "; ".join(update(commits[place - 1].software, commit.software)))
        for place, commit in enumerate(commits)
        if place and commit.software != commits[place - 1].software
    )
    return History(tuple(newest_first), tuple(commits), lines, left_out, cut_short, updates)


def _line(by_place: dict[int, list[Measurement]]) -> Line:
    """Return the line of a case, from its measurements at each place of the history, of which the newest come first.

    Only times in the unit of the newest are in it: in another unit something else was measured under the same name.
    """
    unit = by_place[max(by_place)][0].unit
    alike = {place: [measurement for measurement in by_place[place] if measurement.unit == unit] for place in by_place}
    places = sorted(place for place in alike if alike[place])
    newest = [alike[place][0] for place in places]
    seconds = np.array([median([measurement.times.median for measurement in alike[place]]) for place in places])
    return Line(
        measurement=newest[-1],
        at=np.array(places),
        seconds=seconds,
        passes=passes_of([measurement.answer for measurement in newest]),
    )
