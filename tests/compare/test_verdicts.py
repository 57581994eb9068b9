"""The verdicts of a comparison: which goes first, when a case is wrong, and what follows from each."""

import itertools
import re
from pathlib import Path

import pytest
from rich.style import Style

from parabola.compare.sides.by_side import BySide
from parabola.compare.verdicts import Verdict, judge, overall
from parabola.exit_codes import ExitCode

PAGE = (Path(__file__).parents[2] / "docs/compare.md").read_text()
BY_PRECEDENCE = ("failed", "wrong", "contaminated", "slower", "inconclusive", "faster", "same")
OF_CASES = ("slower", "wrong", "faster", "same", "inconclusive")  # in the order in which they are counted


def named(*names: str) -> list[Verdict]:
    return [Verdict[name.upper()] for name in names]


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
    ],
)
def test_what_a_comparison_comes_to(names: list[str], expected: str) -> None:
    """A slowdown is told before what is inconclusive, that before a speed-up, and the same last; nothing is unknown."""
    moved = "wrong" if expected == "wrong" else "contaminated"

    assert overall(named(*names)) == overall(named(*names[::-1])) == expected
    assert overall(named(*names, "contaminated")) == moved
    assert overall(named(*names, "failed")) == overall(named(*names, "contaminated", "failed")) == "failed"


def test_the_first_of_every_set_of_verdicts_is_told() -> None:
    """Of all sets of verdicts, in any order, that which goes first is what the comparison comes to."""
    for size in range(1, len(BY_PRECEDENCE) + 1):
        for names in itertools.permutations(BY_PRECEDENCE, size):
            assert overall(named(*names)) == min(names, key=BY_PRECEDENCE.index)


@pytest.mark.parametrize("by_times", named("slower", "faster", "same", "inconclusive"))
@pytest.mark.parametrize("base", [True, False, None])
@pytest.mark.parametrize("head", [True, False, None])
def test_wrong_is_what_passes_in_base_alone(by_times: Verdict, base: bool | None, head: bool | None) -> None:
    """A case that passes in base and no longer in head is wrong, whatever its times; else the times decide."""
    expected = Verdict.WRONG if base is True and head is False else by_times

    assert judge(by_times, BySide(base, head)) == expected


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
    codes = {"slower": 1, "wrong": 1, "inconclusive": 3, "contaminated": 4, "failed": 5}

    assert verdict.exit_code == codes.get(verdict, 0)
    assert isinstance(verdict.exit_code, ExitCode)


def test_the_handbook_explains_each_verdict() -> None:
    """Those on a case have a row in the table of docs/compare.md, where two may share one; contaminated too."""
    table = PAGE.split("| verdict | of a case |\n|---|---|\n")[1].split("\n\n")[0]
    explained = [name for row in table.splitlines() for name in row.split("|")[1].strip().split(", ")]

    assert sorted(explained) == sorted(OF_CASES)
    assert "the comparison is **contaminated**" in PAGE
