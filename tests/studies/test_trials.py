"""Counting what comparisons of a tree with itself said, by hand."""

import math
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import stdev
from typing import Any

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks.studies.trials import __main__ as trials
from benchmarks.studies.trials.resampling import pools, resample
from benchmarks.studies.trials.styles import Style, suite_of
from benchmarks.studies.trials.summary import budget_that_finds, cries, share, spreads, summary
from parabola.compare.comparison import ComparedLaunch, Comparison, read
from parabola.compare.outcome import Options, Outcome
from parabola.compare.self_test import first_verdict
from parabola.compare.sides.by_side import BySide
from parabola.machine import host
from tests.conftest import git, users_environment
from tests.made_comparisons import FACTS, FAST, STEADY, made_case, made_comparison, made_launch, made_outcome

OWN_CASE = "benchmarks/bench_epoch_time.py::bench_epoch_time[native-cpu-batch_{}-learning_rate_0.001]"


def launch_of(seconds: dict[str, BySide[list[float]]], cores: Sequence[int] = (0,), finished: bool = True) -> Any:
    """Return a launch that measured this."""
    return ComparedLaunch(0, "base", list(cores), finished, seconds)


def trial(verdicts: tuple[str, str], planted: bool, factor: float, **changes: Any) -> Comparison:
    """Return a comparison of cases a and b; head of the second launch on core 0 takes `factor` times as long."""
    seconds = {case: BySide([1.0, 1.0], [1.0, 1.0]) for case in ("a", "b", "control")}
    later = {case: BySide([1.0, 1.0], [factor, factor]) for case in ("a", "b", "control")}
    made: dict[str, Any] = {
        "verdict": verdicts[0],
        "seconds": 10.0,
        "options": Options("HEAD", slower={"a": 0.1} if planted else {}),
        "launches": [launch_of(seconds), launch_of(seconds, [1]), launch_of(later), launch_of({}, finished=False)],
    }
    cases = [made_case(case, verdict) for case, verdict in zip("ab", verdicts, strict=True)]
    return made_comparison(*cases, **{**made, **changes})


def test_summary_by_hand() -> None:
    """Of three comparisons one has a false alarm, two have a slowdown planted, of which one is found."""
    comparisons = [
        trial(("slower", "same"), planted=True, factor=1.0),
        trial(("inconclusive", "same"), planted=True, factor=1.2),
        trial(("same", "faster"), planted=False, factor=1.04),
    ]
    said = summary(comparisons)

    assert said[0].startswith("3 comparisons of a tree with itself, 10 s each (median; ")
    assert "nothing is planted: 1 of 3, 33.3 %" in said[1]
    assert said[3].startswith("cases decided: 4 of 4, 100.0 %")
    assert said[-2].startswith("planted slowdowns found: 1 of 2, 50.0 %")


def test_pytest_benchmarks_own_check_on_the_same_rounds() -> None:
    """It fails at more than 5 %: within a launch nothing, of two launches on the same core that of 20 %."""
    comparisons = [trial(("same", "same"), planted=False, factor=factor) for factor in (1.0, 1.2, 1.04)]

    assert cries(comparisons, 0) == (0, 3)
    assert cries(comparisons, 1) == (1, 3)


def test_spreads_leave_out_what_is_planted() -> None:
    """Log ratios 0, 0 and log 1.2, of the case without a slowdown and of the control."""
    found = spreads([trial(("same", "same"), planted=True, factor=1.2)])

    assert list(found) == ["b", "control"]
    assert 0.1 < found["b"] < 0.11


def test_the_whole_summary_word_by_word() -> None:
    """Five comparisons, of unequal length: shares with Wilson's interval, spreads, and what was found."""
    comparisons = [
        trial(("slower", "faster"), planted=True, factor=2.0, seconds=31.0),
        trial(("same", "inconclusive"), planted=True, factor=1.3, seconds=2.0),
        trial(("faster", "same"), planted=False, factor=1.0, verdict="contaminated", seconds=7.0),
        trial(("slower", "slower"), planted=False, factor=1.0, seconds=12.4),
        trial(("inconclusive", "same"), planted=True, factor=1.0, seconds=300.0),
    ]
    spread = stdev([0.0] * 13 + [math.log(2.0), math.log(1.3)])

    assert summary(comparisons) == [
        "5 comparisons of a tree with itself, 12 s each (median; 2 to 300 s), of 4 launches (median)",
        "false slower or faster in a case where nothing is planted: 3 of 5, 60.0 % (14.7–94.7) of comparisons",
        "contaminated: 1 of 5, 20.0 % (0.5–71.6)",
        "cases decided: 6 of 7, 85.7 % (42.1–99.6)",
        "pytest-benchmark's median:5%, the sides of one launch: 0 of 5, 0.0 % (0.0–52.2) of comparisons",
        "pytest-benchmark's median:5%, base of one launch, head of the next: 2 of 5, 40.0 % (5.3–85.3)",
        f"spread between launches, b: {100 * spread:.1f} %",
        f"spread between launches, control: {100 * spread:.1f} %",
        "spread between launches, a: 0.0 %",
        "planted slowdowns found: 1 of 3, 33.3 % (0.8–90.6); called the same: 1",
        "the budget that finds nine of ten: more than these had",
    ]


