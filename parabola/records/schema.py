"""The JSON that pytest-benchmark leaves, and what of it is ours: the one place that knows its keys."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from parabola.records.extra_info import Answer

VERSION = 2  # of what is under OURS; 1 did not say whether the session came to its end
OURS = "parabola"


class Unreadable(ValueError):
    """A file is no record; the message says why."""


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


class BenchmarkJson(msgspec.Struct, gc=False):
    """One benchmark of a record."""

    fullname: str
    group: str
    stats: Times
    extra_info: Answer


class CommitJson(msgspec.Struct, gc=False):
    """The commit that a record is of; everything is empty where there was no repository."""

    id: str = ""
    time: str | None = None
    dirty: bool | None = None


class SessionJson(msgspec.Struct, gc=False):
    """How far a session had come: how many tests it planned, how many were over, and the names of those that failed."""

    planned: int
    over: int
    failed: list[str]


class GridJson(msgspec.Struct, gc=False):
    """The options that chose the cases: of these, those that make other cases."""

    epochs: int | None = None


class OursJson(msgspec.Struct, gc=False):
    """The part of a record that this project adds, under the key OURS."""

    version: int
    session: SessionJson | None = None
    grid: GridJson | None = None


class FileJson(msgspec.Struct, gc=False):
    """What of a file is read; the rest of it is skipped, unparsed."""

    machine_info: dict[str, Any]
    benchmarks: list[BenchmarkJson]
    datetime: str
    parabola: OursJson
    commit_info: CommitJson | None = None


DECODER = msgspec.json.Decoder(FileJson)


def check_version(version: object) -> None:
    """Raise Unreadable, naming the version, unless it is one that is known here."""
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise Unreadable(f"of version {version}; this parabola reads versions 1 to {VERSION}")


def diagnosis(text: bytes) -> str:
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
        check_version(ours.get("version"))
    except Unreadable as error:
        return str(error)
    return ""
