"""Commits of a git repository, each checked out in a folder of its own for as long as it is needed."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from parabola.compare.sides.leftovers import PREFIX, alone, others, remember, remove
from parabola.compare.sides.working_tree import has, listed, snapshot, submodules
from parabola.git import git
from parabola.machine import ending

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
            remove(stale, self.top)
        scratch = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        with open(scratch / "new_lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(scratch / "new_lock", scratch / "lock")  # so that a lock by this name is always held
            try:
                yield self._check_out("base", base, scratch), self._check_out("head", head, scratch), scratch
            finally:
                with ending.uninterrupted():
                    remove(scratch, self.top)

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


def _place(repository: Path, commit: str, folder: Path, scratch: Path, as_it_stands: bool) -> None:
    """Check a commit out in a folder; and in it those submodules that the repository itself has checked out.

    Args:
        repository: the topmost folder of a working tree; what a sparse checkout leaves out there is left out here.
        commit: one of this repository.
        folder: where to.
        scratch: a folder for what is needed meanwhile.
        as_it_stands: whether submodules are to be as they stand in the working tree, not as the commit has them.
    """
    remember(repository, scratch)
    within = {"TMPDIR": str(scratch)}  # by which git is found where it outlives this process
    with alone(repository):
        git(repository, "worktree", "add", "--quiet", "--detach", "--force", str(folder), commit, extra=within)
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
