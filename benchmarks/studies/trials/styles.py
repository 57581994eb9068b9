"""The suites that trials compare: this one, and two of other projects' style, in a git repository of their own."""

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from parabola.git import git, identity

SUITES = Path(__file__).with_name("suites")  # by style, as they are copied


class Style(StrEnum):
    """Whose suite it is: this one, a flat library of string functions, or classes of tests over NumPy and dicts."""

    PARABOLA = "parabola"
    URLS = "urls"
    CLASSES = "classes"


@dataclass(frozen=True)
class Suite:
    """A suite that is compared.

    Attributes:
        folder: where its repository is.
        cases: the names of those that a slowdown is planted in, in turn.
        pytest_options: what pytest is called with.
    """

    folder: Path
    cases: tuple[str, ...]
    pytest_options: tuple[str, ...] = ()


def suite_of(style: Style, folder: Path, engine: str, epochs: int, rounds: int) -> Suite:
    """Return the suite of a style, which is made if it is another's and not there.

    Args:
        style: whose suite it is.
        folder: where another's is made.
        engine: name of the engine whose epoch times are compared, if it is this suite.
        epochs: how many epochs a round has, if it is this suite.
        rounds: how many rounds a launch has, if it is this suite.
    """
    if style == Style.PARABOLA:
        options = ("-k", "epoch_time", "--engine", engine, "--epochs", str(epochs), "--rounds", str(rounds))
        axes = ("1", "0.001"), ("9", "0.001"), ("27", "0.001"), ("111", "0.001"), ("999", "0.001"), ("1", "0.1")
        names = [f"{engine}-cpu-batch_{batch_size}-learning_rate_{rate}" for batch_size, rate in axes]
        cases = tuple(f"benchmarks/bench_epoch_time.py::bench_epoch_time[{name}]" for name in names)
        return Suite(Path.cwd(), cases, options)
    if not (folder / ".git").exists():
        shutil.copytree(SUITES / style, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        git(folder, "init", "--quiet")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", style, extra=identity("trials@parabola.invalid"))
    if style == Style.URLS:
        names = ["split", "unsplit", "quote", "unquote", "parse_query", "normalize"]
        return Suite(folder, tuple(f"test_urls.py::test_{name}" for name in names))
    columns = [f"TestColumns::test_{name}[{size}]" for size in (1000, 4000) for name in ("standardized", "where")]
    names = [*columns, "TestRows::test_totals[2000]", "TestRows::test_joined[200]"]
    return Suite(folder, tuple(f"benchmarks/test_tables.py::{name}" for name in names))
