"""What a machine is said to tell apart, by value, from launches whose truth is known."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from parabola.compare import self_test
from parabola.compare.comparison import ComparedLaunch, Comparison
from parabola.compare.outcome import Options
from parabola.compare.referee import Referee
from parabola.compare.self_test import SLOWDOWNS, Ability, _simulate, abilities, lines
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

        def simulate(pool: Any, slowdown: float, launches: int, generator: Any, *referee: float) -> str:
            turn = sum(slowdown == before[1] for before in asked)
            asked.append((tuple(pool), slowdown, launches, generator, referee))
            return says(slowdown, turn % self_test.SIMULATIONS)

        monkeypatch.setattr(self_test, "_simulate", simulate)
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
    """Each case's own log ratios, as many launches as the budget allows, this comparison's effect, and Holm's share."""
    asked = scripted(lambda slowdown, turn: "same")
    found = abilities(measured({"a": 7, "few": 4, "b": 5, "none": 0}), seed=7)

    assert [able.case for able in found] == ["a", "b"]
    assert {launches for _, _, launches, _, _ in asked} == {13} == {able.launches for able in found}  # 40 s / 3 s
    pools = list(dict.fromkeys(pool for pool, *_ in asked))
    assert pools == [pytest.approx(np.log(RATIOS)), pytest.approx(np.log(RATIOS[2:]))]
    assert [able.spread for able in found] == pytest.approx([np.std(pool, ddof=1) for pool in pools])
    assert {(effect, round(confidence, 12)) for *_, (effect, confidence) in asked} == {(0.06, 0.99)}  # 0.04 / 4
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


@pytest.mark.parametrize(("launches", "smallest"), [(9, 0.07), (8, None)])
def test_a_perfect_machine(launches: int, smallest: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives no false alarm, and finds what exceeds the minimum effect if nine launches fit: five, and four more."""
    monkeypatch.setattr(self_test, "SIMULATIONS", 10)
    comparison = measured({"a": 7}, budget_seconds=3.0 * launches)
    for launch in comparison.launches:
        launch.seconds["a"] = BySide([2.0, 2.0], [2.0, 2.0])
    (able,) = abilities(comparison)

    assert able == Ability("a", launches, spread=0.0, false_alarms=0.0, smallest_slowdown=smallest)
    assert lines([able], comparison)[1] == "false alarms: 0.0 % of comparisons, over 1 cases"


def test_neither_side_has_a_name() -> None:
    """Launches that all said +10 % by chance are simulated with either sign, so hardly any comparison is decided."""
    generator, pool = np.random.default_rng(1), np.array([math.log(1.1)] * 5)
    said = [_simulate(pool, 0.0, 12, generator, 0.05, 0.99) for _ in range(60)]
    certain = [_simulate(pool, 0.0, 60, generator, 0.2, 0.99) for _ in range(10)]

    assert said.count(Verdict.INCONCLUSIVE) >= 57
    assert certain == ["same"] * 10


def test_both_directions_are_called() -> None:
    """At a confidence of a half, with no effect too small, a part of the comparisons calls it slower, a part faster."""
    generator, pool = np.random.default_rng(2), np.log([1.1, 1.05, 1.2])
    said = [_simulate(pool, 0.0, 30, generator, 1e-9, 0.5) for _ in range(60)]

    assert min(said.count(Verdict.SLOWER), said.count(Verdict.FASTER)) >= 4


def test_a_simulated_comparison_ends_with_its_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The referee that decides real ones hears one launch after the other: the slowdown is added to a measured one."""
    heard: list[Any] = []

    class Listening(Referee):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            heard.append(arguments)

        def add(self, log_ratios: Mapping[str, float]) -> None:
            heard.append(dict(log_ratios))
            super().add(log_ratios)

    monkeypatch.setattr(self_test, "Referee", Listening)
    verdict = _simulate(np.zeros(3), 0.5, 50, np.random.default_rng(0), 0.06, 0.97)

    assert verdict == "slower"
    assert heard == [(("case",), 0.06, 0.97), *[{"case": math.log(1.5)}] * 9]


def test_the_self_test_in_words() -> None:
    """False alarms of the cases multiply up to those of comparisons; what is found is in per cent of the time."""
    found = [
        Ability("a.py::one[x]", 30, spread=0.01234, false_alarms=0.1, smallest_slowdown=0.015),
        Ability("b.py::two", 30, spread=0.2, false_alarms=0.2, smallest_slowdown=None),
        Ability("b.py::three", 30, spread=0.0, false_alarms=0.0, smallest_slowdown=1.0),
    ]

    assert lines(found, measured({"a": 7})) == [
        "self-test: both sides are the same; from 7 launches, for a budget of 40 s "
        "(200 simulated comparisons a figure):",
        "false alarms: 28.0 % of comparisons, over 3 cases",
        "one[x]: smallest slowdown found 1.5 % (spread between launches 1.2 %)",
        "two: smallest slowdown found none up to 100 % (spread between launches 20.0 %)",
        "three: smallest slowdown found 100 % (spread between launches 0.0 %)",
    ]


def test_cases_are_told_apart_by_as_little_as_that_takes() -> None:
    """Two of one name have their class before it."""
    able = [Ability(f"a.py::Test{letter}::run", 20, 0.01, 0.0, 0.05) for letter in "AB"]

    assert [line.split(": ")[0] for line in lines(able, made_comparison())[2:]] == ["TestA::run", "TestB::run"]
