"""A comparison's JSON: what is written, key for key, and what is said of a file that is none."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from parabola.compare import comparison
from parabola.compare.comparison import Comparison, NoComparison, as_json, read
from parabola.compare.conclusion import conclude
from parabola.compare.sides.by_side import BySide
from parabola.compare.verdicts import Verdict
from parabola.machine import host
from tests.made_comparisons import FACTS, STEADY, made_case, made_comparison, made_options, mixed_outcome

VERSION_1 = Path(__file__).with_name("comparison.json")  # with the keys of version 1 from before it had types
ADDED = {
    "allowed",
    "harness",
    "setup",
    "install",
    "python",
    "environments",
    "differences",
    "seconds_before",
    "logs",
    "only_cases",
    "launch_spread",
    "round_spread",
    "reason",
    "missing",
    "output",
    "written_by",
    "starting_seconds",
    "collecting_seconds",
    "collected_all",
    "strayed",
    "metrics",
    "metric",
    "median_values",
}  # since


@pytest.fixture(autouse=True)
def _known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "facts", lambda: FACTS)


@pytest.fixture(name="mixed")
def _mixed() -> Comparison:
    """The comparison that the file of version 1 is of."""
    outcome = mixed_outcome(ended="budget", disturbed=True, unmeasured=["a.py::skipped"])
    return conclude(outcome, made_options())


def in_order(text: str) -> Any:
    """Return JSON with its keys in order, without added ones; numbers have 10 digits: the last are the processor's."""

    def pairs(items: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return [(key, value) for key, value in items if key not in ADDED]

    return json.loads(text, object_pairs_hook=pairs, parse_float=lambda digits: f"{float(digits):.10g}")


def test_the_json_is_that_of_version_1_key_for_key(mixed: Comparison) -> None:
    """Names and order of keys are those that version 1 began with, but for added ones; values are the referee's."""
    assert all(f'"{key}": ' in as_json(mixed) for key in ADDED)
    assert in_order(as_json(mixed)) == in_order(VERSION_1.read_text())
    assert comparison.VERSION == 1
    assert as_json(mixed).startswith('{\n "parabola_comparison": 1,\n "verdict": "slower",\n "ended": "budget",\n')


def test_what_is_written_is_read(mixed: Comparison, tmp_path: Path) -> None:
    """A comparison comes back from its file equal, and is written again the same."""
    (tmp_path / "a.json").write_text(as_json(mixed))
    again = read(tmp_path / "a.json")

    assert again == mixed
    assert isinstance(again.cases[0].verdict, Verdict)
    assert as_json(again) == as_json(mixed)
    assert in_order(as_json(read(VERSION_1))) == in_order(VERSION_1.read_text())


@pytest.mark.parametrize(("passed", "error"), [(True, 0.5), (1, 3), (None, None), (0.25, False)])
def test_what_a_suite_tells_of_itself_is_read_as_it_was_written(passed: Any, error: Any, tmp_path: Path) -> None:
    """A suite of others may call a number `passed`, or a truth its error: both come back as they were."""
    case = made_case(STEADY, "same", passed=BySide(passed, None), coefficient_error=BySide(None, error))
    (tmp_path / "a.json").write_text(as_json(made_comparison(case)))
    (case,) = read(tmp_path / "a.json").cases

    assert (repr(case.passed.base), repr(case.coefficient_error.head)) == (repr(passed), repr(error))


def test_a_number_that_json_does_not_have_is_refused() -> None:
    """It is not written as NaN, which others could not read."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(made_comparison(seconds=math.nan))


def changed(**changes: Any) -> str:
    """Return the text of a comparison with other values, by key; None takes the key away."""
    content = {**json.loads(VERSION_1.read_text()), **changes}
    return json.dumps({key: value for key, value in content.items() if value is not None})


CASE = json.loads(VERSION_1.read_text())["cases"][0]
LAUNCH = json.loads(VERSION_1.read_text())["launches"][0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON, or cut off (Input data was truncated)"),
        ('{"parabola_comparison": 1, "verd', "not JSON, or cut off (Input data was truncated)"),
        ("[" * 100_000, "not JSON, or cut off (maximum recursion depth exceeded"),
        ("[]", "not a comparison: it has no 'parabola_comparison'"),
        ('{"machine_info": {}, "benchmarks": []}', "not a comparison: it has no 'parabola_comparison'"),
        (changed(parabola_comparison=2), "of version 2; this parabola reads version 1"),
        (changed(parabola_comparison="1"), "of version '1'; this parabola reads version 1"),
        (changed(verdict=None), "damaged: Object missing required field `verdict`"),
        (changed(verdict="fine"), "damaged: Invalid enum value 'fine' - at `$.verdict`"),
        (changed(ended="early"), "damaged: Invalid enum value 'early' - at `$.ended`"),
        (changed(seconds="12"), "damaged: Expected `float`, got `str` - at `$.seconds`"),
        (changed(options={"base": 7}), "damaged: Expected `str | null`, got `int` - at `$.options.base`"),
        (changed(control=CASE), "damaged: Object missing required field `moved` - at `$.control`"),
        (
            changed(cases=[CASE, {**CASE, "median_seconds": {"base": 1.0}}]),
            "damaged: Object missing required field `head` - at `$.cases[1].median_seconds`",
        ),
        (
            changed(launches=[{**LAUNCH, "seconds": {"a": {"base": [1.0], "head": [None]}}}]),
            "damaged: Expected `float`, got `null` - at `$.launches[0].seconds[...].head[0]`",
        ),
    ],
)
def test_a_file_that_is_no_comparison_is_refused_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    """The line names the file and what is wrong with it: no JSON, no comparison, another version, or damaged where."""
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(NoComparison) as refused:
        read(path)

    assert str(refused.value).startswith(f"{path}: {says}")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    """One that is missing, and one that is no text."""
    (tmp_path / "binary.json").write_bytes(b'{"parabola_comparison": "\xff"}')
    with pytest.raises(NoComparison, match=r"/none\.json: No such file or directory$"):
        read(tmp_path / "none.json")
    with pytest.raises(NoComparison, match=r"/binary\.json: not JSON, or cut off \(.*\)$"):
        read(tmp_path / "binary.json")


@pytest.mark.parametrize(
    "part",
    [
        made_comparison(),
        made_comparison().control,
        made_comparison().base,
        made_comparison().launches[0],
        made_case(STEADY, "same"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_comparison_does_not_change(part: Any) -> None:
    """No part of it can be given another value."""
    with pytest.raises(AttributeError, match="immutable type"):
        setattr(part, part.__struct_fields__[0], None)
