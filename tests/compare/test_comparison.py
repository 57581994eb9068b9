"""What a comparison comes to, and its JSON, by value."""

import itertools
import json
import math
from typing import Any

import pytest

from parabola.compare import comparison
from parabola.compare.comparison import _agreed, _number, _overall, as_json, make_record
from parabola.compare.referee import Referee
from parabola.compare.sides.launch import CONTROL
from parabola.machine import host
from tests.made_comparisons import (
    FACTS,
    FAST,
    OPEN,
    SLOW,
    STEADY,
    made_launch,
    made_options,
    made_outcome,
    mixed_outcome,
)

VERDICTS = ("wrong", "slower", "inconclusive", "faster", "same")


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "facts", lambda: FACTS)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["same", "inconclusive", "faster", "slower"], "slower"),
        (["inconclusive", "slower"], "slower"),
        (["faster", "slower"], "slower"),
        (["same", "faster", "inconclusive"], "inconclusive"),
        (["inconclusive"], "inconclusive"),
        (["same", "faster", "same"], "faster"),
        (["same", "same"], "same"),
        ([], "inconclusive"),
        (["slower", "same", "wrong"], "wrong"),
    ],
)
@pytest.mark.parametrize("ended", ["decided", "budget", "interrupted"])
def test_what_a_comparison_comes_to(verdicts: list[str], expected: str, ended: str) -> None:
    """A slowdown is told before what is inconclusive, that before a speed-up, and the same last; nothing is unknown."""
    assert _overall(ended, False, verdicts) == expected
    assert _overall(ended, False, verdicts[::-1]) == expected
    assert _overall(ended, True, verdicts) == ("wrong" if expected == "wrong" else "contaminated")
    assert _overall("failed", False, verdicts) == _overall("failed", True, verdicts) == "failed"


def test_the_worst_of_every_set_of_verdicts_is_told() -> None:
    """Of all sets of verdicts the first in the order of the table is what the comparison comes to."""
    for size in range(1, len(VERDICTS) + 1):
        for among in itertools.permutations(VERDICTS, size):
            assert _overall("decided", False, among) == min(among, key=VERDICTS.index)


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
    assert _agreed(values) is expected or _agreed(values) == expected


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


@pytest.mark.parametrize(
    ("base", "head", "wrong"),
    [
        (True, False, True), (False, True, False), (True, True, False), (False, False, False), (True, None, False),
        (None, False, False), (None, None, False),
    ],
)  # fmt: skip
def test_wrong_is_what_learnt_in_base_alone(base: Any, head: Any, wrong: bool) -> None:
    """A case whose runs pass in base and fail in head is wrong, whatever its times; no other is."""
    info = {SLOW: ({"passed": base}, {"passed": head})}
    record = make_record(made_outcome([made_launch(number, [SLOW], info=info) for number in range(9)]), made_options())

    assert record["cases"][0]["passed"] == {"base": base, "head": head}
    assert record["cases"][0]["verdict"] == record["verdict"] == ("wrong" if wrong else "slower")


@pytest.mark.parametrize(("factor", "standing"), [(1.5, "slower"), (0.5, "faster")])
def test_a_control_that_moves_either_way_contaminates(factor: float, standing: str) -> None:
    """What no change can touch is trusted in neither direction."""
    outcome = made_outcome([made_launch(number, [STEADY], ratios={CONTROL: factor}) for number in range(6)])
    record = make_record(outcome, made_options())

    assert (record["control"]["verdict"], record["control"]["moved"]) == (standing, True)
    assert record["verdict"] == "contaminated"
    assert record["cases"][0]["verdict"] == "same"


def test_a_control_that_is_not_sure_contaminates_nothing() -> None:
    """As with too few launches for an interval, or a wide one."""
    outcome = made_outcome([made_launch(number, [STEADY], ratios={CONTROL: 2.0}) for number in range(4)])

    record = make_record(outcome, made_options())
    assert (record["control"]["verdict"], record["control"]["moved"]) == ("inconclusive", False)
    assert record["verdict"] == "inconclusive"


