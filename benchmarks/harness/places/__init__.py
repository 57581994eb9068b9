"""Where a session's record may be written, and under which names: none that another session has."""

import os
import secrets
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from parabola import files

UNFINISHED = "unfinished"  # part of the name of a record that grows while its session runs


def check(option: str, path: Path) -> None:
    """Check that a file can be written to a path.

    Args:
        option: the option that asks for it, which the message names.
        path: the file's.

    Raises:
        pytest.UsageError: if it cannot.
    """
    try:
        files.check_path(path, (path.suffix.lower(),))
    except ValueError as error:
        raise pytest.UsageError(f"{option}: {error}") from None


def is_device(path: Path) -> bool:
    """Return whether a path is a device's; a name that is too long, or a link to itself, is none."""
    return os.path.exists(path) and path.is_char_device()


def growing(place: Path | None) -> Path | None:
    """Return a path beside the place of the whole record that no other session has or had; None without a place."""
    return place and place.with_name(f"{place.stem}.{UNFINISHED}-{secrets.token_hex(4)}.json")


def state(path: Path) -> tuple[int, int] | None:
    """Return the time of a file's last change and its inode, by which a later write shows; None without a file."""
    if not path.exists():
        return None
    about = path.stat()
    return about.st_mtime_ns, about.st_ino


def numbered(path: Path) -> Iterator[Path]:
    """Yield a path, and then the same with 2, 3, … behind its name, for where it is taken."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
