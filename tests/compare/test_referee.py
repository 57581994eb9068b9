"""Verdicts on launches whose truth is known: when they are given, of what family, and how seldom they are wrong."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola import statistics
from parabola.compare import betting
from parabola.compare.referee import AHEAD, Referee
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.verdicts import Verdict

BAD = 0.1  # share of launches that are off by themselves, by ten times the spread of the others
BOUND = math.log1p(0.05)


def launches(generator: np.random.Generator, shape: Any, bad: float, spread: float = 0.01) -> Any:
    """Return log ratios of launches of the same code, a share of them bad."""
    usual = generator.normal(0, spread, shape)
    return usual + (generator.random(shape) < bad) * generator.normal(0, 10 * spread, shape)


def test_drift_fools_one_after_the_other_and_not_turns() -> None:
    """A machine that gets 10 % slower over 40 rounds: one after the other reads 5 %, in turn nothing."""
    seconds = 0.01 * np.linspace(1, 1.1, 40)
    in_turn = np.array([index % 4 in (0, 3) for index in range(40)])

    assert launch_log_ratio(seconds[:20], seconds[20:]) > 0.04
    assert abs(launch_log_ratio(seconds[in_turn], seconds[~in_turn])) < 0.0001


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 0.02), min_size=2, max_size=40), st.floats(-0.1, 0.1))
def test_launch_log_ratio(seconds: list[float], shift: float) -> None:
    """A factor between all partners is what it says; rounds without a partner do not count; sides can be swapped."""
    head = [value * math.exp(shift) for value in seconds]

    assert launch_log_ratio(seconds, head) == pytest.approx(shift)
    assert launch_log_ratio(seconds, [*head, 1e9]) == pytest.approx(shift)
    assert launch_log_ratio(head, seconds) == pytest.approx(-shift)


def test_a_launch_by_hand() -> None:
    """Pairs are averaged two by two, a last odd one is left out, and the median of the averages counts."""
    base = [1.0] * 8
    logs = [0.3, 0.1, -0.4, 0.0, 0.7, 0.9, 5.0]  # averages 0.2, -0.2, 0.8

    assert launch_log_ratio(base, np.exp(logs)) == pytest.approx(0.2)
    assert launch_log_ratio(base, np.exp(logs[:5])) == pytest.approx(0.0)
    assert launch_log_ratio(base, np.exp(logs[4:])) == pytest.approx(0.8)
    assert launch_log_ratio(base, np.exp(logs[:2])) == pytest.approx(0.2)
    assert launch_log_ratio(base, np.exp(logs[:1])) == pytest.approx(0.3)
    assert launch_log_ratio([2.0, 4.0, 8.0, 1.0], [1.0, 1.0]) == pytest.approx(-math.log(2) * 1.5)


def test_one_round_is_a_launch() -> None:
    """And a bad pair among many does not matter."""
    assert launch_log_ratio([1.0], [2.0]) == pytest.approx(math.log(2))
    assert launch_log_ratio([1.0] * 10, [1.0] * 9 + [50.0]) == 0


def won(distances: Sequence[float]) -> float:
    """Return what bets on one side have won, in plain arithmetic, where launches lie so far on that side."""
    return math.fsum(
        part * math.prod(1 + share * max(-1.0, min(1.0, distance / BOUND / reach)) for distance in distances)
        for share, reach, part in betting.BETS.tolist()
    )


def won_for_same(values: Sequence[float]) -> float:
    """Return what was won of bets that the centre lies within the minimum effect: the less of both ends."""
    return min(won([BOUND + value for value in values]), won([BOUND - value for value in values]))


def won_for_change(values: Sequence[float]) -> float:
    """Return what was won of bets on both directions."""
    return (won(values) + won([-value for value in values])) / 2


def told(*log_ratios: float, **options: Any) -> Referee:
    """Return a referee of one case, a, that has heard of these launches."""
    referee = Referee(["a"], **options)
    for log_ratio in log_ratios:
        referee.add({"a": log_ratio})
    return referee


def run(
    generator: np.random.Generator, truths: dict[str, float], bad: float, most: int = 60, spread: float = 0.01
) -> Referee:
    """Launch until every case is decided."""
    referee = Referee(list(truths))
    for _ in range(most):
        if not referee.undecided:
            break
        log_ratios = {case: float(launches(generator, (), bad, spread)) for case in referee.undecided}
        referee.add({case: truths[case] + log_ratio for case, log_ratio in log_ratios.items()})
    return referee


LONG = [pytest.param(BAD, spread, marks=pytest.mark.end_to_end) for spread in (0.05, 0.1)]


@pytest.mark.parametrize(("bad", "spread"), [(0.0, 0.01), (BAD, 0.01), *LONG])
def test_false_alarms_of_the_whole_procedure(bad: float, spread: float) -> None:
    """Looking after every launch, up to 60, over six cases: at most 1 % of comparisons call one slower or faster."""
    generator = np.random.default_rng(4)
    nothing = dict.fromkeys("abcdef", 0.0)
    referees = [run(generator, nothing, bad, spread=spread) for _ in range(200)]

    assert sum(any(verdict != "same" for verdict in referee.decided.values()) for referee in referees) <= 2
    if spread == 0.01:
        assert sum(len(referee.undecided) for referee in referees) == 0


@pytest.mark.parametrize(("slowdown", "verdict"), [(0.1, "slower"), (-0.1, "faster"), (0.2, "slower")])
def test_what_is_there_is_found(slowdown: float, verdict: str) -> None:
    """In 95 % or more of 100 comparisons with bad launches, and the five cases beside it are the same."""
    generator = np.random.default_rng(5)
    truths = {**dict.fromkeys("bcdef", 0.0), "a": math.log1p(slowdown)}
    decided = [run(generator, truths, BAD).decided for _ in range(100)]

    assert sum(one.get("a") == verdict for one in decided) >= 95
    assert sum(one.get("b") == "same" for one in decided) >= 95


def test_at_the_minimum_effect_same_is_rarely_said() -> None:
    """A slowdown of just 5 % is called the same in at most 1 of 100 comparisons, and faster in none."""
    generator = np.random.default_rng(6)
    decided = [run(generator, {"a": math.log1p(0.05)}, BAD).decided.get("a") for _ in range(100)]

    assert decided.count(Verdict.SAME) <= 1
    assert decided.count(Verdict.FASTER) == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_two_modes_are_no_change(sign: int) -> None:
    """Eight launches that lie at +8 % to the last digit could be one mode of two: they say nothing, and 11 do."""
    referee = told(*[0.08 * sign] * 8)
    assert (referee.evidence("a").low, referee.evidence("a").high) == (0.0, math.inf)
    verdicts = []
    for _ in range(3):
        referee.add({"a": 0.08 * sign})
        verdicts.append(referee.standing("a"))

    assert won_for_change([0.08] * 9) < 200 < won_for_change([0.08] * 11)
    assert verdicts[0] == "inconclusive"
    assert verdicts[2] == ("slower" if sign > 0 else "faster")


SAME = (0.001, -0.001, 0.002, -0.002, 0.0, 0.003, -0.003, 0.001, 0.0, 0.001, 0.002, 0.0)
SLOW = (0.1, 0.101, 0.102, 0.103, 0.104, 0.1, 0.099, 0.098, 0.1, 0.101, 0.1, 0.1)


def first(values: Sequence[float], rule: Any, wanted: float) -> int:
    """Return after how many of the values a rule has won what is wanted."""
    return next(number for number in range(1, len(values) + 1) if rule(values[:number]) >= wanted)


@pytest.mark.parametrize(
    ("values", "rule", "verdict"),
    [
        (SAME, won_for_same, "same"),
        (SLOW, won_for_change, "slower"),
        ([-value for value in SLOW], won_for_change, "faster"),
    ],
)
def test_a_case_is_decided_as_soon_as_its_bets_have_won_enough(
    values: Sequence[float], rule: Any, verdict: str
) -> None:
    """200 times the stake at 99 %, worked out in plain arithmetic; launches that come later count no more."""
    number = first(values, rule, 200)
    referee = told(*values[: number - 1])
    assert referee.undecided == ["a"]
    referee.add({"a": values[number - 1]})
    known = referee.evidence("a")
    for _ in range(20):
        referee.add({"a": 0.5})

    assert 9 <= number <= 11
    assert referee.decided == {"a": verdict}
    assert referee.evidence("a") == known
    low, high = betting.interval(values[:number], BOUND, 200)
    assert asdict(known) == {
        "ratio": pytest.approx(math.exp(statistics.trimmed(values[:number]).mean)),
        "low": pytest.approx(math.exp(low)),
        "high": pytest.approx(math.exp(high)),
        "confidence": 0.99,
        "launches": number,
        "launches_needed": 0,
        "suspected": False,
        "verdict": Verdict(verdict),  # type: ignore[call-arg]
    }


def test_verdicts_and_intervals_agree() -> None:
    """The interval of what is the same lies within the minimum effect, that of what has changed excludes 1."""
    generator = np.random.default_rng(8)
    for centre in (0.0, 0.03, 0.06, -0.2):
        for _ in range(20):
            referee = run(generator, dict.fromkeys("abc", centre), BAD, spread=0.02, most=100)
            for case, verdict in referee.decided.items():
                evidence = referee.evidence(case)
                if verdict == Verdict.SAME:
                    assert 1 / 1.05 < evidence.low < evidence.ratio < evidence.high < 1.05
                else:
                    assert evidence.low > 1 if verdict == Verdict.SLOWER else evidence.high < 1


def test_the_minimum_effect_and_the_confidence_are_the_callers() -> None:
    """At 50 % a slowdown of 10 % is the same, and at 90 % bets need to have won 20 times the stake."""
    referee = told(*SLOW, minimum_effect=0.5)
    easy = told(*SAME, confidence=0.9)

    assert referee.decided == {"a": "same"}
    assert easy.evidence("a").confidence == 0.9
    assert easy.evidence("a").launches == first(SAME, won_for_same, 20)
    low, _ = betting.interval(SAME[: first(SAME, won_for_same, 20)], BOUND, 20)
    assert easy.evidence("a").low == pytest.approx(math.exp(low))


def test_a_case_waits_for_what_others_lack() -> None:
    """Beside a wild case, one that is the same has to make up for what the wild one lacks of 200, and so later is."""
    referee = Referee(["a", "wild"])
    wild = [0.3, -0.3] * 8
    values = SAME + SAME[:4]
    for at, value in enumerate(values):
        if referee.decided:
            break
        referee.add({"a": value, "wild": wild[at]})
    number = len(referee.log_ratios["a"])
    wanted = [400 - max(0.0, min(200.0, won_for_same(wild[:at]))) for at in range(17)]

    assert number > first(SAME, won_for_same, 200)
    assert won_for_same(values[:number]) >= wanted[number]
    assert won_for_same(values[: number - 1]) < wanted[number - 1]


def test_a_case_may_be_decided_by_a_launch_of_another() -> None:
    """What the other lacked it lacks no more; so both are decided, the one by launches before."""
    referee = Referee(["a", "b"])
    number = first(SAME, won_for_same, 200)
    referee.add({"a": SAME[0], "b": SAME[0]})
    for value in SAME[1:number]:
        referee.add({"a": value})
    for value in SAME[1:number]:
        assert referee.decided == {}
        referee.add({"b": value})

    assert referee.decided == {"a": "same", "b": "same"}
    assert referee.evidence("a").launches == number


def test_what_nothing_has_measured_keeps_nobody_waiting() -> None:
    """As cases that a side skips; they get no verdict, so that they need not be made up for."""
    referee = Referee(["a", *(f"skipped {number}" for number in range(50))])
    for value in SAME[: first(SAME, won_for_same, 200)]:
        assert not referee.decided
        needed = referee.launches_needed(referee.log_ratios)
        assert (needed["a"], needed["skipped 1"]) == (told(*referee.log_ratios["a"]).launches_needed(["a"])["a"], None)
        referee.add({"a": value})

    assert referee.decided == {"a": "same"}
    assert referee.standing("skipped 0") == "inconclusive"


def test_many_that_are_the_same_are_decided_together() -> None:
    """Where nobody lacks anything, 300 cases take no launch more than one."""
    referee = Referee([str(case) for case in range(300)])
    for value in SAME[: first(SAME, won_for_same, 200)]:
        assert not referee.decided
        referee.add(dict.fromkeys(referee.log_ratios, value))

    assert set(referee.decided.values()) == {"same"}
    assert referee.undecided == []


def test_one_change_among_many_has_to_stand_out() -> None:
    """Bets on a change in the other cases have won nothing, so this one is slower at 200 times their number or so."""
    referee = Referee([str(case) for case in range(40)])
    at = 0
    while "0" not in referee.decided:
        log_ratios = {case: 0.2 if case == "0" else 0.02 * (-1) ** (at + int(case)) for case in referee.log_ratios}
        referee.add(log_ratios)
        at += 1
        if at == 12:
            assert referee.evidence("0").suspected
            assert referee.evidence("0").launches_needed in (3, 4)

    assert referee.decided["0"] == "slower"
    assert won_for_change([0.2] * (at - 1)) < 40 * 200
    assert at <= first([0.2] * 30, won_for_change, 40 * 200)


def test_what_decided_a_case_is_what_is_shown() -> None:
    """For a control all launches count, to the end, and it is nothing more than what they come to."""
    referee, control = told(*SAME[:11], 0.5, 0.6, 0.7, 0.8), told(*SAME[:11], decides=False)

    assert (referee.evidence("a").verdict, referee.standing("a")) == ("same", "same")
    assert referee.evidence("a").launches < 11
    assert (control.standing("a"), control.evidence("a").launches, control.decided) == ("same", 11, {})
    for _ in range(15):
        control.add({"a": 0.5})
    assert control.standing("a") == control.evidence("a").verdict == "slower"
    assert control.evidence("a").launches == 26
    assert control.undecided == ["a"]


def test_nothing_is_known_before_the_first_launch() -> None:
    """No ratio, no bounds, no suspicion, and no number of launches."""
    evidence = told().evidence("a")

    assert math.isnan(evidence.ratio)
    assert (evidence.low, evidence.high, evidence.launches, evidence.launches_needed) == (0.0, math.inf, 0, None)
    assert (evidence.verdict, evidence.suspected, told().looks_changed("a")) == ("inconclusive", False, False)


def test_a_ratio_lies_within_its_interval() -> None:
    """Where a quarter of the launches is off to one side, the trimmed mean leaves it; then its end is shown."""
    values = [0.0, 0.0, 0.0, 1.0] * 20
    _, high = betting.interval(values, BOUND, 200)
    evidence = told(*values, decides=False).evidence("a")

    assert high < statistics.trimmed(values).mean
    assert evidence.ratio == evidence.high == pytest.approx(math.exp(high))
    assert evidence.low < evidence.ratio


@pytest.mark.parametrize("sign", [1, -1])
def test_half_the_minimum_effect_looks_changed(sign: int) -> None:
    """A trimmed mean of more than that to either side is nearer to a change than to the same."""
    assert not told(*[sign * BOUND / 2] * 4).looks_changed("a")
    assert told(*[sign * math.nextafter(BOUND / 2, 1)] * 4).looks_changed("a")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-0.1, 0.2), min_size=1, max_size=6))
def test_launches_needed_repeat_those_so_far(values: list[float]) -> None:
    """Were all to come like those so far, the case would be decided by the first of these numbers that is enough."""
    referee = told(*values)

    def enough(further: int) -> bool:
        """Return whether so many more, of the same mixture, decide: each factor to the power of their share."""
        times = 1 + further / len(values)
        logs = [
            [
                times * sum(math.log1p(share * max(-1.0, min(1.0, bet / BOUND / reach))) for bet in bets)
                for share, reach, _ in bets_of
            ]
            for bets in zip(*betting.deviations(values, BOUND).tolist(), strict=True)
        ]
        above, below, slower, faster = (
            sum(part * math.exp(min(log, 600)) for log, (*_, part) in zip(one, bets_of, strict=True)) for one in logs
        )
        return bool(min(above, below) >= 200 or (slower + faster) / 2 >= 200)

    bets_of = betting.BETS.tolist()
    expected = next((int(further) for further in AHEAD if enough(int(further))), None)
    assert referee.launches_needed(["a"]) == {"a": expected}


def test_launches_needed_of_a_family() -> None:
    """Cases go on together, so many that are alike need no more than one; beside one that is wild they need more."""
    alike, beside = Referee([str(case) for case in range(50)]), Referee(["a", "wild"])
    for at in range(4):
        alike.add(dict.fromkeys(alike.log_ratios, SAME[at]))
        beside.add({"a": SAME[at], "wild": 9.0 * (-1) ** at})
    alone = told(*SAME[:4]).launches_needed(["a"])["a"]

    assert alone is not None
    assert set(alike.launches_needed(alike.log_ratios).values()) == {alone}
    needed = beside.launches_needed(["a", "wild"])
    assert needed["wild"] is None
    assert alone < (needed["a"] or 0) <= alone + 2
    assert told(*SAME).launches_needed(["a"]) == {"a": 0}
    assert told(*SAME, decides=False).launches_needed(["a"]) == {"a": 0}


def test_launches_needed_without_the_others() -> None:
    """Launches of a few cases alone leave the others where they are, who then lack the more."""
    alike = Referee(["a", "b", "c"])
    for value in SAME[:4]:
        alike.add(dict.fromkeys("abc", value))
    together, alone = alike.launches_needed("abc"), alike.launches_needed(["b"])

    assert alone["a"] is None
    assert (alone["b"] or 0) > (together["b"] or 0) > 0
    assert first([*SAME[:4]] * 9, won_for_same, 600 - 2 * won_for_same(SAME[:4])) - 4 <= (alone["b"] or 0) + 1


def test_a_ratio_that_no_number_holds_is_infinite() -> None:
    """Up to e to the 700 it is a number."""
    assert told(*[700.0] * 4).evidence("a").ratio == math.exp(700)
    assert told(*[701.0] * 4).evidence("a").ratio == math.inf
