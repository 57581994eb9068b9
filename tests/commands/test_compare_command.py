"""`python -m parabola compare` within one process: what is asked for, written, printed, and how it exits."""

import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import typer
from typer.testing import CliRunner, Result

from parabola.commands import exits
from parabola.commands.app import app
from parabola.compare import figure as comparison_figure
from parabola.compare import session, text
from parabola.compare.comparison import as_json
from parabola.compare.conclusion import conclude
from parabola.compare.outcome import Options, Outcome, Progress
from parabola.compare.self_test import Ability
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.launch import CONTROL
from parabola.compare.verdicts import Judgement, Verdict
from parabola.display import console, pictures
from parabola.exit_codes import ExitCode
from parabola.machine import host
from tests.conftest import git
from tests.made_comparisons import (
    FACTS,
    FAST,
    OPEN,
    SLOW,
    STEADY,
    Clock,
    Script,
    made_launch,
    made_outcome,
    mixed_outcome,
)

Asked = list[tuple[Options, Path, Any, bool]]


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give each test a folder to be in, and a machine that is known."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(host, "facts", lambda: FACTS)


@pytest.fixture
def comes_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Outcome], Asked]:
    """Return what has comparisons come to such an outcome, and gives what they were asked."""

    def script(outcome: Outcome) -> Asked:
        asked: Asked = []

        def compare(options: Options, folder: Path, progress: Any, self_test: bool) -> Outcome:
            asked.append((options, folder, progress, self_test))
            return outcome

        monkeypatch.setattr(session, "compare", compare)
        return asked

    return script


def invoke(*arguments: str) -> Result:
    """Type it."""
    return CliRunner().invoke(app, ["compare", *arguments])


def test_where_a_system_lacks_what_it_needs_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line instead of an ImportError from deep within."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    answer = invoke("main")

    assert answer.exit_code == ExitCode.USAGE
    assert answer.stderr.startswith("python -m parabola: compare needs forks, signals and file locks as Linux")


def twelve(*cases: str, **changes: Any) -> Outcome:
    """Return an outcome of twelve equal launches."""
    ratios = changes.pop("ratios", None)
    info = changes.pop("info", {})
    return made_outcome([made_launch(at, cases, ratios=ratios, info=info) for at in range(12)], **changes)


WRONG = {STEADY: Judgement(Verdict.WRONG, "head failed: no")}
LACKING = {STEADY: Judgement(Verdict.NOT_MEASURED, "base failed: odd")}
MOVED = "the control, which no change can touch, moved by +50.0 %"


@pytest.mark.parametrize(
    ("outcome", "says", "code", "strict"),
    [
        (twelve(STEADY), "same: 1 same", 0, 0),
        (twelve(FAST, STEADY), "faster: 1 faster, 1 same", 0, 0),
        (twelve(SLOW, FAST), "slower: 1 slower, 1 faster", 1, 1),
        (twelve(STEADY, judged=WRONG), "wrong: 1 wrong", 1, 1),
        (twelve(STEADY, FAST, judged=LACKING), "not measured: 1 faster, 1 not measured", 5, 5),
        (twelve(STEADY, SLOW, judged=LACKING), "slower: 1 slower, 1 not measured", 1, 1),
        (twelve(STEADY, ratios={CONTROL: 1.5}, judged=LACKING), f"contaminated: {MOVED} (1 not measured)", 4, 4),
        (twelve(STEADY, ratios={CONTROL: 1.5}, judged=WRONG), f"wrong: 1 wrong; {MOVED}", 1, 1),
        (
            made_outcome([made_launch(0, [OPEN])], ended="budget", why="the budget ended"),
            "inconclusive: the budget ended (1 inconclusive)",
            0,
            3,
        ),
        (mixed_outcome(ended="budget"), "slower: 1 slower, 1 faster, 1 same, 1 inconclusive", 1, 1),
        (made_outcome([made_launch(0, [OPEN])], ended="budget"), "inconclusive: 1 inconclusive", 0, 3),
        (made_outcome([], ended="budget"), "inconclusive: no case was measured", 0, 3),
        (
            twelve(STEADY, ratios={CONTROL: 0.5}),
            "contaminated: the control, which no change can touch, moved by -50.0 % (1 inconclusive)",
            4,
            4,
        ),
        (
            twelve(SLOW, OPEN, ratios={CONTROL: 1.5}),
            f"slower: 1 slower, 1 inconclusive; {MOVED}",
            1,
            1,
        ),
        (twelve(STEADY, ended="failed", why="head hangs"), "failed: head hangs (1 same)", 5, 5),
        (made_outcome([], ended="failed", why="base hangs"), "failed: base hangs (no case was measured)", 5, 5),
        (twelve(SLOW, ended="interrupted"), "slower: 1 slower", 130, 130),
        (made_outcome([], ended="interrupted"), "inconclusive: no case was measured", 130, 130),
    ],
    ids=range(18),
)
def test_exit_codes(outcome: Outcome, says: str, code: int, strict: int, comes_to: Any) -> None:
    """Each verdict has its own, --strict one for what is not known; the verdict is the last line."""
    comes_to(outcome)

    for arguments, expected in ((("main",), code), (("main", "--strict"), strict)):
        answer = invoke(*arguments)
        assert answer.exit_code == expected, answer.output
        assert answer.stdout.splitlines()[-1] == says
        assert answer.stderr == ""


