"""What a comparison comes to, by value."""

import importlib.metadata
import math
from typing import Any

import msgspec
import pytest

from parabola.compare.comparison import ComparedCommit, ComparedLaunch
from parabola.compare.conclusion import _most_common, _number, conclude
from parabola.compare.environments.differences import Difference, Environment
from parabola.compare.referee import Referee
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.launch import CONTROL
from parabola.compare.verdicts import Judgement, Verdict
from parabola.machine import host
from tests.made_comparisons import (
    FACTS,
    FAST,
    OPEN,
    ROUNDS,
    SLOW,
    STEADY,
    made_comparison,
    made_launch,
    made_options,
    made_outcome,
    mixed_outcome,
)


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "facts", lambda: FACTS)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 2], 2),
        ([2, 2, 1], 2),
        ([True, False, False], False),
        ([None, 0.5, 0.5], 0.5),
        ([3, 1, 2], 3),
        ([1, 2, 2, 1, 3], 1),
        ([], None),
    ],
)
def test_most_launches_are_heard(values: list[Any], expected: Any) -> None:
    """What more of them say counts, neither the first nor the last; of equally many, what was said first."""
    assert _most_common(values) is expected or _most_common(values) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3), (0, 0), (-0.5, -0.5), (True, True), (False, False), (None, None), ("7", None), ([1], None),
        (math.nan, None), (math.inf, None), (-math.inf, None),
    ],
)  # fmt: skip
def test_only_finite_numbers_and_truths_are_kept(value: Any, expected: Any) -> None:
    """Anything else is not known, as JSON has no word for it."""
    assert _number(value) is expected or _number(value) == expected


@pytest.mark.parametrize("base", [True, False, None])
@pytest.mark.parametrize("head", [True, False, None])
def test_what_a_suite_says_of_passing_decides_nothing(base: Any, head: Any) -> None:
    """Whether a run passes is a lottery over seeds and epochs, so it is kept, and the times decide."""
    info = {SLOW: ({"passed": base}, {"passed": head})}
    comparison = conclude(
        made_outcome([made_launch(number, [SLOW], info=info) for number in range(10)]), made_options()
    )

    assert comparison.cases[0].passed == BySide(base, head)
    assert comparison.cases[0].verdict == comparison.verdict == "slower"


WRONG = Judgement(Verdict.WRONG, "head failed", ["E one"])
LACKING = Judgement(Verdict.NOT_MEASURED, "base failed", ["E two"])
NAMELESS = Judgement(Verdict.NOT_MEASURED, "no name")


@pytest.mark.parametrize(
    ("judged", "output", "expected"),
    [
        ({STEADY: WRONG}, (), ("wrong", ["E one"])),
        ({STEADY: LACKING}, (), ("not measured", ["E two"])),
        ({"a.py::lost": NAMELESS}, (), ("not measured", [])),
        ({"a.py::lost": NAMELESS, STEADY: LACKING}, (), ("not measured", ["E two"])),
        ({"a.py::lost": NAMELESS, STEADY: LACKING, SLOW: WRONG}, (), ("wrong", ["E one"])),
        ({STEADY: WRONG}, ("bye",), ("wrong", ["bye"])),
        ({}, ("bye",), ("same", ["bye"])),
    ],
)
def test_what_tests_that_fail_make_of_a_comparison(
    judged: dict[str, Judgement], output: tuple[str, ...], expected: tuple[str, list[str]]
) -> None:
    """Each case has its verdict and reason, whatever its times; a test's report is kept, or a side's last lines."""
    launches = [made_launch(number, [STEADY]) for number in range(9)]
    comparison = conclude(made_outcome(launches, judged=judged, output=output), made_options())
    cases = {case.case: case for case in comparison.cases}

    assert (comparison.verdict, comparison.output) == expected
    assert list(cases) == [STEADY, *(case for case in judged if case != STEADY)]
    for name, judgement in judged.items():
        assert (cases[name].verdict, cases[name].reason) == (judgement.verdict, judgement.why)
    assert (cases[STEADY].ratio, cases[STEADY].launches) == (1.0, 9)
    if "a.py::lost" in judged:
        assert (cases["a.py::lost"].ratio, cases["a.py::lost"].launches) == (None, 0)


