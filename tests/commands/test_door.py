"""One way out of every command: each kind of what goes wrong has its line and its code, and none a traceback."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from parabola.commands import door, exits
from parabola.commands.app import app
from parabola.exit_codes import ExitCode
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]


class ResourceExhaustedError(Exception):
    """Stands for TensorFlow's."""


def outcome(command: Callable[..., None]) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command that ends by the door."""
    made = typer.Typer()
    made.command()(door.guarded(command))
    answer = CliRunner().invoke(made, [])
    return answer.exit_code, answer.stdout, answer.stderr


def raising(error: BaseException) -> Callable[[], None]:
    """Return a command that prints a line and then fails."""

    def command() -> None:
        print("said before")
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.json"), 8, "a.json: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "a.json"), 8, "a.json: Permission denied"),
        (OSError(errno.EIO, "Input/output error"), 8, "the output: Input/output error"),
        (OSError("no number"), 8, "the output: no number"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), 8, "a folder: No such file or directory"),
        (MemoryError("Unable to allocate 15 GiB"), 2, "not enough memory: ask for less (Unable to allocate 15 GiB)"),
        (MemoryError(), 2, "not enough memory: ask for less (the system gives no more)"),
        (ResourceExhaustedError("OOM"), 2, "not enough memory: ask for less (OOM)"),
    ],
)
def test_what_is_expected_to_go_wrong_is_a_line(error: Exception, code: int, line: str) -> None:
    """It says what could not be done, and the code is never that of "slower" or of "does not pass"."""
    assert outcome(raising(error)) == (code, "said before\n", f"python -m parabola: {line}\n")


def test_a_reader_that_has_gone_away_is_told_nothing() -> None:
    """As `head` is once it has its lines; the code is that of SIGPIPE in a shell."""
    assert outcome(raising(BrokenPipeError(errno.EPIPE, "Broken pipe")))[0::2] == (141, "")


def test_of_an_unexpected_error_the_details_are_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the kind of error and the file, which has the version, what was typed and the traceback."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, said, line = outcome(raising(ZeroDivisionError("by\x1b zero")))
    (path,) = tmp_path.iterdir()
    details = path.read_text()

    assert (code, said) == (70, "said before\n")
    assert line == f"python -m parabola: an error of its own, ZeroDivisionError: its details are in {path}\n"
    assert re.match(r"parabola \d.*, Python 3", details)
    assert str(sys.argv) in details
    assert "raise error\nZeroDivisionError: by" in details


def test_an_unexpected_error_is_told_where_no_file_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the line has what the error says, on one line."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))

    assert outcome(raising(KeyError("x")))[2] == "python -m parabola: an error of its own, KeyError: 'x'\n"


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_a_code_that_a_command_ends_with_is_kept(code: int) -> None:
    """The door changes nothing of what a command has decided."""
    assert outcome(raising(typer.Exit(code)))[0] == code


def test_ctrl_c_is_130() -> None:
    """Quietly, and so is a KeyboardInterrupt that no signal has raised."""
    assert outcome(raising(KeyboardInterrupt())) == (130, "said before\n", "")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.HUNG_UP),
    ],
)
@pytest.mark.parametrize("then", [None, KeyError("x"), BrokenPipeError(errno.EPIPE, "Broken pipe"), typer.Exit(3)])
def test_a_signal_ends_any_command_with_the_code_that_a_shell_expects(
    number: signal.Signals, code: int, then: Exception | None
) -> None:
    """Quietly, whatever else the end of the command brings with it."""

    def command() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            if then:
                raise then

    signal.signal(number, signal.SIG_DFL)
    assert outcome(command) == (code, "", "")


def test_a_signal_amid_writing_waits_until_the_files_are_there(tmp_path: Path) -> None:
    """One that comes while the table is shown ends that, and the files are written; then the command ends."""
    steps = list[str]()

    def ask(step: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        steps.append(step)

    def command() -> None:
        write = (tmp_path / "a.md", lambda path: ask("first")), (tmp_path / "b.md", lambda path: ask("second"))
        door.show_and_write(lambda: ask("shown"), *write)
        steps.append("not ended")

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert outcome(command) == (ExitCode.TERMINATED, "", "")
    assert steps == ["first", "second"]


def test_what_was_found_is_shown_and_each_file_written_though_others_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first is on a full disk, the second is written, the third not asked for, the fourth in no folder."""
    steps = list[str]()

    def full(path: Path) -> None:
        steps.append("first")
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def show() -> None:
        steps.append("shown")
        print("found")

    with pytest.raises(typer.Exit) as ended:
        door.show_and_write(
            show,
            (Path("a.json"), full),
            (tmp_path / "b.md", lambda path: path.write_text("b")),
            (None, full),
            (tmp_path / "no/c.png", lambda path: path.write_text("c")),
        )

    assert ended.value.exit_code == ExitCode.FILE
    assert steps == ["shown", "first"]
    assert (tmp_path / "b.md").read_text() == "b"
    assert capsys.readouterr() == (
        "found\n",
        "python -m parabola: a.json: No space left on device\n"
        f"python -m parabola: {tmp_path / 'no/c.png'}: No such file or directory\n",
    )


