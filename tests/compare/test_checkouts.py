"""Commits and the working tree checked out in folders of their own: what is in them, and that nothing is left over."""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from parabola import git as command
from parabola.compare.sides import checkouts
from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.leftovers import PREFIX, others
from tests.conftest import git

Project = Callable[..., Path]


def files(top: Path) -> dict[str, str]:
    """Return each file of a checkout with its text, and each link with what it points to."""
    paths = [path for path in top.rglob("*") if path.name != ".git" and (path.is_symlink() or path.is_file())]
    return {
        str(path.relative_to(top)): f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
        for path in sorted(paths)
    }


def leave(temporary: Path, name: str) -> Path:
    """Make the folder of a comparison that was killed."""
    folder = temporary / f"{PREFIX}{name}"
    folder.mkdir(mode=0o700)
    (folder / "lock").touch()
    return folder


def test_a_working_tree_is_checked_out_as_it_stands(project: Project) -> None:
    """Staged, unstaged, untracked, deleted, renamed and linked files are as they are, and ignored ones are missing."""
    folder = project()
    for name in ("deleted", "unstaged_deleted", "renamed", "staged", "both", "script", "kept.log"):
        (folder / name).write_text(f"{name} before")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second: of „several“ files\n\nWith more to say.")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "rm", "--quiet", "deleted")
    (folder / "unstaged_deleted").unlink()
    git(folder, "mv", "renamed", "src/a new näme")
    (folder / "staged").write_text("staged after")
    (folder / "both").write_text("both in the index")
    (folder / "withdrawn").write_text("staged, then deleted")
    git(folder, "add", "staged", "both", "withdrawn")
    (folder / "both").write_text("both in the working tree")
    (folder / "withdrawn").unlink()
    (folder / "script").chmod(0o755)
    (folder / "kept.log").write_text("tracked, though ignored")
    (folder / "other.log").write_text("ignored")
    (folder / "src/untracked").write_text("untracked")
    (folder / "link").symlink_to("src/thing.py")
    index = (folder / ".git/index").read_bytes()
    status, commit = git(folder, "status", "--short"), git(folder, "rev-parse", "HEAD")
    first = git(folder, "rev-parse", "HEAD~1")
    with Repository.find(folder / "src").checkouts("HEAD~1", None) as (base, head, scratch):
        there, before = files(head.top), files(base.top)
        executable = (head.top / "script").stat().st_mode & stat.S_IXUSR
        made = git(head.top, "rev-parse", "HEAD")
        said = git(head.top, "show", "--no-patch", "--format=%B|%an|%ae|%cn|%ce|%P")

    assert there == {
        ".gitignore": "*.log\n",
        "both": "both in the working tree",
        "kept.log": "tracked, though ignored",
        "link": "-> src/thing.py",
        "pyproject.toml": (folder / "pyproject.toml").read_text(),
        "script": "script before",
        "src/a new näme": "renamed before",
        "src/thing.py": (folder / "src/thing.py").read_text(),
        "src/untracked": "untracked",
        "staged": "staged after",
        "test_it.py": (folder / "test_it.py").read_text(),
    }
    assert sorted(before) == ["pyproject.toml", "src/thing.py", "test_it.py"]
    assert executable
    assert base == Checkout("base", "HEAD~1", first, "first", scratch / "base", scratch / "base/src")
    assert head == Checkout(
        "head", "working tree", commit, "second: of „several“ files", scratch / "head", scratch / "head/src"
    )
    assert made != commit
    assert said == f"the working tree as it stood\n|parabola|parabola|parabola|parabola|{commit}"
    assert (folder / ".git/index").read_bytes() == index
    assert (git(folder, "status", "--short"), git(folder, "rev-parse", "HEAD")) == (status, commit)
    assert not scratch.exists()
    assert len(git(folder, "worktree", "list").splitlines()) == 1


