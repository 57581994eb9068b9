"""The light installation: what compare and report need, without TensorFlow, Keras and Numba."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import git, users_environment

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "requirements-light.txt"
PAGE = (ROOT / "docs/your-own-suite.md").read_text(encoding="utf-8")
TRAINS = {"keras", "numba", "pytest-xdist", "tensorflow"}  # what the suite and `train` need besides
MOST_MEBIBYTES, MOST_SECONDS, MOST_HELP_SECONDS = 400, 60, 0.4
SUITE = "def test_it(benchmark):\n    benchmark.pedantic(sum, (range(1000),), rounds=5)\n"


def test_it_has_the_packages_own_requirements_but_for_what_trains() -> None:
    """Each line is a dependency of the package, word by word, and none but those that train are left out."""
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    left_out = set(whole) - set(lines)

    assert set(lines) <= set(whole)
    assert {re.split("[^a-z-]", requirement)[0] for requirement in left_out} == TRAINS


@pytest.mark.end_to_end
def test_the_pages_two_commands_install_what_compare_and_report_need(tmp_path: Path) -> None:
    """In a fresh environment, within its bounds of size and CPU time; train says in one line what it lacks."""
    source, suite, environment = tmp_path / "source", tmp_path / "suite", tmp_path / "environment"
    shutil.copytree(ROOT / "parabola", source / "parabola", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", REQUIREMENTS.name):
        shutil.copy(ROOT / name, source)
    suite.mkdir()
    (suite / "test_it.py").write_text(SUITE)
    git(suite, "init", "--quiet", "--initial-branch=main")
    git(suite, "add", "--all")
    git(suite, "commit", "--quiet", "--message", "first")
    commands = re.findall(r"^(pip install .*)$", PAGE, flags=re.MULTILINE)

    def run(command: str, folder: Path = suite) -> tuple[float, subprocess.CompletedProcess[str]]:
        """Run a command of the environment; return its CPU seconds, as what else the machine does is no matter."""
        before = os.times()
        path = f"{environment}/bin:/usr/bin:/bin"
        given = {**users_environment(), "PATH": path, "PARABOLA": str(source), "PYTHONPATH": ""}
        answer = subprocess.run(command, shell=True, cwd=folder, env=given, capture_output=True, text=True, timeout=300)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4]), answer

    made = run(f"{sys.executable} -m venv {environment}")[1]
    assert made.returncode == 0, made.stderr
    installed = [run(command) for command in commands]
    assert [answer.returncode for _, answer in installed] == [0, 0], installed
    size = sum(path.lstat().st_size for path in environment.rglob("*")) / 2**20
    run("parabola compare --help")  # whatever is made at the first use
    help_seconds, help_text = run("parabola compare --help")
    compared = run("parabola compare main --budget 3s --json a.json")[1]
    reported = run(f"parabola report {ROOT / 'benchmarks/records'} --html a.html --markdown a.md")[1]
    trained = run("parabola train")[1]

    assert len(commands) == 2
    assert size < MOST_MEBIBYTES
    assert sum(seconds for seconds, _ in installed) < MOST_SECONDS
    assert help_seconds < MOST_HELP_SECONDS
    assert "Did a change make it slower?" in help_text.stdout
    assert "control: " in compared.stdout, compared.stdout + compared.stderr
    assert reported.returncode == 0, reported.stdout + reported.stderr
    assert {"a.json", "a.html", "a.md"} <= {path.name for path in suite.iterdir()}
    assert (trained.returncode, trained.stdout) == (2, "")
    assert trained.stderr == "python -m parabola: backend tensorflow is not installed: pip install -e .\n"
    print(f"the light installation: {size:.0f} MiB, {sum(seconds for seconds, _ in installed):.0f} s of CPU time")
