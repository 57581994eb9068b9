"""The gate runs what the documents say: each of its patterns describes one command of theirs."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = (ROOT / ".ci/run").read_text(encoding="utf-8")
ASKED = dict(re.findall(r"""^(\w+)=\$\(the (?:'|")(.*)(?:'|")\)$""", SCRIPT, flags=re.MULTILINE))


def commands() -> set[str]:
    """Return the commands of the documents: a line, or its parts between &&."""
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md"]
    lines = [line for path in documents for line in path.read_text(encoding="utf-8").splitlines()]
    return {part for line in lines for part in line.split(" && ")}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("install", "pip install -e ."),
        ("install_tests", "pip install -e '.[dev]'"),
        ("install_backends", "pip install -e '.[dev,jax,torch]'"),
        ("benchmarks", "pytest --benchmark-only"),
        ("checks", "pre-commit run --all-files"),
        ("everyday", "pytest -n auto"),
        ("end_to_end", "pytest -n auto -m end_to_end"),
        ("of_backends", "pytest -n auto -m end_to_end -k backends"),
    ],
)
def test_the_gate_takes_its_commands_from_the_documents(name: str, command: str) -> None:
    """Each pattern describes one command and no other, wherever it is written, and the script runs it."""
    assert {said for said in commands() if re.fullmatch(ASKED[name], said)} == {command}
    assert len(re.findall(rf'"\${name}\b', SCRIPT)) >= 1


def test_the_gate_asks_for_nothing_else() -> None:
    """No command of the script's is left untested above."""
    assert len(ASKED) == 8
    assert SCRIPT.count("$(the ") == 8


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("pattern", "code", "found", "says"),
    [
        ("pytest -n auto", 0, "pytest -n auto", ""),
        (r"pip install -e '\.\[dev\]'", 0, "pip install -e '.[dev]'", ""),
        ("pytest .*", 1, "", "pytest --benchmark-only\npytest -n auto\n"),
        ("mypy", 1, "", 'should have one command like "mypy", and have:\n\n'),
    ],
)
def test_the_gate_stops_where_the_documents_have_no_command_or_two(
    pattern: str, code: int, found: str, says: str, tmp_path: Path
) -> None:
    """A command may stand in several documents, and behind another; what was found instead is said."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("Type\n```sh\npip install -e '.[dev]' && pytest -n auto\n```\n")
    (tmp_path / "CONTRIBUTING.md").write_text("pip install -e '.[dev]'\npytest -n auto\n")
    (tmp_path / "docs/suite.md").write_text("pytest --benchmark-only\nrun mypy --strict\n")
    function = SCRIPT[SCRIPT.index("the() {") : SCRIPT.index("\n}\n") + 3]
    command = ["bash", "-euo", "pipefail", "-c", f'{function}found=$(the "$1")\nprintf %s "$found"', "bash", pattern]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (answer.returncode, answer.stdout) == (code, found)
    assert answer.stderr.endswith(says) if code else answer.stderr == ""
