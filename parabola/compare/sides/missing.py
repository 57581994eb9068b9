"""What the checkouts of a comparison do not have, though a suite may need it: told, as its absence may go unnoticed."""

from collections.abc import Iterator, Sequence
from inspect import getmodulename
from pathlib import Path, PurePosixPath

from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.working_tree import listed, submodules

MOST_NAMES = 3
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
IGNORED = "what imports them fails or falls back on something else: have each checkout make them, by --setup COMMAND"
SUBMODULES = (
    "not all that they need is in this clone: git submodule update --init --recursive, and git fetch in each of them"
)
LFS = "install git-lfs, and have each checkout fetch them, by --setup 'git lfs pull'"


def missing(repository: Path, sides: Sequence[Checkout]) -> list[str]:
    """Say what the checkouts do not have, and what to do about it: a sentence each.

    Args:
        repository: the topmost folder of the user's working tree.
        sides: the checkouts.
    """
    ignored = [path for path in ignored_modules(repository) if not all((side.top / path).exists() for side in sides)]
    found: list[tuple[str, list[str], str]] = [("not in the checkouts, as git ignores them", ignored, IGNORED)]
    for side in sides:
        found.append((f"empty submodules in {side.name}", [*empty_submodules(side.top)], SUBMODULES))
        found.append((f"git LFS pointers in {side.name} in the place of files", lfs_pointers(side.top), LFS))
    return [f"{what}: {_names(paths)}; {advice}" for what, paths, advice in found if paths]


def ignored_modules(repository: Path) -> list[str]:
    """Return the modules that git ignores beside tracked ones, and the packages that it ignores within packages.

    Args:
        repository: the topmost folder of a working tree.

    Returns:
        Paths from there, those of folders with a slash at the end.
    """
    tracked = [PurePosixPath(path) for path in listed(repository, "*.py")]
    homes = {path.parent for path in tracked}
    packages = {path.parent for path in tracked if path.name == "__init__.py"}
    ignored = listed(repository, "--others", "--ignored", "--exclude-standard", "--directory")
    return [
        path
        for path in ignored
        if (
            PurePosixPath(path).parent in packages and _is_package(repository / path)
            if path.endswith("/")
            else PurePosixPath(path).parent in homes and _is_module(path)
        )
    ]


def empty_submodules(top: Path) -> Iterator[str]:
    """Yield the paths of submodules, and of theirs, that a checkout has only as empty folders."""
    for path in submodules(top):
        if (top / path / ".git").exists():
            yield from (f"{path}/{inner}" for inner in empty_submodules(top / path))
        else:
            yield path


def lfs_pointers(top: Path) -> list[str]:
    """Return the paths of files that are in git LFS, and of which a checkout has only the pointers."""
    return [path for path in listed(top, ":(attr:filter=lfs)") if _begins_as_pointer(top / path)]


def _begins_as_pointer(file: Path) -> bool:
    if not file.is_file():
        return False
    with open(file, "rb") as content:
        return content.read(len(LFS_POINTER)) == LFS_POINTER


def _is_module(path: str) -> bool:
    """Return whether Python would import a file of such a name, as source or as an extension."""
    return (getmodulename(path) or "").isidentifier() and not path.endswith(".pyc")


def _is_package(folder: Path) -> bool:
    return folder.name.isidentifier() and any(_is_module(path.name) for path in folder.rglob("*"))


def _names(paths: Sequence[str]) -> str:
    names = [path.encode(errors="surrogateescape").decode(errors="replace") for path in paths[:MOST_NAMES]]
    return ", ".join(names) + (f" and {len(paths) - MOST_NAMES} more" if len(paths) > MOST_NAMES else "")
