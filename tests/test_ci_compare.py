"""The action's shell, which any CI can run: what it installs, asks, writes and ends with, on a repository made here."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import FEW_PLUGINS, git, users_environment

ROOT = Path(__file__).parents[1]
SCRIPT, ACTION = ROOT / ".ci/compare", (ROOT / "action.yml").read_text(encoding="utf-8")
HOSTILE = "a;touch${IFS}pwned;$(touch${IFS}pwned)"  # a name that git lets a branch have
PYTHON = """#!/bin/bash
printf '%s\\n' "$*" >>"$NOTES"
case "$*" in
  "-m parabola --version") exit 1 ;;
  *"pip --version") exit "${NO_PIP:-0}" ;;
  "-m parabola compare"*) echo "### slower" >comparison.md; exit 1 ;;
esac
"""
PROGRAM = '#!/bin/bash\nprintf "%s\\n" "${0##*/} $*" >>"$NOTES"\n'


def inputs_by_variable() -> dict[str, str]:
    """Return by environment variable of the action the input that it holds."""
    return dict(re.findall(r"^ +(PARABOLA_\w+): \$\{\{ inputs\.([\w-]+)", ACTION, flags=re.MULTILINE))


def test_inputs_reach_the_shell_as_environment_variables_alone() -> None:
    """The action runs the script and nothing else; every input but the folder has a variable that the script reads."""
    declared = re.findall(r"^  ([\w-]+):\n    description:", ACTION, flags=re.MULTILINE)
    read = set(re.findall(r"\$\{(PARABOLA_\w+):-", SCRIPT.read_text(encoding="utf-8")))

    assert re.findall(r"^ +(?:- )?run: (.*)$", ACTION, flags=re.MULTILINE) == [
        """'"$GITHUB_ACTION_PATH/.ci/compare"'"""
    ]
    assert sorted(inputs_by_variable().values()) == sorted({*declared} - {"working-directory"})
    assert read == inputs_by_variable().keys()


def test_actions_that_are_used_are_pinned() -> None:
    """By the whole hash of a commit, in the action and in every workflow; a folder of this repository is no other's."""
    texts = [ACTION, *(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))]
    used = [name for text in texts for name in re.findall(r"uses: (\S+)", text)]

    assert len(used) > 5
    assert [name for name in used if not re.fullmatch(r"\./|[\w/-]+@[0-9a-f]{40}", name)] == []


def test_the_pages_snippets_give_what_there_is() -> None:
    """GitHub's inputs are the action's, GitLab's variables are the script's, and so is the command for any other CI."""
    page = (ROOT / "docs/your-own-suite.md").read_text(encoding="utf-8")
    github, more, gitlab = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    inputs = set(re.findall(r"^    ([\w-]+): ", github.partition("OWNER/parabola")[2] + more, flags=re.MULTILINE))
    others = set(re.findall(r"\b(PARABOLA_\w+)[:=]", page.partition("## How do I run it on every pull request?")[2]))

    assert inputs
    assert inputs <= {*inputs_by_variable().values()}
    assert {"PARABOLA_BASE", "PARABOLA_INSTALL"} <= others <= inputs_by_variable().keys()
    assert gitlab.count(".ci/compare") == 1


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**users_environment(), **variables}
    return subprocess.run([SCRIPT], cwd=folder, env=environment, capture_output=True, text=True, timeout=200)


@pytest.mark.end_to_end
def test_a_branch_of_any_name_is_compared(project: Callable[..., Path], tmp_path: Path) -> None:
    """A hostile name that only origin has is fetched, measured against, and runs nothing; the summary has the table."""
    origin = project()
    git(origin, "branch", HOSTILE)
    git(tmp_path, "clone", "--quiet", "--branch", "main", "--single-branch", str(origin), "clone")
    folder = tmp_path / "clone"
    thing = folder / "src/thing.py"
    thing.write_text(thing.read_text().replace("range(n)", "range(2 * n)"))
    git(folder, "commit", "--all", "--quiet", "--message", "second")
    summary = tmp_path / "summary.md"
    answer = run(
        folder,
        **FEW_PLUGINS,
        PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")])),
        PARABOLA_BASE=HOSTILE,
        PARABOLA_PYTHON=sys.executable,
        PARABOLA_INSTALL="echo installed > made.txt",
        PARABOLA_BUDGET="60s",
        PARABOLA_MINIMUM_EFFECT="50%",
        PARABOLA_PYTEST_OPTIONS="-k 'pedantic or nothing'",
        GITHUB_STEP_SUMMARY=str(summary),
    )

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert answer.stdout.endswith("slower: 1 slower\n")
    assert summary.read_text() == (folder / "comparison.md").read_text()
    assert summary.read_text().startswith("### slower: 1 slower\n")
    assert (folder / "comparison.json").exists()
    assert (folder / "made.txt").read_text() == "installed\n"
    assert not list(tmp_path.rglob("pwned"))


