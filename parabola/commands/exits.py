"""A command stops: a line on stderr, and one of the exit codes of parabola/exit_codes.py."""

import sys
from typing import NoReturn

import typer

from parabola.exit_codes import ExitCode


def stop(error: Exception | str, code: ExitCode = ExitCode.USAGE) -> NoReturn:
    """Say in one line on stderr what was wrong, and exit with a code.

    Args:
        error: what was wrong.
        code: the exit code; bad input unless another is given.

    Raises:
        typer.Exit: always.
    """
    print(f"python -m parabola: {error}", file=sys.stderr)
    raise typer.Exit(code)
