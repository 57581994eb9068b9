"""Commits of a git repository, each checked out in a folder of its own for as long as it is needed."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from parabola.compare.sides.working_tree import has, listed, snapshot, submodules
from parabola.git import git

PREFIX = "parabola-compare-"
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
WORKING_TREE = "working tree"


@dataclass(frozen=True)
class Checkout:
    """One side of a comparison.

    Attributes:
        name: "base" or "head".
        revision: what the user asked for: a branch, a tag, a commit, or the working tree.
        commit: the full name of the commit; of a working tree, the commit that it was changed from.
        subject: the first line of that commit's message.
        top: the folder that the commit is checked out in.
        folder: the folder that pytest runs in, which lies in top as the user's folder lies in the repository.
    """

    name: str
    revision: str
    commit: str
    subject: str
    top: Path
    folder: Path


@dataclass(frozen=True)
class Repository:
    """A git repository, as seen from a folder in it.

    Attributes:
        top: the topmost folder of the repository's working tree.
        prefix: the path from there to the folder that it is seen from; empty for the top itself.
    """

    top: Path
    prefix: str

    @classmethod
    def find(cls, folder: Path) -> "Repository":
        """Return the repository that a folder lies in. Raises ValueError if there is none."""
        try:
            top = git(folder, "rev-parse", "--show-toplevel")
        except ValueError as error:
            raise ValueError(f"{folder} is in no git repository with a working tree ({error})") from None
        return cls(Path(top), git(folder, "rev-parse", "--show-prefix"))

    def resolve(self, revision: str) -> str:
        """Return the commit of a revision. Raises ValueError if there is none."""
        try:
            return git(self.top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except ValueError:
            raise ValueError(f"unknown revision {revision!r}: a branch, a tag or a commit of {self.top}") from None

    @contextmanager
    def checkouts(self, base: str | None, head: str | None) -> Iterator[tuple[Checkout, Checkout, Path]]:
        """Check both sides out, and remove them afterwards.

        Args:
            base, head: revisions, or None for the working tree.

        Yields:
            Both sides, and the folder that holds them, which is free for use.

        Raises:
            ValueError: if a revision is unknown, or does not have the folder that the comparison was started from.
        """
        for stale in others(running=False):
            self._remove(stale)
        scratch = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        with open(scratch / "new_lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(scratch / "new_lock", scratch / "lock")  # so that a lock by this name is always held
            try:
                yield self._check_out("base", base, scratch), self._check_out("head", head, scratch), scratch
            finally:
                self._remove(scratch)

    def _check_out(self, name: str, revision: str | None, scratch: Path) -> Checkout:
        if revision is None:
            commit = snapshot(self.top, scratch)
            named = git(self.top, "rev-parse", "HEAD") if has(self.top, "HEAD") else commit
        else:
            named = commit = self.resolve(revision)
        top = scratch / name  # of equal length: where memory lies depends on the length of paths, and speed on that
        _place(self.top, commit, top, scratch, as_it_stands=revision is None)
        if not (top / self.prefix).is_dir():
            raise ValueError(f"{revision or WORKING_TREE} has no folder {self.prefix}")
        subject = git(self.top, "show", "--no-patch", "--format=%s", named)
        return Checkout(name, revision or WORKING_TREE, named, subject, top, top / self.prefix)

    def _remove(self, scratch: Path) -> None:
        """Remove a comparison's worktrees, and no others, then its folder; last the lock, by which it is found."""
        for name in ("base", "head"):
            _take_away(self.top, scratch / name)
        with suppress(FileNotFoundError):  # another comparison clears the same leftovers away
            for path in scratch.iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def _place(repository: Path, commit: str, folder: Path, scratch: Path, as_it_stands: bool) -> None:
    """Check a commit out in a folder; and in it those submodules that the repository itself has checked out.

    Args:
        repository: the topmost folder of a working tree; what a sparse checkout leaves out there is left out here.
        commit: one of this repository.
        folder: where to.
        scratch: a folder for what is needed meanwhile.
        as_it_stands: whether submodules are to be as they stand in the working tree, not as the commit has them.
    """
    git(repository, "worktree", "add", "--quiet", "--detach", "--force", str(folder), commit)
    marked = (entry.partition(" ") for entry in listed(folder, "-t"))
    there = [f"{path}\0" for mark, _, path in marked if mark == "S" and os.path.lexists(repository / path)]
    if there:  # though it is not in what a sparse checkout is to have
        from_input = ("--pathspec-from-file=-", "--pathspec-file-nul")
        git(folder, "checkout", "--quiet", "--ignore-skip-worktree-bits", "HEAD", *from_input, given="".join(there))
    for path, pinned in submodules(folder).items():
        inner = repository / path
        if (inner / ".git").exists() and (as_it_stands or has(inner, pinned)):
            inner_commit = snapshot(inner, scratch) if as_it_stands else pinned
            _place(inner, inner_commit, folder / path, scratch, as_it_stands)


def _take_away(repository: Path, folder: Path) -> None:
    """Remove what `_place` has made; nothing where it was never made, or is another repository's."""
    with suppress(ValueError):
        for path in submodules(folder):
            if (folder / path / ".git").exists():
                _take_away(repository / path, folder / path)
    with suppress(ValueError):
        git(repository, "worktree", "remove", "--force", str(folder))


def others(running: bool = True, besides: Path | None = None) -> list[Path]:
    """Return the folders of this user's other comparisons on this machine.

    Args:
        running: True for comparisons that run, False for what is left of comparisons that were killed.
        besides: a folder to leave out: the comparison's own.
    """
    folders = []
    for lock in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*/lock"):
        with suppress(FileNotFoundError):  # it ends just now
            if lock.parent != besides and _ours(lock.parent) and _held(lock) == running:
                folders.append(lock.parent)
    return folders


def _ours(folder: Path) -> bool:
    """Return whether a folder is this user's, and no link, and lets nobody else write in it: where it lies, all may."""
    about = folder.lstat()
    return about.st_uid == os.getuid() and stat.S_ISDIR(about.st_mode) and not about.st_mode & OTHERS_WRITE


def _held(lock: Path) -> bool:
    """Return whether a process holds a lock, which the system takes from it when it ends."""
    with open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
