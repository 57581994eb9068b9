"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def check_path(path: Path, formats: Sequence[str]) -> None:
    """Check that a file can be written to a path, so that a mistake shows before any work is done.

    Args:
        path: path of a file that is to be written later.
        formats: the suffixes that the path may have, in lower case, as ".json".

    Raises:
        ValueError: if the suffix is another one, or the path cannot be written; the message names the path.
    """
    if path.suffix.lower() not in formats:
        raise ValueError(f"unknown format {path.suffix or path.name!r} of {path}; known: {', '.join(formats)}")
    free = path.is_file() or not path.exists()
    if not free or not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise ValueError(f"cannot write {path}: a folder, in no folder, or in one that is not writable")


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of another path once the block ends without an error.

    Args:
        path: the file that is to be there in the end; where it is a link, the file that it leads to is replaced.

    Yields:
        A path in a folder of its own beside it, with the same suffix.
    """
    path = path.resolve()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".parabola-") as folder:
        beside = Path(folder) / f"draft{path.suffix}"
        yield beside
        os.replace(beside, path)


def write_text(text: str, path: Path) -> None:
    """Write a text to a file in UTF-8, which replaces in one step what had that path before."""
    with draft(path) as beside:
        beside.write_text(text, encoding="utf-8")


def create_text(text: str, names: Iterator[Path]) -> Path:
    """Write a text to the first path that is free, and return that path; no file that is there already is touched.

    Args:
        text: what the file holds, written in UTF-8.
        names: the paths to try in turn, all in one folder. Two processes that try the same at once get different ones.
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
