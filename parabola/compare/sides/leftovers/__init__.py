"""The folders of comparisons: which run, what killed ones have left, and how all that one has made is removed."""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from parabola.git import git
from parabola.machine import processes

PREFIX = "parabola-compare-"
LOCK = "lock"  # is held while the comparison runs, and holds the repositories that have worktrees in the folder
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
BEGINNING_SECONDS = 60  # after which a folder without a lock is no beginning any more, but was left


def others(running: bool = True, besides: Path | None = None) -> list[Path]:
    """Return the folders of this user's other comparisons on this machine.

    Args:
        running: True for comparisons that run, False for what is left of comparisons that were killed.
        besides: a folder to leave out: the comparison's own.
    """
    folders = []
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # it ends just now
            if folder != besides and _ours(folder) and (_runs(folder) if running else _was_left(folder)):
                folders.append(folder)
    return folders


def _ours(folder: Path) -> bool:
    """Return whether a folder is this user's, and no link, and lets nobody else write in it: where it lies, all may."""
    about = folder.lstat()
    return about.st_uid == os.getuid() and stat.S_ISDIR(about.st_mode) and not about.st_mode & OTHERS_WRITE


def _runs(folder: Path) -> bool:
    """Return whether a process holds a comparison's lock, which the system takes from it when it ends."""
    if not (folder / LOCK).exists():
        return False
    with open(folder / LOCK, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _was_left(folder: Path) -> bool:
    """Return whether the comparison that made a folder was killed."""
    if (folder / LOCK).exists():
        return not _runs(folder)
    return folder.stat().st_mtime < time.time() - BEGINNING_SECONDS


def remember(repository: Path, scratch: Path) -> None:
    """Note in a comparison's folder that a repository has worktrees there, for whoever removes them."""
    with open(scratch / LOCK, "a", encoding="utf-8", errors="surrogateescape") as lock:
        lock.write(f"{repository}\0")


def remove(scratch: Path, repository: Path) -> None:
    """Remove a comparison's processes, worktrees and folder, and no others'; last the lock, by which it is found.

    Args:
        scratch: the comparison's folder.
        repository: one that may have worktrees there, besides those that are noted in the folder.
    """
    processes.kill_those_in(scratch)
    repositories = [str(repository)]
    with suppress(FileNotFoundError):  # it was killed before it had a lock, or another comparison removes it just now
        repositories += (scratch / LOCK).read_text(encoding="utf-8", errors="surrogateescape").split("\0")[:-1]
    with suppress(FileNotFoundError):
        for path in scratch.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
    for name in dict.fromkeys(repositories):
        with suppress(OSError, ValueError):  # it is gone
            _forget(Path(name), scratch)
    shutil.rmtree(scratch, ignore_errors=True)


def _forget(repository: Path, scratch: Path) -> None:
    """Have a repository forget its worktrees in a folder, which are gone."""
    for line in git(repository, "worktree", "list", "--porcelain", apart=True).splitlines():
        worktree = line.removeprefix("worktree ")
        if worktree != line and scratch in Path(worktree).parents:
            with alone(repository), suppress(ValueError):  # forgotten already
                git(repository, "worktree", "remove", "--force", "--force", worktree, apart=True)


@contextmanager
def alone(repository: Path) -> Iterator[None]:
    """Keep other comparisons from changing a repository's worktrees meanwhile: git removes the folder of an empty list.

    Args:
        repository: a folder of the repository.
    """
    folder = os.open(repository / git(repository, "rev-parse", "--git-common-dir", apart=True), os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system on which folders cannot be locked
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
