"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TRIED_BYTES = 4096  # are written to find out whether a disk is full


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
    try:
        if path.exists() and not path.is_file():
            raise IsADirectoryError(0, "it is no file")
        with _beside(path) as (draft, end):
            draft.write_bytes(b" " * TRIED_BYTES)
            if end.exists():
                end.open("r+b").close()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links is a RuntimeError, a zero byte a ValueError
        raise ValueError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None


def check_folder(path: Path) -> None:
    """Check that a folder can be made or filled, with nothing in it that could be overwritten.

    Args:
        path: path of a folder that is to be filled later; it need not be there yet.

    Raises:
        ValueError: if it is no such folder; the message names the path.
    """
    there = path if path.exists() else path.parent
    empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    if not empty or not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise ValueError(f"cannot fill {path}: a file, not empty, in no folder, or not writable")


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of another path once the block ends without an error.

    Args:
        path: the file that is to be there in the end; where it is a link, the file that it leads to is replaced.

    Yields:
        A path in a folder of its own beside it, with the same suffix.
    """
    try:
        with _beside(path) as (beside, end):
            yield beside
            os.replace(beside, end)
    except OSError as error:  # which names the draft, or nothing
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


@contextmanager
def _beside(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a draft's path, whose suffix is in lower case, and the path of the file that it is to become."""
    end = path.resolve()
    os.stat(end.parent)  # so that a folder that is not there is named by its own error
    with suppress(FileNotFoundError):
        os.lstat(end)  # so that a name which is too long is found out
    with tempfile.TemporaryDirectory(dir=end.parent, prefix=".parabola-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / f"draft{end.suffix.lower()}", end


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