def test_the_whole_record() -> None:
    """Everything about a comparison is there, each under its name and from its own side."""
    outcome = mixed_outcome(ended="budget", disturbed=True, unmeasured=[OPEN])
    record = make_record(outcome, made_options())
    rest = {name: value for name, value in record.items() if name not in ("control", "cases", "launches")}

    assert rest == {
        "parabola_comparison": 1,
        "verdict": "slower",
        "ended": "budget",
        "why": "",
        "disturbed": True,
        "seconds": 12.5,
        "base": {"revision": "v1.2|old", "commit": "b" * 9 + "1" * 31, "subject": "The <old> way"},
        "head": {"revision": "working tree", "commit": "d" * 9 + "2" * 31, "subject": "A new|way"},
        "options": {
            "base": "v1.2|old", "head": None, "pytest_options": ("-k", "a or b"), "budget_seconds": 90.0,
            "minimum_effect": 0.05, "limit_seconds": 77.0, "cores_per_launch": 2, "launches_at_once": 3,
            "slower": {"slow": 0.25},
        },
        "confidence": 0.99,
        "minimum_effect": 0.05,
        "machine": FACTS,
        "only_in_base": ["a.py::gone[1]", "a.py::past"],
        "only_in_head": ["b/c.py::fresh"],
        "unmeasured": [OPEN],
    }  # fmt: skip
    assert list(record["control"]) == [*record["cases"][0], "moved"]
    assert (record["control"]["case"], record["control"]["launches"]) == (CONTROL, 11)
    assert (record["control"]["verdict"], record["control"]["moved"]) == ("same", False)
    assert [(case["case"], case["verdict"]) for case in record["cases"]] == [
        (FAST, "faster"), (STEADY, "same"), (SLOW, "slower"),
    ]  # fmt: skip


def test_a_failure_says_why() -> None:
    """The record of a comparison that failed holds its reason, and what was measured until then."""
    record = make_record(mixed_outcome(ended="failed", why="head hangs"), made_options(minimum_effect=0.01))

    assert (record["verdict"], record["ended"], record["why"]) == ("failed", "failed", "head hangs")
    assert record["minimum_effect"] == 0.01
    assert len(record["cases"]) == 4


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
    record = make_record(made_outcome(launches), made_options())
    steady, open_case = record["cases"]

    assert steady == {
        "case": STEADY,
        "ratio": pytest.approx(1.01),
        "low": 0.0,
        "high": None,
        "confidence": pytest.approx(0.995),
        "launches": 3,
        "launches_needed": 6,  # 0.02578 / √9 · 4.317 is within 0.04879 - 0.00995, and 0.02578 / √8 · 4.773 is not
        "suspected": False,
        "verdict": "inconclusive",
        "median_seconds": {"base": 0.0025, "head": pytest.approx(0.0025 * 1.01)},
        "coefficient_error": {"base": 0.25, "head": None},
        "passed": {"base": True, "head": True},
    }
    assert open_case["launches"] == 2
    assert open_case["median_seconds"] == {"base": 30.0, "head": pytest.approx(30 * 1.025)}


def test_a_case_that_nothing_measured_has_no_numbers() -> None:
    """As before the first launch is over."""
    outcome = made_outcome([], referee=Referee([SLOW]))
    (case,) = make_record(outcome, made_options())["cases"]

    assert (case["ratio"], case["low"], case["high"], case["launches"], case["launches_needed"]) == (
        None, 0.0, None, 0, None,
    )  # fmt: skip
    assert case["median_seconds"] == case["passed"] == case["coefficient_error"] == {"base": None, "head": None}
    assert case["verdict"] == "inconclusive"


def test_launches_of_a_record() -> None:
    """Each has its number, the side that began, its cores and every round; also one that did not finish."""
    launches = [made_launch(4, [FAST], [5, 6]), made_launch(3, [SLOW], (), finished=False, wobble=1.0)]
    record = make_record(made_outcome(launches), made_options())

    assert record["launches"] == [
        {
            "number": 4,
            "began_with": "base",
            "cores": [5, 6],
            "finished": True,
            "seconds": {
                CONTROL: {"base": [0.5, 0.25, 0.75], "head": [0.5, 0.25, 0.75]},
                FAST: {"base": [0.1], "head": [0.05]},
            },
        },
        {
            "number": 3,
            "began_with": "head",
            "cores": [],
            "finished": False,
            "seconds": {
                CONTROL: {"base": [0.5, 0.25, 0.75], "head": [1.0, 0.5, 1.5]},
                SLOW: {"base": [0.375, 0.125], "head": [0.9375, 0.3125]},
            },
        },
    ]


def test_the_record_is_json() -> None:
    """Read back it is the same but for tuples; a number that JSON does not have is refused."""
    record = make_record(mixed_outcome(), made_options())
    text = as_json(record)

    assert json.loads(text) == {**record, "options": {**record["options"], "pytest_options": ["-k", "a or b"]}}
    assert text.startswith('{\n "parabola_comparison": 1,\n "verdict": "slower",\n "ended": "decided",\n')
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({**record, "seconds": math.nan})
    assert comparison.VERSION == 1
