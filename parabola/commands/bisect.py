"""Exit codes that `git bisect run` can read: 0 for good, 1 for bad, 125 for a commit to skip, and above 127 to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from parabola.exit_codes import ExitCode

STOPS_FROM = 128


@contextmanager
def exits_for_bisect(wanted: bool) -> Iterator[None]:
    """Turn the exit code of whatever ends a command into one that `git bisect run` can read.

    All that is no answer, bad input included, becomes "skip": `git bisect` would take it for a bad commit. Ctrl-C and
    a closed output stop it, as above 127 it goes no further.

    Args:
        wanted: whether the codes are for `git bisect`; else they are left alone.
    """
    try:
        yield
    except Exception as error:
        end: Any = error  # Typer's, which has the exit code that it ends with
        if wanted and hasattr(end, "exit_code"):
            told = end.exit_code in (ExitCode.DONE, ExitCode.CHECK_FAILED) or end.exit_code >= STOPS_FROM
            end.exit_code = end.exit_code if told else ExitCode.SKIPPED
        raise
