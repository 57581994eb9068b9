"""Records kept on a branch, as CI keeps them: nothing is lost or changed, and the code's branch is left alone."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import git

SCRIPT = Path(__file__).parents[2] / "benchmarks/keep_record.sh"


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


def clone(origin: Path, name: str, record: str) -> Path:
    folder = origin.parent / name
    git(origin.parent, "clone", "--quiet", str(origin), str(folder))
    (folder / "record.json").write_text(record)
    return folder


def hashed(text: str) -> str:
    """Return the first digits of git's hash of such a file."""
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()[:8]


def keep(folder: Path, record: str = "record.json") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", str(SCRIPT), record, "records"], cwd=folder, capture_output=True, text=True)


@pytest.mark.end_to_end
def test_each_record_is_added(origin: Path) -> None:
    """The first makes the branch, without the code; a second one of the same commit stands beside it."""
    first = clone(origin, "first", "one")
    assert keep(first).returncode == 0
    second = clone(origin, "second", "two")
    assert keep(second).returncode == 0
    commit = git(first, "rev-parse", "--short", "HEAD")
    names = git(origin, "ls-tree", "--name-only", "records").splitlines()

    assert len(names) == 2
    assert {name: git(origin, "show", f"records:{name}") for name in names} == {
        f"20260228_233000_{commit}_{hashed(text)}.json": text for text in ("one", "two")
    }
    assert git(origin, "log", "--oneline", "main").count("\n") == 0
    assert sorted(path.read_text() for path in (second / "records").glob("*.json")) == ["one", "two"]
    shutil.rmtree(second / "records")
    (second / "record.json").write_text("three")
    assert keep(second).returncode == 0
    assert len(list((second / "records").glob("*.json"))) == 3
    again = keep(clone(origin, "again", "two"))
    assert (again.returncode, again.stdout.endswith(" is kept already\n")) == (0, True)


@pytest.mark.end_to_end
def test_another_push_meanwhile(origin: Path) -> None:
    """A push that comes in between is kept, and so is ours."""
    assert keep(clone(origin, "first", "one")).returncode == 0
    other, ours = clone(origin, "other", "theirs"), clone(origin, "ours", "ours")
    hook = ours / ".git/hooks/pre-push"
    theirs = f"unset $(git rev-parse --local-env-vars); cd {other} && bash {SCRIPT} record.json records"
    hook.write_text(f"#!/bin/sh\nrm $0; {theirs}\n")
    hook.chmod(0o755)
    said = keep(ours)
    names = git(origin, "ls-tree", "--name-only", "records").splitlines()

    assert said.returncode == 0, said.stderr
    assert sorted(git(origin, "show", f"records:{name}") for name in names) == ["one", "ours", "theirs"]


@pytest.mark.end_to_end
def test_bad_input(origin: Path) -> None:
    """One line that says what is wrong, and nothing is pushed."""
    folder = clone(origin, "first", "one")
    missing = keep(folder, "gone.json")
    (folder / "records").mkdir()
    there = keep(folder)

    assert missing.returncode == there.returncode == 2
    assert missing.stderr == "keep_record.sh: no record there: gone.json\n"
    assert there.stderr == "keep_record.sh: records is there already: remove it\n"
    assert "records" not in git(origin, "branch", "--list")
