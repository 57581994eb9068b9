"""Exit codes: what each number that a command ends with says to the script that called it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended: a number, and the sentence that the handbook's table has for it."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> "ExitCode":
        """Make one of a line below."""
        code = int.__new__(cls, number)
        code._value_, code.meaning = number, meaning
        return code

    DONE = 0, "done; `compare`: nothing slower or wrong"
    CHECK_FAILED = (
        1,
        "`--check`, and the run did not pass: error not below the learning rate, not representable, or diverged; "
        "`compare`: slower, or wrong; `report --check`: the newest commits are slower, or fewer seeds pass",
    )
    USAGE = 2, "bad input; one line says what was received and what would be right"
    INCONCLUSIVE = 3, "`compare --strict`: a case is inconclusive"
    CONTAMINATED = 4, "`compare`: contaminated, the control moved"
    SIDE_FAILED = (
        5,
        "`compare`: not measured: a test fails in base or only once, or a side hangs, crashes or has no benchmarks; or "
        "measures other work: a benchmark's file, or a conftest.py above it, is not the same on both sides",
    )
    NO_RECORD = 6, "`report`: none of the files is a record that can be read"
    WORKER_FAILED = 7, "`multi_worker`: a peer is gone; `--cluster`: the scheduler, or all workers; one line says which"
    FILE = 8, "a file, or the output, could not be written or read; one line says which and why"
    UNEXPECTED = 70, "an error of its own; one line says in which file its details are"
    SKIPPED = 125, "`compare --bisect-exit`: no answer, so that `git bisect run` skips the commit"
    HUNG_UP = 129, "the terminal was closed (SIGHUP)"
    INTERRUPTED = 130, "Ctrl-C"
    CLOSED = 141, "whoever read the output has gone away, as `head` does"
    TERMINATED = 143, "SIGTERM"
