"""Numbers of extra_info that are compared as times are: which count, by what effect, and how rows of them read."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parabola.commands.options import read_metrics
from parabola.compare import metrics, session
from parabola.compare.comparison import as_json
from parabola.compare.conclusion import conclude
from parabola.compare.figure import ratio_figure
from parabola.compare.metrics import Row
from parabola.compare.outcome import Outcome
from parabola.compare.referee import Referee
from parabola.compare.session import _Session
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.compare.text import headline, markdown, notes
from parabola.compare.verdicts import Judgement, Verdict
from parabola.machine import host
from tests.conftest import FEW_PLUGINS, git, users_environment
from tests.made_comparisons import FACTS, FAST, SETUP, SLOW, STEADY, made_launch, made_options, made_outcome

ROW = Row(STEADY, "mib")
MEBIBYTES = [(100.0, 104.0 + wobble) for wobble in (0.1, -0.1, 0.2, 0, -0.2, 0.1, 0, -0.1, 0.2, 0, 0.1, 0, -0.2, 0)]


def launches(pairs: Any, case: str = STEADY) -> list[Launch]:
    """Return launches in each of which the sides tell such numbers of a case; of the other cases nothing."""
    return [
        made_launch(number, [STEADY, SLOW], info={case: ({"mib": base}, {"mib": head})})
        for number, (base, head) in enumerate(pairs)
    ]


def outcome_of(measured: list[Launch], effects: dict[str, float]) -> Outcome:
    """Return what these launches come to with a referee of times and metrics, whose minimum effect is 5 %."""
    referee = Referee(metrics.names(measured[0], effects))
    for launch in measured:
        referee.add({name: log for name, log in metrics.log_ratios(launch, effects, 0.05).items() if name != CONTROL})
    return made_outcome(measured, referee=referee)


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        (2, 3.5, (2.0, 3.5)), (0, 1, None), (1, 0, None), (-1, 2, None), (math.nan, 1, None), (1, math.inf, None),
        (True, 1, None), ("7", 1, None), (None, 1, None), (1, [2], None),
    ],
)  # fmt: skip
def test_only_positive_numbers_of_both_sides_count(base: Any, head: Any, expected: Any) -> None:
    """Zero, negative and infinite numbers, truths, words and what is not there have no ratio."""
    (launch,) = launches([(base, head)])
    lacking = "mib is no positive number on both sides in each launch of {} as {}"

    assert metrics.values(launch, ROW) == expected
    assert metrics.values(launch, Row("no case", "mib")) is None
    assert metrics.rows(launch, ["mib", "other"]) == ([ROW] if expected else [])
    assert metrics.names(launch, ["mib"]) == [STEADY, SLOW, *([ROW] if expected else [])]
    assert metrics.not_measured([launch], ["mib"]) == [
        lacking.format("1 case,", SLOW) if expected else lacking.format("2 cases,", STEADY)
    ]


def test_a_metrics_effect_becomes_that_of_times() -> None:
    """A number that grows by its own minimum effect has the log ratio of a time that grows by that of times."""
    (launch,) = launches([(100, 102)])

    assert metrics.log_ratios(launch, {"mib": 0.02}, 0.05)[ROW] == pytest.approx(math.log(1.05))
    assert metrics.log_ratios(launch, {"mib": 0.05}, 0.05)[ROW] == pytest.approx(math.log(1.02))
    assert metrics.log_ratios(launch, {}, 0.05) == {name: launch.measured[name].log_ratio for name in launch.plan}


def test_what_runs_for_a_row_is_its_case() -> None:
    """Each case once, in order, whatever of it is undecided."""
    assert metrics.cases_of([ROW, SLOW, STEADY, Row(SLOW, "mib"), "a: b"]) == [STEADY, SLOW, "a: b"]
    assert str(ROW) == f"{STEADY}: mib"


@pytest.mark.parametrize("effect", [0.02, 0.05, 0.3])
def test_a_row_is_what_a_referee_of_that_effect_says(effect: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratio, interval and verdict are those of a family that has the metric's own minimum effect for all."""
    monkeypatch.setattr(host, "facts", lambda: FACTS)
    outcome = outcome_of(launches(MEBIBYTES), {"mib": effect})
    comparison = conclude(outcome, made_options(metrics={"mib": effect}))
    alone = Referee([STEADY, SLOW, ROW], effect)
    for launch, (base, head) in zip(outcome.launches, MEBIBYTES, strict=True):
        times = {case: outcome.referee.log_ratios[case][0] for case in (STEADY, SLOW)}
        alone.add({ROW: math.log(head / base), **times} if launch.number < 20 else {})
    row = {case.case: case for case in comparison.cases}[str(ROW)]
    expected = alone.evidence(ROW)

    assert [case.case for case in comparison.cases] == [STEADY, SLOW, str(ROW)]
    assert (row.metric, row.verdict) == ("mib", "same" if effect == 0.3 else "slower")
    assert expected.verdict == row.verdict
    assert row.launches == expected.launches
    assert (row.ratio, row.low, row.high) == pytest.approx((expected.ratio, expected.low, expected.high), rel=1e-6)
    assert row.median_values is not None
    assert (row.median_values.base, row.median_values.head) == pytest.approx((100, 104.0))
    assert row.median_seconds.base is None
    assert json.loads(as_json(comparison))["cases"][2]["median_values"]["base"] == 100
    assert json.loads(as_json(comparison))["options"]["metrics"] == {"mib": effect}


