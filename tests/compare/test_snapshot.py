"""The working tree as a commit: no edit is lost, whatever git's index believes; submodules are as they stand."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.working_tree import has, listed, snapshot, submodules
from parabola.git import git as plain_git
from tests.conftest import git

Project = Callable[..., Path]


def test_an_edit_of_equal_size_in_the_second_of_the_commit(project: Project, tmp_path: Path) -> None:
    """An edit that leaves size and times as the index has them is in the snapshot, as every file is read anew."""
    folder = project()
    thing = folder / "src/thing.py"
    before = thing.stat()
    thing.write_text(thing.read_text().replace("30_000", "90_000"))
    os.utime(thing, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert thing.stat().st_size == before.st_size
    assert "90_000" in git(folder, "show", f"{snapshot(folder, tmp_path)}:src/thing.py")
    assert list(tmp_path.iterdir()) == [folder]


def test_files_that_git_was_told_not_to_look_at(project: Project, tmp_path: Path) -> None:
    """Edits of files marked assume-unchanged or skip-worktree are in the snapshot, and a deleted one is deleted."""
    folder = project()
    for name in ("assumed", "assumed_deleted", "skipped", "skipped_absent"):
        (folder / name).write_text("before")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    git(folder, "update-index", "--assume-unchanged", "assumed", "assumed_deleted")
    git(folder, "update-index", "--skip-worktree", "skipped", "skipped_absent")
    for name in ("assumed", "skipped"):
        (folder / name).write_text("after")
    for name in ("assumed_deleted", "skipped_absent"):
        (folder / name).unlink()
    index = (folder / ".git/index").read_bytes()
    made = snapshot(folder, tmp_path)

    there = {name: git(folder, "show", f"{made}:{name}") for name in git(folder, "ls-tree", "--name-only", made).split()
             if "_" in name or name in ("assumed", "skipped")}  # fmt: skip
    assert there.pop("test_it.py")
    assert there == {"assumed": "after", "skipped": "after", "skipped_absent": "before"}
    assert (folder / ".git/index").read_bytes() == index


def test_a_sparse_checkout(project: Project, temporary: Path) -> None:
    """What it leaves out is as in HEAD and not checked out; files that are there nevertheless are in both checkouts."""
    folder = project()
    for name in ("docs/absent", "docs/there"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("before")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    git(folder, "sparse-checkout", "set", "src")
    (folder / "docs").mkdir()
    for name in ("docs/there", "docs/new", "src/new"):
        (folder / name).write_text("after")
    with Repository.find(folder).checkouts("main", None) as (base, head, _):
        texts = [{path.name: path.read_text() for path in side.top.glob("docs/*")} for side in (base, head)]
        absent = git(head.top, "show", "HEAD:docs/absent")
        new = (head.top / "src/new").read_text()

    assert texts == [{"there": "before"}, {"there": "after", "new": "after"}]
    assert (absent, new) == ("before", "after")


def test_a_temporary_folder_within_the_repository(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checkouts are not in the snapshot, though nothing ignores them; what else is there, is."""
    folder = project()
    (folder / "tmp").mkdir()
    (folder / "tmp/other").write_text("text")
    monkeypatch.setattr("tempfile.tempdir", str(folder / "tmp"))
    with Repository.find(folder).checkouts(None, None) as (base, head, _):
        names = [sorted(path.name for path in (side.top / "tmp").iterdir()) for side in (base, head)]

    assert names == [["other"], ["other"]]
    assert sorted(path.name for path in (folder / "tmp").iterdir()) == ["other"]


def test_names_that_are_not_text(project: Project, tmp_path: Path) -> None:
    """A name may have any byte but a slash: blanks, line ends, and what is not UTF-8."""
    folder = project()
    names = [b"a\nb", b" c\t", b"\xff\xfe"]
    for name in names:
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("text")
    git(folder, "add", "--all")
    (folder / ".gitignore").write_text("*")  # tracked files are kept, though they are ignored now
    made = snapshot(folder, tmp_path)
    said = subprocess.check_output(["git", "-C", str(folder), "ls-tree", "-z", "--name-only", made])

    assert set(names) < set(said.split(b"\0"))


def with_submodules(folder: Path) -> None:
    """Give a project a submodule that has one itself, with git's own folders where `git submodule` puts them."""
    add_submodule(folder, "libs/library")
    add_submodule(folder / "libs/library", "deep")
    for place in (folder / "libs/library", folder):
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "--message", "with a submodule")


def add_submodule(folder: Path, name: str) -> None:
    place, store = folder / name, Path(git(folder, "rev-parse", "--absolute-git-dir")) / "modules" / name
    place.mkdir(parents=True)
    store.parent.mkdir(parents=True)
    git(place, "init", "--quiet", "--initial-branch=main", "--separate-git-dir", str(store))
    git(place, "config", "core.worktree", os.path.relpath(place, store))
    (place / "code.py").write_text(f"{place.name} before")
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message", "first")


def test_submodules_are_checked_out(project: Project, temporary: Path) -> None:
    """At the commit that each side has of them, or as they stand, with theirs; nothing of it is left in any of them."""
    folder = project()
    with_submodules(folder)
    library = folder / "libs/library"
    (library / "code.py").write_text("library later")
    git(library, "commit", "--quiet", "--all", "--message", "later")
    (library / "code.py").write_text("library edited")
    (library / "deep/new.py").write_text("deep new")
    states = [git(place, "status", "--short") for place in (folder, library, library / "deep")]
    with Repository.find(folder).checkouts("main", None) as (base, head, _):
        texts = [
            {str(path.relative_to(side.top / "libs")): path.read_text() for path in side.top.rglob("libs/**/*.py")}
            for side in (base, head)
        ]
        pins = submodules(base.top)

    assert texts == [
        {"library/code.py": "library before", "library/deep/code.py": "deep before"},
        {"library/code.py": "library edited", "library/deep/code.py": "deep before", "library/deep/new.py": "deep new"},
    ]
    assert pins == {"libs/library": git(library, "rev-parse", "HEAD~1")}
    assert [git(place, "status", "--short") for place in (folder, library, library / "deep")] == states
    assert list(temporary.iterdir()) == []
    for place in (folder, library, library / "deep"):
        assert len(git(place, "worktree", "list").splitlines()) == 1


def test_submodules_of_a_killed_comparison_are_cleared_away(project: Project, temporary: Path) -> None:
    """The next comparison leaves no submodule with a worktree that the killed one made."""
    folder = project()
    with_submodules(folder)
    library = folder / "libs/library"
    left = temporary / "parabola-compare-left"
    left.mkdir()
    (left / "lock").write_text(f"{folder}\0{library}\0")
    git(folder, "worktree", "add", "--quiet", "--detach", str(left / "head"))
    git(library, "worktree", "add", "--quiet", "--detach", str(left / "head/libs/library"))
    with Repository.find(folder).checkouts("main", "main"):
        pass

    assert [len(git(place, "worktree", "list").splitlines()) for place in (folder, library)] == [1, 1]
    assert list(temporary.iterdir()) == []


def test_what_git_lists(project: Project) -> None:
    """An entry each, without the bytes that part them, of nothing an empty list; a commit is there or not."""
    folder = project()

    assert listed(folder) == ["pyproject.toml", "src/thing.py", "test_it.py"]
    assert listed(folder / "src") == ["thing.py"]
    assert listed(folder, "--others") == []
    assert (has(folder, "main"), has(folder, "nosuch")) == (True, False)
    assert submodules(folder) == {}
    assert plain_git(folder, "hash-object", "--stdin", given="") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
