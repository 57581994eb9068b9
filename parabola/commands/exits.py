"""How a command ends."""

import sys
from typing import NoReturn

import typer

CHECK_FAILED, USAGE, INCONCLUSIVE, CONTAMINATED, SIDE_FAILED, NO_RECORD, WORKER_FAILED, INTERRUPTED = *range(1, 8), 130
COMPARED = {"slower": CHECK_FAILED, "wrong": CHECK_FAILED, "contaminated": CONTAMINATED, "failed": SIDE_FAILED}


def stop(error: Exception | str, code: int = USAGE) -> NoReturn:
    """Say in one line on stderr what was wrong, and exit with that code.

    Raises:
        typer.Exit: always.
    """
    print(f"python -m parabola: {error}", file=sys.stderr)
    raise typer.Exit(code)
