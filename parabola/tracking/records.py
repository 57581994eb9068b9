"""Records: the JSON that pytest-benchmark leaves, and what of it is ours. The one place that knows it."""

import glob
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

VERSION = 2  # of what is under OURS; 1 did not say whether the session came to its end
OURS = "parabola"
MANY = 300  # files, from which on they are read by several processes

# What decides whether two times may be compared, in the order in which a difference is said.
FINGERPRINT = (
    *("cpu_model", "gpu", "cuda", "cores", "cores_usable", "memory_gib", "system", "kernel"),
    *("python", "tensorflow", "keras", "numpy", "numba", "threads", "xla_flags", "onednn"),
)


class Unreadable(ValueError):
    """A file is no record; the message says why."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One case of one session.

    Attributes:
        case: the benchmark's full name.
        kind: what was measured, as "epoch time".
        unit: of the times, as "seconds per epoch".
        engine, device, batch_size, learning_rate, samples, members: the case; None for what it does not have.
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
    median: float
    low_quartile: float
    high_quartile: float
    rounds: int
    coefficient_error: float | None
    verdict: str | None
    seeds: int | None
    settled_seeds: int | None


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


def find(sources: Iterable[str]) -> list[tuple[str, Path]]:
    """Return the files that are meant, each with its machine's name where that is given.

    Args:
        sources: each a file, a folder (with all that lies below) or a glob; NAME= before it names the machine.

    Raises:
        ValueError: if one of them means no file.
    """
    found = dict[Path, str]()
    for source in sources:
        name, equals, where = source.partition("=")
        if Path(source).exists() or not equals:
            name, where = "", source
        path = Path(where)
        if path.is_dir():
            paths = sorted(path.rglob("*.json"))
        else:
            paths = [path] if path.is_file() else sorted(map(Path, glob.glob(where, recursive=True)))
        paths = [one for one in paths if one.is_file() and not any(part.startswith(".parabola-") for part in one.parts)]
        if not paths:
            raise ValueError(f"no record there: a JSON file, a folder of them or a glob. Received: {where!r}")
        found |= {one: name or found.get(one, "") for one in paths}
    return [(name, path) for path, name in found.items()]


def newest(folder: Path) -> list[tuple[str, Path]]:
    """Return the file below a folder that was written last, as `find` would.

    Raises:
        ValueError: if there is none.
    """
    paths = [path for path in folder.rglob("*.json") if path.is_file()]
    if not paths:
        leave = "`pytest --benchmark-only --benchmark-autosave` leaves one"
        raise ValueError(f"no record under {folder}: {leave}; or name files, folders or globs")
    return [("", max(paths, key=lambda path: path.stat().st_mtime_ns))]


def read_all(named: Sequence[tuple[str, Path]]) -> Iterator[Record | Unreadable]:
    """Read files, in their order; what is no record comes as the reason why, with the file's name."""
    if len(named) < MANY:
        yield from map(_read_named, named)
        return
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(_read_named, named, chunksize=50)


def _read_named(named: tuple[str, Path]) -> Record | Unreadable:
    name, path = named
    try:
        return replace(read(path), name=name)
    except Unreadable as reason:
        return Unreadable(f"{path}: {reason}")


def read(path: Path) -> Record:
    """Read one record.

    Raises:
        Unreadable: if it is none, or one of a version that is not known here.
    """
    try:
        content = json.loads(path.read_bytes() or b"null")
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON, or cut off ({error})") from None
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    if content is None:
        raise Unreadable("empty")
    if not isinstance(content, dict) or not {"benchmarks", "machine_info"} <= content.keys():
        raise Unreadable("not a record of pytest-benchmark")
    ours = content.get(OURS)
    if not isinstance(ours, dict):
        raise Unreadable(f"a record of another suite: it has no {OURS!r}")
    version = ours.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise Unreadable(f"of version {version}; this parabola reads versions 1 to {VERSION}")
    try:
        return _record(str(path), content, ours)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"damaged: {type(error).__name__} {error}") from None


def _record(path: str, content: Mapping[str, Any], ours: Mapping[str, Any]) -> Record:
    machine, commit = content["machine_info"], content.get("commit_info") or {}
    session = ours.get("session") or {}
    measurements = tuple(map(_measurement, content["benchmarks"]))
    if not measurements:
        raise Unreadable("no case has a time in it")
    over = int(session.get("over", len(measurements)))
    return Record(
        path=path,
        name="",
        fingerprint=tuple((name, str(machine[name])) for name in FINGERPRINT),
        commit=str(commit["id"]) if commit.get("time") else "",
        committed=_moment(commit["time"]) if commit.get("time") else None,
        dirty=bool(commit.get("dirty")),
        measured=_moment(content["datetime"]),
        planned=int(session.get("planned", over)),
        over=over,
        failed=tuple(session.get("failed", ())),
        measurements=measurements,
    )


def _measurement(benchmark: Mapping[str, Any]) -> Measurement:
    info, stats = benchmark["extra_info"], benchmark["stats"]
    kind, _, unit = str(benchmark["group"]).partition(": ")
    if not 0 < float(stats["median"]) < math.inf:
        raise ValueError(f"a time of {stats['median']} in {benchmark['fullname']}")
    known = info.get
    return Measurement(
        case=benchmark["fullname"],
        kind=kind,
        unit=unit,
        engine=info["engine"],
        device=info["device"],
        batch_size=known("batch_size"),
        learning_rate=known("learning_rate"),
        samples=known("samples"),
        members=known("members"),
        median=float(stats["median"]),
        low_quartile=float(stats["q1"]),
        high_quartile=float(stats["q3"]),
        rounds=int(stats["rounds"]),
        coefficient_error=known("coefficient_error"),
        verdict=known("verdict"),
        seeds=known("seeds"),
        settled_seeds=known("settled_seeds"),
    )


def short_name(case: str) -> str:
    """Return a case's name without its file."""
    name, bracket, parameters = case.partition("[")
    return name.split("::")[-1] + bracket + parameters


def _moment(text: str) -> datetime:
    """Read a moment; pytest-benchmark's are in UTC where they do not say."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def differences(first: Record, second: Record) -> list[str]:
    """Say why two records may not be compared, a line a fact; nothing where they may."""
    pairs = zip(first.fingerprint, second.fingerprint, strict=True)
    return [f"{name.replace('_', ' ')}: {one}, not {other}" for (name, one), (_, other) in pairs if one != other]