def test_a_closed_output_keeps_no_file_from_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has read enough of the table still gets the file; what is printed after that goes nowhere."""

    def show() -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    with (tmp_path / "pipe").open("w") as pipe:  # not pytest's own output, which some versions of it then lose
        monkeypatch.setattr(sys, "stdout", pipe)
        with pytest.raises(typer.Exit) as ended:
            door.show_and_write(show, (tmp_path / "a.md", lambda path: path.write_text("a")))
        print("more", flush=True)
        monkeypatch.undo()

    assert ended.value.exit_code == ExitCode.CLOSED
    assert (tmp_path / "a.md").read_text() == "a"
    assert (tmp_path / "pipe").read_text() == ""


def test_every_command_ends_by_the_door() -> None:
    """A command that is added without it is found here."""
    commands = [info.callback for info in app.registered_commands]

    assert len(commands) >= 4
    assert [command for command in commands if not hasattr(command, "__wrapped__")] == []


def test_a_line_that_cannot_be_told_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is full, the exit code says it alone."""

    class Full:
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        flush = write

    monkeypatch.setattr(sys, "stderr", Full())
    with pytest.raises(typer.Exit) as ended:
        exits.stop("bad")

    assert ended.value.exit_code == ExitCode.USAGE


AMID_A_TEXT = """
import os, signal, typer
from parabola.commands import door
def command() -> None:
    exec("os.kill(os.getpid(), signal.SIGTERM)")  # as where an import makes a dataclass
made = typer.Typer()
made.command()(door.guarded(command))
made([])
"""


@pytest.mark.end_to_end
def test_a_signal_amid_an_executed_text_has_its_own_code(tmp_path: Path) -> None:
    """Python remembers such a KeyboardInterrupt, though it was caught, and would end itself by SIGINT."""
    (tmp_path / "amid.py").write_text(AMID_A_TEXT)
    answer = subprocess.run(
        [sys.executable, "-m", "amid"], cwd=tmp_path, env=environment(), capture_output=True, timeout=60
    )

    assert (answer.returncode, answer.stderr) == (143, b"")


TRAIN = "train --engine native --batch-size 999 --epochs 3"
REPORT = f"report {ROOT}/benchmarks/records"
MAP = "map --seeds 2 --epochs 2 --batch-sizes 999 --learning-rates 0.1"


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("variables", "encoding"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "ascii"),
        ({"PYTHONIOENCODING": "cp1252"}, "cp1252"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "ascii"),
        ({"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "20"}, "utf-8"),
    ],
)
def test_any_terminal(variables: dict[str, str], encoding: str, tmp_path: Path) -> None:
    """What an encoding lacks is written readably: no command fails because of a superscript."""
    for typed in (TRAIN, REPORT, *([MAP] if "PYTHONIOENCODING" in variables else [])):
        command = [sys.executable, "-m", "parabola", *typed.split()]
        answer = subprocess.run(command, cwd=tmp_path, env={**environment(), **variables}, capture_output=True)

        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.decode(encoding)


def check_told(command: str, codes: tuple[int, ...], line: str, folder: Path) -> None:
    """Check that a shell's command ends with one of the codes, and with such a line in place of a traceback."""
    answer = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
    )

    assert answer.returncode in codes, answer.stdout + answer.stderr
    assert line in answer.stderr
    assert "Traceback" not in answer.stderr


def environment() -> dict[str, str]:
    """Return a user's environment in which this checkout is found."""
    given: dict[str, Any] = {**users_environment(), "PYTHONPATH": str(ROOT)}
    return {**given, "PATH": os.environ["PATH"]}