def test_revisions_are_checked_out_without_their_branches(project: Project, temporary: Path) -> None:
    """A tag stands for its commit, a side's HEAD is detached, and the user's untracked files are in neither side."""
    folder = project()
    git(folder, "tag", "--annotate", "v1", "--message", "the first")
    (folder / "src/thing.py").write_text("second")
    git(folder, "commit", "--quiet", "--all", "--message", "second")
    (folder / "src/untracked").touch()
    first, second = git(folder, "rev-parse", "HEAD~1"), git(folder, "rev-parse", "HEAD")
    with Repository.find(folder / "src").checkouts("v1", "main") as (base, head, scratch):
        texts = [files(side.top)["src/thing.py"] for side in (base, head)]
        stand = [git(side.top, "rev-parse", "HEAD") for side in (base, head)]
        branches = [git(side.top, "rev-parse", "--abbrev-ref", "HEAD") for side in (base, head)]
        untracked = [(side.folder / "untracked").exists() for side in (base, head)]
        beside = sorted(path.name for path in scratch.iterdir())

    assert scratch.parent == temporary
    assert base == Checkout("base", "v1", first, "first", scratch / "base", scratch / "base/src")
    assert head == Checkout("head", "main", second, "second", scratch / "head", scratch / "head/src")
    assert stand == [first, second]
    assert branches == ["HEAD", "HEAD"]
    assert texts[1] == "second" != texts[0]
    assert untracked == [False, False]
    assert beside == ["base", "head", "lock"]
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_a_repository_without_a_commit_has_a_working_tree(tmp_path: Path) -> None:
    """Without a commit both sides can be the working tree, and the commit that is made of it has no parent."""
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "only").write_text("text")
    with Repository.find(folder).checkouts(None, None) as (base, head, _):
        there = [files(side.top) for side in (base, head)]
        parents = git(head.top, "show", "--no-patch", "--format=%P")
        made = git(head.top, "rev-parse", "HEAD")

    assert there == [{"only": "text"}] * 2
    assert parents == ""
    assert (head.commit, head.subject) == (made, "the working tree as it stood")
    assert git(folder, "status", "--short") == "?? only"


def test_a_linked_worktree_has_an_index_of_its_own(project: Project, tmp_path: Path) -> None:
    """A linked worktree's own index has its tracked but ignored files, wherever the process itself runs."""
    folder = project()
    linked = tmp_path / "linked"
    git(folder, "worktree", "add", "--quiet", "-b", "other", str(linked))
    (linked / "kept.log").write_text("tracked, though ignored")
    (linked / ".gitignore").write_text("*.log\n")
    git(linked, "add", "--force", "--all")
    with Repository.find(linked).checkouts("main", None) as (base, head, _):
        kept = [(side.top / "kept.log").exists() for side in (base, head)]

    assert kept == [False, True]


def test_the_repository_is_found_from_a_folder_within(project: Project) -> None:
    """A repository is its top and the path from there to the folder, blanks at the ends of names included."""
    folder = project()
    within = folder / "src/ a näme "
    within.mkdir()

    assert Repository.find(folder) == Repository(folder, "")
    assert Repository.find(within) == Repository(folder, "src/ a näme /")
    within.rename(folder / " first")
    assert Repository.find(folder / " first") == Repository(folder, " first/")


def test_no_repository(tmp_path: Path) -> None:
    """The error names the folder and quotes git, also for a bare repository, which has no working tree."""
    git(tmp_path, "init", "--quiet", "--bare", "bare")

    with pytest.raises(ValueError, match=r"^.*$") as nothing:
        Repository.find(tmp_path)
    with pytest.raises(ValueError, match=r"^.*$") as bare:
        Repository.find(tmp_path / "bare")

    says = f"{tmp_path} is in no git repository with a working tree (git rev-parse: fatal: not a git repository"
    assert str(nothing.value).startswith(says)
    assert str(bare.value) == (
        f"{tmp_path}/bare is in no git repository with a working tree "
        "(git rev-parse: fatal: this operation must be run in a work tree)"
    )


def test_revisions(project: Project) -> None:
    """A branch, a tag, a short commit and an ancestor stand for one commit each."""
    folder = project()
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "--annotate", "v1", "--message", "the first")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "second")
    repository, second = Repository.find(folder), git(folder, "rev-parse", "HEAD")

    assert [repository.resolve(name) for name in ("main", "HEAD", second[:9])] == [second] * 3
    assert [repository.resolve(name) for name in ("v1", "main~1", first[:9])] == [first] * 3


