"""`python -m parabola compare`, as it is typed, on a small project."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.compare import figure, self_test
from parabola.compare import text as comparison_report
from parabola.compare.comparison import ComparedLaunch, Comparison
from parabola.compare.outcome import Options
from parabola.compare.referee import Referee
from parabola.compare.session import _Session
from parabola.compare.sides.by_side import BySide
from tests.conftest import git
from tests.made_comparisons import SETUP, made_case, made_comparison

ROOT = Path(__file__).parents[2]
Project = Callable[..., Path]
WIDE = ("--minimum-effect", "90%")  # so that a few launches decide


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_plugins: None) -> Path:
    """A folder for what is temporary: afterwards nothing may be left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)  # asks for it anew
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "parabola", "compare", *arguments]


def compare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, timeout=120)


def change(folder: Path, old: str, new: str) -> None:
    """Change the working tree, in whichever file has such a line."""
    for name in ("src/thing.py", "test_it.py"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(old, new))


@pytest.mark.end_to_end
def test_a_slower_working_tree(project: Project, temporary: Path, tmp_path: Path) -> None:
    """Exit code 1; table, JSON, Markdown and picture say so; nothing else on the terminal, nothing left behind."""
    folder = project()
    change(folder, "range(n)", "range(2 * n)")
    names = {kind: tmp_path / f"comparison.{kind}" for kind in ("json", "md", "svg")}
    outputs = ("--json", str(names["json"]), "--markdown", str(names["md"]), "--plot", str(names["svg"]))
    answer = compare(folder, "main", "--budget", "60s", "--minimum-effect", "50%", *outputs)
    record = json.loads(names["json"].read_text())
    (case,) = record["cases"]

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert answer.stderr == ""
    assert answer.stdout.rstrip().endswith("slower: 1 slower")
    assert case["verdict"] == record["verdict"] == "slower"
    assert 1 < case["low"] < case["ratio"] < case["high"]
    assert 1.5 < case["ratio"] < 4
    assert case["launches"] >= 8
    assert record["ended"] == "decided"
    assert record["head"]["revision"] == "working tree"
    assert record["base"]["commit"] == git(folder, "rev-parse", "main")
    assert len(record["launches"][0]["seconds"]["test_it.py::test_pedantic"]["base"]) == 8
    assert names["md"].read_text().startswith("### slower: 1 slower\n")
    assert re.search(r"\| test_pedantic \| .* \| slower \|\n", names["md"].read_text())
    assert "<details>" in names["md"].read_text()
    assert "test_pedantic" in names["svg"].read_text()
    assert list(temporary.iterdir()) == []
    assert git(folder, "status", "--short") == "M src/thing.py"


@pytest.mark.end_to_end
def test_names_that_could_be_misread_and_a_case_that_a_side_skips(
    project: Project, temporary: Path, tmp_path: Path
) -> None:
    """Parameters in brackets are shown, an error that is not a number loses no record, and what is skipped is named."""
    folder = project(
        test_it="""
import numpy, pytest, thing
@pytest.mark.parametrize("path", ["[/tmp/x]", "<b>"])
def test_path(benchmark, path):
    benchmark.pedantic(thing.work, rounds=2)
    benchmark.extra_info.update(coefficient_error=numpy.float32("nan"), passed=numpy.bool_(True))
def test_last(benchmark):
    benchmark.pedantic(thing.work)
"""
    )
    change(folder, "benchmark.pedantic(thing.work)", "pytest.skip()")
    answer = compare(folder, "main", "--budget", "60s", *WIDE, "--json", str(tmp_path / "a.json"), "--markdown", "a.md")
    cases = json.loads((tmp_path / "a.json").read_text())["cases"]

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "[[/tmp/x]]" in answer.stdout
    assert "test_path\\[&lt;b&gt;\\]" in (folder / "a.md").read_text()
    assert [case["passed"] for case in cases] == [{"base": True, "head": True}] * 2
    assert [case["coefficient_error"] for case in cases] == [{"base": None, "head": None}] * 2
    assert "not measured, as a side skips it: test_last" in answer.stdout