def test_rows_read_larger_and_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers stand without a unit; the headline counts them by their word; what is not measured has one line."""
    monkeypatch.setattr(host, "facts", lambda: FACTS)
    more, less = ((outcome_of(launches(pairs), {"mib": 0.02})) for pairs in (MEBIBYTES, [(b, a) for a, b in MEBIBYTES]))
    larger, smaller = (conclude(outcome, made_options(metrics={"mib": 0.02})) for outcome in (more, less))
    line = next(line for line in markdown(larger).splitlines() if "mib" in line)
    chart = ratio_figure(larger).to_dict()

    assert headline(larger) == "slower: 1 larger, 1 slower, 1 same"
    assert headline(smaller) == "slower: 1 slower, 1 smaller, 1 same"
    assert "| 100 | 104 | +4.0 % |" in line
    assert line.endswith("| larger |")
    assert f"mib is no positive number on both sides in each launch of 1 case, as {SLOW}" in notes(larger)
    assert chart["title"]["subtitle"][-1].endswith("counts as same, mib within ±2 %")
    assert chart["title"]["text"] == "Is head slower or larger than base? Yes: 1 larger, 1 slower, 1 same"
    x = chart["layer"][2]["encoding"]["x"]
    assert x["title"] == "change from base to head (right: head is slower or larger)"


def test_rows_may_come_later_and_cases_may_not() -> None:
    """A first launch may end before it comes to a case; what the next ones tell of it counts from the first on."""
    first, second = launches([(None, None), (100.0, 150.0)])
    another = made_launch(2, [STEADY, FAST], info={FAST: ({"mib": 1.0}, {"mib": 2.0})})
    known = metrics.names(first, ["mib"])
    grown = metrics.names(second, ["mib"], known)

    assert (known, grown) == ([STEADY, SLOW], [STEADY, SLOW, ROW])
    assert metrics.names(another, ["mib"], grown) == grown
    assert metrics.names(second, ["mib"], grown) == grown


def test_a_row_that_comes_later_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside all cases, by what every launch has told: as if it had been there from the first on."""
    monkeypatch.setattr(session, "others", lambda besides: [])
    options = made_options(metrics={"mib": 0.05})
    told = launches([(None, None), *[(100.0, 150.0)] * 12])
    late, whole = _Session(options, SETUP), Referee([STEADY, SLOW, ROW], options.minimum_effect)
    for launch in told:
        late._take(launch)
    metrics.tell(whole, told, options)

    assert late.referee.log_ratios == whole.log_ratios
    assert late.referee.decided == whole.decided
    assert late.referee.decided[ROW] == "slower"
    assert len(whole.log_ratios[ROW]) > 1


