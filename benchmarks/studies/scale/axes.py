"""The axes along which times grow: what the suite is asked to time, and what its records say of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.bench_members import BATCH_SIZE as MEMBERS_BATCH_SIZE
from parabola.machine import host
from parabola.records.record import Measurement
from parabola.registry import DEFAULT_ENGINE, LIMIT

SAMPLES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
BATCH_SIZES = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)  # of 10,000 samples
MEMBERS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
EPOCHS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)
BOTH = f"--engine={LIMIT}", f"--engine={DEFAULT_ENGINE}"
TIMED = "-k", "epoch_time", "--device=cpu", "--learning-rate=0.001", "--all"
Session = tuple[str, ...]  # options of one call of pytest


@dataclass(frozen=True)
class Point:
    """A time at one size.

    Attributes:
        line: name of the line that the point is on.
        size: where it lies on the axis.
        seconds: the median time.
    """

    line: str
    size: int
    seconds: float


@dataclass(frozen=True)
class Axis:
    """One thing that grows, while all else stays.

    Attributes:
        name: what grows, as the axis is called.
        what: what is timed.
        sessions: the calls of the suite that time it.
        points: function that returns the points of a measurement, given the options of its session.
    """

    name: str
    what: str
    sessions: Sequence[Session]
    points: Callable[[Measurement, Session], list[Point]]


def axes() -> tuple[Axis, ...]:
    """Return the axes, in the order of the page; threads are those of this machine."""
    return (
        Axis(
            "samples",
            "time per epoch",
            ((*TIMED, *BOTH, "--batch-size=1", "--batch-size=100", *_each("samples", SAMPLES)),),
            lambda measurement, _: [Point(_line(measurement), measurement.case.samples or 0, measurement.times.median)],
        ),
        Axis(
            "batch size",
            "time per epoch of 10,000 samples",
            ((*TIMED, *BOTH, "--samples=10000", *_each("batch-size", BATCH_SIZES)),),
            lambda measurement, _: [
                Point(measurement.case.engine, measurement.case.batch_size or 0, measurement.times.median)
            ],
        ),
        Axis(
            "members",
            f"time per epoch of all, batch size {MEMBERS_BATCH_SIZE}",
            (
                (*TIMED, f"--engine={LIMIT}", f"--batch-size={MEMBERS_BATCH_SIZE}"),
                ("-k", "members", "--device=cpu", *_each("members", MEMBERS)),
            ),
            _of_members,
        ),
        Axis(
            "epochs",
            "time per run of 999 samples",
            tuple((*TIMED, *BOTH, "--batch-size=1", "--batch-size=999", f"--epochs={epochs}") for epochs in EPOCHS),
            _of_run,
        ),
        Axis(
            "threads",
            "time per epoch",
            tuple(
                (*TIMED, *sizes, f"--threads={threads}")
                for threads in range(1, host.usable_cores() + 1)
                for sizes in (
                    (*BOTH, "--samples=1000000", "--batch-size=1000", "--batch-size=1000000"),
                    ("--engine=fit", "--batch-size=999"),
                )
            ),
            lambda measurement, session: [
                Point(
                    f"{_line(measurement)} of {measurement.case.samples or 0:,} samples",
                    _last(session),
                    measurement.times.median,
                )
            ],
        ),
    )


def _each(option: str, values: Iterable[int]) -> Session:
    """Return an option with each of several values."""
    return tuple(f"--{option}={value}" for value in values)


def _last(session: Session) -> int:
    """Return the value of a session's last option."""
    return int(session[-1].partition("=")[2])


def _line(measurement: Measurement) -> str:
    """Return the name of an engine's line at a batch size."""
    return f"{measurement.case.engine}, batch {measurement.case.batch_size:,}"


def _of_members(measurement: Measurement, _: Session) -> list[Point]:
    """Return the time of a block; of a run of the limit, what as many of them take one after another."""
    if measurement.case.members is None:
        seconds = measurement.times.median
        return [Point(f"{measurement.case.engine}, one after another", size, size * seconds) for size in MEMBERS]
    return [Point("members together", measurement.case.members, measurement.times.median)]


def _of_run(measurement: Measurement, session: Session) -> list[Point]:
    """Return the time of a whole run: that of an epoch, times the epochs of the session."""
    return [Point(_line(measurement), _last(session), _last(session) * measurement.times.median)]
