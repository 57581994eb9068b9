"""Repositories of other layouts, compared for real: code from elsewhere is found out, and what is missing is told."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.projects import own_names
from parabola.compare.sides.start import Setup
from tests.conftest import git

ROOT = Path(__file__).parents[2]
TEST = "import {0}\ndef test_it(benchmark):\n    benchmark.pedantic({0}.work, rounds=2)\n"
CODE = "def work():\n    return sum(range(1000))\n"
PROJECT = '[project]\nname = "My.Lib"\nversion = "2"\n'
INSTALLED = {"my_lib-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: my-lib\nVersion: 1\n"}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Launch]:
    """Return what measures a repository of such files once, with others on the path that belong to no repository."""

    def run(files: dict[str, str], elsewhere: dict[str, str], within: str = "", **changes: Any) -> Launch:
        folder = tmp_path / "project"
        write(folder, files)
        write(tmp_path / "elsewhere", elsewhere)
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "first")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
        repository = Repository.find(folder / within)
        with repository.checkouts("main", None) as (base, head, scratch):
            names = BySide(own_names(base), own_names(head))
            made = Launch(Setup(base, head, scratch, folder, own_names=names, **changes), 0, [], None)
            made.run()
        return made

    return run


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
@pytest.mark.parametrize(
    ("files", "elsewhere", "within", "stranger"),
    [
        (  # an old release is installed, and the project's own folder is not on the path
            {"python/mylib/__init__.py": CODE, "python/pyproject.toml": PROJECT, "test_it.py": TEST.format("mylib")},
            {"mylib/__init__.py": CODE, "my_lib-1.dist-info/RECORD": "mylib/__init__.py,,\n", **INSTALLED},
            "",
            "mylib from {}/mylib/__init__.py",
        ),
        (  # a module that is one file; pytest's root is the folder of the tests, and nothing is known of installations
            {"lib/mylib.py": CODE, "tests/pytest.ini": "[pytest]\n", "tests/test_it.py": TEST.format("mylib")},
            {"mylib.py": CODE},
            "tests",
            "mylib from {}/mylib.py",
        ),
        (  # a namespace that others contribute to
            {"pyproject.toml": PROJECT, "python/space/mylib.py": CODE, "test_it.py": TEST.format("space.mylib")},
            {"space/mylib.py": CODE, "my_lib-1.dist-info/RECORD": "space/mylib.py,,\n", **INSTALLED},
            "",
            "space.mylib from {}/space/mylib.py",
        ),
    ],
    ids=["a folder of its own", "a single file", "a namespace"],
)
def test_code_from_elsewhere_is_not_compared(
    files: dict[str, str],
    elsewhere: dict[str, str],
    within: str,
    stranger: str,
    launch: Callable[..., Launch],
    tmp_path: Path,
) -> None:
    """Before anything is measured, the module is named with the file that it came from."""
    with pytest.raises(SideFailed) as failure:
        launch(files, elsewhere, within)

    assert str(failure.value).startswith(f"base imported {stranger.format(tmp_path / 'elsewhere')}, not from its own ")


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
def test_names_that_only_tests_have_and_names_that_are_allowed(launch: Callable[..., Launch]) -> None:
    """A folder of tests called numpy makes numpy no stranger; nor is what the user allows."""
    files = {
        "tests/__init__.py": "", "tests/numpy/__init__.py": "", "python/mylib.py": CODE,
        "tests/test_it.py": "import numpy\n" + TEST.format("mylib"),
    }  # fmt: skip

    made = launch(files, {"mylib.py": CODE}, allowed=["mylib"])
    assert made.finished
    assert list(made.measured) == ["control", "tests/test_it.py::test_it"]


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
def test_checkouts_make_what_they_lack(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--setup makes ignored modules, and others are told; strings hash alike on both sides; noise left is shown."""
    suite = """
import _version, thing
def test_it(benchmark):
    benchmark.pedantic(thing.work, rounds=4)
    benchmark.extra_info["coefficient_error"] = hash("text") % 10**6
"""
    folder = project(test_it=suite)
    write(folder, {".gitignore": "_*.py\n", "src/_version.py": "", "src/_other.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    command = [sys.executable, "-m", "parabola", "compare", "main", "--budget", "20s", "--minimum-effect", "90%"]
    options = ("--setup", "touch src/_version.py", "--json", str(tmp_path / "a.json"))
    answer = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, timeout=120)
    (case,) = json.loads((tmp_path / "a.json").read_text())["cases"]

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "not in the checkouts, as git ignores them: src/_other.py; what imports them fails or" in answer.stdout
    assert "noise that is left: " in answer.stdout
    assert case["coefficient_error"]["base"] == case["coefficient_error"]["head"] is not None
    assert case["launch_spread"] > 0