@pytest.mark.end_to_end
def test_a_side_that_skips_every_case(project: Project, temporary: Path) -> None:
    """Nothing was measured, and that is a failure; the case is named."""
    folder = project(test_it="import pytest, thing\ndef test_last(benchmark):\n    benchmark.pedantic(thing.work)\n")
    change(folder, "benchmark.pedantic(thing.work)", "pytest.skip()")
    answer = compare(folder, "main", "--budget", "60s", *WIDE)

    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert "not measured, as a side skips it: test_last" in answer.stdout
    assert "failed: no case was measured on both sides" in answer.stdout


MORE = "import thing\ndef test_more(benchmark):\n    benchmark.pedantic(thing.work, rounds=2)\n"
ODD = "def test_odd(benchmark):\n    benchmark.pedantic(thing.work, rounds=2)\n    assert RIGHT, 'not right'\n"


@pytest.mark.end_to_end
def test_a_test_that_fails_in_head_is_wrong(project: Project, temporary: Path, tmp_path: Path) -> None:
    """Exit code 1 after its second launch, with its message, the end of pytest's report, and all of it where asked."""
    folder = project(test_it=f"import thing\nRIGHT = True\n{ODD}")
    change(folder, "RIGHT = True", "RIGHT = False")
    files = ("--json", str(tmp_path / "a.json"), "--logs", "kept")
    answer = compare(folder, "main", "--budget", "60s", *WIDE, *files)
    (case,) = json.loads((tmp_path / "a.json").read_text())["cases"]
    why = "head failed in two launches, and base passed: AssertionError: not right"

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert answer.stdout.endswith("\nwrong: 1 wrong\n")
    assert f"\ntest_odd is wrong: {why}\n" in answer.stdout
    assert "\nthe last lines of what failed (all of it is in kept):\n" in answer.stdout
    assert "\n  E       AssertionError: not right\n" in answer.stdout
    assert (case["verdict"], case["reason"]) == ("wrong", why)
    assert "1 failed in" in (folder / "kept/launch-000/head.log").read_text()
    assert "1 passed in" in (folder / "kept/launch-001/base.log").read_text()
    assert compare(folder, "main", "--logs", "kept").returncode == 2


DEATHS = """
import ctypes
def fault(how):
    thing.fault(how)
def loop():
    while True:
        pass
def test_exits(benchmark):
    benchmark.pedantic(fault, args=(lambda: os._exit(3),), rounds=2)
def test_crashes(benchmark):
    benchmark.pedantic(fault, args=(lambda: ctypes.string_at(0),), rounds=2)
def test_loops(benchmark):
    benchmark.pedantic(fault, args=(loop,), rounds=2)
"""


@pytest.mark.end_to_end
def test_what_cannot_be_measured_is_listed(project: Project, temporary: Path) -> None:
    """Exit code 5, and all the rest is measured, whatever costs a case or a file its measurement.

    A test that fails in base, and one whose name is new in every launch; a process that exits, crashes, hangs in head;
    a file that head cannot collect, whose cases base knows, and one that neither can, which then stands in their place.
    """
    named = "import os, pytest\n@pytest.mark.parametrize('launch', [os.environ.get('PARABOLA_LAUNCH')])\n"
    named += "def test_named(benchmark, launch):\n    benchmark.pedantic(thing.work, rounds=2)\n"
    thing = "def work():\n    return sum(range(1000))\ndef fault(how):\n    del how\n"
    folder = project(test_it=f"{MORE}RIGHT = False\n{ODD}{named}{DEATHS}", thing=thing)
    broken, whole = "import nowhere\n", "def test_{}(benchmark):\n    benchmark.pedantic(sum, args=((1,),), rounds=2)\n"
    (folder / "test_late.py").write_text(whole.format("late"))
    (folder / "test_broken.py").write_text(broken + whole.format("other"))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    (folder / "test_late.py").write_text(broken + whole.format("late"))
    change(folder, "del how", "how()")
    answer = compare(folder, "main", "--budget", "60s", "--limit", "5s", *WIDE)

    assert answer.returncode == 5, answer.stdout + answer.stderr
    assert answer.stdout.endswith("\nnot measured: 1 same, 7 not measured\n")
    assert "\ntest_odd is not measured: both sides failed: AssertionError: not right\n" in answer.stdout
    assert re.search(r"\ntest_named\[\d\] is not measured: its name is not the same in every launch\n", answer.stdout)
    assert "\ntest_exits is not measured: head ended with exit code 3: " in answer.stdout
    assert "\ntest_crashes is not measured: head was killed by SIGSEGV\n" in answer.stdout
    assert "\ntest_loops is not measured: head hangs: silent for 5 s\n" in answer.stdout
    lacks = "ModuleNotFoundError: No module named 'nowhere'"
    assert f"\ntest_late is not measured: head could not collect test_late.py: {lacks}\n" in answer.stdout
    assert f"\ntest_broken.py is not measured: both sides could not collect test_broken.py: {lacks}\n" in answer.stdout
    assert re.search(r"\n  test_more .* same +\n", answer.stdout)
    assert "only in" not in answer.stdout
    assert list(temporary.iterdir()) == []


