"""Reading records: the JSON of a file becomes a Record, or the reason why it cannot."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from parabola.records import schema
from parabola.records.case import case_of
from parabola.records.extra_info import Answer
from parabola.records.fingerprint import FINGERPRINT
from parabola.records.foreign import schema as foreign
from parabola.records.foreign.case import foreign_case
from parabola.records.record import Fingerprint, Measurement, Record
from parabola.records.schema import BenchmarkJson, CommitJson, FileJson, Unreadable

NO_ANSWER = Answer(engine="", device="")  # what a benchmark of another suite says of what was learnt


def read_all(named: Iterable[tuple[str, Path]]) -> Iterator[Record | Unreadable]:
    """Read files, in their order; in the place of a file that cannot be read comes the reason, with the file's name.

    Args:
        named: for each file the name that the reader gave its machine (empty for none), and its path.
    """
    for name, path in named:
        try:
            yield replace(read(path), name=name)
        except Unreadable as reason:
            yield Unreadable(f"{path}: {reason}")


def read(path: Path) -> Record:
    """Read one record.

    Raises:
        Unreadable: if the file is not a record, or a record of a version that this program does not know.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if not text.strip():
        raise Unreadable("empty")
    try:
        try:
            return _own_record(str(path), schema.DECODER.decode(text))
        except msgspec.DecodeError:
            if schema.has_own_part(text):
                raise
            return _foreign_record(str(path), foreign.decode(text))
    except msgspec.ValidationError as error:
        raise Unreadable(schema.diagnosis(text) or f"damaged: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON, or cut off ({error})") from None
    except (KeyError, ValueError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable(f"damaged: {error}") from None


def _own_record(path: str, content: FileJson) -> Record:
    if reason := schema.unknown_version(content.parabola.version):
        raise Unreadable(reason)
    machine = {"backend": "tensorflow", "cpu_quota": "none", **content.machine_info}  # older records do not say
    if machine.get("gpu") == "none":  # older records name the CUDA of a wheel that found no GPU
        machine["cuda"] = "none"
    epochs = content.parabola.grid.epochs if content.parabola.grid else None
    measurements = [_measurement(benchmark, epochs) for benchmark in content.benchmarks]
    record = _record(path, content, tuple((name, str(machine[name])) for name in FINGERPRINT), measurements)
    session, native = content.parabola.session, content.parabola.native
    record = replace(record, native_first=native.first_seconds, native_last=native.last_seconds)
    if not session:
        return record
    return replace(record, planned=session.planned, over=session.over, failed=tuple(session.failed))


def _foreign_record(path: str, content: foreign.FileJson) -> Record:
    timed = [benchmark for benchmark in content.benchmarks if _is_timed(benchmark.stats)]
    record = _record(path, content, foreign.fingerprint(content.machine_info), map(_foreign_measurement, timed))
    untimed = tuple(benchmark.fullname for benchmark in content.benchmarks if not _is_timed(benchmark.stats))
    project = (content.commit_info and content.commit_info.project) or "another suite"
    return replace(record, project=project, untimed=untimed)


def _record(
    path: str, content: FileJson | foreign.FileJson, fingerprint: Fingerprint, measurements: Iterable[Measurement]
) -> Record:
    """Return the record of a session that came to its end without a failure."""
    commit, found = content.commit_info or CommitJson(), tuple(measurements)
    if not found:
        raise Unreadable("no case has a time in it")
    return Record(
        path=path,
        name="",
        fingerprint=fingerprint,
        commit=commit.id if commit.time else "",
        committed=_moment(commit.time) if commit.time else None,
        dirty=bool(commit.dirty),
        measured=_moment(content.datetime),
        planned=len(found),
        over=len(found),
        failed=(),
        measurements=found,
    )


def _measurement(benchmark: BenchmarkJson, asked_epochs: int | None) -> Measurement:
    """Return the measurement that a benchmark of a file is.

    Args:
        benchmark: the benchmark, as the file has it.
        asked_epochs: number of epochs that the session's rounds of epoch times were asked to have; None for the
            suite's choice.

    Raises:
        ValueError: if a time is not a positive number, an axis is missing, or the seeds cannot be so many.
    """
    answer, times, name = benchmark.extra_info, benchmark.stats, benchmark.fullname
    for seconds in _without_sense(times):
        raise ValueError(f"a time of {seconds} in {name}")
    kind, _, unit = benchmark.group.partition(": ")
    answer.check(kind, name)
    case = case_of(answer, name, kind, asked_epochs if kind == "epoch time" else None)
    return Measurement(case, unit, times, answer)


def _foreign_measurement(benchmark: foreign.BenchmarkJson) -> Measurement:
    """Return the measurement that a benchmark of another suite is."""
    case = foreign_case(benchmark.fullname, benchmark.group, foreign.plain_params(benchmark.params))
    return Measurement(case, "seconds", benchmark.stats, NO_ANSWER)


def _is_timed(times: schema.Times) -> bool:
    return not _without_sense(times)


def _without_sense(times: schema.Times) -> list[float]:
    """Return those of the times that are no positive numbers."""
    return [
        seconds for seconds in (times.median, times.low_quartile, times.high_quartile) if not 0 < seconds < math.inf
    ]


def _moment(text: str) -> datetime:
    """Return a moment in UTC; one without a time zone is pytest-benchmark's, which writes UTC."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
