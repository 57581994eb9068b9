"""Files that are written whole or not at all."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows, where what a killed process has left stays
    fcntl = None  # type: ignore[assignment]

TRIED_BYTES = 4096  # are written to find out whether a disk is full
PREFIX = ".parabola-"  # of the folders in which files are drafted


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


def check_folder(path: Path, own: bool = True) -> None:
    """Check that a folder can be made or filled.

    Args:
        path: path of a folder that is to be filled later; it need not be there yet.
        own: whether nothing else may be in it, and the folder that it lies in has to be there already.

    Raises:
        ValueError: if it is no such folder; the message names the path.
    """
    try:
        with suppress(FileNotFoundError):
            os.lstat(path)  # so that a name which is too long is found out
        there = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
        fits = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        if own:
            fits = fits and (not any(path.iterdir()) if there == path else there == path.absolute().parent)
    except (OSError, ValueError) as error:  # a zero byte is a ValueError
        raise ValueError(f"cannot fill {path}: {getattr(error, 'strerror', None) or error}") from None
    if not fits:
        raise ValueError(f"cannot fill {path}: a file, {'not empty, in no folder, ' if own else ''}or not writable")


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
    with _drafts(end.parent) as folder:
        yield folder / f"draft{end.suffix.lower()}", end


@contextmanager
def _drafts(parent: Path) -> Iterator[Path]:
    """Yield a folder for a draft within another, from which what killed processes have left is removed."""
    with ExitStack() as stack:
        with _locked(parent):  # so that nobody takes a folder for left that is being made
            for left in parent.glob(f"{PREFIX}*"):
                with suppress(OSError), _locked(left, wait=False) as free:  # unless its process drafts in it
                    about = left.lstat()
                    if free and stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
                        shutil.rmtree(left, ignore_errors=True)
            made = tempfile.TemporaryDirectory(dir=parent, prefix=PREFIX, ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(made))
            stack.enter_context(_locked(folder))
        yield folder


@contextmanager
def _locked(path: Path, wait: bool = True, flags: int = os.O_RDONLY) -> Iterator[bool | None]:
    """Lock a folder or file as long as the block runs; yield whether it is locked, None where it cannot be."""
    locked = None
    with ExitStack() as stack:
        if fcntl:
            with suppress(OSError):  # it may not be read, or lies where there are no locks
                number = os.open(path, flags, 0o666)
                stack.callback(os.close, number)
                try:
                    fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                    locked = os.path.samestat(os.fstat(number), path.stat())
                except (BlockingIOError, FileNotFoundError):  # another has it, or has just removed it
                    locked = False
        yield locked


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Hold a file as long as the block runs, or the process lives, so that two processes do not overwrite each other.

    Args:
        path: the file, which need not be there. A link holds what it leads to.

    Yields:
        Whether no other block holds it; where there are no locks, it is taken to be so.
    """
    end = path.resolve()
    lock = end.with_name(os.fsdecode(os.fsencode(f".{end.name}")[:250] + b".lock"))  # a name has 255 bytes at most
    with _locked(lock, wait=False, flags=os.O_RDWR | os.O_CREAT) as locked:  # some disks of networks lock no folder
        try:
            yield locked is not False
        finally:
            if locked is not False:
                with suppress(OSError):
                    lock.unlink()


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
    with _drafts(first.parent) as folder:
        beside = folder / "draft"
        beside.write_text(text, encoding="utf-8")
        path = first
        while True:
            try:
                os.link(beside, path)
                return path
            except FileExistsError:
                path = next(names)
