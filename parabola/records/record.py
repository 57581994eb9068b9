"""A record as the rest of the program knows it: one session, and a measurement for each of its cases."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from parabola.records.case import Case
from parabola.records.extra_info import Answer
from parabola.records.schema import Times


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One case of one session; many are made, so not a dataclass, whose making takes ten times as long.

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
        path: of the file.
        name: that the reader gave its machine; else empty.
        fingerprint: the facts of the machine that decide what its times may be compared with, in a fixed order.
        commit: its id; empty where there was no repository.
        committed: when; None likewise.
        dirty: whether the working tree had other changes.
        measured: when the session ended, or the last case that is in it.
        planned: how many tests the session had.
        over: how many of them were over when this was written.
        failed: the cases that have no time since their test failed.
        measurements: the cases that have one.
    """

    path: str
    name: str
    fingerprint: tuple[tuple[str, str], ...]
    commit: str
    committed: datetime | None
    dirty: bool
    measured: datetime
    planned: int
    over: int
    failed: tuple[str, ...]
    measurements: tuple[Measurement, ...]

    @property
    def cut_short(self) -> bool:
        """Whether the session did not come to its end (or had not yet)."""
        return self.over < self.planned
