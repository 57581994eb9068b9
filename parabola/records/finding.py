"""Finding records: files, folders, globs and the newest of a folder; and merging the sessions of one commit."""

import glob
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from parabola.records.fingerprint import differences
from parabola.records.reading import read
from parabola.records.schema import OURS, Unreadable


def merge(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the sessions of one commit on one machine as the content of one record, which has the last one's date.

    Args:
        paths: one or more files, the last session last.

    Raises:
        Unreadable: if a file is not a record.
        ValueError: if the records are of different commits or machines.
    """
    records = [read(path) for path in paths]
    first = records[0]
    for path, record in zip(paths, records, strict=True):
        differing = differences(first, record) or ([record.commit] if record.commit != first.commit else [])
        if differing:
            raise ValueError(f"{paths[0]} and {path} are not of one machine and commit: {'; '.join(differing)}")
    contents = [msgspec.json.decode(path.read_bytes()) for path in paths]
    whole: dict[str, Any] = contents[-1]
    whole["benchmarks"] = [benchmark for content in contents for benchmark in content["benchmarks"]]
    whole["commit_info"]["dirty"] = any(record.dirty for record in records)
    whole[OURS]["session"] = {
        "planned": sum(record.planned for record in records),
        "over": sum(record.over for record in records),
        "failed": [case for record in records for case in record.failed],
    }
    return whole


def find(sources: Iterable[str]) -> list[tuple[str, Path]]:
    """Return the name and the path of each file that is meant; the name of its machine is empty where none is given.

    Args:
        sources: each a file, a folder (with everything below it) or a glob; NAME= before it names the machine.

    Raises:
        ValueError: if a source means no file, or a file is given two names.
    """
    found = dict[Path, tuple[str, Path]]()
    for source in sources:
        name, equals, place = source.partition("=")
        if not equals or _meant(source):
            name, place = "", source
        paths = _meant(place)
        if not paths:
            raise ValueError(f"no record there: a JSON file, a folder of them or a glob. Received: {place!r}")
        for path in paths:
            before, _ = found.setdefault(path.resolve(), (name, path))
            if before and name and before != name:
                raise ValueError(f"a record belongs to one name. Received: {path} as {before!r} and as {name!r}")
            found[path.resolve()] = name or before, path
    return list(found.values())


def _meant(place: str) -> list[Path]:
    """Return the files that are meant by the name of a file, of a folder or by a glob."""
    if not place:
        return []
    if os.path.isdir(place):
        return _whole(sorted(Path(place).rglob("*.json")))
    return _whole([Path(place)] if os.path.isfile(place) else sorted(map(Path, glob.glob(place, recursive=True))))


def newest(folder: Path) -> list[tuple[str, Path]]:
    """Return the file below a folder that was written last, of those that can be read, in the form of `find`.

    Raises:
        ValueError: if the folder has no file that ends in .json.
    """
    paths = _whole(folder.rglob("*.json"))
    if not paths:
        leave = "`pytest --benchmark-only --benchmark-autosave` leaves one"
        raise ValueError(f"no record under {folder}: {leave}; or name files, folders or globs")
    paths.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in paths:
        with suppress(Unreadable):
            read(path)
            return [("", path)]
    return [("", paths[0])]


def _whole(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that are files, without those that a killed process left half-written."""
    return [path for path in paths if path.is_file() and not any(part.startswith(".parabola-") for part in path.parts)]
