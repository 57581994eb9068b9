"""The commands that are killed: where each runs, what it writes, and what must hold however it was ended."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests import made_records
from tests.conftest import SUITE, git

OLD = "what was there before"
SESSION = """
import subprocess, sys, pytest
@pytest.fixture(scope="session", autouse=True)
def service():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    yield
"""


@dataclass(frozen=True)
class Killed:
    """A command that is killed.

    Attributes:
        typed: what is typed, without the program's name.
        prepare: makes the folder in which it runs.
        holds: raises AssertionError unless all that is in the folder is whole: as before, or as after a whole run.
        codes: the exit codes of a run that nobody ends.
    """

    typed: str
    prepare: Callable[[Path], None]
    holds: Callable[[Path], None]
    codes: tuple[int, ...] = (0,)


def _old(*names: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        for name in names:
            (folder / name).write_text(OLD)

    return prepare


def _whole(path: Path, end: str) -> None:
    text = path.read_text()
    assert text == OLD or text.rstrip().endswith(end), f"{path.name} is not whole"


def _project(folder: Path) -> None:
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name, text in {**SUITE, "conftest.py": SESSION}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    (folder / "c.json").write_text(OLD)


def _compared(folder: Path) -> None:
    if (text := (folder / "c.json").read_text()) != OLD:
        json.loads(text)
    assert len(git(folder, "worktree", "list").splitlines()) == 1, "git lists a worktree"
    assert git(folder, "status", "--short") == "?? c.json"


def _records(folder: Path) -> None:
    made_records.write(folder, *[made_records.record(made_records.suite())] * 3)
    _old("r.html", "r.md")(folder)


def _reported(folder: Path) -> None:
    _whole(folder / "r.html", "</html>")
    _whole(folder / "r.md", "")
    assert (folder / "r.md").stat().st_size > 0


def _clone(folder: Path) -> None:
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(folder, "init", "--quiet", "--initial-branch=main", "clone")
    clone = folder / "clone"
    git(clone, "remote", "add", "origin", str(folder / "remote.git"))
    git(clone, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(clone, "push", "--quiet", "origin", "main")
    (folder / "record.json").write_text(json.dumps(made_records.record(made_records.suite())))


def _kept(folder: Path) -> None:
    remote = folder / "remote.git"
    git(remote, "fsck", "--strict")
    git(folder / "clone", "fsck", "--strict")
    assert git(folder / "clone", "status", "--short") == ""
    if git(remote, "branch", "--list", "records"):
        (name,) = git(remote, "ls-tree", "--name-only", "records").splitlines()
        assert git(remote, "cat-file", "blob", f"records:{name}") == (folder / "record.json").read_text().strip()
    for path in (folder / "out").glob("*.json"):
        json.loads(path.read_text())


def _mapped(folder: Path) -> None:
    if (folder / "map.json").exists():
        assert 0 < len(json.loads((folder / "map.json").read_text())["cells"]) <= 2


COMMANDS = {
    "train": Killed(
        "train --engine native --batch-size 999 --epochs 3000 --plot run.svg",
        _old("run.svg"),
        lambda folder: _whole(folder / "run.svg", "</svg>"),
    ),
    "map": Killed(
        "map --seeds 4 --epochs 3 --learning-rates 0.1,0.01 --batch-sizes 999 --json map.json",
        lambda folder: None,
        _mapped,
    ),
    "compare": Killed(
        "compare main main --budget 4s --at-once 1 --json c.json",
        _project,
        _compared,
        (0, 1, 4),  # on a machine that is busy with something else
    ),
    "report": Killed("report . --html r.html --markdown r.md", _records, _reported),
    "keep": Killed("keep ../record.json records --folder ../out", _clone, _kept),
}
FOLDERS = {"keep": "clone"}  # where it is typed, if not in the folder itself
