"""The pages that people read, and how a generated block in one of them is replaced."""

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]


def paths() -> list[Path]:
    """Return README.md, CONTRIBUTING.md, and the pages of the handbook by their names."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def read() -> dict[Path, str]:
    """Return the text of each page."""
    return {path: path.read_text(encoding="utf-8") for path in paths()}


def refresh(texts: Mapping[Path, str], new: Mapping[str, str]) -> dict[Path, str]:
    """Return the pages with their generated blocks replaced.

    Args:
        texts: the text of each page as it is.
        new: the text of each block, by the name in its marks.

    Raises:
        ValueError: unless the pages together have the marks of each block just once.
    """
    refreshed = dict(texts)
    for name, block in new.items():
        marks = re.compile(rf"(<!-- BEGIN: {name} -->\n).*?(<!-- END: {name} -->)", flags=re.DOTALL)
        homes = [path for path, text in refreshed.items() for _ in marks.finditer(text)]
        if len(homes) != 1:
            places = f"one block between BEGIN: {name} and END: {name}"
            raise ValueError(f"README.md and docs/ should have {places}. Found: {len(homes)}")
        (path,) = homes
        before, begin, end, after = marks.split(refreshed[path])
        refreshed[path] = f"{before}{begin}{block}\n{end}{after}"
    return refreshed
