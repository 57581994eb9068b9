"""Commits of a git repository, each checked out in a folder of its own for as long as it is needed."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "parabola-compare-"
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

    def snapshot(self, scratch: Path) -> str:
        """Return a commit of the working tree as it stands: uncommitted and untracked files, but not ignored ones.

        No branch, index or file is touched. As nothing refers to the commit, git's garbage collection removes it
        one day.

        Args:
            scratch: a folder for a copy of the index.
        """
        index = scratch / "index"
        own = Path(git(self.top, "rev-parse", "--path-format=absolute", "--git-path", "index"))
        if own.exists():
            shutil.copy(own, index)
        with_index = {"GIT_INDEX_FILE": str(index)}
        git(self.top, "add", "--all", extra=with_index)
        tree = git(self.top, "write-tree", extra=with_index)
        who = {f"GIT_{role}_{field}": "parabola" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")}
        parents = ["-p", "HEAD"] if _has_commit(self.top) else []
        return git(self.top, "commit-tree", tree, *parents, "-m", "the working tree as it stood", extra=who)

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
            commit = self.snapshot(scratch)
            named = git(self.top, "rev-parse", "HEAD") if _has_commit(self.top) else commit
        else:
            named = commit = self.resolve(revision)
        top = scratch / name  # of equal length: where memory lies depends on the length of paths, and speed on that
        git(self.top, "worktree", "add", "--quiet", "--detach", "--force", str(top), commit)
        if not (top / self.prefix).is_dir():
            raise ValueError(f"{revision or WORKING_TREE} has no folder {self.prefix}")
        subject = git(self.top, "show", "--no-patch", "--format=%s", named)
        return Checkout(name, revision or WORKING_TREE, named, subject, top, top / self.prefix)

    def _remove(self, scratch: Path) -> None:
        """Remove a comparison's worktrees, and no others, then its folder; last the lock, by which it is found."""
        for name in ("base", "head"):
            with suppress(ValueError):  # it was never made, or is another repository's
                git(self.top, "worktree", "remove", "--force", str(scratch / name))
        with suppress(FileNotFoundError):  # another comparison clears the same leftovers away
            for path in scratch.iterdir():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)


def others(running: bool = True, besides: Path | None = None) -> list[Path]:
    """Return the folders of this user's other comparisons on this machine.

    Args:
        running: True for comparisons that run, False for what is left of comparisons that were killed.
        besides: a folder to leave out: the comparison's own.
    """
    folders = []
    for lock in Path(tempfile.gettempdir()).resolve().glob(f"{PREFIX}*/lock"):
        with suppress(FileNotFoundError):  # it ends just now
            if lock.parent != besides and lock.stat().st_uid == os.getuid() and _held(lock) == running:
                folders.append(lock.parent)
    return folders


def _held(lock: Path) -> bool:
    """Return whether a process holds a lock, which the system takes from it when it ends."""
    with open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def git(folder: Path, *arguments: str, extra: dict[str, str] | None = None) -> str:
    """Return what git prints, without the last line's end.

    Args:
        folder: the folder that git runs in.
        arguments: what git is called with.
        extra: environment variables to set, besides those that this process has; those that begin with GIT_ are not
            passed on, as a git hook has some that name another repository.

    Raises:
        ValueError: if git is not installed, or fails; the message has its own words.
    """
    command = ["git", "-C", str(folder), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, env={**clean, **(extra or {})}, check=False)
    except FileNotFoundError:
        raise ValueError("git is not installed") from None
    if answer.returncode:
        raise ValueError(f"git {arguments[0]}: {answer.stderr.strip() or f'exit code {answer.returncode}'}")
    return answer.stdout.removesuffix("\n")


def _has_commit(folder: Path) -> bool:
    try:
        git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    except ValueError:
        return False
    return True