@pytest.mark.parametrize("case", [STEADY, SLOW, FAST, OPEN])
def test_a_case_whose_harness_differs_has_its_numbers_and_no_verdict_by_them(case: str) -> None:
    """Be it slower, faster, the same or undecided by its times; a test that fails goes before."""
    other = Judgement(Verdict.OTHER_WORK, "base and head differ in a.py")
    given: dict[str, Any] = {"other_work": {case: other, "a.py::gone[1]": other}}
    launches = [made_launch(number, [case], wobble=0.001 * (number % 2)) for number in range(9 if case != OPEN else 2)]
    (by_times,) = conclude(made_outcome(launches), made_options()).cases
    comparison = conclude(made_outcome(launches, **given), made_options())
    (known,) = comparison.cases

    assert (known.verdict, known.reason) == ("measures other work", "base and head differ in a.py")
    assert msgspec.structs.replace(known, verdict=by_times.verdict, reason="") == by_times
    assert (comparison.verdict, comparison.verdict.exit_code) == ("measures other work", 5)
    failed = conclude(made_outcome(launches, judged={case: WRONG}, **given), made_options())
    assert [one.verdict for one in failed.cases] == ["wrong"]


@pytest.mark.parametrize(("factor", "standing"), [(1.5, "slower"), (0.5, "faster")])
def test_a_control_that_moves_either_way_contaminates(factor: float, standing: str) -> None:
    """What no change can touch is trusted in neither direction; and no case is the same beside it."""
    outcome = made_outcome([made_launch(number, [STEADY], ratios={CONTROL: factor}) for number in range(10)])
    comparison = conclude(outcome, made_options())

    assert (comparison.control.verdict, comparison.control.moved) == (standing, True)
    assert comparison.verdict == "contaminated"
    assert outcome.referee.decided == {STEADY: "same"}
    assert comparison.cases[0].verdict == "inconclusive"


@pytest.mark.parametrize(("case", "verdict"), [(STEADY, "inconclusive"), (SLOW, "slower"), (FAST, "faster")])
def test_a_control_that_is_not_sure_lets_no_case_be_the_same(case: str, verdict: str) -> None:
    """It contaminates nothing: a change that is clear stays one. What would be the same waits for the control."""
    launches = [made_launch(number, [case], ratios={CONTROL: 2.0 if number % 2 else 0.5}) for number in range(10)]
    comparison = conclude(made_outcome(launches), made_options())
    (compared,) = comparison.cases

    assert (comparison.control.verdict, comparison.control.moved) == ("inconclusive", False)
    assert compared.verdict == comparison.verdict == verdict
    assert compared.launches_needed == (comparison.control.launches_needed if case == STEADY else 0)
    assert (compared.low, compared.high) == pytest.approx((ROUNDS[case][1] * 0.98, ROUNDS[case][1] * 1.02), rel=0.03)


def test_a_control_that_is_the_same_vouches_for_the_cases() -> None:
    """Then the verdict is that of the times."""
    outcome = made_outcome([made_launch(number, [STEADY]) for number in range(10)])
    comparison = conclude(outcome, made_options())

    assert (comparison.control.verdict, comparison.cases[0].verdict, comparison.verdict) == ("same",) * 3


def test_the_whole_comparison() -> None:
    """Everything about a comparison is there, each under its name and from its own side."""
    outcome = mixed_outcome(ended="budget", disturbed=True, unmeasured=[OPEN])
    comparison = conclude(outcome, made_options())

    assert comparison == made_comparison(
        written_by=f"parabola {importlib.metadata.version('parabola')}",
        verdict="slower",
        ended="budget",
        why="",
        disturbed=True,
        seconds=12.5,
        base=ComparedCommit("v1.2|old", "b" * 9 + "1" * 31, "The <old> way"),
        head=ComparedCommit("working tree", "d" * 9 + "2" * 31, "A new|way"),
        options=made_options(),
        confidence=0.99,
        minimum_effect=0.05,
        machine=FACTS,
        control=comparison.control,
        cases=comparison.cases,
        only_in_base=["a.py::gone[1]", "a.py::past"],
        only_in_head=["b/c.py::fresh"],
        unmeasured=[OPEN],
        launches=comparison.launches,
    )
    assert (comparison.control.case, comparison.control.launches) == (CONTROL, 15)
    assert (comparison.control.verdict, comparison.control.moved) == ("same", False)
    assert [(case.case, case.verdict) for case in comparison.cases] == [
        (FAST, "faster"), (STEADY, "same"), (SLOW, "slower"),
    ]  # fmt: skip
    assert [launch.number for launch in comparison.launches] == list(range(15))


