"""Which names are a checkout's own: those of its projects, and those of its modules."""

import ast
import configparser
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.working_tree import listed

PYTHONS = {*sys.stdlib_module_names, "__main__", "sitecustomize", "usercustomize"}  # which Python imports by itself


def own_names(checkout: Checkout) -> dict[str, list[str]]:
    """Return the names of a checkout's "projects" and "modules"."""
    return {"projects": project_names(checkout), "modules": module_names(checkout)}


def project_names(checkout: Checkout) -> list[str]:
    """Return the names that a checkout's pyproject.toml, setup.cfg and setup.py give to projects.

    They are looked for in its top and in the folders there, and from the folder that pytest runs in up to the top: not
    everywhere, as a tree may have projects of other names among its test data.
    """
    top = checkout.top
    within = [folder for folder in checkout.folder.parents if folder.is_relative_to(top)]
    folders = [top, *sorted(top.iterdir()), checkout.folder, *within]
    return [*dict.fromkeys(name for folder in folders for name in _names(folder))]


def module_names(checkout: Checkout) -> list[str]:
    """Return the names of a checkout's modules and packages that are in no package, but for those that Python has."""
    files = [PurePosixPath(path) for path in listed(checkout.top, "*.py")]
    packages = {path.parent for path in files if path.name == "__init__.py"}
    names = {package.name for package in packages if package.parent not in packages}
    names |= {path.stem for path in files if path.parent not in packages}
    return sorted(names - {"", *PYTHONS})


def _names(folder: Path) -> Iterator[str]:
    """Yield the names that the files of a folder give; of files that are not there or cannot be read, none."""
    with suppress(OSError, ValueError, AttributeError):
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        for table in (content.get("project"), content.get("tool", {}).get("poetry")):
            if isinstance(table, dict) and isinstance(table.get("name"), str):
                yield table["name"]
    with suppress(OSError, ValueError, KeyError, configparser.Error):
        parser = configparser.RawConfigParser()
        parser.read_string((folder / "setup.cfg").read_text(encoding="utf-8"))
        yield parser["metadata"]["name"]
    with suppress(OSError, ValueError, SyntaxError):
        for node in ast.walk(ast.parse((folder / "setup.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "name" and isinstance(node.value, ast.Constant):
                yield str(node.value.value)