def test_nothing_planted_is_nothing_to_find() -> None:
    """The summary then ends with the spreads."""
    said = summary([trial(("same", "same"), planted=False, factor=1.0)])

    assert said[-1] == "spread between launches, control: 0.0 %"


def test_a_share_of_nothing() -> None:
    """Is no number; others have their exact 95 % interval, the whole included: 0.025 to the seventh root is 0.590."""
    assert share(0, 0) == "none measured"
    assert share(0, 1) == "0 of 1, 0.0 % (0.0–97.5)"
    assert share(7, 7) == "7 of 7, 100.0 % (59.0–100.0)"


@pytest.mark.parametrize(("factor", "failed"), [(1.0499, 0), (1.0501, 1), (0.9, 0)])
def test_pytest_benchmark_cries_above_five_per_cent(factor: float, failed: int) -> None:
    """Of the later launch's head, and for a slowdown alone."""
    comparisons = [trial(("same", "same"), planted=True, factor=factor)]

    assert cries(comparisons, 1) == (failed, 1)
    assert cries(comparisons, 2) == (0, 0)  # there are two on these cores


def test_cries_heed_finished_launches_on_the_cores_of_the_first() -> None:
    """Not those of one that was cut short, even the first, nor on other cores, nor what one of them did not measure."""
    comparison = trial(("same", "same"), planted=False, factor=1.5)
    first, _, later, cut = comparison.launches
    slow = launch_of(later.seconds, [1])

    def cried(*launches: ComparedLaunch, after: int = 1) -> tuple[int, int]:
        return cries([msgspec.structs.replace(comparison, launches=list(launches))], after)

    assert cried(cut, first, slow, first) == (0, 1)
    assert cried(launch_of(later.seconds, finished=False), first, later) == (1, 1)
    assert cried(first, slow) == (0, 0)
    assert cried(cut, after=0) == (0, 0)
    only_a = launch_of({"a": first.seconds["a"]})
    slow_b = launch_of({"a": first.seconds["a"], "b": later.seconds["b"]})
    assert cried(only_a, slow_b) == (0, 1)
    assert cried(slow_b, only_a) == (0, 1)


def test_cries_leave_out_what_is_planted_and_the_control() -> None:
    """And compare medians of rounds: one slow round of three is no slowdown."""
    slow = BySide([1.0], [2.0])
    launches = [launch_of({"a": slow, "control": slow, "b": BySide([1.0, 1.0, 2.0], [1.0, 9.0, 1.0])})]

    assert cries([trial(("same", "same"), planted=True, factor=1.0, launches=launches)], 0) == (0, 1)
    assert cries([trial(("same", "same"), planted=False, factor=1.0, launches=launches)], 0) == (1, 1)


def test_a_spread_needs_two_launches() -> None:
    """A case that one launch measured has none; names are short, and the deviation is that of a sample."""
    even, slow = BySide([1.0], [1.0]), BySide([1.0], [math.e])
    launches = [launch_of({"x.py::once": even, "x.py::twice[1]": even}), launch_of({"x.py::twice[1]": slow})]
    comparison = trial(("same", "same"), planted=False, factor=1.0, launches=launches)

    assert spreads([comparison]) == {"twice[1]": pytest.approx(math.sqrt(0.5))}


def test_budget_that_finds_nine_of_ten() -> None:
    """Is the time in which nine of ten planted slowdowns are found, in whole seconds; what is not found has none."""

    def said(*found: bool) -> str:
        """Return what is said of comparisons that take 0.5 s, 1.5 s and so on."""
        verdicts = [("slower" if one else "inconclusive", "same") for one in found]
        return budget_that_finds([trial(two, True, 1.0, seconds=at + 0.5) for at, two in enumerate(verdicts)])

    assert said(*[True] * 10) == "9 s"
    assert said(False, *[True] * 9) == "10 s"
    assert said(False, False, *[True] * 8) == "more than these had"
    assert said(*[True] * 8) == "8 s"
    assert said(True) == "1 s"