def test_environments_of_the_sides_own() -> None:
    """They are kept, with what differs, named first by who installs it; the machine's software is theirs."""
    environments = BySide(
        Environment({"python": "3.11.9", "keras": "3.10", "a": "1"}, copied=True),
        Environment({"python": "3.11.9", "keras": "3.11"}),
    )
    outcome = mixed_outcome(environments=environments, seconds_before=7.5)
    comparison = conclude(outcome, made_options(install=BySide("pip install keras", "")))

    assert comparison.environments == environments
    assert comparison.differences == [Difference("keras", "3.10", "3.11"), Difference("a", "1", None)]
    assert comparison.seconds_before == 7.5
    assert comparison.machine == {
        **FACTS, "keras": "3.10 → 3.11", "tensorflow": "none", "numpy": "none", "numba": "none",
        "pytest_benchmark": "none", "cuda": "none",
    }  # fmt: skip


def test_a_failure_says_why() -> None:
    """A comparison that failed holds its reason, and what was measured until then."""
    comparison = conclude(mixed_outcome(ended="failed", why="head hangs"), made_options(minimum_effect=0.01))

    steady = made_outcome([made_launch(0, [STEADY])], ended="failed", why="head hangs")

    assert (comparison.verdict, comparison.ended, comparison.why) == ("slower", "failed", "head hangs")
    assert conclude(steady, made_options()).verdict == "failed"
    assert comparison.minimum_effect == 0.01
    assert len(comparison.cases) == 4


def test_a_case_by_value() -> None:
    """Medians over launches of medians over rounds, the verdict's numbers, and what most launches say of accuracy."""
    info = [
        {STEADY: ({"passed": True, "coefficient_error": error}, {"passed": passed, "coefficient_error": "much"})}
        for error, passed in ((0.5, False), (0.25, True), (0.25, True))
    ]
    launches = [
        made_launch(number, [STEADY, OPEN], info=said, wobble=0.01 * number + 0.03 * (number == 2))
        for number, said in enumerate(info)
    ]
    del launches[1].measured[OPEN]
    outcome = made_outcome(launches)
    steady, open_case = conclude(outcome, made_options()).cases

    assert msgspec.structs.asdict(steady) == {
        "case": STEADY,
        "ratio": pytest.approx(1.01),
        "low": 0.0,
        "high": None,
        "confidence": 0.99,
        "launches": 3,
        "launches_needed": outcome.referee.launches_needed([STEADY, OPEN])[STEADY],
        "suspected": False,
        "verdict": Verdict.INCONCLUSIVE,
        "median_seconds": BySide[Any](0.0025, pytest.approx(0.0025 * 1.01)),
        "coefficient_error": BySide(0.25, None),
        "passed": BySide(True, True),
        "launch_spread": pytest.approx(1.482602 * math.log(1.01)),  # of ratios of 1, 1.01 and 1.05
        "round_spread": pytest.approx(0.0),
        "reason": "",
        "metric": "",
        "median_values": None,
    }
    assert open_case.launches == 2
    assert (open_case.launch_spread, open_case.round_spread) == (None, None)
    assert open_case.median_seconds == BySide[Any](30.0, pytest.approx(30 * 1.025))


def test_a_case_that_nothing_measured_has_no_numbers() -> None:
    """As before the first launch is over."""
    outcome = made_outcome([], referee=Referee([SLOW]))
    (case,) = conclude(outcome, made_options()).cases

    assert (case.ratio, case.low, case.high, case.launches, case.launches_needed) == (None, 0.0, None, 0, None)
    assert case.median_seconds == case.passed == case.coefficient_error == BySide(None, None)
    assert case.verdict == "inconclusive"


def test_launches_of_a_comparison() -> None:
    """Each has its number, the side that began, its cores and every round; also one that did not finish."""
    launches = [made_launch(4, [FAST], [5, 6]), made_launch(3, [SLOW], (), finished=False, wobble=1.0)]
    comparison = conclude(made_outcome(launches), made_options())

    assert comparison.launches == [
        ComparedLaunch(
            number=4,
            began_with="base",
            cores=[5, 6],
            finished=True,
            seconds={CONTROL: BySide([0.5, 0.25, 0.75], [0.5, 0.25, 0.75]), FAST: BySide([0.1], [0.05])},
        ),
        ComparedLaunch(
            number=3,
            began_with="head",
            cores=[],
            finished=False,
            seconds={
                CONTROL: BySide([0.5, 0.25, 0.75], [1.0, 0.5, 1.5]),
                SLOW: BySide([0.375, 0.125], [0.9375, 0.3125]),
            },
        ),
    ]
