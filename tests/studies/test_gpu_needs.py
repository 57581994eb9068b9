"""What the study of a GPU needs: its list, and how it is held against what is installed before anything is imported."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from benchmarks.studies.gpu import __main__ as study
from benchmarks.studies.gpu import command, needs
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
# Of the package's own requirements, what TensorFlow's backend, pictures, pages, long histories and -n are made by.
LEFT_OUT = {"altair", "jinja", "pytest-xdist", "ruptures", "tensorflow", "vl-convert-python"}
FLOORS = (
    "keras 3.10, msgspec 0.19, numba 0.61, numpy 2, pytest 9, pytest-benchmark 5.3, rich 14.3, scipy 1.14, typer 0.28"
)


def test_it_has_the_packages_own_requirements_but_for_what_the_study_does_not_use() -> None:
    """Each line is a dependency of the package, word by word, and none but these are left out."""
    lines = [line for line in needs.REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]

    assert set(lines) <= set(whole)
    assert {re.split("[^a-z-]", requirement)[0] for requirement in set(whole) - set(lines)} == LEFT_OUT
    assert ", ".join(f"{need.name} {need.floor}" for need in needs.read(lines)) == FLOORS


def test_needs_are_read_from_lines() -> None:
    """A line is a name and the oldest version; comments and empty lines are none; another form is refused."""
    assert needs.read(["# all", "", "a-b>=1.2", "c>=3  # why"]) == [needs.Need("a-b", "1.2"), needs.Need("c", "3")]
    for line in ("keras", "keras>=3,<4", "keras[all]>=3", "keras>=3; python_version < '3.12'"):
        with pytest.raises(ValueError, match=r"^a requirement should be name>=version\. Received: "):
            needs.read([line])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("3.10.0", (3, 10)),
        ("3.10", (3, 10)),
        ("3", (3,)),
        ("0.27.0.0", (0, 27)),
        ("10.0rc1", (10,)),
        ("1.2+cu", (1, 2)),
    ],
)
def test_the_numbers_of_a_version(text: str, numbers: tuple[int, ...]) -> None:
    """They are compared as numbers, without zeros at the end; what a release candidate or a build adds is no number."""
    assert needs.release(text) == numbers


@pytest.mark.parametrize(
    ("words", "variable", "backend"),
    [
        ("folder --backend jax", None, "jax"),
        ("--backend=torch folder", "jax", "torch"),
        ("folder --minutes 8", "jax", "jax"),
        ("folder --backend", None, "tensorflow"),
        ("", None, "tensorflow"),
        ("--backend jax --help", None, ""),
    ],
)
def test_the_backend_that_is_asked_for(
    words: str, variable: str | None, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the option's, else the environment's, else the first; help needs none."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)

    assert needs.asked_backend(words.split()) == backend


def test_the_need_for_a_backend_is_pyprojects() -> None:
    """Each backend has its floor there; another name is no need, and is refused later."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    for name, lines in (("tensorflow", project["dependencies"]), *project["optional-dependencies"].items()):
        if name in ("tensorflow", "jax", "torch"):
            (need,) = needs.of_backend(name)
            assert f"{need.name}>={need.floor}" in lines
    assert needs.of_backend("theano") == needs.of_backend("keras") == needs.of_backend("") == []


@pytest.fixture(name="there")
def _there(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, list[str]]]:
    """Put made-up packages in the place of those that are installed: a version, and what each requires."""
    packages = {
        **{
            need.name: (f"{need.floor}.1", list[str]())
            for need in needs.read(needs.REQUIREMENTS.read_text().split("\n")[1:])
        },
        "jax": ("0.5", ["absent>=1"]),
    }

    def version(name: str) -> str:
        if name not in packages:
            raise PackageNotFoundError(name)
        return packages[name][0]

    monkeypatch.setattr(needs, "version", version)
    monkeypatch.setattr(needs, "requires", lambda name: packages[name][1] or None)
    return packages


def test_all_that_is_missing_or_too_old_is_named(there: dict[str, tuple[str, list[str]]]) -> None:
    """Each with what is there and what is needed, the backend too; what is new enough is not."""
    assert needs.lacking(["--backend", "jax"]) == []

    there["keras"] = ("3.9.2", [])
    there["jax"] = ("0.4.38", [])
    del there["numba"], there["typer"]
    assert needs.lacking(["--backend", "jax"]) == [
        "keras 3.9.2 is there, needed is 3.10 or newer",
        "numba is not installed, needed is 0.61 or newer",
        "typer is not installed, needed is 0.28 or newer",
        "jax 0.4.38 is there, needed is 0.5 or newer",
    ]
    assert needs.lacking(["--backend", "torch"])[-1] == "torch is not installed, needed is 2.5 or newer"
    assert needs.lacking(["--help"])[-1].startswith("typer ")


def test_what_packages_need_in_turn_is_held_too(
    there: dict[str, tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To any depth, for this Python, without extras; a bound from above counts, and the backend's own builds do not."""
    there["keras"] = ("3.15", ["h5py", "Ab_Sl>=2", 'tomli; python_version < "3"', 'pytest>99; extra == "test"'])
    there["ab-sl"] = there["Ab_Sl"] = ("2.5", ["deep", "keras"])
    there["numba"] = ("0.68", ["numpy<2.5,>=1.22", "llvmlite<0.51,>=0.50.0dev0"])
    there["numpy"] = ("2.5.1", [])
    there["llvmlite"] = ("0.50.0rc1", [])

    assert sorted(needs.lacking(["--backend=jax"])) == [
        "deep is not installed, and ab-sl needs it",
        "h5py is not installed, and keras needs it",
        "numpy 2.5.1 is there, and numba needs <2.5,>=1.22",
    ]
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    assert needs.lacking(["--backend=jax"]) == ["packaging is not installed, and pytest needs it"]


def test_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to stderr, and the exit code is 2; where nothing is missing the command begins."""
    begun = list[str]()
    monkeypatch.setattr(command, "start", lambda: begun.append("begun"))
    monkeypatch.setattr(needs, "lacking", lambda arguments: ["a 1 is there, needed is 2 or newer", "b is not there"])
    with pytest.raises(SystemExit) as ended:
        study.main()

    assert ended.value.code == 2
    assert capsys.readouterr() == (
        "",
        "python -m benchmarks.studies.gpu: this Python lacks what the study needs: a 1 is there, needed is 2 or newer; "
        "b is not there (docs/backends-and-devices.md says how to bring them there without a network)\n",
    )
    assert begun == []
    monkeypatch.setattr(needs, "lacking", lambda arguments: [])
    study.main()
    assert begun == ["begun"]


@pytest.mark.end_to_end
def test_a_python_without_any_package_is_told_in_the_first_second(tmp_path: Path) -> None:
    """Of a Python that sees no package one line names all of them with the backend, within a second of CPU time."""
    bare = [sys.executable, "-S", "-m", "benchmarks.studies.gpu", str(tmp_path / "records"), "--backend", "jax"]
    environment = {**users_environment(), "PYTHONPATH": ""}
    before = os.times()
    answer = subprocess.run(bare, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    after = os.times()

    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    named = re.findall(r"([a-z-]+) is not installed, needed is ([0-9.]+) or newer", answer.stderr)
    assert ", ".join(" ".join(pair) for pair in named) == f"{FLOORS}, jax 0.5"
    assert sum(after[2:4]) - sum(before[2:4]) < 1
    assert not (tmp_path / "records").exists()
