"""The handbook's example of a suite of one's own: its two files, its three commands, and its verdict."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import users_environment

PAGE = (Path(__file__).parents[2] / "docs/your-own-suite.md").read_text(encoding="utf-8")
FILES = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
(COMMANDS,) = re.findall(r"^```sh\n(git init .*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.end_to_end
def test_the_example_of_a_suite_of_ones_own(tmp_path: Path) -> None:
    """Typed as written, but for a shorter budget: the function that was changed is slower, the other is not."""
    for name, content in FILES:
        (tmp_path / name).write_text(content)
    shell = COMMANDS.replace("parabola compare HEAD", f"{sys.executable} -m parabola compare HEAD --budget 60s")
    own = ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL")
    environment = {**users_environment(), **dict.fromkeys(own, "nobody@example.org")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.getenv("PYTHONPATH")]))
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert [name for name, _ in FILES] == ["words.py", "test_words.py"]
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert re.search(r"test_count .* slower", answer.stdout)
    assert not re.search(r"test_longest .* (slower|faster)", answer.stdout)
