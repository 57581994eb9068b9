"""What a comparison that was killed leaves: worktrees of any repository, processes, and half-made folders."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.sides import checkouts, leftovers
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.leftovers import BEGINNING_SECONDS, PREFIX, others
from parabola.git import git as command
from parabola.machine import processes
from tests.conftest import git

Project = Callable[..., Path]


def fork(work: Callable[[], None]) -> int:
    """Return the number of a process that does some work and then ends without clearing up; 9 says that it failed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where another test has started threads
        child = os.fork()
    if not child:
        code = 9
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def code_of(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_killed(folder: Path) -> Path:
    """Begin a comparison in a repository, and kill it once its checkouts are there; return the folder it leaves."""
    before = set(others(running=False))

    def work() -> None:
        with Repository.find(folder).checkouts("main", None):
            os.kill(os.getpid(), signal.SIGKILL)

    assert code_of(fork(work)) == -signal.SIGKILL
    (left,) = set(others(running=False)) - before
    return left


def worktrees(folder: Path) -> int:
    return git(folder, "worktree", "list", "--porcelain").count("worktree ")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another repository, with a submodule that has a commit of its own."""
    folder = tmp_path / "another one"
    for place in (folder, folder / "inner"):
        git(tmp_path, "init", "--quiet", "--initial-branch=main", str(place))
        git(place, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(folder, "-c", "advice.addEmbeddedRepo=false", "add", "inner")
    git(folder, "commit", "--quiet", "--message", "second")
    return folder


def test_a_killed_comparison_of_another_repository_leaves_nothing(
    project: Project, other: Path, temporary: Path
) -> None:
    """Whichever repository is compared next: no folder, and no worktree that the other one's git still lists."""
    left = is_killed(other)
    assert (worktrees(other), worktrees(other / "inner")) == (3, 3)
    with Repository.find(project()).checkouts("main", "main"):
        assert not left.exists()
        assert (worktrees(other), worktrees(other / "inner")) == (1, 1)

    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("damage", ["no .git", "no folder", "locked", "no repository"])
def test_a_comparison_that_was_killed_at_any_moment(
    damage: str, project: Project, other: Path, temporary: Path
) -> None:
    """While it made a worktree, which git has locked then; while it removed one; or where the repository is gone."""
    left = is_killed(other)
    if damage == "no .git":
        (left / "base/.git").unlink()
    elif damage == "no folder":
        shutil.rmtree(left / "base")
    elif damage == "locked":
        git(other, "worktree", "lock", str(left / "base"))
    else:
        other.rename(other.with_name("moved"))
    with Repository.find(project()).checkouts("main", "main"):
        pass

    assert list(temporary.iterdir()) == []
    if damage != "no repository":
        assert (worktrees(other), worktrees(other / "inner")) == (1, 1)


def test_comparisons_that_begin_together_after_a_killed_one(project: Project, temporary: Path) -> None:
    """Each clears the leftover away, makes its own checkouts and removes them: none meets another's."""
    folder = project()
    for _ in range(3):
        is_killed(folder)

    def work() -> None:
        for _ in range(3):
            with Repository.find(folder).checkouts("main", "main") as (base, head, _):
                assert (base.top / "src/thing.py").exists()
                assert (head.top / "src/thing.py").exists()

    assert [code_of(child) for child in [fork(work) for _ in range(4)]] == [0] * 4
    assert list(temporary.iterdir()) == []
    assert worktrees(folder) == 1


def test_one_comparison_at_a_time_changes_the_worktrees_of_a_repository(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else git may remove the folder of an empty list while another one is about to make an entry in it."""
    folder, linked = project(), tmp_path / "linked"
    git(folder, "worktree", "add", "--quiet", str(linked))
    changes = list[tuple[str, bool]]()

    def watched(repository: Path, *arguments: str, **options: Any) -> str:
        if arguments[0] == "worktree" and arguments[1] != "list":
            with open_folder(folder / ".git") as number:
                try:
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    changes.append((arguments[1], False))
                except BlockingIOError:
                    changes.append((arguments[1], True))
        return command(repository, *arguments, **options)

    monkeypatch.setattr(checkouts, "git", watched)
    monkeypatch.setattr(leftovers, "git", watched)
    with Repository.find(linked).checkouts("main", "main"):
        pass

    assert changes == [("add", True)] * 2 + [("remove", True)] * 2
    assert worktrees(folder) == 2


@contextmanager
def open_folder(folder: Path) -> Iterator[int]:
    number = os.open(folder, os.O_RDONLY)
    yield number
    os.close(number)


def test_a_folder_without_a_lock_is_a_beginning_until_it_is_old(
    project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A comparison that was killed before it had its lock leaves an empty folder, which goes once a minute is over."""
    for name, age in (("old", BEGINNING_SECONDS + 5), ("new", BEGINNING_SECONDS - 20)):
        folder = temporary / f"{PREFIX}{name}"
        folder.mkdir(mode=0o700)
        (folder / "new_lock").touch()
        os.utime(folder, (time.time() - age,) * 2)
    with Repository.find(project()).checkouts("main", "main"):
        pass

    assert [path.name for path in temporary.iterdir()] == [f"{PREFIX}new"]


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc").exists(), reason="a system that tells the environment of a process")
def test_processes_that_a_killed_comparison_left_are_ended(project: Project, temporary: Path) -> None:
    """Whatever session they have moved to; one whose temporary folder is another lives on."""
    left = is_killed(project())
    sleep = [sys.executable, "-c", "import time; print('', flush=True); time.sleep(600)"]
    places = [left, left / "launch-1/base_tmp", Path(f"{left}-not"), temporary]
    started = [
        subprocess.Popen(
            sleep, env={**os.environ, "TMPDIR": str(place)}, stdout=subprocess.PIPE, start_new_session=True
        )
        for place in places
    ]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        with Repository.find(temporary.parent / "project").checkouts("main", "main"):
            codes = [process.poll() for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()

    assert codes == [-signal.SIGKILL, -signal.SIGKILL, None, None]


def test_where_the_system_tells_of_no_process_none_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, which has no /proc."""
    monkeypatch.setattr(processes, "Path", lambda path: tmp_path / "nowhere")
    monkeypatch.setattr("os.kill", lambda *sent: pytest.fail(f"{sent}"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    processes.kill_those_in(tmp_path)
