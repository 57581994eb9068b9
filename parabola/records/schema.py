"""The JSON of a record: what is read of what pytest-benchmark writes, and the part that this project adds to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from parabola import WRITTEN_BY
from parabola.records.extra_info import Answer

OURS = "parabola"  # the key of the part that this project adds
VERSION = 2  # version of that part; version 1 did not say whether the session came to its end


class Unreadable(ValueError):
    """A file cannot be read as a record; the message says why."""


def own_part(
    grid: Mapping[str, Any],
    left_out: Sequence[str],
    planned: int,
    over: int,
    failed: Sequence[str],
    native: Sequence[float] = (),
) -> dict[str, Any]:
    """Return the part of a record that this project adds, for the key OURS.

    Args:
        grid: the options that chose the cases, by their names.
        left_out: a line for each case that was not to be measured, with the reason.
        planned: number of tests that the session has.
        over: number of these tests that are over.
        failed: names of the tests that failed.
        native: seconds that `native` took for an epoch before the first test and after the last one, as far as known.
    """
    session = {"planned": planned, "over": over, "failed": list(failed)}
    return {
        "version": VERSION,
        "written_by": WRITTEN_BY,
        "session": session,
        "grid": dict(grid),
        "left_out": list(left_out),
        **({"native": dict(zip(("first_seconds", "last_seconds"), native, strict=False))} if native else {}),
    }


class Times(msgspec.Struct, frozen=True, gc=False, rename={"low_quartile": "q1", "high_quartile": "q3"}):
    """The times of a benchmark, in seconds, over its rounds: of pytest-benchmark's statistics those that are read.

    Attributes:
        median: median over the rounds.
        low_quartile, high_quartile: a quarter of the rounds take less, a quarter take more.
        rounds: number of rounds.
    """

    median: float
    low_quartile: float
    high_quartile: float
    rounds: int


class BenchmarkJson(msgspec.Struct, frozen=True, gc=False):
    """One benchmark of a record."""

    fullname: str
    group: str
    stats: Times
    extra_info: Answer


class CommitJson(msgspec.Struct, frozen=True, gc=False):
    """The commit that was measured; everything is empty where there was no repository."""

    id: str = ""
    time: str | None = None
    dirty: bool | None = None
    project: str | None = None


class SessionJson(msgspec.Struct, frozen=True, gc=False):
    """How far a session had come: how many tests it had, how many were over, and the names of those that failed."""

    planned: int
    over: int
    failed: list[str]


class GridJson(msgspec.Struct, frozen=True, gc=False):
    """Of the options that chose the cases, those that make another case of the same name."""

    epochs: int | None = None


class NativeJson(msgspec.Struct, frozen=True, gc=False):
    """Seconds that `native` took for an epoch before the first test and after the last one; None for not known."""

    first_seconds: float | None = None
    last_seconds: float | None = None


class OursJson(msgspec.Struct, frozen=True, gc=False):
    """What is read of the part that this project adds, under the key OURS."""

    version: int
    session: SessionJson | None = None
    grid: GridJson | None = None
    native: NativeJson = NativeJson()


class FileJson(msgspec.Struct, frozen=True, gc=False):
    """What is read of a file; the rest is skipped without being parsed."""

    machine_info: dict[str, Any]
    benchmarks: list[BenchmarkJson]
    datetime: str
    parabola: OursJson
    commit_info: CommitJson | None = None


DECODER = msgspec.json.Decoder(FileJson)


def unknown_version(version: object) -> str:
    """Return the line that says that this program does not know a version; empty where it does."""
    known = isinstance(version, int) and 1 <= version <= VERSION
    return "" if known else f"of version {version}; this parabola reads versions 1 to {VERSION}"


def has_own_part(text: bytes) -> bool:
    """Return whether a text of JSON has the part that this project adds, and so is no record of another suite."""
    if f'"{OURS}"'.encode() not in text:
        return False
    content = msgspec.json.decode(text)
    return isinstance(content, dict) and isinstance(content.get(OURS), dict)


def diagnosis(text: bytes) -> str:
    """Return why a text that did not decode is not a record; empty where it has a record's outline and is damaged."""
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"not JSON, or cut off ({error})"
    if not isinstance(content, dict) or not {"benchmarks", "machine_info"} <= content.keys():
        return "not a record of pytest-benchmark"
    ours = content.get(OURS)
    return unknown_version(ours.get("version")) if isinstance(ours, dict) else ""
