"""Sides that are measured with a Python of their own, for real: repositories of other layouts, without a network."""

import os
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.environments.differences import Difference, differences
from parabola.compare.environments.making import common_setup, make
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.start import Setup
from tests.conftest import git

ROOT = Path(__file__).parents[2]
Measure = Callable[..., tuple[Launch, Setup]]
CASE = "tests/test_it.py::test_it"
SUITE = {
    "tests/test_it.py": """
import mylib
def test_it(benchmark):
    benchmark.pedantic(mylib.work, rounds=6)
    benchmark.extra_info.update(file=mylib.__file__, times=mylib.dep.TIMES)
""",
    "src/mylib/__init__.py": "import dep\ndef work():\n    return sum(i * i for i in range(30_000 * dep.TIMES))\n",
    "pyproject.toml": """
[build-system]
requires = []
backend-path = ["."]
build-backend = "building"
[project]
name = "mylib"
""",
    "building.py": """
import pathlib, zipfile
NAME = "mylib-1.0-py3-none-any.whl"
def build(folder, files):
    with zipfile.ZipFile(pathlib.Path(folder, NAME), "w") as wheel:
        wheel.writestr("mylib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: mylib\\nVersion: 1.0\\n")
        wheel.writestr("mylib-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr("mylib-1.0.dist-info/RECORD", "".join(f"{name},,\\n" for name in wheel.namelist()))
    return NAME
def build_wheel(folder, settings=None, metadata=None):
    return build(folder, {"mylib/__init__.py": pathlib.Path("src/mylib/__init__.py").read_text()})
def build_editable(folder, settings=None, metadata=None):
    return build(folder, {"mylib.pth": str(pathlib.Path("src").absolute())})
""",
}
FAST = """
#include <Python.h>
static PyObject *work(PyObject *self, PyObject *none) { return PyLong_FromLong(7); }
static PyMethodDef methods[] = {{"work", work, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", "", -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""
BUILD = """
import subprocess, sysconfig
name = "mylib/_fast" + sysconfig.get_config_var("EXT_SUFFIX")
include = sysconfig.get_path("include")
subprocess.run(["cc", "-shared", "-fPIC", f"-I{include}", "-o", name, "mylib/_fast.c"], check=True)
open("mylib/_version.py", "w").write("VERSION = '1.5'")
"""


def wheel_of_dep(folder: Path, version: str, times: int) -> Path:
    """Write a package whose only module says how many times as much is to be done."""
    path = folder / f"dep-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("dep.py", f"TIMES = {times}\n")
        wheel.writestr(f"dep-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: dep\nVersion: {version}\n")
        wheel.writestr(
            f"dep-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"dep-{version}.dist-info/RECORD", "")
    return path


@pytest.fixture
def borrow(tmp_path: Path) -> str:
    """Return a command that lets an environment have what this one has: pytest and pytest-benchmark, without a net."""
    script = tmp_path / "borrow.py"
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    script.write_text(
        "import pathlib, sysconfig\n"
        f"pathlib.Path(sysconfig.get_path('purelib'), 'borrowed.pth').write_text({chr(10).join(here)!r})\n"
    )
    return f"python {shlex.quote(str(script))}"


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Return what measures a repository of such files once, of which both sides are the one commit."""

    def run(files: dict[str, str], **options: Any) -> tuple[Launch, Setup]:
        folder = tmp_path / "project"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "first")
        monkeypatch.setenv("UV_OFFLINE", "1")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.delenv("PYTHONPATH", raising=False)
        repository, asked = Repository.find(folder), Options("main", "main", **options)
        with repository.checkouts("main", "main") as (base, head, scratch):
            setup = make(common_setup(asked, repository, (base, head), scratch), asked, lambda doing: None)
            launch = Launch(setup, 0, [], None)
            launch.run()
        return launch, setup

    return run


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
def test_other_versions_of_a_dependency_a_side(measure: Measure, borrow: str, tmp_path: Path) -> None:
    """A doubled time is that of the newer one, and the one difference; an editable project is measured, and a copy."""
    one, two = (wheel_of_dep(tmp_path, version, times) for version, times in (("1.0", 1), ("2.0", 2)))
    pip = f"{borrow} && pip install -q --no-deps"
    install = BySide(f"{pip} {one} -e .", f"{pip} {two} .")
    launch, setup = measure(SUITE, install=install)
    assert setup.environments is not None

    assert launch.measured[CASE].log_ratio > 0.2
    assert differences(setup.environments, install) == [Difference("dep", "1.0", "2.0")]
    assert [setup.environments.base.copied, setup.environments.head.copied] == [False, True]
    files = launch.measured[CASE].extra_info
    assert files.base == {"file": f"{setup.base.top}/src/mylib/__init__.py", "times": 1}
    assert files.head["times"] == 2
    assert files.head["file"].startswith(f"{setup.scratch}/environments/head/lib/")
    assert not setup.scratch.exists()