@pytest.mark.end_to_end
def test_a_conftest_that_raises_on_both_sides(project: Project, temporary: Path) -> None:
    """Exit code 5, as it is no option's fault, and what pytest wrote."""
    folder = project()
    (folder / "conftest.py").write_text("raise ValueError('no such luck')\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    answer = compare(folder, "main")

    assert answer.returncode == 5, answer.stdout + answer.stderr
    why = r"(base|head) ended with exit code 4, starting: E   ValueError: no such luck \(no case was measured\)"
    assert re.search(f"\nfailed: {why}\n$", answer.stdout)
    assert "\n  ImportError while loading conftest '" in answer.stdout


@pytest.mark.end_to_end
def test_a_budget_that_ends_within_the_first_launch(project: Project, temporary: Path) -> None:
    """Is inconclusive, and says so."""
    answer = compare(project(test_it=f"import time\ntime.sleep(60)\n{MORE}"), "main", "--budget", "2s", "--strict")

    assert answer.returncode == 3, answer.stdout + answer.stderr
    says = "the budget ended within the first launch, which takes more than 2 s (no case was measured)"
    assert answer.stdout.endswith(f"\ninconclusive: {says}\n")


@pytest.mark.end_to_end
def test_a_control_that_moves(project: Project, temporary: Path) -> None:
    """Exit code 4: no verdict can be trusted."""
    answer = compare(project(), "main", "--budget", "60s", "--inject", "control=200%", "--minimum-effect", "50%")

    assert answer.returncode == 4, answer.stdout + answer.stderr
    assert "contaminated: the control, which no change can touch, moved by +" in answer.stdout
    assert "planted in head: 200 % more work in control" in answer.stdout


@pytest.mark.end_to_end
def test_a_side_that_fails(project: Project, temporary: Path, tmp_path: Path) -> None:
    """Exit code 5; the case is not measured, with what its side did and the last lines; the rest is in the JSON."""
    folder = project()
    change(
        folder, "    benchmark.extra", "    import os\n    os.write(2, b'so long'), os._exit(3)\n    benchmark.extra"
    )
    answer = compare(folder, "main", "--json", str(tmp_path / "a.json"), "--", "-s")
    record = json.loads((tmp_path / "a.json").read_text())

    assert answer.returncode == 5, answer.stdout + answer.stderr
    (case,) = record["cases"]
    assert (record["verdict"], record["ended"], record["why"]) == ("not measured", "decided", "")
    assert case["reason"].startswith("head ended with exit code 3: ")
    assert case["reason"] in answer.stdout
    assert "so long" in record["output"][-1]
    assert "control" in record["launches"][0]["seconds"]
    assert list(temporary.iterdir()) == []


@pytest.mark.end_to_end
def test_inconclusive(project: Project, temporary: Path) -> None:
    """Exit code 3 under --strict: in the time there is for fewer launches than any verdict needs."""
    slow = "import time, thing\ntime.sleep(1.5)\ndef test_slow(benchmark):\n    benchmark(thing.work)\n"
    answer = compare(project(test_it=slow), "main", "main", "--budget", "8s", "--at-once", "1", "--strict")

    assert answer.returncode == 3, answer.stdout + answer.stderr
    assert "inconclusive: 1 inconclusive" in answer.stdout
    assert re.search(r"test_slow .* inconclusive: (about \d+|many) more launches", answer.stdout)


@pytest.mark.end_to_end
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c(sent: signal.Signals, project: Project, temporary: Path, tmp_path: Path) -> None:
    """The code of the signal; no process, checkout or half-written file is left, and what was measured is written."""
    folder, path = project(), tmp_path / "a.json"
    process = subprocess.Popen(
        command("main", "main", "--budget", "1h", "--json", str(path)), cwd=folder, stdout=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not list(temporary.glob("*/launch-*/head.log")) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(sent)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 128 + sent
    assert "interrupted: only what was measured until then is here" in said
    assert json.loads(path.read_text())["ended"] == "interrupted"
    assert list(temporary.iterdir()) == []
    assert len(git(folder, "worktree", "list").splitlines()) == 1
    left = [line for line in subprocess.check_output(["ps", "-eo", "args"], text=True).splitlines()]
    assert [line for line in left if str(folder) in line] == []


@pytest.mark.end_to_end
def test_two_at_once_say_that_they_disturb_each_other(project: Project, temporary: Path) -> None:
    """Both come to their own end, in folders of their own; the control may be moved by it, which is an end, too."""
    folder = project()
    first = [subprocess.Popen(command("main", "--budget", "5s"), cwd=folder, stdout=subprocess.PIPE, text=True)]
    both = [*first, subprocess.Popen(command("main", "--budget", "5s"), cwd=folder, stdout=subprocess.PIPE, text=True)]
    said = [process.communicate(timeout=60)[0] for process in both]

    assert {process.returncode for process in both} <= {0, 4}, said
    assert any("another comparison ran on this machine meanwhile" in text for text in said)
    assert list(temporary.iterdir()) == []


@pytest.mark.end_to_end
def test_self_test(project: Project, temporary: Path) -> None:
    """One tree on both sides: its false alarms, and the smallest slowdown that the budget finds."""
    answer = compare(project(), "--self-test", "--budget", "20s", "--minimum-effect", "50%")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"self-test: .* the same; drawn from \d+ launches, .* for a budget of 20 s", answer.stdout)
    assert re.search(r"false alarms: \d+\.\d % of comparisons, over 1 cases", answer.stdout)
    assert re.search(r"test_pedantic: smallest slowdown found (\d|none)", answer.stdout)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "compare needs a BASE to compare with: a branch, a tag or a commit, such as main"),
        (("nosuch",), "unknown revision 'nosuch': a branch, a tag or a commit of "),
        (("main", "nosuch"), "unknown revision 'nosuch': a branch, a tag or a commit of "),
        (("main", "--budget", "5"), "--budget needs a time above 0 with its unit, as 90s, 5m or 1h. Received: '5'"),
        (("main", "--limit", "0s"), "--limit needs a time above 0 with its unit, as 90s, 5m or 1h. Received: '0s'"),
        (("main", "--minimum-effect", "0.05"), "--minimum-effect needs a share above 0 in per cent, as 5%."),
        (("main", "--inject", "5%"), "--inject needs a case and a share, as batch_27=5%. Received: '5%'"),
        (("main", "--cores", "4096"), "cores must be 1 to "),
        (("main", "--json", "nowhere/a.json"), "cannot write nowhere/a.json: "),
        (("main", "--markdown", "a.txt"), "unknown format '.txt' of a.txt; known: .md"),
        (("--self-test", "main", "main"), "--self-test compares one tree with itself; it takes no HEAD."),
    ],
)
def test_bad_input(
    arguments: tuple[str, ...], says: str, project: Project, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and one line that says what was received and what would be right, before pytest is started."""
    monkeypatch.chdir(project())
    answer = CliRunner().invoke(app, ["compare", *arguments])

    assert answer.exit_code == 2, answer.output
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert list(temporary.iterdir()) == []


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("main", "--inject", "nosuch=5%"), "--inject plants in one case, but 0 have 'nosuch' in their name"),
        (("main", "--", "--bogus"), "unrecognized arguments: --bogus"),
    ],
)
def test_bad_input_that_pytest_finds(arguments: tuple[str, ...], says: str, project: Project, temporary: Path) -> None:
    """Is told in the same way, by the code and in one line, though both sides had begun."""
    answer = compare(project(), *arguments)

    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert list(temporary.iterdir()) == []


def test_no_repository(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is bad input, too."""
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["compare", "main"])

    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"python -m parabola: {tmp_path} is in no git repository with a working tree (git")
    assert len(answer.stderr.splitlines()) == 1


