"""A doubled time planted in repositories of every layout, compared for real: it is slower, and nothing else is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from parabola.compare import session
from parabola.compare.conclusion import conclude
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from tests.conftest import FEW_PLUGINS, git

ROOT = Path(__file__).parents[2]
CODE = "def work():\n    return sum(i * i for i in range({} * 20_000))\n"
TEST = "import {0}\ndef test_it(benchmark):\n    benchmark.pedantic({0}.work, rounds=8)\n"
SETUP = "cp mylib/version.in mylib/_version.py"

LAYOUTS: dict[str, tuple[str, str, dict[str, str], str]] = {  # the code's file, its module, further files, the folder
    "a single module": ("mylib.py", "mylib", {}, ""),
    "python/": ("python/mylib/__init__.py", "mylib", {}, ""),
    "a namespace package": ("src/space/mylib/__init__.py", "space.mylib", {}, ""),
    "flat, with tests in a sub-folder": (
        "mylib/core.py",
        "mylib.core",
        {"mylib/__init__.py": "", "mylib/tests/conftest.py": "import mylib", "mylib/tests/unit/pytest.ini": "[pytest]"},
        "mylib/tests/unit",
    ),
    "a generated file": (
        "mylib/version.in",
        "mylib",
        {"mylib/__init__.py": "from ._version import work", ".gitignore": "_version.py"},
        "",
    ),
    "a submodule": ("vendor/mylib.py", "vendor.mylib", {}, ""),
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "another")


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins", "less_sure")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_doubled_time_is_slower(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the exit code is 1, between two commits of a repository of that layout."""
    code, module, files, tests = LAYOUTS[layout]
    folder = tmp_path / "project"
    inner = folder / "vendor" if layout == "a submodule" else folder
    for made in dict.fromkeys((folder, inner)):
        made.mkdir()
        git(made, "init", "--quiet", "--initial-branch=main")
    for times in (1, 2):
        write(folder, {**files, code: CODE.format(times), f"{tests}/test_it.py".strip("/"): TEST.format(module)})
        if inner != folder:
            commit(inner)
        commit(folder)
    monkeypatch.chdir(folder / tests)
    if layout == "python/":
        monkeypatch.syspath_prepend(folder / "python")
    made_by = SETUP if layout == "a generated file" else ""
    options = Options("main~1", "main", budget_seconds=90.0, minimum_effect=0.5, setup=BySide(made_by, made_by))
    comparison = conclude(session.compare(options, Path.cwd()), options)

    assert (comparison.ended, comparison.why, comparison.output) == ("decided", "", [])
    assert [(case.case, case.verdict) for case in comparison.cases] == [("test_it.py::test_it", "slower")]
    assert comparison.verdict.exit_code == 1
    assert [note for note in comparison.missing if "quota" not in note] == []


SUITE = """
import mylib
from mylib import {names}
def test_edited(benchmark):
    benchmark.pedantic(lambda: {work}, rounds=8)
def test_left_alone(benchmark):
    benchmark.pedantic(mylib.work, rounds=8)
"""
HARNESS = {
    "tests/test_a.py": SUITE.format(names="work", work="[mylib.work(), mylib.work()]"),
    "tests/test_new.py": SUITE.format(names="walk", work="walk()"),
    "tests/deep/conftest.py": "from mylib import walk\n",
    "tests/deep/test_deep.py": SUITE.format(names="work", work="mylib.work()"),
}


@pytest.fixture(name="edited")
def _edited(tmp_path: Path) -> Path:
    """A repository whose working tree has another harness, new code that this needs, and a doubled time."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    deep = {"tests/deep/conftest.py": "", "tests/deep/test_deep.py": HARNESS["tests/deep/test_deep.py"]}
    write(
        folder, {"mylib.py": CODE.format(1), "tests/test_a.py": SUITE.format(names="work", work="mylib.work()"), **deep}
    )
    commit(folder)
    write(folder, {"mylib.py": CODE.format(2) + "walk = work\n", **HARNESS})
    return folder


def compare(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user does, until what is slower is found."""
    command = [sys.executable, "-m", "parabola", "compare", "main", "--budget", "90s", "--minimum-effect", "50%"]
    variables = {**os.environ, **FEW_PLUGINS, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        [*command, *options], cwd=folder, env=variables, capture_output=True, text=True, timeout=240
    )
    assert answer.stderr == ""
    return answer


@pytest.mark.end_to_end
def test_an_edited_harness_measures_other_work(edited: Path, tmp_path: Path) -> None:
    """Its case alone is marked, with its change; a case of the same file that was left alone is slower: exit code 1."""
    answer = compare(edited, "--json", str(tmp_path / "a.json"), "--case", "test_a.py", "--case", "deep")
    cases = {case["case"].rpartition("/")[2]: case for case in json.loads((tmp_path / "a.json").read_text())["cases"]}
    other = cases["test_a.py::test_edited"]

    assert answer.returncode == 1, answer.stdout
    assert {name: case["verdict"] for name, case in cases.items()} == {
        "test_a.py::test_edited": "measures other work", "test_a.py::test_left_alone": "slower",
        "test_deep.py::test_edited": "measures other work", "test_deep.py::test_left_alone": "measures other work",
    }  # fmt: skip
    assert other["low"] > 1.5
    assert (
        "a.py::test_edited: measures other work: base and head differ in tests/test_a.py; --harness " in answer.stdout
    )
    assert answer.stdout.endswith("\nslower: 1 slower, 3 measures other work\n")


@pytest.mark.end_to_end
def test_heads_harness_laid_over_base(edited: Path, tmp_path: Path) -> None:
    """Both sides measure the same; what base cannot run is said of these cases alone, and the doubled time is found."""
    answer = compare(edited, "--json", str(tmp_path / "a.json"), "--harness", "tests")
    record = json.loads((tmp_path / "a.json").read_text())
    cases = {case["case"].rpartition("/")[2]: (case["verdict"], case["reason"]) for case in record["cases"]}
    lacks = "ImportError: cannot import name 'walk' from 'mylib'"
    cannot = f"base cannot run head's harness: could not collect tests/{{}}: {lacks}"
    lost = [f"test_{file}.py::test_{name}" for file in ("new", "deep") for name in ("edited", "left_alone")]

    assert answer.returncode == 1, answer.stdout
    assert {name: verdict for name, (verdict, _) in cases.items()} == {
        "test_a.py::test_edited": "slower", "test_a.py::test_left_alone": "slower",
        **dict.fromkeys(lost, "not measured"),
    }  # fmt: skip
    assert cases["test_new.py::test_edited"][1].startswith(cannot.format("test_new.py"))
    assert cases["test_deep.py::test_edited"][1].startswith(cannot.format("deep"))
    assert record["options"]["harness"] == ["tests"]
    assert "\nhead's harness was laid over base: tests\n" in answer.stdout
