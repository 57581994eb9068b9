"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def check_path(path: Path, formats: Sequence[str]) -> None:
    """Raise ValueError, naming the path and what would be right, unless a file so named can be written there.

    Args:
        path: to be written later.
        formats: the suffixes that are right, as ".json".
    """
    if path.suffix.lower() not in formats:
        raise ValueError(f"unknown format {path.suffix or path.name!r} of {path}; known: {', '.join(formats)}")
    free = path.is_file() or not path.exists()
    if not free or not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(f"cannot write {path}: a folder, in no folder, or in one that is not writable")


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Give a name to write to, with the path's suffix; it takes the path's place once that is done without an error.

    Where the path is a link, the file that it leads to is replaced.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".parabola-") as folder:
        beside = Path(folder) / f"draft{path.suffix}"
        yield beside
        os.replace(beside, path)


def write_text(text: str, path: Path) -> None:
    """Write a file; what had its name before is replaced in one step."""
    with draft(path) as beside:
        beside.write_text(text, encoding="utf-8")


def create_text(text: str, names: Iterator[Path]) -> Path:
    """Write a file under the first name that is free, and return that; what is there already is never touched.

    Args:
        text: of the file.
        names: to be tried, all in one folder; two that try at once get different ones.
    """
    first = next(names)
    with tempfile.TemporaryDirectory(dir=first.parent, prefix=".parabola-") as folder:
        beside = Path(folder) / "draft"
        beside.write_text(text, encoding="utf-8")
        path = first
        while True:
            try:
                os.link(beside, path)
                return path
            except FileExistsError:
                path = next(names)
