"""A command stops: a line on stderr, and one of the exit codes of parabola/exit_codes.py."""

import sys
from contextlib import suppress
from typing import NoReturn

import typer

from parabola.display.plain import plain
from parabola.exit_codes import ExitCode

NAME = "python -m parabola"  # begins each line that says why a command stops


def stop(error: Exception | str, code: ExitCode = ExitCode.USAGE) -> NoReturn:
    """Say in one line on stderr what was wrong, and exit with a code.

    Args:
        error: what was wrong.
        code: the exit code; bad input unless another is given.

    Raises:
        typer.Exit: always.
    """
    tell(f"{NAME}: {error}")
    raise typer.Exit(code)


def tell(line: str) -> None:
    """Say a line on stderr; where even that cannot be written, the exit code has to do."""
    with suppress(OSError):
        print(plain(line), file=sys.stderr, flush=True)
