"""Which files are records: files, folders, globs, the newest of a folder; and several sessions merged into one."""

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from parabola.records.fingerprint import differences
from parabola.records.reading import read
from parabola.records.schema import OURS, Unreadable


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
