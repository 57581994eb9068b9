"""What a machine is said to tell apart, by value, from launches whose truth is known."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from parabola.compare import self_test
from parabola.compare.comparison import ComparedLaunch, Comparison
from parabola.compare.outcome import Options
from parabola.compare.referee import Referee
from parabola.compare.self_test import SLOWDOWNS, Ability, _draw, abilities, first_verdict, lines
from parabola.compare.sides.by_side import BySide
from parabola.compare.verdicts import Verdict
from tests.made_comparisons import made_case, made_comparison

RATIOS = (1.02, 0.98, 1.0, 1.01, 0.97, 1.005, 0.99)


def measured(cases: Mapping[str, int], budget_seconds: float = 40.0, **changes: Any) -> Comparison:
    """Return a comparison of a tree with itself, whose cases were in so many of its seven launches, the last ones."""
    launches = [
        ComparedLaunch(
            number=at,
            began_with="base",
            cores=[],
            finished=True,
            seconds={
                case: BySide([2.0, 2.0], [2 * ratio, 2 * ratio])
                for case, number in cases.items()
                if at >= len(RATIOS) - number
            },
        )
        for at, ratio in enumerate(RATIOS)
    ]
    made: dict[str, Any] = {
        "launches": launches, "seconds": 21.0, "options": Options("main", budget_seconds=budget_seconds),
        "confidence": 0.96, "minimum_effect": 0.06,
    }  # fmt: skip
    return made_comparison(*(made_case(case, "inconclusive") for case in cases), **{**made, **changes})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[float, int], str]], list[tuple[Any, ...]]]:
    """Return what has each simulated comparison say what a function of slowdown and turn gives; and what was asked."""

    def script(says: Callable[[float, int], str]) -> list[tuple[Any, ...]]:
        asked: list[tuple[Any, ...]] = []

        def draw(pool: Any, slowdown: float, launches: int, generator: Any) -> float:
            asked.append((tuple(pool), slowdown, launches, generator))
            return slowdown

        def judge(slowdown: float, *rule: float) -> str:
            turn = sum(slowdown == before[1] for before in asked[:-1])
            asked[-1] = (*asked[-1], rule)
            return says(slowdown, turn % self_test.SIMULATIONS)

        monkeypatch.setattr(self_test, "_draw", draw)
        monkeypatch.setattr(self_test, "first_verdict", judge)
        return asked

    return script


@pytest.mark.parametrize(("found", "smallest"), [(180, 0.04), (179, 0.05)])
def test_nine_of_ten_have_to_find_a_slowdown(found: int, smallest: float, scripted: Any) -> None:
    """Of 200 simulated comparisons 180 are enough; those that call it faster do not count."""
    scripted(lambda slowdown, turn: "slower" if slowdown >= 0.05 or (slowdown == 0.04 and turn < found) else "faster")
    (able,) = abilities(measured({"a": 7}))

    assert able.smallest_slowdown == smallest
    assert able.false_alarms == 1.0


@pytest.mark.parametrize("smallest", [0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0])
def test_the_smallest_slowdown_that_is_found_is_told(smallest: float, scripted: Any) -> None:
    """Wherever in the list it stands, the first and the last included."""
    scripted(lambda slowdown, turn: "slower" if slowdown >= smallest else "same")

    assert abilities(measured({"a": 7}))[0].smallest_slowdown == smallest


def test_no_slowdown_may_be_found(scripted: Any) -> None:
    """Up to twice the time."""
    scripted(lambda slowdown, turn: "inconclusive")
    (able,) = abilities(measured({"a": 7}))

    assert len(SLOWDOWNS) == 13  # those above, and no other
    assert (able.smallest_slowdown, able.false_alarms) == (None, 0.0)


def test_false_alarms_are_of_both_directions(scripted: Any) -> None:
    """Three of 200 called slower and five called faster, without a slowdown, are 4 %."""
    names = ["slower"] * 3 + ["faster"] * 5 + ["same"] * 100 + ["inconclusive"] * 92
    scripted(lambda slowdown, turn: names[turn])

    assert abilities(measured({"a": 7}))[0].false_alarms == 0.04


def test_what_is_simulated(scripted: Any) -> None:
    """Each case's own log ratios, as many launches as the budget allows, this comparison's effect and confidence."""
    asked = scripted(lambda slowdown, turn: "same")
    found = abilities(measured({"a": 7, "few": 4, "b": 5, "none": 0}), seed=7)

    assert [able.case for able in found] == ["a", "b"]
    assert {launches for _, _, launches, _, _ in asked} == {13} == {able.launches for able in found}  # 40 s / 3 s
    pools = list(dict.fromkeys(pool for pool, *_ in asked))
    assert pools == [pytest.approx(np.log(RATIOS)), pytest.approx(np.log(RATIOS[2:]))]
    assert [able.spread for able in found] == pytest.approx([np.std(pool, ddof=1) for pool in pools])
    assert {(bound, round(wanted, 9), cases) for *_, (bound, wanted, cases) in asked} == {(math.log1p(0.06), 50.0, 4)}
    assert len({id(generator) for *_, generator, _ in asked}) == 1
    assert asked[0][3].random() == np.random.default_rng(7).random()


def test_the_simulation_is_repeatable(scripted: Any) -> None:
    """Its seed is 0 unless another is given."""
    asked = scripted(lambda slowdown, turn: "same")
    abilities(measured({"a": 7}))

    assert asked[0][3].random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(("budget", "launches"), [(1.0, 7), (21.0, 7), (25.4, 8), (25.6, 9)])
def test_the_budget_decides_how_many_launches(budget: float, launches: int, scripted: Any) -> None:
    """At the pace of those measured, three seconds each, rounded; at least as many as there were."""
    scripted(lambda slowdown, turn: "same")
    comparison = measured({"a": 7}, budget_seconds=budget)

    assert abilities(comparison)[0].launches == launches


def test_no_launch_at_all_says_nothing() -> None:
    """As with a budget that ended before the first: no case, and a line that asks for a larger budget."""
    comparison = measured({"a": 0}, launches=[], seconds=40.0)

    assert abilities(comparison) == []
    assert lines([], comparison) == [
        "too few launches in 40 s to say what this machine can tell apart: give a larger --budget"
    ]


def test_launches_that_did_not_finish_are_left_out(scripted: Any) -> None:
    """A launch that the budget cut off has measured its first cases alone; the pool has as many launches of each."""
    asked = scripted(lambda slowdown, turn: "same")
    comparison = measured({"a": 7, "b": 7})
    cut = msgspec.structs.replace(comparison.launches[0], finished=False, seconds={"a": BySide([2.0], [9.0])})
    found = abilities(msgspec.structs.replace(comparison, launches=[*comparison.launches, cut]))

    assert {len(pool) for pool, *_ in asked} == {7}
    assert {able.launches for able in found} == {13}


@pytest.mark.parametrize(("launches", "smallest"), [(10, 0.04), (9, None)])
def test_a_perfect_machine(launches: int, smallest: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives no false alarm, and finds what is nearer to the minimum effect than to nothing if ten launches fit."""
    monkeypatch.setattr(self_test, "SIMULATIONS", 10)
    comparison = measured({"a": 7}, budget_seconds=3.0 * launches, confidence=0.99)
    for launch in comparison.launches:
        launch.seconds["a"] = BySide([2.0, 2.0], [2.0, 2.0])
    (able,) = abilities(comparison)

    assert able == Ability("a", launches, spread=0.0, false_alarms=0.0, smallest_slowdown=smallest)
    assert lines([able], comparison)[1] == "false alarms: 0.0 % of comparisons, over 1 cases"