@pytest.fixture(name="stubs")
def _stubs(tmp_path: Path) -> dict[str, str]:
    """Programs that do nothing but note what they are asked, and the variables that have them used."""
    for name, text in {"python": PYTHON, "uv": PROGRAM, "gh": PROGRAM}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {"PATH": path, "NOTES": str(tmp_path / "notes"), "PARABOLA_PYTHON": str(tmp_path / "python")}


@pytest.mark.end_to_end
@pytest.mark.parametrize("light", ["true", "false"])
@pytest.mark.parametrize("pip", [True, False])
def test_what_is_installed_and_asked(
    light: str, pip: bool, project: Callable[..., Path], stubs: dict[str, str], tmp_path: Path
) -> None:
    """With the Python that was named, by its pip or else by uv; options are split as a shell would, and run nothing."""
    folder = project()
    answer = run(
        folder,
        **stubs,
        NO_PIP="0" if pip else "1",
        PARABOLA_BASE="main",
        PARABOLA_LIGHT=light,
        PARABOLA_INSTALL_EACH="base=pip install -e . 'dep<2'\n\nhead=pip install -e .\n",
        PARABOLA_PYTHON_EACH="python3.11",
        PARABOLA_SETUP="make $(touch pwned); head=x",
        PARABOLA_CASES="test_a[x y]\ntest_b",
        PARABOLA_OPTIONS="--allow 'a b' --strict",
        PARABOLA_HARNESS="tests\nb c.py\n$(touch pwned)\n",
        PARABOLA_PYTEST_OPTIONS="-k 'x or y' $(touch pwned) `touch pwned`",
        PARABOLA_COMMENT="7",
    )
    notes = (tmp_path / "notes").read_text().splitlines()
    with_pip = "-m pip install -q" if pip else f"uv pip install -q --python {tmp_path}/python"
    packages = [f"-r {ROOT}/requirements-light.txt", f"--no-deps {ROOT}"] if light == "true" else [str(ROOT)]
    files = "--json comparison.json --markdown comparison.md"

    assert answer.returncode == 1, answer.stderr
    assert [line for line in notes[:-2] if " install " in line] == [f"{with_pip} {package}" for package in packages]
    assert notes[-2:] == [
        f"-m parabola compare main HEAD --budget 5m --minimum-effect 5% {files} "
        "--install=base=pip install -e . 'dep<2' --install=head=pip install -e . --python=python3.11 "
        "--setup=make $(touch pwned); head=x --case=test_a[x y] --case=test_b "
        "--harness=tests --harness=b c.py --harness=$(touch pwned) --allow a b --strict "
        "-- -k x or y $(touch pwned) `touch pwned`",
        "gh pr comment 7 --edit-last --create-if-none --body-file comparison.md",
    ]
    assert not (folder / "pwned").exists()


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("--upload-pack=touch pwned", "a revision does not begin with a dash. Received: --upload-pack=touch pwned"),
        ("nosuch", "no revision nosuch here, nor at origin: check out more of the history"),
        ("", "no revision HEAD^1 here, nor at origin: check out more of the history"),
    ],
)
def test_a_revision_that_is_not_there(
    base: str, says: str, project: Callable[..., Path], stubs: dict[str, str], tmp_path: Path
) -> None:
    """Ends with 2 and a line before anything is installed."""
    folder = project()
    answer = run(folder, **stubs, PARABOLA_BASE=base)

    assert answer.returncode == 2
    assert says in answer.stderr.splitlines()[-1]
    assert not (tmp_path / "notes").exists()
    assert not (folder / "pwned").exists()


@pytest.mark.end_to_end
def test_the_workflow_asks_what_the_handbook_says(
    project: Callable[..., Path], stubs: dict[str, str], tmp_path: Path
) -> None:
    """Its inputs come to the command of docs/compare.md, but for the revisions: a merge commit and its first parent."""
    workflow = (ROOT / ".github/workflows/performance.yml").read_text()
    given = dict(re.findall(r"^          ([\w-]+): (.+)$", workflow.partition("uses: ./")[2], flags=re.MULTILINE))
    assert given.pop("install") == "pip install -e ."
    variables = {variable: given[name] for variable, name in inputs_by_variable().items() if name in given}
    page = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    (command,) = [line for line in page.splitlines() if line.startswith("parabola compare") and "--markdown" in line]
    folder = project()
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "second")
    run(folder, **stubs, **variables)
    asked = shlex.split((tmp_path / "notes").read_text().splitlines()[-1])

    assert len(given) == len(variables) == 2
    expected = shlex.split(command.replace("origin/main HEAD", "HEAD^1 HEAD"))
    at = asked.index("--minimum-effect")
    assert asked[:at] + asked[at + 2 :] == ["-m", *expected]
