"""Each kind of trouble at each command that can meet it: the code that is right, a line, and never a traceback."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from tests.commands.test_door import MAP, REPORT, ROOT, TRAIN, check_told, environment
from tests.conftest import FEW_PLUGINS, git
from tests.kills.commands import COMMANDS

COMPARE, KEEP = "compare main main --budget 3s --at-once 1 --json c.json", "keep ../record.json"
TYPED = {
    **{"train": f"{TRAIN} --plot a.svg", "map": MAP, "report": f"{REPORT} --html a.html"},
    **{"compare": COMPARE, "keep": KEEP},
}
COMPARED = (0, 1, 4, 5)  # on a machine that is busy with something else
LONG = "x" * 300

FILES = {
    "train --plot": ".svg",
    "map --plot": ".svg",
    "map --json": ".json",
    "compare main --plot": ".svg",
    "compare main --json": ".json",
    "compare main --markdown": ".md",
    "report --html": ".html",
    "report --markdown": ".md",
    "report --json": ".json",
}
BAD_FILES = {
    "folder": "it is no file",
    "nowhere/a": "No such file or directory",
    "file/a": "Not a directory",
    "astray": "No such file or directory",
    "loop": "loop",
    LONG: "File name too long",
    "a.exe": "unknown format",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with things in it that cannot be written to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for suffix in {"", *FILES.values()}:
        (tmp_path / f"folder{suffix}").mkdir()
        (tmp_path / f"astray{suffix}").symlink_to(tmp_path / "nowhere/a")
        (tmp_path / f"loop{suffix}").symlink_to(tmp_path / f"loop{suffix}")
    return tmp_path


def check_refused(words: list[str], line: str, folder: Path) -> None:
    """Check that a command says one line with such a part, exits 2, and writes nothing."""
    before = sorted(folder.rglob("*"))
    answer = CliRunner().invoke(app, words)

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr.startswith("python -m parabola: ")
    assert line.casefold() in answer.stderr.casefold()
    assert answer.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("option", FILES)
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_written_is_refused_before_the_run(option: str, name: str, here: Path) -> None:
    """A folder, in no folder, below a file, links to nowhere and to themselves, a long name, a wrong format."""
    named = name if name.endswith(".exe") else name + FILES[option]
    check_refused([*option.split(), named], BAD_FILES[name], here)


@pytest.mark.parametrize("command", ["compare main --logs", "keep no.json main --folder"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("file", "cannot fill file: a file, "),
        ("file/a", "cannot fill file/a: Not a directory"),
        ("astray", "cannot fill astray: a file, "),
        ("loop", "cannot fill loop: a file, "),
        (LONG, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_filled_is_refused_before_the_run(
    command: str, name: str, line: str, here: Path
) -> None:
    """Before a commit is looked for, and before anything is pushed."""
    check_refused([*command.split(), name], line, here)


@pytest.mark.parametrize("command", ["compare main main", "keep record.json"])
def test_where_git_is_missing_it_is_named(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A branch's name is not to blame."""
    COMMANDS["report"].prepare(tmp_path)
    (tmp_path / "record.json").write_text(next(tmp_path.glob("*.json")).read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    check_refused(command.split(), "git is not installed", tmp_path)


@pytest.fixture
def place(tmp_path: Path, project: Callable[..., Path]) -> Callable[[str], Path]:
    """Return what makes the folder that a command runs in."""

    def make(name: str) -> Path:
        if name == "compare":
            return project()
        folder = tmp_path / name
        folder.mkdir()
        if name != "keep":
            return folder
        COMMANDS["keep"].prepare(folder)
        return folder / "clone"

    return make


def run(
    script: str,
    folder: Path,
    drop: Callable[[], None] | None = None,
    extra: dict[str, str | None] | None = None,
) -> tuple[int, str]:
    """Return the exit code and the errors of a shell's script, in which {} is the command's name; no traceback is.

    Args:
        script: what bash runs.
        folder: where.
        drop: is called before, in the new process.
        extra: environment variables; None for one that is not to be there.
    """
    given = {**environment(), **FEW_PLUGINS, **(extra or {})}
    variables = {name: value for name, value in given.items() if value is not None}
    script = f"set -o pipefail; {script.format(f'{sys.executable} -m parabola')}"
    command = ["bash", "-c", script]
    answer = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300, preexec_fn=drop
    )

    assert "Traceback" not in answer.stderr
    return answer.returncode, answer.stderr


def check_whole(name: str, folder: Path) -> None:
    """Check that what a command has found is in its file, or on its branch, though nobody could read what it said."""
    if name == "keep":
        assert git(folder, "ls-remote", "origin", "records")
    elif name in ("compare", "map"):
        json.loads((folder / ("c.json" if name == "compare" else "learning_map.json")).read_text())
    else:
        end = {"train": ("a.svg", "</svg>"), "report": ("a.html", "</html>")}[name]
        assert (folder / end[0]).read_text().rstrip().endswith(end[1])


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize(
    ("script", "codes", "line"),
    [
        ("{} > /dev/full", (8,), "python -m parabola: the output: No space left on device\n"),
        ("{} | head -1", (0, 141), ""),
        ("{} >&- 2>&-", (0,), ""),
    ],
)
def test_an_output_that_takes_nothing(
    script: str, codes: tuple[int, ...], line: str, name: str, place: Callable[[str], Path]
) -> None:
    """A full one is told, a reader that goes away and a closed one are not; files are written all the same."""
    folder = place(name)
    code, said = run(script.replace("{}", f"{{}} {TYPED[name]}"), folder)

    assert code in (codes if name != "compare" or 0 not in codes else {*codes, *COMPARED})
    assert said == line
    check_whole(name, folder)


