"""The one way out of a command: whatever goes wrong becomes a line on stderr and an exit code."""

import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any, NoReturn

import typer

from parabola import WRITTEN_BY
from parabola.commands import exits
from parabola.display.plain import show_readably
from parabola.exit_codes import ExitCode
from parabola.machine import ending

OUT_OF_MEMORY = "ResourceExhaustedError"  # TensorFlow's, which is no MemoryError


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that ends by this door.

    What is expected to go wrong (a full disk, a closed pipe, no memory) is told in one line. Of what is not expected a
    line says where its details were written. Ctrl-C and its like end the command quietly, with the code of the signal.
    """

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        _open_streams()
        ending.end_as_by_ctrl_c()
        try:
            try:
                command(*arguments, **options)
            finally:
                sys.stdout.flush()
        except BaseException as error:
            _end(error)
        finally:
            ending.only_note()

    return run


def _end(error: BaseException) -> NoReturn:
    """Exit with the code, and the line, that fit what has ended a command."""
    if isinstance(error, OSError):
        mute_output(error)
    if ending.asked() or isinstance(error, KeyboardInterrupt):
        exec("")  # Python would end itself by SIGINT if a KeyboardInterrupt had left the last text that was executed
        raise typer.Exit(ending.exit_code())
    if isinstance(error, OSError):
        raise typer.Exit(tell([error]))
    if isinstance(error, MemoryError) or type(error).__name__ == OUT_OF_MEMORY:
        exits.stop(f"not enough memory: ask for less ({str(error) or 'the system gives no more'})")
    if isinstance(error, Exception) and not isinstance(error, typer.Exit):
        exits.stop(f"an error of its own, {type(error).__name__}: {_details(error)}", ExitCode.UNEXPECTED)
    raise error


def show_and_write(show: Callable[[], None], *files: tuple[Path | None, Callable[[Path], object]]) -> None:
    """Print what was found, then write each file that was asked for, though one step before it fails.

    Args:
        show: prints what was found.
        files: for each file its path, None where it was not asked for, and what writes it.

    Raises:
        typer.Exit: if a step fails, once all are done, with a line for each.
    """
    failed = list[OSError]()

    def take(step: Callable[[], object]) -> None:
        try:
            step()
            sys.stdout.flush()
        except OSError as error:
            failed.append(error)
            mute_output(error)

    try:
        take(show)
    finally:  # though Ctrl-C ends what is shown
        with ending.uninterrupted():
            for path, write in files:
                if path:
                    take(partial(write, path))
    if failed:
        raise typer.Exit(tell(failed))


def tell(failed: Sequence[OSError], name: str = exits.NAME) -> ExitCode:
    """Say of each what could not be written or read; nothing of a reader who has gone away.

    Args:
        failed: what was raised, in its order.
        name: begins each line.

    Returns:
        The code to exit with.
    """
    told = [error for error in failed if not isinstance(error, BrokenPipeError)]
    for error in told:
        exits.tell(f"{name}: {_place(error)}: {error.strerror or error}")
    return ExitCode.FILE if told else ExitCode.CLOSED


def _place(error: OSError) -> str:
    """Return what could not be written or read: the output's errors have no name, as that of a folder that is gone."""
    return str(error.filename or ("a folder" if isinstance(error, FileNotFoundError) else "the output"))


def _open_streams() -> None:
    """Put a sink in the place of an output that is closed, and let others write what their encoding lacks readably."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - it is open to the end
        show_readably(getattr(sys, name))


def mute_output(error: OSError) -> None:
    """Let what is still to be printed go nowhere, if that is what failed: Python would try again when it ends."""
    if error.filename is None:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _details(error: Exception) -> str:
    """Write what is known of an error to a file; return where that is, or the error where no file can be written."""
    text = "".join(traceback.format_exception(error))
    try:
        number, path = tempfile.mkstemp(prefix="parabola-error-", suffix=".txt", text=True)
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{WRITTEN_BY}, Python {sys.version}\n{sys.argv}\n\n{text}")
    except OSError:
        return f"{error}"
    return f"its details are in {path}"