def test_what_is_inconclusive_beside_a_speed_up(comes_to: Any) -> None:
    """Is what the comparison comes to, and what --strict exits with 3 for."""
    outcome = made_outcome([made_launch(at, [FAST, *([OPEN] if at < 2 else [])]) for at in range(12)], ended="budget")
    comes_to(outcome)

    assert invoke("main").exit_code == 0
    assert invoke("main", "--strict").exit_code == 3
    assert invoke("main").stdout.splitlines()[-1] == "inconclusive: 1 faster, 1 inconclusive"


def test_every_code_has_one_meaning() -> None:
    """Scripts hang on these numbers."""
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0, "CHECK_FAILED": 1, "USAGE": 2, "INCONCLUSIVE": 3, "CONTAMINATED": 4, "SIDE_FAILED": 5,
        "NO_RECORD": 6, "WORKER_FAILED": 7, "FILE": 8, "UNEXPECTED": 70, "SKIPPED": 125, "HUNG_UP": 129,
        "INTERRUPTED": 130, "CLOSED": 141, "TERMINATED": 143,
    }  # fmt: skip
    assert len({code.meaning for code in ExitCode}) == len(ExitCode)


@pytest.mark.parametrize(("code", "expected"), [((), 2), ((ExitCode.NO_RECORD,), 6)])
def test_a_command_that_stops(code: tuple[ExitCode, ...], expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    """It says why in one line on stderr, and exits with 2 unless told otherwise."""
    with pytest.raises(typer.Exit) as stopped:
        exits.stop(ValueError("no such thing"), *code)

    assert stopped.value.exit_code == expected
    assert capsys.readouterr() == ("", "python -m parabola: no such thing\n")


def test_what_is_asked_for_by_default(comes_to: Any, tmp_path: Path) -> None:
    """BASE against the working tree, from the folder that it was typed in; nobody is told of progress in a pipe."""
    asked = comes_to(twelve(STEADY))
    invoke("main")

    assert asked == [(Options("main"), tmp_path, ANY, False)]


def test_every_option_arrives(comes_to: Any) -> None:
    """Each as it was typed, in seconds and shares; what follows -- is pytest's, a second -- included."""
    asked = comes_to(twelve(STEADY))
    invoke(
        *("v1", "v2", "--budget", "1.5m", "--minimum-effect", "2.5%", "--cores", "1", "--at-once", "7"),
        *("--limit", "2h", "--inject", "slow=10%", "--inject", "a=b=0.5%", "--logs", "new"),
        *("--case", "slow", "--case", "a.py::x[1]"),
        *("--allow", "numpy", "--setup", "make && make test", "--allow", "a.b", "--install", "base=pip install a=1"),
        *("--harness", "tests", "--python", sys.executable, "--install", "x", "--harness", "conftest.py"),
        *("--", "-k", "x", "--", "--strict"),
    )

    assert asked[0][0] == Options(
        base="v1",
        head="v2",
        pytest_options=("-k", "x", "--", "--strict"),
        budget_seconds=90.0,
        minimum_effect=0.025,
        limit_seconds=7200.0,
        cores_per_launch=1,
        launches_at_once=7,
        slower={"slow": 0.1, "a=b": 0.005},
        allowed=("numpy", "a.b"),
        setup=BySide("make && make test", "make && make test"),
        logs="new",
        only_cases=("slow", "a.py::x[1]"),
        install=BySide("pip install a=1", "x"),
        python=BySide(sys.executable, sys.executable),
        harness=("tests", "conftest.py"),
    )


@pytest.mark.parametrize(
    ("head", "size", "told"), [((), 50_000_001, True), ((), 50_000_000, False), (("main",), 10**9, False)]
)
def test_a_large_file_is_told_before_it_is_written_into_git(
    head: tuple[str, ...], size: int, told: bool, comes_to: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above 50 MB, untracked and not ignored, its own or a submodule's: where the working tree itself is compared."""
    comes_to(twelve(STEADY))
    git(tmp_path, "init", "--quiet", "one")
    one = tmp_path / "one"
    git(one, "init", "--quiet", "inner")
    git(one / "inner", "commit", "--quiet", "--allow-empty", "--message", "first")
    git(one, "-c", "advice.addEmbeddedRepo=false", "add", "inner")
    (one / ".gitignore").write_text("ignored\n")
    for name in ("large", "ignored", "inner/large"):
        with open(one / name, "wb") as file:
            file.truncate(size)
    (one / "link").symlink_to("large")
    monkeypatch.chdir(one)
    answer = invoke("main", *head)
    says = f"is untracked: its {size / 1e6:,.0f} MB go into .git unless .gitignore names it\n"

    assert answer.exit_code == 0
    assert answer.stderr == (f"{one}/large {says}{one}/inner/large {says}" if told else "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "compare needs a BASE to compare with: a branch, a tag or a commit, such as main"),
        (("--self-test", "v1", "v2"), "--self-test compares one tree with itself; it takes no HEAD. Received: v2"),
        (("main", "--budget", "5"), "--budget needs a time above 0 with its unit, as 90s, 5m or 1h. Received: '5'"),
        (("main", "--limit", "0s"), "--limit needs a time above 0 with its unit, as 90s, 5m or 1h. Received: '0s'"),
        (
            ("main", "--minimum-effect", "0.05"),
            "--minimum-effect needs a share above 0 in per cent, as 5%. Received: '0.05'",
        ),
        (("main", "--inject", "x=0%"), "--inject needs a share above 0 in per cent, as 5%. Received: '0%'"),
        (("main", "--inject", "5%"), "--inject needs a case and a share, as batch_27=5%. Received: '5%'"),
        (("main", "--cores", "0"), r"cores must be 1 to \d+, which this machine has. Received: 0"),
        (("main", "--json", "a.md"), "unknown format '.md' of a.md; known: .json"),
        (("main", "--markdown", "a.json"), "unknown format '.json' of a.json; known: .md"),
        (("main", "--plot", "a.md"), "unknown format '.md' of a.md; known: .png, .svg, .html"),
        (
            ("main", "--json", "nowhere/a.json"),
            "cannot write nowhere/a.json: No such file or directory",
        ),
        (
            ("main", "--python", "no such"),
            "--python needs a Python's path, its environment's folder, or its name on the PATH. Received: 'no such'",
        ),
        (
            ("main", "--install", "base= "),
            "--install needs one value for both sides, or base=… and head=…. Received: 'base= '",
        ),
        (("main", "--logs", ".."), "cannot fill ..: a file, not empty, in no folder, or not writable"),
    ],
)
def test_bad_input_is_refused_before_anything_is_measured(arguments: tuple[str, ...], says: str, comes_to: Any) -> None:
    """Exit code 2, and one line that says what was received and what would be right."""
    asked = comes_to(twelve(STEADY))
    answer = invoke(*arguments)

    assert re.fullmatch(f"python -m parabola: {re.escape(says) if 'cores' not in says else says}\n", answer.stderr)
    assert (answer.exit_code, answer.stdout, asked) == (2, "", [])


def test_one_launch_at_once_is_the_fewest(comes_to: Any) -> None:
    """None is refused as bad input before anything is measured."""
    asked = comes_to(twelve(STEADY))
    answer = invoke("main", "--at-once", "0")

    assert (answer.exit_code, asked) == (2, [])
    assert "Invalid value for '--at-once'" in answer.stderr
    invoke("main", "--at-once", "1")
    assert asked[0][0].launches_at_once == 1


@pytest.mark.parametrize("raised", [True, False])
def test_what_pytest_or_git_refuses_is_bad_input(
    raised: bool, comes_to: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As an unknown revision, or options that neither side takes: one line, and no file is written."""
    comes_to(made_outcome([], ended="failed", usage=True, why="it takes no --bogus"))
    if raised:
        monkeypatch.setattr(session, "compare", lambda *_: (_ for _ in ()).throw(ValueError("it takes no --bogus")))
    answer = invoke("main", "--json", "a.json")

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == "python -m parabola: it takes no --bogus\n"
    assert list(tmp_path.iterdir()) == []


def test_files_hold_what_was_measured(comes_to: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """JSON, Markdown and picture are of one comparison; what had these names before is replaced."""
    drawn: list[Any] = []
    monkeypatch.setattr(comparison_figure, "ratio_figure", lambda comparison: ("figure", comparison))
    monkeypatch.setattr(pictures, "save", lambda figure, path: drawn.append((figure, path)))
    (tmp_path / "old.json").write_text("old")
    outcome = mixed_outcome(ended="budget")
    comes_to(outcome)
    answer = invoke("main", "--json", "old.json", "--markdown", "a.md", "--plot", "a.svg", "--minimum-effect", "7%")
    comparison = conclude(outcome, Options("main", minimum_effect=0.07))

    assert answer.exit_code == 1
    assert (tmp_path / "old.json").read_text() == as_json(comparison)
    assert (tmp_path / "a.md").read_text() == text.markdown(comparison)
    assert drawn == [(("figure", comparison), Path("a.svg"))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "old.json"]


def test_no_file_is_written_unless_asked_for(comes_to: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table is on the terminal alone, wide enough for all of it."""
    comes_to(mixed_outcome())
    monkeypatch.setenv("COLUMNS", "40")
    answer = invoke("main")

    assert list(tmp_path.iterdir()) == []
    assert answer.stdout.splitlines()[0].rstrip() == "base v1.2|old (bbbbbbbbb), head working tree (ddddddddd)"
    assert max(map(len, answer.stdout.splitlines())) > 80


@pytest.mark.parametrize(
    ("ended", "tested"), [("decided", True), ("budget", True), ("failed", False), ("interrupted", False)]
)
def test_the_self_test_follows_the_table(
    ended: str, tested: bool, comes_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It compares a tree with itself, and says what can be told apart if it came to its own end."""
    from parabola.compare import self_test

    found = [Ability(STEADY, 9, 0.01, 0.0, 0.05)]
    monkeypatch.setattr(self_test, "abilities", lambda comparison: found)
    outcome = twelve(STEADY, ended=ended)
    asked = comes_to(outcome)
    answer = invoke("v1", "--self-test")
    comparison = conclude(outcome, asked[0][0])

    assert (asked[0][0], asked[0][3]) == (Options("v1", "v1"), True)
    assert answer.stdout.endswith("\n".join(["", *self_test.lines(found, comparison), ""])) == tested
    assert ("self-test: " in answer.stdout) == tested


def test_the_self_test_of_the_working_tree(comes_to: Any) -> None:
    """Without a BASE both sides are the working tree; without --self-test nothing follows the verdict."""
    asked = comes_to(made_outcome([], ended="budget"))

    assert invoke("--self-test").stdout.splitlines()[-1].startswith("too few launches in 300 s")
    assert asked[0][0] == Options(None, None)
    assert "too few launches" not in invoke("main").stdout


def test_progress_is_shown_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar of the budget, with a line of what is going on."""
    shown: list[Any] = []

    @contextmanager
    def bar(form: str, total: float) -> Iterator[Any]:
        shown.append((form, total))
        yield lambda *done: shown.append(done)

    def compare(options: Options, folder: Path, progress: Any, self_test: bool) -> Outcome:
        progress(Progress(12.5, 3, 1, 2, "slow[1]"))
        return twelve(STEADY)

    monkeypatch.setattr(console, "progress_bar", bar)
    monkeypatch.setattr(session, "compare", compare)
    invoke("main", "--budget", "2m")

    assert shown == [("{task.fields[text]},", 120.0), (12.5, "launch 4, 1 of 2 cases decided: slow[1]")]


@pytest.mark.parametrize(("seconds", "told"), [(None, 0), (120.0, 0), (120.1, 1), (466.4, 1)])
def test_a_budget_that_is_too_short_is_told_at_the_start(
    seconds: float | None, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, also in a pipe, if the first launch takes longer."""

    def compare(options: Options, folder: Path, progress: Any, self_test: bool) -> Outcome:
        for takes in (None, seconds, seconds):
            progress(Progress(2.0, 0, 0, 0, "slow[1]", first_launch_seconds=takes))
        return twelve(STEADY)

    monkeypatch.setattr(session, "compare", compare)
    answer = invoke("main", "--budget", "2m")

    says = f"the first launch takes about {seconds or 0:.0f} s, more than the budget of 120 s, and a case needs nine: "
    assert answer.stderr == told * f"{says}a longer --budget, --case NAME, or files after --\n"


def test_a_progress_bar_is_for_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on stderr, in the form that was asked for, with the share that is done; in a pipe there is none."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with console.progress_bar("{task.fields[text]},", 4.0) as bar:
        assert bar is None
    assert stream.getvalue() == ""

    stream.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    with console.progress_bar("{task.completed:g} of {task.total:g} {task.fields[text]},", 4.0) as bar:
        assert bar is not None
        bar(1.0, "[steady]")
        bar(2.0)
        bar(3.0, "[slow]")
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())

    assert re.search(r"━ 3 of 4 \[slow\], (-:--:--|\d+:\d\d:\d\d) left", shown)
    assert stream.getvalue().endswith("\x1b[2K")  # gone at the end


@pytest.mark.parametrize("watched", [True, False])
def test_items_are_counted(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is given in its order; before it, how many are done is shown, with their name in the form."""
    shown: list[Any] = []

    @contextmanager
    def bar(form: str, total: float) -> Iterator[Any]:
        shown.append((form, total))
        yield shown.append if watched else None

    monkeypatch.setattr(console, "progress_bar", bar)
    for item in console.tracked("abc", "letters"):
        shown.append(item)

    expected = [0, "a", 1, "b", 2, "c"] if watched else ["a", "b", "c"]
    assert shown == [("{task.completed} of {task.total} letters,", 3), *expected]


def test_a_repository_is_compared_without_a_process(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides are checked out where pytest is to run, the launches know them, and nothing is left behind."""
    folder = project()
    (folder / "deep").mkdir()
    (folder / "deep" / "new.py").write_text("")
    first = git(folder, "rev-parse", "HEAD")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    (folder / "deep" / "new.py").write_text("x = 1\n")
    git(folder, "tag", "old", first)
    script = Script(Clock(), {SLOW: [1.5]})
    tops: list[Any] = []

    def launch(*arguments: Any) -> Any:
        made = script(*arguments)
        sides = made.setup.base, made.setup.head
        tops.append([(side.name, side.folder == side.top / "deep", side.folder.is_dir()) for side in sides])
        return made

    monkeypatch.setattr(session, "Launch", launch)
    monkeypatch.chdir(folder / "deep")
    options = ("--budget", "50m", "--at-once", "1", "--limit", "7s", "--inject", "slow=3%", "--json", "../a.json")
    logs = ("--logs", "kept")
    answer = invoke("HEAD", *options, *logs, "--", "-x")
    record = json.loads((folder / "a.json").read_text())
    setup = script.launches[0].setup

    assert answer.exit_code == 1, answer.output
    assert answer.stdout.splitlines()[-1] == "slower: 1 slower"
    assert (setup.pytest_options, setup.slower, setup.limit_seconds) == (("-x",), {"slow": 0.03}, 7.0)
    assert setup.elsewhere == folder.resolve()
    assert setup.logs == folder / "deep/kept"
    assert setup.scratch == setup.base.top.parent == setup.head.top.parent
    assert tops == [[("base", True, True), ("head", True, True)]] * 10
    assert record["base"] == {"revision": "HEAD", "commit": git(folder, "rev-parse", "HEAD"), "subject": "second"}
    assert record["head"] == {**record["base"], "revision": "working tree"}
    assert [launch["began_with"] for launch in record["launches"]] == ["base", "head"] * 5
    assert list(temporary.iterdir()) == []
    answer = invoke("old")
    assert (answer.exit_code, answer.stderr) == (2, "python -m parabola: old has no folder deep/\n")
    assert os.listdir(temporary) == []


def test_the_usage_names_pytests_options() -> None:
    """They come last, after --."""
    usage = CliRunner().invoke(app, ["compare", "--help"], prog_name="parabola", terminal_width=120).stdout

    first = usage.splitlines()[0].strip().upper()  # some versions of Typer write arguments in small letters
    assert first == "USAGE: PARABOLA COMPARE [OPTIONS] [BASE] [HEAD] [-- PYTEST OPTIONS]"
