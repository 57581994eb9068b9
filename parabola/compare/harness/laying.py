"""Head's harness is laid over base's checkout, so that both sides are measured with the same."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.working_tree import listed, submodules
from parabola.git import git


def lay(paths: Sequence[str], repository: Repository, base: Checkout, head: Checkout) -> list[str]:
    """Make base's checkout have head's files in some places, and no others there.

    Where a path is a link, so is it in base then, and what it leads to is laid as well.

    Args:
        paths: of files and folders, as seen from the folder that the repository is seen from, or absolute.
        repository: the user's.
        base, head: the sides' checkouts.

    Returns:
        The paths from the repository's top.

    Raises:
        ValueError: if head has no such file or folder, or it is not within the repository, or there is a submodule.
    """
    laid = [place for path in paths for place in _places(path, repository, base, head)]
    if laid:
        commit = git(head.top, "rev-parse", "HEAD")  # of a working tree, the one that was made of it
        git(base.top, "checkout", "--quiet", "--no-overlay", commit, "--", *map(_literal, laid))
    return laid


def _places(path: str, repository: Repository, base: Checkout, head: Checkout) -> Iterator[str]:
    """Yield a path from the top of head's checkout, and if it is a link also what it leads to, link by link."""
    whole = _without_links_above(Path(os.path.normpath(repository.top / repository.prefix / path)))
    tree, checkout = (Path(os.path.realpath(one)) for one in (repository.top, head.top))
    if not whole.is_relative_to(tree) or whole == tree:
        raise ValueError(f"--harness needs a file or a folder within {repository.top}. Received: {path!r}")
    places = [_without_links_above(checkout / whole.relative_to(tree))]
    while places[-1].is_symlink() and places[-1] not in places[:-1]:
        places.append(_without_links_above(places[-1].parent / os.readlink(places[-1])))
    if not all(place.is_relative_to(checkout) for place in places):
        raise ValueError(f"--harness: in head ({head.revision}) {path!r} is a link out of the repository")
    for place in dict.fromkeys(str(place.relative_to(checkout)) for place in places):
        for submodule in map(Path, submodules(base.top) | submodules(head.top)):
            if submodule.is_relative_to(place) or Path(place).is_relative_to(submodule):
                raise ValueError(f"--harness lays no submodules, as {submodule} is. Received: {path!r}")
        if not listed(head.top, "--", _literal(place)):
            raise ValueError(f"--harness: head ({head.revision}) has no file or folder {path!r} that git knows")
        yield place


def _without_links_above(path: Path) -> Path:
    """Return a path without links on the way to it. It may be one itself."""
    return Path(os.path.normpath(os.path.realpath(path.parent) + os.sep + path.name))


def _literal(path: str) -> str:
    return f":(top,literal){path}"
