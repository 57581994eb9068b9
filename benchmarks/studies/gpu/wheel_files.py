"""Wheels as files: what they are of, what they need, and how they are made smaller."""

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename

LARGE_MEBIBYTES = 8.0  # smaller wheels are not worth the time that compressing takes


@dataclass(frozen=True)
class Wheel:
    """A wheel that was fetched.

    Attributes:
        path: path of its file.
        name: name of its package, in lower case and with hyphens.
        version: version of its package.
    """

    path: Path
    name: str
    version: str

    @property
    def mebibytes(self) -> float:
        """The size of its file."""
        return self.path.stat().st_size / 2**20

    def requires(self, python: str) -> Iterator[Requirement]:
        """Yield what it needs on Linux with such a version of Python."""
        with zipfile.ZipFile(self.path) as archive:
            (metadata,) = [name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
            message = HeaderParser().parsestr(archive.read(metadata).decode())
        target = {"extra": "", "python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
        for requirement in map(Requirement, message.get_all("Requires-Dist") or ()):
            if requirement.marker is None or requirement.marker.evaluate(target):
                yield requirement


def read(folder: Path) -> dict[str, Wheel]:
    """Return the wheels of a folder by the names of their packages."""
    found = dict[str, Wheel]()
    for path in sorted(folder.glob("*.whl")):
        name, version, *_ = parse_wheel_filename(path.name)
        found[name] = Wheel(path, name, str(version))
    return found


def by_size(wheels: Iterable[Wheel]) -> list[Wheel]:
    """Return wheels in the order of their sizes, the largest first."""
    return sorted(wheels, key=lambda wheel: -wheel.mebibytes)


def shrink_to(limit_mebibytes: float, wheels: Sequence[Wheel]) -> float:
    """Compress the largest wheels anew until all together are small enough; return what they take, in MiB.

    pip reads wheels that are compressed by LZMA, which makes a third less of a large library than what wheels have.
    """
    waiting = by_size(wheels)
    while (total := sum(wheel.mebibytes for wheel in wheels)) > limit_mebibytes and waiting:
        before = waiting[0].mebibytes
        if before >= LARGE_MEBIBYTES:
            print(f"compressing {waiting[0].name} anew, which may take minutes …", file=sys.stderr, flush=True)
            shrink(waiting[0].path)
            print(f"{waiting[0].name}: {before:.1f} MiB became {waiting[0].mebibytes:.1f} MiB", file=sys.stderr)
        waiting.pop(0)
    return total


def shrink(path: Path) -> None:
    """Compress the files of a wheel anew, by LZMA; their contents, of which the wheel has the hashes, stay."""
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(path.with_suffix(".smaller"), "w") as after:
        for about in before.infolist():
            after.writestr(about, before.read(about), compress_type=zipfile.ZIP_LZMA)
    path.with_suffix(".smaller").replace(path)
