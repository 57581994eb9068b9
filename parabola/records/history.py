"""Many records over commits: a line a case on one fingerprint, and where it changed its level."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median  # of few values far faster than NumPy's

import numpy as np
import numpy.typing as npt

from parabola.records import changes
from parabola.records.extra_info import Answer
from parabola.records.record import Measurement, Record

Fingerprint = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Commit:
    """A commit that was measured: its id, and when it was made."""

    id: str
    made: datetime


@dataclass(frozen=True)
class Passes:
    """How many seeds passed over commits.

    Attributes:
        settled, seeds: shape (n,), int: how many passed, of how many.
    """

    settled: npt.NDArray[np.int_]
    seeds: npt.NDArray[np.int_]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Shape (n,): from 0 to 1."""
        return self.settled / self.seeds


@dataclass(frozen=True)
class Line:
    """One case over commits.

    Attributes:
        measurement: the newest of the case: which it is.
        at: shape (n,), int: places in the history's commits.
        seconds: shape (n,): the median time there; where a commit has several records, the median of theirs.
        passes: at the same places; None where the case does not count them.
        changes: of the level of the times; their places count the line's own points.
    """

    measurement: Measurement
    at: npt.NDArray[np.int_]
    seconds: npt.NDArray[np.float64]
    passes: Passes | None
    changes: tuple[changes.LevelChange, ...]


@dataclass(frozen=True)
class History:
    """All that was measured on one fingerprint.

    Attributes:
        name: that the reader gave the machine; else empty.
        fingerprint: the facts that all its records share.
        records: of it, as they were measured: the newest first.
        commits: oldest first.
        lines: a case each.
        left_out: how many of the fingerprint's records are not in it, as they belong to no commit alone.
        cut_short: how many that are in it did not come to their end.
    """

    name: str
    fingerprint: Fingerprint
    records: tuple[Record, ...]
    commits: tuple[Commit, ...]
    lines: tuple[Line, ...]
    left_out: int
    cut_short: int


def histories(records: Iterable[Record]) -> list[History]:
    """Return a history for each fingerprint, and each name that the reader gave, the most recently measured first.

    Records of a working tree with changes of its own, or of none at all, belong to no commit: they are counted only.
    """
    by_machine = defaultdict[tuple[str, Fingerprint], list[Record]](list)
    for record in sorted(records, key=lambda record: record.measured, reverse=True):
        by_machine[record.name, record.fingerprint].append(record)
    return [_history(*machine, found) for machine, found in by_machine.items()]


def _history(name: str, fingerprint: Fingerprint, newest_first: list[Record]) -> History:
    usable = [record for record in newest_first if record.committed and not record.dirty]
    made = {record.commit: record.committed for record in usable if record.committed}
    commits = sorted((Commit(id, when) for id, when in made.items()), key=lambda commit: (commit.made, commit.id))
    places = {commit.id: place for place, commit in enumerate(commits)}
    by_case = defaultdict[tuple[str, int], dict[int, list[Measurement]]](lambda: defaultdict(list))
    for record in usable:
        for measurement in record.measurements:
            by_case[measurement.case.key][places[record.commit]].append(measurement)
    lines = tuple(_line(at) for _, at in sorted(by_case.items()))
    cut_short = sum(record.cut_short for record in usable)
    left_out = len(newest_first) - len(usable)
    return History(name, fingerprint, tuple(newest_first), tuple(commits), lines, left_out, cut_short)


def _line(by_place: dict[int, list[Measurement]]) -> Line:
    """Return the line of a case, from its measurements at each place of the history, of which the newest come first."""
    places = sorted(by_place)
    newest = [by_place[place][0] for place in places]
    seconds = np.array([median([measurement.times.median for measurement in by_place[place]]) for place in places])
    return Line(
        measurement=newest[-1],
        at=np.array(places),
        seconds=seconds,
        passes=_passes([measurement.answer for measurement in newest]),
        changes=tuple(changes.find_level_changes(seconds)),
    )


def _passes(answers: Sequence[Answer]) -> Passes | None:
    """Return how many seeds passed at each commit; None unless every commit counts them."""
    if not all(answer.seeds for answer in answers):
        return None
    settled, seeds = np.array([(answer.settled_seeds, answer.seeds) for answer in answers]).T
    return Passes(settled, seeds)
