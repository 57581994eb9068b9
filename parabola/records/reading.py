"""Records: the JSON that pytest-benchmark leaves, and what of it is ours. The one place that knows it."""

import glob
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

VERSION = 2  # of what is under OURS; 1 did not say whether the session came to its end
OURS = "parabola"

# What decides whether two times may be compared, in the order in which a difference is said.
FINGERPRINT = (
    *("cpu_model", "gpu", "cuda", "cores", "cores_usable", "memory_gib", "system", "kernel"),
    *("python", "backend", "tensorflow", "keras", "numpy", "numba", "threads", "xla_flags", "onednn"),
)


# What a case of a kind has to tell of itself.
REQUIRED = {
    "epoch time": ("batch_size", "learning_rate", "samples"),
    "members": ("members", "batch_size", "learning_rate", "samples"),
}


class Unreadable(ValueError):
    """A file is no record; the message says why."""


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


def own_part(
    grid: Mapping[str, Any], left_out: Sequence[str], planned: int, over: int, failed: Sequence[str]
) -> dict[str, Any]:
    """Return what is ours of a record, for the key OURS.

    Args:
        grid: the options that chose the cases.
        left_out: a line for each case that was not to be measured.
        planned: how many tests the session has.
        over: how many of them are over.
        failed: names of those that failed.
    """
    session = {"planned": planned, "over": over, "failed": list(failed)}
    return {"version": VERSION, "session": session, "grid": dict(grid), "left_out": list(left_out)}