SUITE = (
    f"{sys.executable} -m pytest {ROOT}/benchmarks/bench_epoch_time.py -q -p no:cacheprovider -k native "
    "--engine native --batch-size 999 --epochs 20 --rounds 3 --benchmark-only --benchmark-json=r.json"
)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("script", "code", "line"),
    [
        (f"{SUITE} > /dev/full", 8, "pytest: the output: No space left on device\n"),
        (f"{SUITE} | true", 141, "Wrote benchmark data in: r.json\n"),
    ],
)
def test_an_output_of_the_suite_that_takes_nothing(script: str, code: int, line: str, tmp_path: Path) -> None:
    """Neither 0 nor pytest's code of a failed test; the record is written."""
    found, said = run(script, tmp_path)

    assert found == code
    assert said.endswith(line)
    assert len(json.loads((tmp_path / "r.json").read_text())["benchmarks"]) == 1


@pytest.mark.end_to_end
@pytest.mark.parametrize("typed", ["train --samples=-1", "map --seeds 0", "report no", "compare no", "keep no main"])
def test_bad_input_where_errors_go_nowhere(typed: str, place: Callable[[str], Path]) -> None:
    """The code says it alone."""
    assert run(f"{{}} {typed} 2>&-", place(typed.split()[0])) == (2, "")


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", TYPED)
def test_commands_need_no_home_no_temporary_folder_of_their_own_and_only_ascii(
    name: str, place: Callable[[str], Path]
) -> None:
    """They take what else the system has, and write readably what the encoding lacks."""
    folder = place(name)
    extra = {"HOME": None, "TMPDIR": "/nowhere/at/all", "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None}
    extra["PYTHONIOENCODING"] = "ascii"
    code, said = run(f"{{}} {TYPED[name]}", folder, extra=extra)

    assert code in (COMPARED if name == "compare" else (0,))
    assert said == ""
    check_whole(name, folder)


def heed_modes() -> None:
    """Let a file's mode decide what a process may do, though it is root's: without what lets root override that."""
    if sys.platform != "linux":
        return
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


WRITING = {**TYPED, "compare": "compare main main"}  # which writes into the repository


@pytest.mark.end_to_end
@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("name", WRITING)
def test_a_folder_that_is_read_only(name: str, place: Callable[[str], Path]) -> None:
    """One line says so, and what is there stays."""
    folder = place(name)
    within = [folder, *folder.rglob("*")]
    for path in within:
        path.chmod(path.stat().st_mode & ~0o222)
    code, said = run(f"{{}} {WRITING[name]}", folder, heed_modes)

    assert code == 2
    assert "Permission denied" in said or "insufficient permission" in said
    assert said.count("\n") == 1
    assert [folder, *folder.rglob("*")] == within


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("name", "codes", "line"),
    [
        ("train", (2,), "cannot write a.svg: File too large"),
        ("map", (2,), "cannot write learning_map.json: File too large"),
        ("report", (2,), "cannot write a.html: File too large"),
        ("compare", (8,), "a folder: No usable temporary directory found"),
        ("keep", (2,), "git "),
    ],
)
def test_a_disk_that_takes_no_file(name: str, codes: tuple[int, ...], line: str, place: Callable[[str], Path]) -> None:
    """As a quota has it: a limit of no bytes for any file."""
    code, said = run(f"ulimit -f 0; {{}} {WRITING[name]}", place(name))

    assert code in codes
    assert line in said
    assert said.count("\n") == 1


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("typed", "codes", "line"),
    [
        (f"{TRAIN} --plot /dev/full.png", (0, 2), ""),
        (f"{TRAIN} --plot /dev/full", (2,), "unknown format"),
        (f"{TRAIN} --plot a.PNG", (0,), ""),
        (f"{TRAIN} --samples 2000000000", (2,), "need about"),
        (f"{TRAIN} --epochs 2000000000", (2,), "need about"),
        ("map --epochs 1000000000", (2,), "need about"),
        ("map --samples 2000000000", (2,), "need about"),
        ("map --seeds 1000000000", (2,), "seeds must be a whole number from 1 to 1000000"),
        ("train --samples=-1 2> /dev/full", (2,), ""),
        ("compare HEAD --limit 99999999999h", (2,), "at most a year"),
        ("--version > /dev/full", (8,), "the output: No space left on device"),
    ],
)
def test_hostile_places(typed: str, codes: tuple[int, ...], line: str, tmp_path: Path) -> None:
    """In a shell, as a user would meet them: one line, the code that is right, and no traceback."""
    command = f"set -o pipefail; {sys.executable} -m parabola {typed}"
    check_told(command, codes, line, tmp_path)


FULL = 'mkdir full; mount -t tmpfs -o size={size}k none full || exit 99; TMPDIR="$PWD/full" {{}} compare main main'


@pytest.mark.end_to_end
@pytest.mark.parametrize(("size", "code", "line"), [(8, 2, "unable to write file"), (64, 8, "No space left on device")])
def test_a_temporary_folder_that_is_full(
    size: int, code: int, line: str, place: Callable[[str], Path], tmp_path: Path
) -> None:
    """Of the checkouts, or of what a launch needs, is said what could not be written; git lists no worktree."""
    folder = place("compare")
    (tmp_path / "script").write_text(FULL.format(size=size).format(f"{sys.executable} -m parabola"))
    namespace = "unshare --mount" if not os.getuid() else "unshare --mount --map-root-user"
    found, said = run(f"{namespace} bash ../script", folder)
    if found == 99 or "unshare failed" in said:
        pytest.skip("nobody may mount a file system here")

    assert (found, said.count("\n")) == (code, 1)
    assert line in said
    assert len(git(folder, "worktree", "list").splitlines()) == 1
