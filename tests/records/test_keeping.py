"""Records kept on a branch, as CI keeps them: nothing is lost or changed, and the code's branch is left alone."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from parabola.commands.app import app
from parabola.git import git as plain_git
from parabola.records import keeping
from tests import made_records
from tests.conftest import git


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare repository with one commit on main, made far from Greenwich and written long before."""
    work, bare = tmp_path / "work", tmp_path / "origin.git"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(work))
    (work / "code.py").write_text("pass\n")
    git(work, "add", "--all")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "1999-12-31T00:00:00+0000")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-03-01T12:30:00+1300")  # 28 February, 23:30, in UTC
    git(work, "commit", "--quiet", "--message", "first")
    monkeypatch.delenv("GIT_AUTHOR_DATE")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def text_of(number: int) -> str:
    """Return the text of a record, another one for each number."""
    return json.dumps({**made_records.record(made_records.suite()[:1]), "number": number})


def clone(origin: Path, name: str, number: int) -> Path:
    """Return a clone with a record in it that is under no version control."""
    folder = origin.parent / name
    git(origin.parent, "clone", "--quiet", str(origin), str(folder))
    (folder / "record.json").write_text(text_of(number))
    return folder


def hashed(text: str) -> str:
    """Return the first digits of git's hash of such a file."""
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()[:8]


def keep(folder: Path, *arguments: str) -> Result:
    """Run the command in a folder."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, ["keep", *arguments])
    finally:
        os.chdir(here)


def kept(origin: Path, branch: str = "records") -> dict[str, str]:
    """Return the files of a branch, each with what it holds."""
    names = git(origin, "ls-tree", "--name-only", branch).splitlines()
    return {name: git(origin, "show", f"{branch}:{name}") for name in names}


def test_each_record_is_added(origin: Path) -> None:
    """The first makes the branch, without the code; a second one of the same commit stands beside it."""
    first, second = clone(origin, "first", 1), clone(origin, "second", 2)
    commit = git(first, "rev-parse", "--short", "HEAD")
    name = f"20260228_233000_{commit}_{hashed(text_of(1))}.json"
    answer = keep(first, "record.json")

    assert (answer.exit_code, answer.stdout) == (0, f"{name} is now kept on records\n")
    assert keep(second, "record.json", "records").exit_code == 0
    assert kept(origin) == {
        f"20260228_233000_{commit}_{hashed(text_of(number))}.json": text_of(number) for number in (1, 2)
    }
    assert git(origin, "log", "--oneline", "main").count("\n") == 0
    assert git(origin, "log", "--format=%an %s", "records").splitlines()[-1] == f"parabola Record of {name}"
    assert (git(first, "status", "--short"), git(first, "branch", "--list")) == ("?? record.json", "* main")
    again = keep(clone(origin, "again", 1), "record.json")
    assert (again.exit_code, again.stdout) == (0, f"{name} was kept already on records\n")
    assert len(kept(origin)) == 2


def test_all_records_of_the_branch_are_written_into_a_folder(origin: Path) -> None:
    """What is there already is left alone, and a folder in folders is made."""
    keep(clone(origin, "first", 1), "record.json")
    second = clone(origin, "second", 2)
    answer = keep(second, "record.json", "--folder", "all/records")
    written = {path.name: path.read_text() for path in (second / "all/records").iterdir()}

    assert written == kept(origin)
    assert answer.stdout.endswith("all/records holds the 2 records of records\n")
    (changed,) = [path for path in (second / "all/records").iterdir() if hashed(text_of(1)) in path.name]
    changed.write_text("own")
    assert keep(second, "record.json", "--folder", "all/records").exit_code == 0
    assert changed.read_text() == "own"


def test_another_push_meanwhile(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A push that comes in between is kept, and so is ours."""
    keep(clone(origin, "first", 1), "record.json")
    other, ours = clone(origin, "other", 2), clone(origin, "ours", 3)
    pushes = list[Path]()

    def slow(folder: Path, *arguments: str, **others: Any) -> str:
        if arguments[0] == "push":
            pushes.append(folder)
            if len(pushes) == 1:
                keeping.keep(other / "record.json", "records", "origin", other)
        return plain_git(folder, *arguments, **others)

    monkeypatch.setattr(keeping, "git", slow)
    found = keeping.keep(ours / "record.json", "records", "origin", ours)

    assert found.added
    assert pushes == [ours, other, ours]
    assert sorted(kept(origin).values()) == sorted(text_of(number) for number in (1, 2, 3))


def test_a_push_that_is_never_taken_ends(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten attempts git's own words are told."""
    ours = clone(origin, "ours", 3)
    hook = origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no room; exit 1\n")
    hook.chmod(0o755)
    answer = keep(ours, "record.json")

    assert answer.exit_code == 2
    assert "records could not be pushed in 10 attempts: git push: " in answer.stderr
    assert "no room" in answer.stderr
    assert git(origin, "branch", "--list", "records") == ""


@pytest.mark.parametrize(
    "branch",
    ["--upload-pack=touch${IFS}harmed", "-d", "a b", "../x", "/etc/x", "", "x.lock", "a..b", "x~1", "a:b"],
)
def test_a_name_that_is_no_branch_is_refused(branch: str, origin: Path) -> None:
    """It is never taken for an option or a path, and nothing is written or pushed."""
    folder = clone(origin, "first", 1)
    before = sorted(os.listdir(origin.parent)), sorted(os.listdir(folder))
    answer = keep(folder, "record.json", "--", branch)

    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"python -m parabola: no branch can be called {branch!r}: choose")
    assert (sorted(os.listdir(origin.parent)), sorted(os.listdir(folder))) == before
    assert git(origin, "branch", "--list") == "* main"


def test_a_branch_of_code_is_never_touched(origin: Path) -> None:
    """A branch that holds anything but records is refused, main before all."""
    before = git(origin, "rev-parse", "main")
    answer = keep(clone(origin, "first", 1), "record.json", "main")
    line = "branch main holds more than records, as code.py: choose a branch of their own"

    assert (answer.exit_code, answer.stderr) == (2, f"python -m parabola: {line}\n")
    assert git(origin, "rev-parse", "main") == before


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [("gone.json", None, "No such file"), ("empty.json", "", "empty"), ("other.json", "{}", "not a record")],
)
def test_what_is_no_record_is_not_kept(name: str, content: str | None, reason: str, origin: Path) -> None:
    """One line says what is wrong with the file, and nothing is pushed."""
    folder = clone(origin, "first", 1)
    if content is not None:
        (folder / name).write_text(content)
    answer = keep(folder, name)

    assert answer.exit_code == 2
    assert f"{name} is no record that can be kept: " in answer.stderr
    assert reason in answer.stderr
    assert git(origin, "branch", "--list") == "* main"


def test_no_remote_and_no_repository_are_told_in_gits_words(origin: Path, tmp_path: Path) -> None:
    """A line each, with exit code 2."""
    lost = keep(clone(origin, "first", 1), "record.json", "--remote", "nowhere")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare/record.json").write_text(text_of(1))
    outside = keep(tmp_path / "bare", "record.json")

    assert (lost.exit_code, outside.exit_code) == (2, 2)
    assert "git ls-remote: fatal: 'nowhere' does not appear to be a git repository" in lost.stderr
    assert "not a git repository" in outside.stderr