def test_neither_side_has_a_name() -> None:
    """Launches that all said +10 % by chance are drawn with either sign as often, and the slowdown is added."""
    pool = np.array([math.log(1.1)] * 5)
    drawn = _draw(pool, 0.5, 1000, np.random.default_rng(1))
    above = drawn > math.log(1.5)

    assert drawn[above] == pytest.approx(math.log(1.5) + math.log(1.1))
    assert drawn[~above] == pytest.approx(math.log(1.5) - math.log(1.1))
    assert 450 < above.sum() < 550


@pytest.mark.parametrize("cases", [1, 12])
@pytest.mark.parametrize("centre", [0.0, 0.03, 0.1, -0.1])
@pytest.mark.parametrize("spread", [0.002, 0.02, 0.2])
def test_the_rule_is_the_referees(cases: int, centre: float, spread: float) -> None:
    """A case beside others whose bets on a change have won nothing, and which are the same, gets the same verdict."""
    generator = np.random.default_rng(2)
    for _ in range(5):
        log_ratios = centre + generator.normal(0, spread, 40)
        referee = Referee([str(case) for case in range(cases)], 0.06, 0.98)
        for log_ratio in log_ratios.tolist():
            referee.add({"0": log_ratio, **{str(case): 1e-9 for case in range(1, cases)}})
        found = first_verdict(log_ratios, math.log(1.06), 100.0, cases)

        if referee.standing("0") != found:  # between its own launches and those of the others, which are the same later
            assert cases > 1
            assert "same" in (found, referee.standing("0"))


def test_both_directions_are_called() -> None:
    """Of launches that are far off to either side by turns, by the first that decide."""
    up, down = [0.1] * 12, [-0.1] * 12
    bound = math.log(1.05)

    assert first_verdict(np.array(up + down), bound, 200.0, 1) == Verdict.SLOWER
    assert first_verdict(np.array(down + up), bound, 200.0, 1) == Verdict.FASTER
    assert first_verdict(np.array(up), bound, 200.0, 100) == Verdict.INCONCLUSIVE  # 0.5 · 1.97¹² and so on are too few
    assert first_verdict(np.zeros(12), bound, 200.0, 100) == Verdict.SAME
    assert first_verdict(np.zeros(8), bound, 200.0, 1) == Verdict.INCONCLUSIVE


def test_the_self_test_in_words() -> None:
    """False alarms of the cases multiply up to those of comparisons; what is found is in per cent of the time."""
    found = [
        Ability("a.py::one[x]", 30, spread=0.01234, false_alarms=0.1, smallest_slowdown=0.015),
        Ability("b.py::two", 30, spread=0.2, false_alarms=0.2, smallest_slowdown=None),
        Ability("b.py::three", 30, spread=0.0, false_alarms=0.0, smallest_slowdown=1.0),
    ]

    assert lines(found, measured({"a": 7})) == [
        "self-test: both sides are the same; drawn from 7 launches, each of which measured every case, "
        "for a budget of 40 s (200 simulated comparisons a figure):",
        "false alarms: 28.0 % of comparisons, over 3 cases",
        "one[x]: smallest slowdown found 1.5 % (spread between launches 1.2 %)",
        "two: smallest slowdown found none up to 100 % (spread between launches 20.0 %)",
        "three: smallest slowdown found 100 % (spread between launches 0.0 %)",
    ]


def test_cases_are_told_apart_by_as_little_as_that_takes() -> None:
    """Two of one name have their class before it."""
    able = [Ability(f"a.py::Test{letter}::run", 20, 0.01, 0.0, 0.05) for letter in "AB"]

    assert [line.split(": ")[0] for line in lines(able, made_comparison())[2:]] == ["TestA::run", "TestB::run"]
