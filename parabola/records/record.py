"""A record as the rest of the program knows it: one measured session, with a measurement for each of its cases."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from parabola.records.case import Case
from parabola.records.extra_info import Answer
from parabola.records.schema import Times

DISTURBED = 0.1  # by how much of the smaller two times of `native` in one session may differ
Fingerprint = tuple[tuple[str, str], ...]  # name and value of each fact of a machine and its software


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One case of one session. Reports make very many, so it is no dataclass, which takes ten times as long to make.

    Attributes:
        case: which case was measured.
        unit: unit of the times, as "seconds per epoch".
        times: the times over the rounds.
        answer: what was learnt.
    """

    case: Case
    unit: str
    times: Times
    answer: Answer


@dataclass(frozen=True, slots=True)
class Record:
    """One session.

    Attributes:
        path: path of the file.
        name: name that the reader gave the machine; empty for none.
        fingerprint: name and value of each fact that decides which times may be compared, in a fixed order.
        commit: id of the commit; empty where there was no repository.
        committed: when the commit was made; None where there was no repository.
        dirty: whether the working tree had changes besides.
        measured: when the session ended, or the last of its cases where it was cut short.
        planned: number of tests that the session had.
        over: number of these tests that were over when the record was written.
        failed: full names of the cases that have no time because their test failed.
        measurements: a measurement for each case that has a time.
        project: name of the repository that a record of another suite is of; empty for a record of this project.
        untimed: full names of the cases that are left out because their time is not a positive number.
        native_first, native_last: seconds that `native` took for an epoch before the first test and after the last one;
            None where they are not known.
    """

    path: str
    name: str
    fingerprint: Fingerprint
    commit: str
    committed: datetime | None
    dirty: bool
    measured: datetime
    planned: int
    over: int
    failed: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    project: str = ""
    untimed: tuple[str, ...] = ()
    native_first: float | None = None
    native_last: float | None = None

    @property
    def cut_short(self) -> bool:
        """Whether the session did not come to its end (or had not yet)."""
        return self.over < self.planned

    @property
    def disturbed(self) -> bool:
        """Whether `native` was not as fast after the session as before it."""
        return bool(self.native_first and self.native_last) and is_disturbed(
            self.native_first or 0.0, self.native_last or 0.0
        )


def is_disturbed(first: float, last: float) -> bool:
    """Return whether two times of the same work, both positive, differ by more than 10 % of the smaller."""
    return max(first, last) > (1 + DISTURBED) * min(first, last)
