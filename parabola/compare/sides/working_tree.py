"""What is in a working tree, and the commit that a comparison makes of it as it stands."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from parabola.git import git, identity

SUBMODULE = "160000"  # the mode of an entry that is a commit of another repository
LARGE_BYTES = 50_000_000


def listed(folder: Path, *arguments: str) -> list[str]:
    """Return what `git ls-files -z` lists, an entry each.

    Args:
        folder: the folder that git runs in, to which paths are relative.
        arguments: what else `git ls-files` is called with.
    """
    return git(folder, "ls-files", "-z", *arguments).split("\0")[:-1]


def submodules(folder: Path) -> dict[str, str]:
    """Return by path the commit of each submodule that the index of a working tree has."""
    entries = (entry.partition("\t") for entry in listed(folder, "--stage"))
    return {path: facts.split()[1] for facts, _, path in entries if facts.startswith(SUBMODULE)}


def has(folder: Path, revision: str) -> bool:
    """Return whether a repository has a commit of that name."""
    try:
        git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except ValueError:
        return False
    return True


def large_files(top: Path) -> list[tuple[Path, int]]:
    """Return the untracked files that `snapshot` would write into .git and that are large, each with its size in bytes.

    Args:
        top: the topmost folder of a repository's working tree; those of its submodules count, too.
    """
    untracked = [top / path for path in listed(top, "--others", "--exclude-standard")]
    sizes = [(path, path.lstat().st_size) for path in untracked if os.path.lexists(path)]
    inner = [top / path for path in submodules(top) if (top / path / ".git").exists()]
    return [entry for entry in sizes if entry[1] > LARGE_BYTES] + [entry for one in inner for entry in large_files(one)]


def snapshot(top: Path, scratch: Path) -> str:
    """Return a commit of a working tree as it stands: uncommitted and untracked files, but not ignored ones.

    Every file is read anew, whatever the index holds of its size and time, as these may be those of a file that has
    changed since, or marked as not to be looked at. Only what a sparse checkout leaves out is as in the index. No
    branch, index or file is touched. As nothing refers to the commit, git's garbage collection removes it one day.

    Args:
        top: the topmost folder of a repository's working tree.
        scratch: a folder for an index of the commit's own; what is in it is not in the commit.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        tracked = [entry.partition(" ") for entry in listed(top, "-t", "--stage")]
        left_out = [
            entry for mark, _, entry in tracked if mark == "S" and not os.path.lexists(top / entry.partition("\t")[2])
        ]
        _enter(top, index, [entry for _, _, entry in tracked])  # what is tracked is kept, though it may be ignored
        places = [".", f":(exclude){scratch.relative_to(top)}"] if scratch.is_relative_to(top) else ["."]
        git(top, "-c", "core.sparseCheckout=false", "add", "--all", "--", *places, extra=index)
        _enter(top, index, left_out)
        tree = git(top, "write-tree", extra=index)
    parents = ["-p", "HEAD"] if has(top, "HEAD") else []
    return git(top, "commit-tree", tree, *parents, "-m", "the working tree as it stood", extra=identity("parabola"))


def _enter(top: Path, index: dict[str, str], entries: Sequence[str]) -> None:
    """Put entries, as `git ls-files --stage` lists them, into an index."""
    git(top, "update-index", "-z", "--index-info", extra=index, given="".join(f"{entry}\0" for entry in entries))
