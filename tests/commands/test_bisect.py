"""`--bisect-exit`: what `git bisect run` is told of a commit, and whether it finds the one that is to blame."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.compare import session
from parabola.compare.outcome import Outcome
from parabola.compare.sides.launch import CONTROL
from parabola.compare.verdicts import Judgement, Verdict
from tests.conftest import git
from tests.made_comparisons import FAST, OPEN, SLOW, STEADY, made_launch, made_outcome

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/bisect.md").read_text(encoding="utf-8")
(COMMANDS,) = re.findall(r"^```sh\n(git bisect .*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def twelve(*cases: str, **changes: Any) -> Outcome:
    """Return an outcome of twelve equal launches."""
    ratios = changes.pop("ratios", None)
    return made_outcome([made_launch(at, cases, ratios=ratios) for at in range(12)], **changes)


def judged(verdict: Verdict) -> dict[str, Judgement]:
    return {STEADY: Judgement(verdict, "no")}


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (twelve(STEADY), 0),
        (twelve(FAST), 0),
        (twelve(SLOW), 1),
        (twelve(STEADY, judged=judged(Verdict.WRONG)), 1),
        (twelve(STEADY, judged=judged(Verdict.WRONG), ratios={CONTROL: 1.5}), 1),
        (twelve(STEADY, judged=judged(Verdict.NOT_MEASURED)), 125),
        (twelve(SLOW, other_work={SLOW: Judgement(Verdict.OTHER_WORK, "no")}), 125),
        (twelve(SLOW, ratios={CONTROL: 1.5}), 125),  # a time beside a control that moved is not to be trusted
        (twelve(STEADY, ratios={CONTROL: 1.5}), 125),
        (made_outcome([made_launch(0, [OPEN])], ended="budget"), 125),
        (twelve(STEADY, ended="failed", why="head hangs"), 125),
        (made_outcome([], ended="failed", usage=True, why="no such option"), 125),
        (twelve(SLOW, ended="interrupted"), 130),
    ],
    ids=range(13),
)
def test_every_end_is_good_bad_or_skipped(outcome: Outcome, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good is what is not slower, bad what is slower or wrong, and Ctrl-C stops `git bisect`: above 127 it ends."""
    monkeypatch.setattr(session, "compare", lambda *_: outcome)

    assert CliRunner().invoke(app, ["compare", "v1", "--case", "x", "--bisect-exit"]).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("v1", "--bogus"), "No such option"),
        (("v1", "--budget", "5"), "--budget needs a time above 0"),
        (("v1", "v2", "v3"), "unexpected extra argument"),
        (("v1", "--self-test"), "--self-test has no good or bad"),
        (("nosuch",), "unknown revision 'nosuch'"),
        (("v1", "--at-once", "0"), "Invalid value for '--at-once'"),
        ((), "compare needs a BASE"),
    ],
)
def test_bad_input_is_no_bad_commit(
    arguments: tuple[str, ...], says: str, project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever refuses it, its line is on stderr, and the commit is skipped; without --bisect-exit it exits with 2."""
    monkeypatch.chdir(project())
    for asked, code in ((["--bisect-exit"], 125), ([], 2)):
        if asked or "--self-test" not in arguments:
            answer = CliRunner().invoke(app, ["compare", *arguments, *asked])
            assert (answer.exit_code, answer.stdout) == (code, "")
            assert says in answer.stderr


def test_help_is_still_help() -> None:
    """It exits with 0."""
    assert CliRunner().invoke(app, ["compare", "--bisect-exit", "--help"]).exit_code == 0


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
def test_git_bisect_finds_the_commit_that_doubled_a_time(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the page types it: of seven commits the sixth planted it; the fourth, which is tried first, is no suite."""
    folder = project()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    thing, suite = folder / "src/thing.py", folder / "test_it.py"
    works, tests = thing.read_text(), suite.read_text()
    for number in range(2, 8):
        thing.write_text(f"{works.replace('range(n)', 'range(2 * n)') if number >= 6 else works}# {number}\n")
        suite.write_text("import nosuch\n" if number == 4 else tests)
        git(folder, "commit", "--all", "--quiet", "--message", f"commit {number}")
    git(folder, "tag", "v1.4", git(folder, "rev-list", "--max-parents=0", "HEAD"))
    start, run = [shlex.split(line) for line in COMMANDS.replace("test_count", "test_pedantic").splitlines()]
    git(folder, *start[1:])
    at = run.index("parabola")
    program = [*run[:at], sys.executable, "-m", *run[at:]]
    shorter = ["--budget", "60s", "--minimum-effect", "50%"]
    answer = subprocess.run([*program, *shorter], cwd=folder, capture_output=True, text=True, timeout=240)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert git(folder, "show", "--no-patch", "--format=%s", "refs/bisect/bad") == "commit 6"
    said = re.findall(r"^git bisect (good|bad|skip) ", git(folder, "bisect", "log"), flags=re.MULTILINE)
    assert said in (["skip", "good", "bad"], ["skip", "good", "good", "bad"])  # git draws what is next to a skipped one
    assert answer.stdout.count("\nslower: 1 slower\n") == 1
    assert answer.stdout.count("\nsame: 1 same\n") == said.count("good")
    assert git(folder, "status", "--short") == ""
