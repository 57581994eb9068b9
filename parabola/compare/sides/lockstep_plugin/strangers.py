"""Which imported modules are strangers: those of a name that is the checkout's, from a file that is not."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, distributions
from inspect import getmodulename
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

LIBRARY = {*sys.builtin_module_names, *(file.partition(".")[0] for file in os.listdir(sysconfig.get_path("stdlib")))}
STANDARD = getattr(sys, "stdlib_module_names", LIBRARY)  # Python 3.9 does not tell them
PYTHONS = {*STANDARD, "__main__", "sitecustomize", "usercustomize"}  # which Python imports by itself

real = functools.cache(os.path.realpath)


def strangers(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the imported modules that are not the side's own, each with its file.

    These are the modules of the user's repository itself, and those whose name is the checkout's: because an entry of
    sys.path within the checkout finds it, because an installed distribution of its own project lists it, or because the
    checkout has it somewhere and no installed distribution lists it. What was installed from the checkout is its own.

    Args:
        given: "top" of the checkout; the repository "elsewhere", from which nothing may be imported, but for "scratch"
            in it; the names of the checkout's "projects", and of its "modules" that are in no package; and the modules
            that are "allowed", with what is in them.
    """
    top, elsewhere, scratch = (real(given[name]) for name in ("top", "elsewhere", "scratch"))
    entries = [real(entry) for entry in sys.path if isinstance(entry, str) and _in(real(entry), top)]
    installed = _installed(tuple(given["projects"]), elsewhere)
    environments = [path for path in (real(sys.prefix), real(sys.base_prefix)) if _in(path, elsewhere)]
    found = {}
    for name, module in [*sys.modules.items()]:
        file = _file(module)
        if not isinstance(file, str) or any(_in(name, allowed, ".") for allowed in given["allowed"]):
            continue
        path = real(file)
        of_repository = _in(path, elsewhere) and not any(_in(path, folder) for folder in (scratch, *environments))
        behind_a_link = _in(os.path.abspath(file), top) and not of_repository
        own_name = (
            name in installed
            or any(_finds(entry, name) for entry in entries)
            or (name in given["modules"] and name not in _installed(None, ""))
        )
        of_checkout = _in(path, top) or behind_a_link
        if not of_checkout and (of_repository or own_name) and path not in _copies(top):
            found[name] = path
    return dict(sorted(found.items()))  # a package before what is in it


def _file(module: object) -> object:
    """Return what a module has as its file, without asking one that loads itself when it is asked for anything."""
    try:
        return object.__getattribute__(module, "__dict__").get("__file__")
    except AttributeError:
        return None


def _finds(entry: str, name: str) -> bool:
    """Return whether an entry of sys.path has a module of a dotted name: a file, or a folder with an __init__."""
    first, *inner = name.split(".")
    if first in PYTHONS or first not in _beginnings(entry):
        return False
    place = os.path.join(entry, first, *inner)
    return any(os.path.isfile(place + end) for suffix in all_suffixes() for end in (suffix, f"/__init__{suffix}"))


@functools.cache
def _beginnings(entry: str) -> set[str]:
    """Return what the names of files and folders in an entry of sys.path begin with, up to the first dot."""
    return {file.partition(".")[0] for file in os.listdir(entry)} if os.path.isdir(entry) else set()


@functools.cache
def _installed(projects: tuple[str, ...] | None, repository: str) -> set[str]:
    """Return the modules that installed distributions list: those of the checkout's own projects; all for None."""
    own = {_plain(name) for name in projects or ()}
    return {
        name
        for distribution in distributions()
        if projects is None
        or _name(distribution) in own
        or ("archive_info" not in _origin(distribution) and _in(_place(distribution), repository))
        for name in _modules(distribution)
    }


@functools.cache
def _copies(top: str) -> set[str]:
    """Return the files that installed distributions have which were made from a checkout, be it by way of a wheel."""
    return {
        real(str(distribution.locate_file(path)))
        for distribution in distributions()
        if _in(_place(distribution), top)
        for path in distribution.files or ()
    }


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Return what an installer has noted of where a distribution came from; nothing of one from an index."""
    return json.loads(distribution.read_text("direct_url.json") or "{}")  # type: ignore[no-any-return]


def _place(distribution: Distribution) -> str:
    """Return the folder or the archive on this machine that a distribution was installed from; empty for none."""
    place = urlparse(_origin(distribution).get("url", ""))
    return real(url2pathname(place.path)) if place.scheme == "file" else ""


def _modules(distribution: Distribution) -> Iterator[str]:
    """Yield the dotted names of the modules that a distribution lists; an editable one's files are but its finder."""
    shared = (distribution.read_text("namespace_packages.txt") or "").split()
    yield from {*(distribution.read_text("top_level.txt") or "").split()}.difference(shared)
    editable = _origin(distribution).get("dir_info", {}).get("editable")
    for path in [] if editable else distribution.files or []:
        names = [*path.parts[:-1], getmodulename(path.name) or ""]
        if all(name.isidentifier() for name in names):
            yield ".".join(names).removesuffix(".__init__")


def _name(distribution: Distribution) -> str:
    """Return a distribution's name, plain; empty where its metadata are gone, for which the backport raises."""
    try:
        return _plain(distribution.metadata["Name"] or "")
    except FileNotFoundError:
        return ""


def _plain(name: str) -> str:
    """Return a project's name in the form that is the same for all its spellings."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _in(path: str, folder: str, separator: str = os.sep) -> bool:
    return path == folder or path.startswith(folder + separator)
