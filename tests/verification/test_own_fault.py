"""The handbook's page on verification lets readers plant a fault of their own: as it is typed there."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs/verification.md").read_text().split("## Plant a fault of your own\n")[1].split("\n## ")[0]
BLOCKS = dict(re.findall(r"^```(\w+)\n(.*?)^```", SECTION, flags=re.MULTILINE | re.DOTALL))


def test_the_page_has_a_file_and_a_command() -> None:
    """The file has a few lines, and the command loads it by its name."""
    (command,) = BLOCKS["sh"].splitlines()

    assert "`plant.py`" in SECTION
    assert " -p plant " in command
    assert len(BLOCKS["python"].splitlines()) < 9


@pytest.mark.end_to_end
def test_a_readers_fault_has_no_time(tmp_path: Path) -> None:
    """The suite ends with 1, and says in one line of its summary what is wrong; only the other case has a time."""
    for name in ("benchmarks", "parabola"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "plant.py").write_text(BLOCKS["python"])
    program, *arguments = shlex.split(BLOCKS["sh"])
    assert program == "python"
    command = [sys.executable, *arguments, "--benchmark-json=record.json", "--rounds=2", "--epochs=40"]
    answer = subprocess.run(command, cwd=tmp_path, env=users_environment(), capture_output=True, text=True, timeout=300)
    summary = answer.stdout.split("short test summary info")[1].splitlines()
    (failed,) = [line for line in summary if line.startswith("FAILED ")]
    wrong, right = (
        f"bench_epoch_time[{engine}-cpu-batch_111-learning_rate_0.001]" for engine in ("native", "compiled")
    )

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert re.search(
        r"native on cpu:0 \(\w+\), batch size 111, learning rate 0.001, .* seed 7: after epoch 1 weight \d of 4", failed
    )
    assert " Repeat: pytest benchmarks/bench_epoch_time.py --benchmark-only --engine native " in failed
    (refused,) = [line for line in answer.stdout.splitlines() if line.startswith("refused: ")]
    assert refused.removeprefix("refused: ") in failed
    timed = [line.split()[0] for line in answer.stdout.splitlines() if re.match(r"bench_epoch_time\[", line)]
    assert timed == [right]
    assert wrong in failed
    (headings,) = [line.split() for line in answer.stdout.splitlines() if "batch size   learning rate" in line]
    assert headings[4:] == ["compiled", "cpu"]
    assert [benchmark["name"] for benchmark in json.loads((tmp_path / "record.json").read_text())["benchmarks"]] == [
        right
    ]
