"""A wheel has all that the commands need, wherever it is unpacked."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import git, users_environment

ROOT = Path(__file__).parents[1]


@pytest.mark.end_to_end
def test_a_wheel_runs_each_command_in_an_empty_folder(tmp_path: Path) -> None:
    """Built as users build it; it has its licence, its types and the installed command, and neither tests nor suite."""
    source, built, wheel = tmp_path / "source", tmp_path / "built", tmp_path / "wheel"
    shutil.copytree(ROOT / "parabola", source / "parabola", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run(tmp_path, "-m", "build", "--wheel", "--outdir", str(built), str(source))
    (path,) = built.iterdir()
    with zipfile.ZipFile(path) as content:
        content.extractall(wheel)
        names = content.namelist()
        points = content.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "test_it.py").write_text("def test_it(benchmark):\n    benchmark(sum, range(1000))\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")

    assert points.split() == ["[console_scripts]", "parabola", "=", "parabola.__main__:main"]
    assert {"parabola/py.typed", *(f"parabola/report/page.{kind}" for kind in ("html.jinja", "css", "js"))} <= set(
        names
    )
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"parabola"}
    assert any(name.endswith("LICENSE") for name in names)
    where = run(folder, "-c", "import parabola; print(parabola.__file__)", wheel=wheel)
    assert Path(where.strip()) == wheel / "parabola/__init__.py"
    native = ("--engine", "native", "--batch-size", "27")  # TensorFlow's turn is with the map
    assert "pass: coefficient error" in run(folder, "-m", "parabola", "train", *native, wheel=wheel)
    small = ("--seeds", "2", "--epochs", "2", "--batch-sizes", "999", "--learning-rates", "0.1")
    assert "holds the map" in run(folder, "-m", "parabola", "map", *small, wheel=wheel)
    records = str(ROOT / "benchmarks/records")
    run(folder, "-m", "parabola", "report", records, "--html", "page.html", wheel=wheel)
    assert (folder / "page.html").stat().st_size > 100_000
    assert "control: " in run(folder, "-m", "parabola", "compare", "HEAD", "--budget", "3s", wheel=wheel)


def run(folder: Path, *arguments: str, wheel: Path | None = None) -> str:
    """Run Python in a folder, with what was unpacked from a wheel before everything else; return what it prints."""
    environment = {**users_environment(), **({"PYTHONPATH": str(wheel)} if wheel else {}), "PATH": os.environ["PATH"]}
    command = [sys.executable, *arguments]
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