def test_a_row_of_a_case_that_measures_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the same verdict, and shows its numbers."""
    monkeypatch.setattr(host, "facts", lambda: FACTS)
    other = Judgement(Verdict.OTHER_WORK, "test_it.py differs")
    outcome = dataclasses.replace(outcome_of(launches(MEBIBYTES), {"mib": 0.05}), other_work={STEADY: other})
    cases = {case.case: case for case in conclude(outcome, made_options(metrics={"mib": 0.05})).cases}

    assert cases[str(ROW)].verdict == cases[STEADY].verdict == Verdict.OTHER_WORK
    assert cases[str(ROW)].ratio == pytest.approx(1.04, abs=0.002)


def test_a_case_that_fails_has_no_row_of_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a side skips, or a test that fails, says nothing of memory either."""
    monkeypatch.setattr(host, "facts", lambda: FACTS)
    outcome = outcome_of(launches(MEBIBYTES), {"mib": 0.02})
    options = made_options(metrics={"mib": 0.02})

    skipped = conclude(Outcome(**{**vars(outcome), "unmeasured": [STEADY]}), options)
    assert [case.case for case in skipped.cases] == [SLOW]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], {}), (["a"], {"a": 0.05}), (["a=2%", "b"], {"a": 0.02, "b": 0.05}),
        (["a", "a=1%"], "--metric needs a key of extra_info, once: peak_mebibytes=5%. Received: 'a=1%'"),
        (["=1%"], "--metric needs a key of extra_info, once: peak_mebibytes=5%. Received: '=1%'"),
        (["a=1"], "--metric needs a share above 0 in per cent, as 5%. Received: '1'"),
    ],
)  # fmt: skip
def test_the_options_of_metrics(texts: list[str], expected: Any) -> None:
    """Each has its own minimum effect, or that of times; a second one of a name is refused."""
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=r"^--metric") as caught:
            read_metrics(texts, "5%")
        assert str(caught.value) == expected
    else:
        assert read_metrics(texts, "5%") == expected


SUITE = """
from pathlib import Path
import thing
def test_it(benchmark):
    benchmark.pedantic(thing.work, rounds=5)
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    benchmark.extra_info.update(peak_mebibytes=int(peak) / 1024, none=0)
"""


@pytest.mark.end_to_end
@pytest.mark.skipif(sys.platform != "linux", reason="the suite reads /proc")
def test_50_mebibytes_are_found(tmp_path: Path) -> None:
    """Of another suite whose head holds 50 MiB more, and whose times are left to be noisy: larger, exit code 1."""
    (tmp_path / "test_it.py").write_text(SUITE)
    (tmp_path / "thing.py").write_text("def work():\n    return sum(range(9))\n")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    (tmp_path / "thing.py").write_text("HELD = b'x' * (50 * 2**20)\ndef work():\n    return sum(range(9))\n")
    command = [sys.executable, "-m", "parabola", "compare", "main", "--budget", "60s", "--minimum-effect", "1000%"]
    command += ["--metric", "peak_mebibytes=10%", "--metric", "none", "--json", "a.json"]
    variables = {**users_environment(), **FEW_PLUGINS}
    answer = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    case = json.loads((tmp_path / "a.json").read_text())["cases"][-1]
    found = case["median_values"]["head"] - case["median_values"]["base"]

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert (case["case"], case["verdict"]) == ("test_it.py::test_it: peak_mebibytes", "slower")
    assert found == pytest.approx(50, abs=5)
    assert "1 larger" in answer.stdout
    assert "none is no positive number on both sides in each launch of 1 case, as test_it.py::test_it" in answer.stdout