def made(**changes: Any) -> Comparison:
    """Return what a comparison leaves, with one case and twelve launches that differ by 1 %."""
    figures = {"ratio": 1.1, "low": 1.05, "high": 1.15, "median_seconds": BySide(1e-3, 1.1e-3), **changes}
    case = made_case("a.py::bench|x[1]", figures.pop("verdict", "slower"), **figures)
    return made_comparison(
        case,
        seconds=20.0,
        options=Options("main", budget_seconds=30.0),
        confidence=0.99,
        minimum_effect=0.05,
        only_in_base=["a.py::old"],
        launches=launches_of(1.0),
    )


def launches_of(spread: float) -> list[ComparedLaunch]:
    """Return twelve launches whose ratios differ by so many per cent."""
    off = np.random.default_rng(0).normal(0, 0.01, 12) * spread
    return [
        ComparedLaunch(number, "base", [], True, {"a.py::bench|x[1]": BySide([1.0], [1 + float(change)])})
        for number, change in enumerate(off)
    ]


def test_markdown_of_what_markdown_could_misread() -> None:
    """A bar in a name does not end its cell; every row has as many."""
    text = comparison_report.markdown(made())
    rows = [line for line in text.splitlines() if line.startswith("|")]

    assert len(rows) == 3
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
    assert "- only in base: old" in text


