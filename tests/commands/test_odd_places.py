"""Odd places: another folder, blanks and umlauts, a folder that is gone, a checkout that is read-only."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.test_door import MAP, REPORT, ROOT, TRAIN, check_told, environment
from tests.commands.test_every_kind import heed_modes

SUITE = ["-q", "-p", "no:cacheprovider", "-k", "epoch_time", "--engine", "native", "--batch-size", "999"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout at a path with blanks and umlauts."""
    folder = tmp_path / "än odd  plåce"
    for name in ("parabola", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "records"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.end_to_end
@pytest.mark.parametrize("options", [["-n", "2"], ["--benchmark-only", "--epochs", "20", "--rounds", "3"]])
@pytest.mark.parametrize("read_only", [False, True])
def test_the_suite_runs_from_another_folder(
    options: list[str], read_only: bool, checkout: Path, tmp_path: Path
) -> None:
    """It is found by its path, whatever that is, by all of xdist's processes, and writes nothing there."""
    before = sorted(checkout.rglob("*"))
    if read_only:
        for path in [checkout, *before]:
            path.chmod(path.stat().st_mode & ~0o222)
    command = [sys.executable, "-m", "pytest", str(checkout / "benchmarks"), *SUITE, *options]
    given = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    given["PYTHONDONTWRITEBYTECODE"] = "1"  # unlike -B it reaches xdist's processes, too
    answer = subprocess.run(
        command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=120, preexec_fn=heed_modes
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert " passed" in answer.stdout
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("typed", "codes", "line"),
    [
        (TRAIN, (8,), "No such file or directory"),
        (f"{TRAIN} --plot a.svg", (2,), "cannot write a.svg: No such file or directory"),
        (f"{REPORT} --html a.html", (2,), "cannot write a.html: No such file or directory"),
        (MAP, (2,), "cannot write learning_map.json: No such file or directory"),
        ("compare main", (2, 8), "No such file or directory"),
        (f"keep {ROOT}/pyproject.toml records", (2, 8), ""),
    ],
)
def test_a_folder_that_is_gone(typed: str, codes: tuple[int, ...], line: str, tmp_path: Path) -> None:
    """Every command says in one line that there is none."""
    command = f"mkdir gone; cd gone; rmdir ../gone; {sys.executable} -m parabola {typed}"
    check_told(command, codes, line, tmp_path)
