"""The gate runs what the documents say: each of its patterns describes one command of theirs."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import users_environment

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


# In the place of Python, pip, uv and all that they install: a virtual environment whose programs note what they are
# asked, and in which environment.
PYTHON = """#!/bin/bash
[ "$*" = "-m venv ${@: -1}" ] || exit 9
mkdir -p "${@: -1}/bin"
cp "$STUBS"/* "${@: -1}/bin"
printf 'export PATH="%s/bin:$PATH" HERE=%s' "${@: -1}" "$(basename "${@: -1}")" >"${@: -1}/bin/activate"
"""
UV = """#!/bin/bash
[ "$1" = venv ] && exec python3 -m venv "${@: -1}"
echo "$HERE: uv $*" >>"$NOTES"
"""
PROGRAM = """#!/bin/bash
echo "$HERE: ${0##*/} $*" >>"$NOTES"
[ "$HERE: ${0##*/} $*" != "$FAILS" ]
"""
STEPS = [
    "newcomer: pip install -e . -q",
    "newcomer: pytest --benchmark-only",
    ": pip install -q uv",
    "tests: uv pip install -e '.[dev]' -q",
    "backends: uv pip install -e '.[dev,jax,torch]' -q",
    "tests: pre-commit run --all-files",
    "tests: pytest -n auto",
    "tests: pytest -n auto -m end_to_end",
    "backends: pytest -n auto tests/machine tests/training",
    "backends: pytest -n auto -m end_to_end -k backends",
]


@pytest.mark.end_to_end
@pytest.mark.parametrize("fails", ["", *(step for step in STEPS if "uv" not in step)])
def test_the_gate_takes_every_step_and_stops_at_the_first_that_fails(fails: str, tmp_path: Path) -> None:
    """With programs that do nothing but note it: each step is run, where it belongs, and its seconds are told."""
    stubs, notes = tmp_path / "stubs", tmp_path / "notes"
    texts = {"python3": PYTHON, "chromium": PROGRAM}
    texts |= {f"stubs/{name}": PROGRAM for name in ("pip", "pytest", "pre-commit")} | {"stubs/uv": UV}
    stubs.mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    ours = {"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path), "STUBS": str(stubs), "NOTES": str(notes)}
    environment = {**users_environment(), **ours, "FAILS": fails, "HERE": ""}
    answer = subprocess.run([ROOT / ".ci/run"], env=environment, capture_output=True, text=True, timeout=60)
    done = [line.replace("'", "") for line in notes.read_text().splitlines()]
    steps = [step.replace("'", "") for step in STEPS]

    assert (answer.returncode == 0) == (fails == ""), answer.stdout + answer.stderr
    assert ("All is green, after " in answer.stdout) == (fails == "")
    if not fails:
        assert done[0] == steps[0]
        assert sorted(done[1:6]) == sorted(steps[1:6])  # side by side
        assert done[6:] == steps[6:]
        told = re.findall(r"^ +\d+ s  (.*)$", answer.stdout.partition("All is green")[2], flags=re.MULTILINE)
        assert len(told) == len(steps) - 1  # all but uv itself
    elif fails in STEPS[6:] or fails == STEPS[0]:
        assert done[-1] == fails
    assert not list(tmp_path.glob("tmp.*"))