def test_what_is_no_revision(project: Project) -> None:
    """A name that does not exist, a range, a folder in a commit and an option of git are refused by name."""
    repository = Repository.find(project())

    for revision in ("nosuch", "", "main~1", "main..main", "main:src", "--since=yesterday", "--all", "-h", "0" * 40):
        with pytest.raises(ValueError, match=r"^unknown revision ") as failure:
            repository.resolve(revision)
        says = f"unknown revision '{revision}': a branch, a tag or a commit of {repository.top}"
        assert str(failure.value) == says


def test_an_unknown_head_leaves_nothing_of_base(project: Project, temporary: Path) -> None:
    """An unknown head is refused, and what was checked out until then is removed."""
    folder = project()

    with pytest.raises(ValueError, match=r"^unknown revision 'nosuch'"), ExitStack() as stack:
        stack.enter_context(Repository.find(folder).checkouts("main", "nosuch"))

    assert list(temporary.iterdir()) == []
    assert len(git(folder, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("made", "sides", "says"),
    [
        ("docs/new", ("main", None), "main has no folder docs/"),
        ("docs/new", (None, "main"), "main has no folder docs/"),
        ("docs/ignored", ("main", None), "main has no folder docs/"),
        ("docs/ignored", (None, None), "working tree has no folder docs/"),
    ],
)
def test_a_folder_that_a_side_does_not_have(
    made: str, sides: tuple[str | None, str | None], says: str, project: Project, temporary: Path
) -> None:
    """The missing folder is named, also where a file has its name, or where the working tree has only ignored files."""
    folder = project()
    (folder / "docs").touch()
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a file")
    (folder / "docs").unlink()
    (folder / made).parent.mkdir()
    (folder / made).touch()

    with pytest.raises(ValueError, match=r"has no folder") as failure, ExitStack() as stack:
        stack.enter_context(Repository.find(folder / "docs").checkouts(*sides))

    assert str(failure.value) == says
    assert list(temporary.iterdir()) == []


def test_the_users_other_worktrees_stay(project: Project, tmp_path: Path) -> None:
    """A comparison leaves the user's other worktrees alone, even where they cannot be seen at the moment."""
    folder = project()
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "other"))
    (tmp_path / "other").rename(tmp_path / "away")
    with Repository.find(folder).checkouts("main", None):
        pass
    (tmp_path / "away").rename(tmp_path / "other")

    assert git(tmp_path / "other", "status", "--short") == ""


def test_no_hook_of_the_repository_runs_in_a_checkout(project: Project) -> None:
    """A hook that fails after each checkout would end the comparison, and one that does something would do it twice."""
    folder = project()
    hook = folder / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {folder}/ran\nexit 1\n")
    hook.chmod(0o755)
    with Repository.find(folder).checkouts("main", "main") as (base, head, _):
        assert files(base.top) == files(head.top)

    assert not (folder / "ran").exists()


