"""Head's harness is laid over base's checkout, so that both sides are measured with the same."""

import os
from collections.abc import Sequence
from pathlib import Path

from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.working_tree import listed
from parabola.git import git


def lay(paths: Sequence[str], repository: Repository, base: Checkout, head: Checkout) -> list[str]:
    """Make base's checkout have head's files in some places, and no others there. Submodules stay as they are.

    Args:
        paths: of files and folders, as seen from the folder that the repository is seen from, or absolute.
        repository: the user's.
        base, head: the sides' checkouts.

    Returns:
        The paths from the repository's top.

    Raises:
        ValueError: if head has no such file or folder, or it is not within the repository.
    """
    laid = [_within(path, repository, head) for path in paths]
    if laid:
        commit = git(head.top, "rev-parse", "HEAD")  # of a working tree, the one that was made of it
        git(base.top, "checkout", "--quiet", "--no-overlay", commit, "--", *map(_literal, laid))
    return laid


def _within(path: str, repository: Repository, head: Checkout) -> str:
    """Return a path from the top of head's checkout, the end of links if there are any on the way."""
    whole = Path(os.path.normpath(repository.top / repository.prefix / path))
    here, tree, checkout = (Path(os.path.realpath(one)) for one in (whole.parent, repository.top, head.top))
    if not (here / whole.name).is_relative_to(tree) or here / whole.name == tree:
        raise ValueError(f"--harness needs a file or a folder within {repository.top}. Received: {path!r}")
    there = Path(os.path.realpath(checkout / here.relative_to(tree) / whole.name))
    if not there.is_relative_to(checkout):
        raise ValueError(f"--harness: in head ({head.revision}) {path!r} is a link out of the repository")
    within = str(there.relative_to(checkout))
    if not listed(head.top, "--", _literal(within)):
        raise ValueError(f"--harness: head ({head.revision}) has no file or folder {path!r} that git knows")
    return within


def _literal(path: str) -> str:
    return f":(top,literal){path}"
