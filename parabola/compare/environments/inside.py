"""Run by a side's own Python, which may have nothing of ours: says in a line of JSON what is installed in it.

Stands alone, and runs on any Python 3.7 or newer. Its arguments are the checkout, and the names of the checkout's
projects.
"""

from __future__ import annotations

import json
import os
import re
import sys
from urllib.parse import urlparse
from urllib.request import url2pathname

OLDEST = (3, 9)


def plain(name: str) -> str:
    """Return a project's name in the form that is the same for all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()


def within(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it."""
    return (os.path.realpath(path) + os.sep).startswith(os.path.realpath(folder) + os.sep)


def installed(top: str, projects: list[str]) -> tuple[dict[str, str], bool]:
    """Return the versions of the packages that are not the checkout's; and whether one of its own is there as a copy.

    Args:
        top: the checkout's topmost folder.
        projects: the names of the checkout's projects.
    """
    from importlib.metadata import distributions

    versions, copied = dict[str, str](), False
    for distribution in distributions():
        try:
            name = plain(distribution.metadata["Name"] or "")
        except FileNotFoundError:  # so the backport, where metadata are gone
            continue
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        url = urlparse(origin.get("url", ""))
        of_checkout = url.scheme == "file" and within(url2pathname(url.path), top)
        copied = copied or (of_checkout and not origin.get("dir_info", {}).get("editable"))
        if name and not of_checkout and name not in map(plain, projects):
            commit = origin.get("vcs_info", {}).get("commit_id", "")[:9]
            versions.setdefault(name, distribution.version + (f" at {commit}" if commit else ""))
    return dict(sorted(versions.items())), copied


def main() -> None:
    """Print the version of Python, and what it has."""
    packages, copied = installed(sys.argv[1], sys.argv[2:]) if sys.version_info >= OLDEST else ({}, False)
    packages = {"python": ".".join(map(str, sys.version_info[:3])), **packages}
    print(json.dumps({"packages": packages, "copied": copied}))


if __name__ == "__main__":
    sys.path.pop(0)  # the folder that this file lies in
    main()