def test_a_hooks_environment_does_not_matter(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository and the index that git names to its hooks do not take the place of those that are asked for."""
    folder, other = project(), tmp_path / "other"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "other")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "of the hook")
    (other / "staged").touch()
    git(other, "add", "staged")
    commit = git(folder, "rev-parse", "main")
    with monkeypatch.context() as hook:
        hook.setenv("GIT_DIR", str(other / ".git"))
        hook.setenv("GIT_WORK_TREE", str(other))
        hook.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
        hook.setenv("GIT_AUTHOR_NAME", "somebody")
        repository = Repository.find(folder / "src")
        with repository.checkouts("main", None) as (base, head, _):
            there = files(head.top)

    assert repository == Repository(folder, "src/")
    assert (base.commit, head.commit, base.subject) == (commit, commit, "first")
    assert sorted(there) == ["pyproject.toml", "src/thing.py", "test_it.py"]
    assert git(other, "status", "--short") == "A  staged"
    assert git(folder, "status", "--short") == ""


def test_what_git_is_given_and_what_it_answers(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git gets the environment but for what names a repository, and what is added; its answer loses one line end."""
    folder = project()
    monkeypatch.setenv("GIT_PREFIX", "hook's")
    users = {
        "GIT_SSH_COMMAND": "the user's",
        "GIT_ASKPASS": "asks",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CONFIG_COUNT": "1",
    }
    users |= {"GIT_CONFIG_KEY_0": "alias.ours", "GIT_CONFIG_VALUE_0": "!echo configured", "GIT_CONFIG_NOSYSTEM": "1"}
    for name, value in users.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTHER_GIT_EDITOR", "the user's")
    said = command.git(folder, "-c", "alias.environment=!env", "environment", extra={"GIT_PAGER": "ours"})

    kept = {"OTHER_GIT_EDITOR=the user's", "GIT_PAGER=ours", *(f"{name}={value}" for name, value in users.items())}
    assert kept <= set(said.splitlines())
    assert command.git(folder, "ours") == "configured"
    assert "GIT_PREFIX=hook's" not in said.splitlines()
    assert command.git(folder, "-c", "alias.blanks=!printf '  two lines \\nof text \\n'", "blanks") == (
        "  two lines \nof text "
    )


def test_git_that_fails(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error quotes what git says, or gives its exit code where it says nothing; a missing git is named."""
    folder = project()

    with pytest.raises(ValueError, match=r"^git rev-parse: exit code 1$"):
        command.git(folder, "rev-parse", "--verify", "--quiet", "nosuch")
    with pytest.raises(ValueError, match=r"^git show: fatal: ambiguous argument 'nosuch': unknown revision"):
        command.git(folder, "show", "nosuch")
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path))
        with pytest.raises(ValueError, match=r"^git is not installed$"):
            command.git(folder, "status")


def test_what_a_killed_comparison_left_is_cleared_away(project: Project, temporary: Path) -> None:
    """The next comparison removes a killed one's folder and worktrees, and leaves one that runs or begins alone."""
    folder, left = project(), leave(temporary, "left")
    git(folder, "worktree", "add", "--quiet", "--detach", str(left / "base"))
    git(folder, "worktree", "add", "--quiet", "--detach", str(left / "head"))
    (left / "head/changed").touch()
    (left / "environments/base/bin").mkdir(parents=True)
    (left / "environments/base/bin/python").symlink_to("/usr/bin/python3")
    foreign = leave(temporary, "foreign")
    git(temporary.parent, "init", "--quiet", "other")
    git(temporary.parent / "other", "commit", "--quiet", "--allow-empty", "--message", "first")
    git(temporary.parent / "other", "worktree", "add", "--quiet", "--detach", str(foreign / "base"))
    begins = temporary / f"{PREFIX}begins"
    begins.mkdir()
    (begins / "new_lock").touch()
    somebodys = temporary / "somebodys"
    somebodys.mkdir()
    (somebodys / "lock").touch()
    repository = Repository.find(folder)
    with repository.checkouts("main", "main") as (_, _, first), repository.checkouts("main", "main") as (_, _, second):
        there = sorted(temporary.iterdir())
        running = others(besides=second)
        both = sorted(others())
        listed = git(folder, "worktree", "list")

    assert there == sorted([begins, somebodys, first, second])
    assert running == [first]
    assert both == sorted([first, second])
    assert str(left) not in listed
    assert sorted(temporary.iterdir()) == [begins, somebodys]
    assert git(folder, "worktree", "list", "--porcelain").count("worktree ") == 1


def test_another_users_comparison_is_no_concern_of_ours(
    project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's comparison is neither cleared away nor listed, whether it runs or was killed."""
    left, user = leave(temporary, "left"), os.getuid()
    with Repository.find(project()).checkouts("main", "main") as (_, _, scratch):
        left.mkdir(mode=0o700)
        (left / "lock").touch()
        ours = others(), others(running=False)
        with monkeypatch.context() as somebody_else:
            somebody_else.setattr("os.getuid", lambda: user + 1)
            theirs = others(), others(running=False)

    assert ours == ([scratch], [left])
    assert theirs == ([], [])


def test_a_trap_in_the_temporary_folder_is_left_alone(project: Project, temporary: Path) -> None:
    """What a link leads to, or what others could have filled, is no leftover: nothing in it is removed."""
    folder, victim = project(), leave(temporary.parent, "victim")
    git(folder, "worktree", "add", "--quiet", "--detach", str(victim / "base"))
    (temporary / f"{PREFIX}link").symlink_to(victim)
    everybodys = leave(temporary, "everybodys")
    everybodys.chmod(0o777)
    (everybodys / "base").symlink_to(victim / "base")
    with Repository.find(folder).checkouts("main", "main"):
        pass

    assert others(running=False) == []
    assert (victim / "base").is_dir()
    assert (everybodys / "base").is_symlink()


def test_a_comparison_that_ends_while_it_is_looked_at(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison whose folder goes while it is looked at is not listed, and the others are."""
    left, user = [leave(temporary, name) for name in ("one", "two", "three")], os.getuid()
    gone = list[Path]()

    def ends() -> int:
        if not gone:
            gone.append(next(temporary.glob(f"{PREFIX}*/lock")).parent)
            shutil.rmtree(gone[0])
        return user

    monkeypatch.setattr("os.getuid", ends)

    assert sorted(others(running=False)) == sorted(set(left) - set(gone))
    assert len(gone) == 1


def test_a_comparison_that_another_one_clears_away_at_the_same_time(
    project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two comparisons that begin together find the same leftovers, and the second one has nothing left to do."""
    left = temporary / f"{PREFIX}left"
    monkeypatch.setattr(checkouts, "others", lambda running: [left] if not running else [])
    with Repository.find(project()).checkouts("main", None) as (_, head, _):
        assert files(head.top)["src/thing.py"]

    assert list(temporary.iterdir()) == []


def test_a_lock_is_held_from_when_it_is_there(
    project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock is held as soon as it is there, so that a comparison that begins then does not clear the folder away."""
    rename, seen = os.rename, list[list[Path]]()

    def watched(old: Path, new: Path) -> None:
        seen.append(others())
        rename(old, new)
        seen.extend([others(running=False), others()])

    monkeypatch.setattr("os.rename", watched)
    with Repository.find(project()).checkouts("main", "main") as (_, _, scratch):
        pass

    assert seen == [[], [], [scratch]]


def test_the_lock_goes_last(project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is removed last, by which the next comparison finds what is left; links are not followed."""
    remove, removed = shutil.rmtree, list[tuple[str, bool]]()
    (temporary.parent / "target").mkdir()

    def watched(path: Path, ignore_errors: bool = False) -> None:
        removed.append((path.name, (temporary / scratch.name / "lock").exists()))
        remove(path, ignore_errors=ignore_errors)

    with Repository.find(project()).checkouts("main", "main") as (_, _, scratch):
        (scratch / "launch-1").mkdir()
        (scratch / "launch-1/file").touch()
        (scratch / "link").symlink_to(temporary.parent / "target")
        (scratch / "file").touch()
        monkeypatch.setattr("shutil.rmtree", watched)

    assert sorted(removed[:-1]) == [("base", True), ("head", True), ("launch-1", True), ("link", True)]
    assert removed[-1] == (scratch.name, True)
    assert list(temporary.iterdir()) == []
    assert (temporary.parent / "target").is_dir()


def test_the_temporary_folder_may_be_a_link(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison's folder is named as it really is, so that the comparison knows it as its own."""
    (tmp_path / "real").mkdir()
    (tmp_path / "temporary").symlink_to("real")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with Repository.find(project()).checkouts("main", "main") as (base, _, scratch):
        found = others(), others(besides=scratch)

    assert scratch.parent == tmp_path / "real"
    assert base.top == scratch / "base"
    assert found == ([scratch], [])


def test_a_name_that_a_lost_comparison_had(project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was deleted, but that git still has in its list, can be checked out in again."""
    folder, again = project(), temporary / f"{PREFIX}again"

    def made(prefix: str) -> str:
        assert prefix == "parabola-compare-"
        again.mkdir()
        return str(again)

    git(folder, "worktree", "add", "--quiet", "--detach", str(again / "base"))
    shutil.rmtree(again)
    monkeypatch.setattr("tempfile.mkdtemp", made)
    with Repository.find(folder).checkouts("main", "main") as (base, _, _):
        assert base.top == again / "base"


@pytest.mark.parametrize(
    ("made", "field"),
    [(Checkout("base", "v1", "a" * 40, "first", Path("a"), Path("a/b")), "commit"), (Repository(Path("a"), ""), "top")],
)
def test_what_was_checked_out_does_not_change(made: Checkout | Repository, field: str) -> None:
    """A side and a repository stay what they were when they were made."""
    with pytest.raises(FrozenInstanceError):
        setattr(made, field, "other")
