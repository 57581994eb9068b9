"""What is installed for each side, and which packages differ between the two."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from parabola.compare.environments.inside import plain
from parabola.compare.sides.by_side import BySide
from parabola.machine import host

MOST_NAMED = 3  # packages in a verdict's line; all of them are in a line of their own


class Environment(msgspec.Struct, frozen=True):
    """What is installed for a side.

    Attributes:
        packages: by the plain name of each package its version, Python's first, but for the checkout's own projects.
        copied: whether a project of the checkout is installed as a copy, and not read from the checkout.
    """

    packages: dict[str, str]
    copied: bool = False


class Difference(msgspec.Struct, frozen=True):
    """A package that is not the same for both sides: its version for each, None where it is not installed."""

    package: str
    base: str | None
    head: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.base or 'none'} → {self.head or 'none'}"


def differences(environments: BySide[Environment], install: BySide[str]) -> list[Difference]:
    """Return what differs between two environments: Python first, then what the user names, then by name.

    Args:
        environments: what is installed for each side.
        install: the commands that installed it, which name the packages that somebody wants to compare.
    """
    named = {plain(word) for word in re.findall(r"[\w.-]*\w", f"{install.base} {install.head}")}
    base, head = environments.base.packages, environments.head.packages
    packages = sorted(base.keys() | head.keys(), key=lambda name: (name != "python", name not in named, name))
    return [Difference(name, base.get(name), head.get(name)) for name in packages if base.get(name) != head.get(name)]


def facts_of(environments: BySide[Environment], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a machine's facts in which the software is that of the sides: one version, or "base's → head's".

    Args:
        environments: what is installed for each side.
        facts: what `parabola.machine.host.facts` says of this program's own Python.
    """

    def of_both(package: str) -> str:
        versions = [side.packages.get(package, "none") for side in (environments.base, environments.head)]
        return " → ".join(dict.fromkeys(versions))

    backend = facts["backend"].split()[0]
    return {
        **facts,
        **{name.replace("-", "_"): of_both(name) for name in ("python", *host.PACKAGES)},
        "backend": backend if backend == "tensorflow" else f"{backend} {of_both(backend)}",
        "cuda": of_both("nvidia-cuda-runtime-cu12"),
    }


def named(found: Sequence[Difference], most: int | None = None) -> str:
    """Name what differs in words: "keras 3.10 → 3.11 and 2 more"; all of it, or at most so many packages."""
    more = len(found) - len(found[:most])
    return ", ".join(map(str, found[:most])) + (f" and {more} more" if more else "")
