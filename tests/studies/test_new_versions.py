"""The handbook's comparison of two versions of TensorFlow: its command, and where its figures are quoted."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/new-versions.md").read_text(encoding="utf-8")
(COMMAND,) = re.findall(r"^parabola compare .*$", PAGE, flags=re.MULTILINE)


def row(case: str) -> list[str]:
    """Return the change and the ends of its interval of the only row that a case has in a table where it changed."""
    found = re.findall(
        rf"^\| {case} \|.* \| [−+]([\d.]+) % \| [−+]([\d.]+) to [−+]([\d.]+) % .* (?:slower|faster) \|$",
        PAGE,
        flags=re.M,
    )
    return list(found[0])


def test_the_readme_quotes_the_tables() -> None:
    """Each change with its interval, rounded where it says so."""
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    change, most, least = row("compiled, batch 1")
    assert f"`compiled` is {change} % ({least} to {most}) faster at batch size 1" in readme
    change, least, most = row("compiled, batch 999")
    assert f"{float(change):.0f} % ({least} to {most}) slower at 999" in readme


@pytest.mark.end_to_end
def test_the_command_compares_two_environments(tmp_path: Path) -> None:
    """With this Python in place of two installations, a test in place of all, and few epochs of `native` alone."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    words = shlex.split(COMMAND)
    for side in ("base", "head"):
        (place,) = [
            index for index, word in enumerate(words) if word.startswith(f"{side}=uv pip install -e . tensorflow")
        ]
        words[place - 1 : place + 1] = ["--python", f"{side}={sys.executable}"]
    words[words.index("--json") + 1] = str(tmp_path / "versions.json")
    words[words.index("--budget") + 1] = "6s"
    words[words.index("--setup") + 1] += " -k 'same_bits and native'"
    words[words.index("--epochs") + 1] = "9"
    words = [word for word in words if word not in ("compiled", "fused_fit")]
    while "--engine" in words[:-1] and words[words.index("--engine") + 1] != "native":
        del words[words.index("--engine")]
    command = [sys.executable, "-m", *words, "--batch-size", "111"]
    answer = subprocess.run(command, cwd=ROOT, env=users_environment(), capture_output=True, text=True, timeout=300)

    assert answer.returncode in (0, 1, 3, 4), answer.stdout + answer.stderr
    assert "what differs between the environments, base → head: nothing" in answer.stdout
    assert (tmp_path / "versions.json").exists()