def merge(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the sessions of one commit on one machine as the content of one record; the last says when.

    Raises:
        Unreadable: if one of them is no record.
        ValueError: if they are of different commits or machines.
    """
    found = [read(path) for path in paths]
    for path, one in zip(paths, found, strict=True):
        if apart := differences(found[0], one) or ([one.commit] if one.commit != found[0].commit else []):
            raise ValueError(f"{paths[0]} and {path} are not of one machine and commit: {'; '.join(apart)}")
    contents = [msgspec.json.decode(path.read_bytes()) for path in paths]
    whole: dict[str, Any] = contents[-1]
    whole["benchmarks"] = [one for content in contents for one in content["benchmarks"]]
    whole["commit_info"]["dirty"] = any(one.dirty for one in found)
    whole[OURS]["session"] = {
        "planned": sum(one.planned for one in found),
        "over": sum(one.over for one in found),
        "failed": [case for one in found for case in one.failed],
    }
    return whole


def find(sources: Iterable[str]) -> list[tuple[str, Path]]:
    """Return the files that are meant, each with its machine's name where that is given.

    Args:
        sources: each a file, a folder (with all that lies below) or a glob; NAME= before it names the machine.

    Raises:
        ValueError: if one of them means no file.
    """
    found = dict[Path, tuple[str, Path]]()
    for source in sources:
        name, equals, where = source.partition("=")
        if not equals or _meant(source):
            name, where = "", source
        paths = _meant(where)
        if not paths:
            raise ValueError(f"no record there: a JSON file, a folder of them or a glob. Received: {where!r}")
        for path in paths:
            before, _ = found.setdefault(path.resolve(), (name, path))
            if before and name and before != name:
                raise ValueError(f"a record belongs to one name. Received: {path} as {before!r} and as {name!r}")
            found[path.resolve()] = name or before, path
    return list(found.values())


def _meant(where: str) -> list[Path]:
    """Return the files that a file's name, a folder's or a glob means."""
    if not where:
        return []
    if os.path.isdir(where):
        return _whole(sorted(Path(where).rglob("*.json")))
    return _whole([Path(where)] if os.path.isfile(where) else sorted(map(Path, glob.glob(where, recursive=True))))


def newest(folder: Path) -> list[tuple[str, Path]]:
    """Return the file below a folder that was written last, of those that can be read, as `find` would.

    Raises:
        ValueError: if there is none.
    """
    paths = _whole(folder.rglob("*.json"))
    if not paths:
        leave = "`pytest --benchmark-only --benchmark-autosave` leaves one"
        raise ValueError(f"no record under {folder}: {leave}; or name files, folders or globs")
    paths.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return [("", next(filter(_readable, paths), paths[0]))]


def _whole(paths: Iterable[Path]) -> list[Path]:
    """Return those that are files, and none that a killed process left half-written."""
    return [path for path in paths if path.is_file() and not any(part.startswith(".parabola-") for part in path.parts)]


def _readable(path: Path) -> bool:
    try:
        read(path)
    except Unreadable:
        return False
    return True


def read_all(named: Iterable[tuple[str, Path]]) -> Iterator[Record | Unreadable]:
    """Read files, in their order; what is no record comes as the reason why, with the file's name."""
    for name, path in named:
        try:
            yield replace(read(path), name=name)
        except Unreadable as reason:
            yield Unreadable(f"{path}: {reason}")


class _Stats(msgspec.Struct, gc=False):
    median: float
    q1: float
    q3: float
    rounds: int


class _Info(msgspec.Struct, gc=False):
    """Of a benchmark's extra_info what a Measurement has under the same names."""

    engine: str
    device: str
    batch_size: int | None = None
    learning_rate: float | None = None
    samples: int | None = None
    members: int | None = None
    coefficient_error: float | None = None
    verdict: str | None = None
    seeds: int | None = None
    settled_seeds: int | None = None


class _Benchmark(msgspec.Struct, gc=False):
    fullname: str
    group: str
    stats: _Stats
    extra_info: _Info


class _Commit(msgspec.Struct, gc=False):
    id: str = ""
    time: str | None = None
    dirty: bool | None = None


class _Session(msgspec.Struct, gc=False):
    planned: int
    over: int
    failed: list[str]


class _Grid(msgspec.Struct, gc=False):
    epochs: int | None = None


class _Ours(msgspec.Struct, gc=False):
    version: int
    session: _Session | None = None
    grid: _Grid | None = None


class _File(msgspec.Struct, gc=False):
    """What of a file is read; the rest of it is skipped, unparsed."""

    machine_info: dict[str, Any]
    benchmarks: list[_Benchmark]
    datetime: str
    parabola: _Ours
    commit_info: _Commit | None = None


_decoder = msgspec.json.Decoder(_File)


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
        content = _decoder.decode(text)
        _check_version(content.parabola.version)
        return _record(str(path), content)
    except msgspec.ValidationError as error:
        raise Unreadable(_diagnosis(text) or f"damaged: {error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON, or cut off ({error})") from None
    except (KeyError, ValueError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable(f"damaged: {error}") from None


def _check_version(version: object) -> None:
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise Unreadable(f"of version {version}; this parabola reads versions 1 to {VERSION}")


def _diagnosis(text: bytes) -> str:
    """Say what JSON is that does not have a record's parts; nothing where it should have them."""
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"not JSON, or cut off ({error})"
    if not isinstance(content, dict) or not {"benchmarks", "machine_info"} <= content.keys():
        return "not a record of pytest-benchmark"
    ours = content.get(OURS)
    if not isinstance(ours, dict):
        return f"a record of another suite: it has no {OURS!r}"
    try:
        _check_version(ours.get("version"))
    except Unreadable as error:
        return str(error)
    return ""


def _record(path: str, content: _File) -> Record:
    machine, commit = {"backend": "tensorflow", **content.machine_info}, content.commit_info or _Commit()
    epochs = content.parabola.grid.epochs if content.parabola.grid else None
    measurements = tuple(_measurement(one, epochs) for one in content.benchmarks)
    if not measurements:
        raise Unreadable("no case has a time in it")
    session = content.parabola.session or _Session(len(measurements), len(measurements), [])
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


def _measurement(benchmark: _Benchmark, epochs: int | None) -> Measurement:
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


def short_name(case: str) -> str:
    """Return a case's name without its file."""
    name, bracket, parameters = case.partition("[")
    return name.split("::")[-1] + bracket + parameters


def in_words(fact: str) -> str:
    """Return the name of a fact as a reader is told it."""
    return fact.replace("_", " ")


def differences(first: Record, second: Record) -> list[str]:
    """Say why two records may not be compared, a line a fact; nothing where they may."""
    pairs = zip(first.fingerprint, second.fingerprint, strict=True)
    return [f"{in_words(name)}: {one}, not {other}" for (name, one), (_, other) in pairs if one != other]
