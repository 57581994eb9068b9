"""The handbook's examples of a suite of one's own: their files, their commands, and what these come to."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FEW_PLUGINS, users_environment

PAGE = (Path(__file__).parents[2] / "docs/your-own-suite.md").read_text(encoding="utf-8")
FILES = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS, *STEPS = re.findall(r"^```sh\n(git init .*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
PRINTED = re.findall(r"^```text\n(base HEAD .*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)[-5:]


def typed(commands: str, folder: Path, options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Return what commands of the page come to in a folder, with this repository's parabola, options and variables."""
    shell = commands.replace("parabola compare HEAD", f"{sys.executable} -m parabola compare HEAD {options}")
    own = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    environment = {**users_environment(), **dict.fromkeys(own, "nobody@example.org"), **variables}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.getenv("PYTHONPATH")]))
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell], cwd=folder, env=environment, capture_output=True, text=True
    )


@pytest.mark.end_to_end
def test_the_example_of_a_suite_of_ones_own(tmp_path: Path) -> None:
    """Typed as written, but that 20 % are the same: the function that was changed is slower, the other is not."""
    for name, content in FILES:
        (tmp_path / name).write_text(content)
    answer = typed(COMMANDS, tmp_path, "--budget 3m --minimum-effect 20%", **FEW_PLUGINS)

    assert [name for name, _ in FILES] == ["words.py", "test_words.py"]
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert re.search(r"test_count .* slower", answer.stdout)
    assert not re.search(r"test_longest .* (slower|faster)", answer.stdout)


@pytest.mark.end_to_end
@pytest.mark.parametrize("step", range(1, 5), ids=["compiled", "addopts", "database", "monorepo"])
def test_the_steps_in_other_kinds_of_suite(step: int, tmp_path: Path) -> None:
    """Typed as written, each measures the case that the page shows, on both sides; nothing is given up."""
    (case,) = re.findall(r"^  (test_\w+) ", PRINTED[step], flags=re.MULTILINE)
    answer = typed(STEPS[step], tmp_path, "--budget 8s")

    assert len(STEPS) == len(PRINTED) == 5
    assert answer.returncode in (0, 1, 4), answer.stdout + answer.stderr
    assert re.search(rf"^  {case} +\d\S* [nµm]?s +\d.* (slower|inconclusive)", answer.stdout, flags=re.MULTILINE)
    assert ("what came before the first launch took" in answer.stdout) == ("--setup" in STEPS[step])
    assert "part of the suite were given up" not in answer.stdout


@pytest.mark.end_to_end
@pytest.mark.skipif(not shutil.which("uv"), reason="no uv here")
def test_the_step_with_uv(tmp_path: Path) -> None:
    """Each side's environment is filled from its commit's lock file, and nothing differs between them."""
    answer = typed(STEPS[0], tmp_path, "--budget 5s")

    assert answer.returncode in (0, 1, 4), answer.stdout + answer.stderr
    assert re.search(
        r"^what differs between the environments, base → head: nothing, of \d+ packages$", answer.stdout, re.M
    )