def test_cases_of_this_suite() -> None:
    """Those of the quick grid, by the names that the speed suite gives them on the CPU; nothing is made."""
    suite = suite_of(Style.PARABOLA, Path("/nowhere"), "native", 30, 4)
    axes = ["1-learning_rate_0.001", "9-learning_rate_0.001", "27-learning_rate_0.001", "111-learning_rate_0.001"]
    every = [*axes, "999-learning_rate_0.001", "1-learning_rate_0.1"]

    assert suite.folder == Path.cwd()
    assert suite.pytest_options == ("-k", "epoch_time", "--engine", "native", "--epochs", "30", "--rounds", "4")
    named = "benchmarks/bench_epoch_time.py::bench_epoch_time[native-cpu-batch_"
    assert suite.cases == tuple(f"{named}{case}]" for case in every)


@pytest.mark.parametrize("style", [Style.URLS, Style.CLASSES])
def test_anothers_suite_is_a_repository_of_its_own(style: Style, tmp_path: Path) -> None:
    """With one commit and nothing else in it; one that is there stays as it is."""
    folder = tmp_path / "deep" / style
    suite = suite_of(style, folder, "native", 1, 1)
    (folder / "more.py").write_text("")

    assert suite_of(style, folder, "native", 1, 1) == suite
    assert git(folder, "rev-list", "--count", "--all") == "1"
    assert git(folder, "status", "--porcelain") == "?? more.py"
    assert suite.folder == folder
    assert suite.pytest_options == ()
    assert len(set(suite.cases)) == 6


def test_resampled_comparisons_are_decided_by_the_rule() -> None:
    """As many are false, and decided, as when each draws the same log ratios and is judged in one go."""
    pool, generator, verdicts = np.array([0.01, 0.02, 0.3, 0.0]), np.random.default_rng(3), list[str]()
    for _ in range(300):
        drawn = [generator.choice(pool) * generator.choice((-1, 1)) for _ in range(1)]
        while (verdict := first_verdict(np.array(drawn), math.log(1.05), 4.0, 1)) == "inconclusive" and len(drawn) < 12:
            drawn.append(generator.choice(pool) * generator.choice((-1, 1)))
        verdicts.append(verdict)
    false, decided = resample({"a": pool}, 300, 12, 0.05, confidence=0.5, seed=3)

    assert false == sum(verdict in ("slower", "faster") for verdict in verdicts) > 10
    assert decided == sum(verdict != "inconclusive" for verdict in verdicts) < 300


def test_what_is_resampled() -> None:
    """The log ratios of every launch of each case, but where a slowdown is planted, and of the control."""
    with_one, without = trial(("same", "same"), True, factor=1.2), trial(("same", "same"), False, factor=1.0)
    found = pools([with_one, without])

    assert {case: values.tolist() for case, values in found.items()} == {
        "b": pytest.approx([0.0, 0.0, math.log(1.2), 0.0, 0.0, 0.0]),
        "a": [0.0, 0.0, 0.0],
    }


@pytest.mark.end_to_end
def test_a_trial_of_anothers_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of its cases, and no other, is measured, and what is planted is written down."""
    trials.run(1, tmp_path, Style.URLS, budget=8.0, slowdown=0.5, minimum_effect=0.2)
    (comparison,) = [read(path) for path in tmp_path.glob("*.json")]
    cases = suite_of(Style.URLS, tmp_path / "urls", "native", 1, 1).cases

    assert {case.case for case in comparison.cases} == {*cases}
    assert all(case.launches > 0 for case in comparison.cases)
    assert comparison.options.slower == {cases[0]: 0.5}
    assert comparison.minimum_effect == 0.2
    assert "planted slowdowns found: " in capsys.readouterr().out


@pytest.mark.end_to_end
def test_a_suite_of_classes_has_the_cases_that_trials_name(tmp_path: Path) -> None:
    """Each passes, as pytest runs them where they were made."""
    suite = suite_of(Style.CLASSES, tmp_path / "classes", "native", 1, 1)
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--benchmark-disable"]
    said = subprocess.run(
        command, cwd=suite.folder, env=users_environment(), capture_output=True, text=True, check=True
    )
    passed = re.findall(r"^PASSED (.+)", said.stdout, flags=re.MULTILINE)

    assert sorted(passed) == sorted(suite.cases)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Have each comparison take a second longer than the one before, and return what they were asked."""
    told: list[Any] = []

    def compare(options: Options, folder: Path) -> Outcome:
        told.append((options, folder, signal.getsignal(signal.SIGTERM)))
        return made_outcome([made_launch(0, [FAST, STEADY])], ended="budget", seconds=float(len(told)))

    monkeypatch.setattr(trials, "compare", compare)
    monkeypatch.setattr(host, "facts", lambda: FACTS)
    monkeypatch.chdir(tmp_path)
    return told