@pytest.mark.parametrize(("needed", "says"), [(7, "about 7 more launches"), (None, "many more launches")])
def test_how_many_launches_are_missing_is_said(needed: int | None, says: str) -> None:
    """Where it can be told; else that they are many."""
    comparison = made(verdict="inconclusive", launches_needed=needed)

    assert f"| inconclusive: {says} |" in comparison_report.markdown(comparison)


def test_the_picture_has_a_case_without_an_interval() -> None:
    """As a point alone; and draws none that was never measured."""
    drawn = json.dumps(figure.ratio_figure(made(low=0.0, high=None)).to_dict(), allow_nan=False)
    unmeasured = json.dumps(figure.ratio_figure(made(ratio=None, high=None)).to_dict(), allow_nan=False)

    assert '"case": "bench|x[1]"' in drawn
    assert "bench|x[1]" not in unmeasured
    assert "control" in unmeasured


def test_abilities_follow_from_the_spread() -> None:
    """Launches that differ by 1 % find 5 % and give no false alarm; with ten times the spread neither is so sure."""
    (able,) = self_test.abilities(made())

    assert able.launches == 18
    assert able.spread == pytest.approx(0.01, rel=0.5)
    assert able.false_alarms <= 0.01
    assert able.smallest_slowdown is not None
    assert 0.01 <= able.smallest_slowdown <= 0.05
    wide = msgspec.structs.replace(made(), launches=launches_of(10.0))
    (unable,) = self_test.abilities(wide)
    assert (unable.smallest_slowdown or 9.0) > able.smallest_slowdown
    assert self_test.lines([], wide)[0].startswith("too few launches in 30 s")


@pytest.mark.end_to_end
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a pseudo-terminal as Linux has it")
def test_progress_on_a_terminal(project: Project, temporary: Path) -> None:
    """The launch, the case in work, and the time left; gone at the end."""
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("main", "--budget", "3s"), cwd=project(), stdout=subprocess.DEVNULL, stderr=slave
    )
    process.wait(timeout=60)
    os.close(slave)
    seen = os.read(master, 1 << 20).decode(errors="replace")
    os.close(master)

    assert re.search(r"launch \d+", seen)
    assert "left" in seen


def test_what_looks_changed_is_in_every_launch() -> None:
    """Where the time left decides only some cases, it goes to a suspicion first; else to what is nearest."""
    running = _Session(Options("HEAD", budget_seconds=100.0), SETUP)
    running.referee = Referee(("steady", "slower", "wild"))
    noise = (-0.06, 0.05, 0.06, -0.05, 0.0)
    for value in noise:
        running.referee.add({"steady": value, "slower": 0.1 + value, "wild": 5 * value})
    ends = {"control": 1.0, "steady": 20.0, "slower": 22.0, "wild": 24.0}
    measured = {case: SimpleNamespace(ended_at=at) for case, at in ends.items()}
    over: Any = SimpleNamespace(measured=measured, finished=False, collects_part=True, collecting_seconds=0.0)
    running.over = [over] * len(noise)

    assert running.referee.looks_changed("slower")
    assert not running.referee.looks_changed("steady")
    running.started = time.monotonic() - 50  # for two launches side by side, twice
    assert running.referee.undecided == ["steady", "slower", "wild"]
    assert running._next_cases(2) == ["slower"]
    running.started = time.monotonic() - 90
    assert running._next_cases(2) == []
