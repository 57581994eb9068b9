"""The list of equivalent mutants: changes that no test could notice, each with its reason."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """A change of a line that no test could notice.

    Attributes:
        file: the file's path, from the project's folder.
        line: the line as it is, without the white space around it.
        change: the line as the mutant has it, likewise; "" where the line is gone, "*" for any change of it.
        reason: why no test could notice.
    """

    file: str
    line: str
    change: str
    reason: str


def read(path: Path = LIST) -> list[Equivalent]:
    """Return the list, as the file has it."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])]


def changed_lines(diff: str) -> tuple[str, str]:
    """Return the lines that a unified diff takes away, and those that it puts there, each without white space around.

    Several lines are joined by a space.
    """
    lines = diff.splitlines()
    before = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    after = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    return " ".join(filter(None, before)), " ".join(filter(None, after))


def reason(known: Sequence[Equivalent], file: str, diff: str) -> str:
    """Return why a mutant is equivalent; nothing where the list does not have it."""
    before, after = changed_lines(diff)
    there = [one for one in known if (one.file, one.line) == (file, before) and one.change in ("*", after)]
    return there[0].reason if there else ""