@pytest.mark.end_to_end
def test_a_python_that_is_there_a_side(measure: Measure, tmp_path: Path) -> None:
    """Each has its own packages and the checkout's code; a copy of an index's under the project's name is refused."""
    pythons = list[str]()
    for name, times in (("old", 1), ("new", 2)):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / name)], check=True)
        (site,) = (tmp_path / name).glob("lib/python*/site-packages")
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
        with zipfile.ZipFile(wheel_of_dep(tmp_path, f"{times}.0", times)) as wheel:
            wheel.extractall(site)
        pythons.append(str(tmp_path / name / "bin/python"))
    flat = {**SUITE, "mylib.py": SUITE["src/mylib/__init__.py"]}
    del flat["src/mylib/__init__.py"]
    launch, setup = measure(flat, python=BySide(*pythons))
    assert setup.environments is not None

    assert launch.measured[CASE].log_ratio > 0.2
    assert launch.measured[CASE].extra_info == BySide(
        {"file": f"{setup.base.top}/mylib.py", "times": 1}, {"file": f"{setup.head.top}/mylib.py", "times": 2}
    )
    assert differences(setup.environments, BySide("", "")) == [Difference("dep", "1.0", "2.0")]

    (site / "mylib-1.0.dist-info").mkdir()
    (site / "mylib-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: mylib\nVersion: 1.0\n")
    (site / "mylib-1.0.dist-info/RECORD").write_text("mylib.py,,\n")
    (site / "mylib.py").write_text("work = int")
    (tmp_path / "project/lib").mkdir()
    git(tmp_path / "project", "mv", "mylib.py", "lib/mylib.py")
    with pytest.raises(SideFailed, match=r"base imported mylib from .*/new/lib/.*/mylib.py, not from its own tree; "):
        measure({}, python=BySide(pythons[1], pythons[1]))


@pytest.mark.end_to_end
def test_a_compiled_extension_and_a_generated_file(measure: Measure, tmp_path: Path) -> None:
    """--setup makes both in each checkout, where git ignores them; without it the fallback would be measured."""
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("no headers of Python")
    files = {
        "mylib/__init__.py": "try:\n    from ._fast import work\nexcept ImportError:\n    work = dict\n",
        "mylib/_fast.c": FAST,
        "build.py": BUILD,
        ".gitignore": "*.so\n_version.py\n",
        "tests/test_it.py": """
import mylib
from mylib._version import VERSION
def test_it(benchmark):
    assert benchmark.pedantic(mylib.work, rounds=2) == 7
    benchmark.extra_info["version"] = VERSION
""",
    }
    command = f"{shlex.quote(sys.executable)} build.py"
    launch, setup = measure(files, setup=BySide(command, command))

    assert launch.measured[CASE].extra_info == BySide({"version": "1.5"}, {"version": "1.5"})
    assert setup.environments is None


@pytest.mark.end_to_end
def test_sigterm_while_an_environment_is_filled(project: Callable[..., Path], tmp_path: Path) -> None:
    """Exit code 143; what was started, in the background as well, is gone, and so is the environment."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    folder, seconds = project(), "86399.5"
    command = [sys.executable, "-m", "parabola", "compare", "main", "--setup", f"sleep {seconds} & sleep {seconds}"]
    variables = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not list(temporary.glob("*/environments/base.log")) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 143, said
    assert "interrupted: only what was measured until then is here" in said
    assert list(temporary.iterdir()) == []
    assert seconds not in subprocess.check_output(["ps", "-eo", "args"], text=True)


@pytest.mark.end_to_end
def test_a_command_that_fails_ends_the_comparison(project: Callable[..., Path]) -> None:
    """Exit code 5, with its last lines, and which side it was of; nothing is measured."""
    command = [
        sys.executable,
        "-m",
        "parabola",
        "compare",
        "main",
        "--setup",
        "head=echo make; echo no rule >&2; exit 3",
    ]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, cwd=project(), env=variables, capture_output=True, text=True, timeout=60)

    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert "  make\n  no rule\n" in answer.stdout
    assert answer.stdout.endswith("\nfailed: head: --setup ended with exit code 3: no rule (no case was measured)\n")
