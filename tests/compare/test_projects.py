"""By which names a checkout's own projects may be installed: what its files say, and not those of its test data."""

from pathlib import Path

import pytest

from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.projects import module_names, own_names, project_names
from tests.conftest import git

FILES = {
    "pyproject.toml": '[project]\nname = "top.toml"\n[tool.poetry]\nname = "top-poetry"\n',
    "setup.cfg": "[metadata]\nname = top-cfg\nversion = %(broken)s\n",
    "setup.py": 'import setuptools\nsetuptools.setup(version="1", name="top-py")\n',
    "python/pyproject.toml": '[project]\nname = "in-a-folder"\n',
    "deep/er/est/setup.cfg": "[metadata]\nname = where-pytest-runs\n",
    "deep/er/pyproject.toml": '[project]\nname = "on-the-way"\n',
    "tests/data/pyproject.toml": '[project]\nname = "numpy"\n',
}
ODD = {
    "pyproject.toml": [
        "",
        "no toml",
        "[project]\n",
        "[project]\nname = 5\n",
        "project = 7\n",
        "[tool]\npoetry = 1\n",
        "tool = 1\n",
    ],
    "setup.cfg": ["", "no section", "[metadata]\n"],
    "setup.py": ["", "setup(", "setup(name=NAME)", "\0"],
}


def side(top: Path, folder: str = "") -> Checkout:
    return Checkout("head", "main", "c" * 40, "first", top, top / folder)


def test_names_that_projects_give_themselves(tmp_path: Path) -> None:
    """Those in the top and its folders, and on the way to where pytest runs, each once."""
    for name, text in FILES.items():
        (tmp_path / "head" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "head" / name).write_text(text)
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = beside-the-checkout\n")

    own = ["top.toml", "top-poetry", "top-cfg", "top-py", "in-a-folder"]
    assert project_names(side(tmp_path / "head")) == own
    assert project_names(side(tmp_path / "head", "deep/er/est")) == [*own, "where-pytest-runs", "on-the-way"]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ODD.items() for text in texts])
def test_files_without_a_name(name: str, text: str, tmp_path: Path) -> None:
    """Give none, whatever is in them."""
    (tmp_path / name).write_text(text)

    assert project_names(side(tmp_path)) == []


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    """Gives none, nor does a folder of its name."""
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "setup.py").mkdir()

    assert project_names(side(tmp_path)) == []


def test_names_of_modules(tmp_path: Path) -> None:
    """Packages and modules that are in no package, wherever they are; none that Python has, and none that git lacks."""
    git(tmp_path, "init", "--quiet")
    tracked = (
        *("python/mylib/__init__.py", "python/mylib/core.py", "python/mylib/inner/__init__.py", "lib/single.py"),
        *("python/space/part.py", "tests/numpy/__init__.py", "setup.py", "tests/json/__init__.py", "lib/code.py"),
        *("__main__.py", "tests/sitecustomize.py", "usercustomize.py", "data/table.csv", "a.b/c.py"),
    )
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    git(tmp_path, "add", "--all")
    (tmp_path / "untracked.py").touch()

    modules = ["c", "mylib", "numpy", "part", "setup", "single"]
    assert module_names(side(tmp_path)) == modules
    assert own_names(side(tmp_path)) == {"projects": [], "modules": modules}
    (tmp_path / "__init__.py").touch()
    git(tmp_path, "add", "__init__.py")
    assert "setup" not in module_names(side(tmp_path))
