"""What the study needs, held against what is installed; of Python's own modules alone, so that nothing can be missing.

A machine with a GPU is lent by the minute, and a package that is missing must not show amid the stages.
"""

import argparse
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from parabola.machine import backends

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements-gpu.txt"
HELP = "docs/backends-and-devices.md says how to bring them there without a network"


@dataclass(frozen=True)
class Need:
    """A package that is needed.

    Attributes:
        name: the package's name, in lower case and with hyphens.
        floor: the oldest version that will do.
    """

    name: str
    floor: str


def read(lines: Iterable[str]) -> list[Need]:
    """Return the needs that requirements state, each in the form name>=version; comments are none.

    Raises:
        ValueError: if a line has another form.
    """
    found = list[Need]()
    for line in (line.partition("#")[0].strip() for line in lines):
        parts = re.fullmatch(r"([a-z0-9-]+)>=([0-9.]+)", line)
        if line and not parts:
            raise ValueError(f"a requirement should be name>=version. Received: {line!r}")
        found += [Need(*parts.groups())] if parts else []
    return found


def of_backend(name: str) -> list[Need]:
    """Return the need for a backend as pyproject.toml states it; none where there is no such backend."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"].get(name, ())]
    return read(line for line in lines if line.startswith(f"{name}>=") and name in backends.BACKENDS)


def asked_backend(arguments: Sequence[str]) -> str:
    """Return the backend that a command line asks for, or else the environment; empty where only help is asked for."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--backend", nargs="?")
    parser.add_argument("--help", action="store_true")
    asked, _ = parser.parse_known_args(arguments)
    return "" if asked.help else asked.backend or backends.backend()


def lacking(arguments: Sequence[str]) -> list[str]:
    """Return what is missing or too old for a command line, each with what is there and what is needed."""
    known = read(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    problems = {need.name: problem(need) for need in [*known, *of_backend(asked_backend(arguments))]}
    for name, text in of_others([need.name for need in known]):
        problems[name] = problems.get(name) or text
    return [text for text in problems.values() if text]


def told(problems: Sequence[str]) -> str:
    """Return one line that says all of what is missing or too old."""
    return f"this Python lacks what the study needs: {'; '.join(problems)} ({HELP})"


def installed(name: str) -> str | None:
    """Return the version of an installed package; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def problem(need: Need) -> str:
    """Return what is wrong with a need, empty if nothing is: "numba 0.59.1 is there, needed is 0.61 or newer"."""
    there = installed(need.name)
    if there is not None and release(there) >= release(need.floor):
        return ""
    return f"{need.name} {f'{there} is there' if there else 'is not installed'}, needed is {need.floor} or newer"


def release(text: str) -> tuple[int, ...]:
    """Return a version's numbers without zeros at the end: (3, 10) of "3.10.0rc1"."""
    numbers = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(number) for number in re.sub(r"(\.0+)+$", "", numbers[0]).split(".")) if numbers else ()


def of_others(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each package that those that are needed need in turn and lack, and what is wrong with it.

    Numba refuses a NumPy that is too new, and Keras a machine without h5py, when they are imported. The backend is left
    out, as machines with GPUs have builds of their own of it.

    Args:
        names: the names of the packages that the study imports.
    """
    if find_spec("packaging") is None:
        yield "packaging", "packaging is not installed, and pytest needs it"
        return
    from packaging.requirements import Requirement

    seen, waiting = set[str](), [name for name in names if installed(name)]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
                continue
            there, other = installed(requirement.name), requirement.name.lower().replace("_", "-")
            if there is None:
                yield other, f"{other} is not installed, and {name} needs it"
            elif not requirement.specifier.contains(there, prereleases=True):
                yield other, f"{other} {there} is there, and {name} needs {requirement.specifier}"
            if there is not None and other not in seen:
                waiting.append(other)
