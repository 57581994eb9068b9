"""The verdicts of a comparison: which goes first, when a case is wrong, and what follows from each."""

import itertools
import re
from pathlib import Path

import pytest
from rich.style import Style

from parabola.compare.sides.failure import Failure
from parabola.compare.verdicts import Verdict, judge, overall
from parabola.exit_codes import ExitCode

PAGE = (Path(__file__).parents[2] / "docs/compare.md").read_text()
BY_PRECEDENCE = (
    *("wrong", "slower", "contaminated", "failed", "not measured", "measures other work"),
    *("inconclusive", "faster", "same"),
)  # exit codes 1, 1, 4, 5, 5, 5, 3 with --strict, 0 and 0
OF_CASES = (
    *("slower", "wrong", "faster", "same", "inconclusive", "measures other work", "not measured"),
)  # as they are counted


def named(*names: str) -> list[Verdict]:
    return [next(verdict for verdict in Verdict if verdict == name) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
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
        (["measures other work", "inconclusive", "same"], "measures other work"),
    ],
)
def test_what_a_comparison_comes_to(names: list[str], expected: str) -> None:
    """What is wrong or slower goes before a control that moved, that before what failed, and the same comes last."""
    bad = expected in ("wrong", "slower")

    assert overall(named(*names)) == overall(named(*names[::-1])) == expected
    assert overall(named(*names, "contaminated", "failed")) == (expected if bad else "contaminated")
    assert overall(named(*names, "failed", "not measured")) == (expected if bad else "failed")
    assert overall(named(*names, "not measured")) == (expected if bad else "not measured")


def test_the_first_of_every_set_of_verdicts_is_told() -> None:
    """Of all sets of verdicts, in any order, that which goes first is what the comparison comes to."""
    for first, second in itertools.permutations(BY_PRECEDENCE, 2):
        assert overall(named(first, second)) == min(first, second, key=BY_PRECEDENCE.index)
    assert overall(named(*BY_PRECEDENCE[::-1])) == "wrong"


HEAD, AGAIN = Failure("head", "failed", "no", True, ["E no"]), Failure("head", "failed", "again", True, ["E again"])
BASE, BOTH = Failure("base", "failed", "odd", False, ["E odd"]), Failure("both sides", "failed", "odd")
ONCE = "head failed in one launch, {}: no"


@pytest.mark.parametrize(
    ("launches", "judgement"),
    [
        ([], None),
        ([None, None], None),
        ([HEAD, AGAIN], ("wrong", "head failed in two launches, and base passed: no", ["E no"], True)),
        ([None, HEAD, AGAIN, None], ("wrong", "head failed in two launches, and base passed: no", ["E no"], True)),
        ([HEAD], ("not measured", ONCE.format("which no other could confirm"), ["E no"], False)),
        ([None, HEAD], ("not measured", ONCE.format("which no other could confirm"), ["E no"], False)),
        ([HEAD, None], ("not measured", ONCE.format("and not in the next"), ["E no"], True)),
        ([HEAD, None, AGAIN, AGAIN], ("not measured", ONCE.format("and not in the next"), ["E no"], True)),
        ([HEAD, BASE], ("not measured", ONCE.format("and not in the next"), ["E no"], True)),
        ([BASE], ("not measured", "base failed: odd", ["E odd"], True)),
        ([BASE, HEAD, HEAD], ("not measured", "base failed: odd", ["E odd"], True)),
        ([None, BOTH, None], ("not measured", "both sides failed: odd", (), True)),
    ],
)
def test_what_tests_that_fail_say(launches: list[Failure | None], judgement: tuple[object, ...] | None) -> None:
    """Wrong is what fails in head alone, and again in the next launch; any other failure leaves a case unmeasured."""
    said = judge(launches)

    assert (said and (said.verdict, said.why, said.output, said.final)) == judgement


def test_every_verdict_has_all_that_follows_from_it() -> None:
    """Each has a precedence of its own, styles that Rich knows, and, if a case can have it, a colour of its own."""
    colours = [verdict.colour for verdict in Verdict if verdict.colour]

    assert sorted(verdict.precedence for verdict in Verdict) == list(range(1, len(Verdict) + 1))
    assert all(Style.parse(style) for verdict in Verdict for style in (verdict.headline_style, verdict.style or "red"))
    assert [verdict for verdict in Verdict if verdict.colour] == list(OF_CASES)
    assert [verdict for verdict in Verdict if not verdict.colour] == ["contaminated", "failed"]
    assert len(set(colours)) == len(colours)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)


@pytest.mark.parametrize("verdict", Verdict)
def test_the_exit_code_of_each_verdict(verdict: Verdict) -> None:
    """What is bad news has an exit code above 0; of the rest, only what is inconclusive has one, for --strict."""
    codes = {"slower": 1, "wrong": 1, "inconclusive": 3, "contaminated": 4, "failed": 5, "not measured": 5}
    codes["measures other work"] = 5

    assert verdict.exit_code == codes.get(verdict, 0)
    assert isinstance(verdict.exit_code, ExitCode)


def test_the_handbook_explains_each_verdict() -> None:
    """Those on a case have a row in the table of docs/compare.md, where two may share one; contaminated too."""
    table = PAGE.split("| verdict | of a case |\n|---|---|\n")[1].split("\n\n")[0]
    explained = [name for row in table.splitlines() for name in row.split("|")[1].strip().split(", ")]

    assert sorted(explained) == sorted(OF_CASES)
    assert "the comparison is **contaminated**" in PAGE