def run(folder: Path, comparisons: int, slowdown: float = 0.0) -> None:
    """Run so many trials, with options of which none is the default."""
    trials.run(comparisons, folder, Style.PARABOLA, "native", 7.0, slowdown, 0.03, epochs=30, rounds=4, resampled=2)


def test_trials_go_on_where_they_stopped(asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the folder has is counted and left as it is; only what is missing is measured, under its number."""
    folder = tmp_path / "deep" / "trials"
    run(folder, 1)
    there = (folder / "000.json").read_text()
    (folder / "000.json").rename(folder / "001.json")
    run(folder, 3, slowdown=0.1)
    suite = ("-k", "epoch_time", "--engine", "native", "--epochs", "30", "--rounds", "4")

    assert sorted(path.name for path in folder.iterdir()) == ["000.json", "001.json", "002.json"]
    assert (folder / "001.json").read_text() == there
    assert [options for options, *_ in asked] == [
        Options("HEAD", None, suite, 7.0, 0.03, slower=planted)
        for planted in ({}, {OWN_CASE.format(1): 0.1}, {OWN_CASE.format(27): 0.1})
    ]
    assert {at for _, at, _ in asked} == {tmp_path}
    for _, _, end in asked:  # what a SIGTERM does while a comparison runs
        with pytest.raises(KeyboardInterrupt):
            end(signal.SIGTERM, None)
    comparisons = [read(folder / f"00{number}.json") for number in range(3)]
    assert [comparison.seconds for comparison in comparisons] == [2.0, 1.0, 3.0]
    said = capsys.readouterr().out.split("drawn from these launches, at most 100 a comparison:\n")
    assert said[-2].endswith("\n".join(["", *summary(comparisons), ""]))
    assert said[-1].startswith("false slower or faster: 0 of 2, 0.0 % (0.0–84.2) of comparisons\ncases decided: ")


def test_trials_as_they_are_unless_told_otherwise(asked: list[Any], tmp_path: Path) -> None:
    """Sixty of five minutes with the compiled engine, a hundred rounds of a hundred epochs, and nothing planted."""
    app = typer.Typer()
    app.command()(trials.run)
    suite = ("-k", "epoch_time", "--engine", "compiled", "--epochs", "100", "--rounds", "100")

    assert CliRunner().invoke(app, ["--comparisons", "0"]).exit_code == 2
    assert CliRunner().invoke(app, ["--comparisons", "1"]).exit_code == 0
    assert CliRunner().invoke(app, []).exit_code == 0
    assert [options for options, *_ in asked] == [Options("HEAD", None, suite, 300.0)] * 60
    assert len(list((tmp_path / "trials").glob("0??.json"))) == 60


def test_no_more_trials_are_counted_than_were_asked_for(
    asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first ones of those that the folder has."""
    run(tmp_path, 3)
    capsys.readouterr()
    run(tmp_path, 2)

    assert len(asked) == 3
    assert capsys.readouterr().out.startswith("2 comparisons of a tree with itself, 2 s each (median; 1 to 2 s), of ")


@pytest.mark.parametrize(
    ("ended", "why", "says"),
    [
        ("failed", "head hangs: silent", "comparison 0 failed: head hangs: silent"),
        ("interrupted", "", "comparison 0 interrupted"),
    ],
)
def test_trials_end_with_one_that_does_not(
    ended: str, why: str, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: list[Any]
) -> None:
    """It is named with its reason, and leaves no file."""
    monkeypatch.setattr(trials, "compare", lambda options, folder: made_outcome([], ended=ended, why=why))

    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, 2)
    assert str(stopped.value) == says
    assert list(tmp_path.glob("*.json")) == []


def test_a_file_that_is_no_comparison_ends_the_count_in_one_line(asked: list[Any], tmp_path: Path) -> None:
    """Another's JSON in the folder is named with what is wrong with it, and nothing is counted."""
    (tmp_path / "000.json").write_text('{"benchmarks": []}')

    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, 1)
    assert str(stopped.value) == f"{tmp_path}/000.json: not a comparison: it has no 'parabola_comparison'"
    assert asked == []
