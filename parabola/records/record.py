"""A record as the rest of the program knows it: one session, and a measurement for each of its cases."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from parabola.records.fingerprint import short_name


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One case of one session; many are made, so not a dataclass, whose making takes ten times as long.

    Attributes:
        case: the benchmark's full name.
        kind: what was measured, as "epoch time".
        unit: of the times, as "seconds per epoch".
        engine, device, batch_size, learning_rate, samples, members: the case; None for what it does not have.
        epochs: of a round, where they were asked for, which makes another case; None where the suite chose them.
        median, low_quartile, high_quartile: over the rounds.
        rounds: how many.
        coefficient_error: at the end of the last round; None where the benchmark has none.
        verdict: of that run; None where the benchmark has none.
        seeds, settled_seeds: how many were trained, and how many of these pass; None where it is a single run.
    """

    case: str
    kind: str
    unit: str
    engine: str
    device: str
    batch_size: int | None
    learning_rate: float | None
    samples: int | None
    members: int | None
    epochs: int | None
    median: float
    low_quartile: float
    high_quartile: float
    rounds: int
    coefficient_error: float | None
    verdict: str | None
    seeds: int | None
    settled_seeds: int | None

    @property
    def key(self) -> tuple[str, int | None]:
        """What tells a case from another one."""
        return self.case, self.epochs

    @property
    def parameters(self) -> str:
        """What stands between the brackets of the case's name; the name where there are none."""
        return self.case.partition("[")[2].removesuffix("]") or short_name(self.case)

    @property
    def label(self) -> str:
        """The case's name in a table."""
        return short_name(self.case) + (f", {self.epochs} epochs a round" if self.epochs else "")


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
