"""Records are read: a file's JSON becomes a Record, or the reason why it is none."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from parabola.records.fingerprint import FINGERPRINT
from parabola.records.record import Measurement, Record
from parabola.records.schema import (
    DECODER,
    REQUIRED,
    BenchmarkJson,
    CommitJson,
    FileJson,
    SessionJson,
    Unreadable,
    check_version,
    diagnosis,
)


def read_all(named: Iterable[tuple[str, Path]]) -> Iterator[Record | Unreadable]:
    """Read files, in their order; what is no record comes as the reason why, with the file's name."""
    for name, path in named:
        try:
            yield replace(read(path), name=name)
        except Unreadable as reason:
            yield Unreadable(f"{path}: {reason}")


def read(path: Path) -> Record:
    """Read one record.

    Raises:
        Unreadable: if it is none, or one of a version that is not known here.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if not text.strip():
        raise Unreadable("empty")
    try:
        content = DECODER.decode(text)
        check_version(content.parabola.version)
        return _record(str(path), content)
    except msgspec.ValidationError as error:
        raise Unreadable(diagnosis(text) or f"damaged: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON, or cut off ({error})") from None
    except (KeyError, ValueError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable(f"damaged: {error}") from None


def _record(path: str, content: FileJson) -> Record:
    machine, commit = {"backend": "tensorflow", **content.machine_info}, content.commit_info or CommitJson()
    epochs = content.parabola.grid.epochs if content.parabola.grid else None
    measurements = tuple(_measurement(one, epochs) for one in content.benchmarks)
    if not measurements:
        raise Unreadable("no case has a time in it")
    session = content.parabola.session or SessionJson(len(measurements), len(measurements), [])
    return Record(
        path=path,
        name="",
        fingerprint=tuple((name, str(machine[name])) for name in FINGERPRINT),
        commit=commit.id if commit.time else "",
        committed=_moment(commit.time) if commit.time else None,
        dirty=bool(commit.dirty),
        measured=_moment(content.datetime),
        planned=session.planned,
        over=session.over,
        failed=tuple(session.failed),
        measurements=measurements,
    )


def _measurement(benchmark: BenchmarkJson, epochs: int | None) -> Measurement:
    info, stats = benchmark.extra_info, benchmark.stats
    for seconds in (stats.median, stats.q1, stats.q3):
        if not 0 < seconds < math.inf:
            raise ValueError(f"a time of {seconds} in {benchmark.fullname}")
    kind, _, unit = benchmark.group.partition(": ")
    counted = info.seeds is not None and info.settled_seeds is not None and 0 <= info.settled_seeds <= info.seeds
    if not (counted and info.seeds) and (info.seeds, info.settled_seeds) != (None, None):
        raise ValueError(f"{info.settled_seeds} of {info.seeds} seeds in {benchmark.fullname}")
    for axis in REQUIRED.get(kind, ()):
        if getattr(info, axis) is None:
            raise ValueError(f"no {axis} in {benchmark.fullname}")
    return Measurement(
        case=benchmark.fullname,
        kind=kind,
        unit=unit,
        engine=info.engine,
        device=info.device,
        batch_size=info.batch_size,
        learning_rate=info.learning_rate,
        samples=info.samples,
        members=info.members,
        epochs=epochs if kind == "epoch time" else None,
        median=stats.median,
        low_quartile=stats.q1,
        high_quartile=stats.q3,
        rounds=stats.rounds,
        coefficient_error=info.coefficient_error,
        verdict=info.verdict,
        seeds=info.seeds,
        settled_seeds=info.settled_seeds,
    )


def _moment(text: str) -> datetime:
    """Read a moment as one in UTC: pytest-benchmark's are, where they do not say; a commit's has its own zone."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
