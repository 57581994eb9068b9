"""Verdicts and the statistics under them, on launches whose truth is known."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import mstats

from parabola import statistics
from parabola.compare.referee import Referee
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.suspicion import Suspicion, confirms
from parabola.compare.verdicts import Verdict

BAD = 0.1  # share of launches that are off by themselves, by ten times the spread of the others
values_of_launches = st.lists(st.floats(-1, 1), min_size=4, max_size=40)


def launches(generator: np.random.Generator, shape: Any, bad: float, spread: float = 0.01) -> Any:
    """Return log ratios of launches of the same code, a share of them bad."""
    usual = generator.normal(0, spread, shape)
    return usual + (generator.random(shape) < bad) * generator.normal(0, 10 * spread, shape)


@settings(deadline=None)
@given(values_of_launches)
def test_trimmed_interval_is_scipys(values: list[float]) -> None:
    """Mean and interval agree with scipy.stats.mstats, which counts what is trimmed as a share."""
    number = len(values)
    cut = max(1, number // 10)
    limits = ((cut + 1e-9) / number,) * 2
    low, high = statistics.trimmed_interval(values, 0.99)
    center, _, _ = statistics.trimmed(values)

    if number - 2 * cut >= 2:
        assert (low, high) == pytest.approx(
            tuple(mstats.trimmed_mean_ci(values, limits=limits, alpha=0.01)), rel=1e-6, abs=1e-6
        )
        assert center == pytest.approx(float(mstats.trimmed_mean(values, limits=limits)), abs=1e-9)


@settings(deadline=None)
@given(values_of_launches, st.floats(0.5, 0.999))
def test_p_value_and_interval_agree(values: list[float], confidence: float) -> None:
    """The interval excludes zero exactly where the p-value is below one minus the confidence."""
    low, high = statistics.trimmed_interval(values, confidence)
    p_value = statistics.trimmed_p_value(values)

    if abs(p_value - (1 - confidence)) > 1e-9 and min(abs(low), abs(high)) > 1e-12:
        assert (low > 0 or high < 0) == (p_value < 1 - confidence)


@settings(deadline=None)
@given(st.lists(st.floats(-0.05, 0.05), min_size=5, max_size=30), st.floats(-1e6, 1e6))
def test_one_bad_launch_cannot_carry_the_interval(values: list[float], bad: float) -> None:
    """However far off one is, the mean stays among the others, and none can make the interval narrower than theirs."""
    center, error, _ = statistics.trimmed([*values, bad])

    assert min(values) <= center <= max(values)
    assert error <= 10 * (max(values) - min(values)) + 1e-12


@pytest.mark.parametrize("number", [6, 10, 20])
@pytest.mark.parametrize("bad", [0.0, BAD])
def test_coverage(number: int, bad: float) -> None:
    """The 99 % interval holds the truth in 98.5 % or more of 4,000, with and without bad launches."""
    samples = launches(np.random.default_rng(number), (4000, number), bad)
    intervals = [statistics.trimmed_interval(sample, 0.99) for sample in samples]
    covered = sum(low <= 0 <= high for low, high in intervals)

    assert covered / len(samples) >= 0.985


def test_a_plain_t_interval_is_widened_by_one_bad_launch() -> None:
    """With one launch off by 10 %, it reaches beyond the minimum effect; the trimmed one stays within."""
    values = [*np.random.default_rng(1).normal(0, 0.005, 9), 0.1]
    plain = stats.t.interval(0.99, 9, np.mean(values), stats.sem(values))
    low, high = statistics.trimmed_interval(values, 0.99)

    assert plain[1] > 0.04
    assert max(-low, high) < 0.02


def test_holm_by_hand() -> None:
    """Of four at 0.01: the smallest against 0.0025, the next against 0.0033, then 0.005, where it stops."""
    levels = statistics.holm_levels([0.001, 0.5, 0.004, 0.0001, 0.0051], 0.01)

    assert levels.tolist() == pytest.approx([0.01 / 4, 0.01 / 3, 0.01 / 3, 0.01 / 5, 0.01 / 3])
    assert statistics.holm_levels([0.002, 0.003], 0.01).tolist() == [0.005, 0.01]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.2))
def test_holm_is_between_bonferroni_and_none(p_values: list[float], level: float) -> None:
    """It rejects all that Bonferroni does, nothing above the level, and smaller p-values first."""
    levels = statistics.holm_levels(p_values, level)
    rejected = np.array(p_values) <= levels

    assert np.all(levels >= level / len(p_values))
    assert np.all(levels <= level)
    assert np.all(rejected[np.array(p_values) <= level / len(p_values)])
    if rejected.any() and not rejected.all():
        assert max(np.array(p_values)[rejected]) <= min(np.array(p_values)[~rejected])


def test_holm_keeps_the_family_wise_error() -> None:
    """Of 10 cases with nothing to find, one is found in at most 5 % of 4,000 families; with p < 5 % each, in 40 %."""
    p_values = np.random.default_rng(2).random((4000, 10))
    holm = np.mean([bool((row <= statistics.holm_levels(row, 0.05)).any()) for row in p_values])

    assert holm < 0.06
    assert (p_values < 0.05).any(axis=1).mean() > 0.35


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


def test_launches_needed_are_enough() -> None:
    """So many launches of the same spread give an interval that reaches about so far; none too many is told."""
    generator = np.random.default_rng(3)
    needed = statistics.launches_needed(generator.normal(0, 0.02, 200), 0.99, 0.01)
    assert needed
    reach = np.median(
        [np.diff(statistics.trimmed_interval(generator.normal(0, 0.02, needed), 0.99)) for _ in range(300)]
    )

    assert 0.7 * 0.01 < reach / 2 < 1.3 * 0.01
    assert statistics.launches_needed([0.1], 0.99, 0.01) is None
    assert statistics.launches_needed([-1.0, 1.0, 2.0, -2.0, 0.5], 0.99, 0.001) is None


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


@pytest.mark.parametrize(("bad", "spread"), [(0.0, 0.01), (BAD, 0.01), (BAD, 0.05), (BAD, 0.1)])
def test_false_alarms_of_the_whole_procedure(bad: float, spread: float) -> None:
    """Looking after every launch, up to 60, over six cases: at most 2 % of comparisons call one slower or faster."""
    generator = np.random.default_rng(4)
    nothing = dict.fromkeys("abcdef", 0.0)
    referees = [run(generator, nothing, bad, spread=spread) for _ in range(200)]
    false = sum(any(verdict != "same" for verdict in referee.decided.values()) for referee in referees)

    assert false <= 4
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
    """A slowdown of just 5 % is called the same in at most 3 of 100 comparisons."""
    generator = np.random.default_rng(6)
    decided = [run(generator, {"a": math.log1p(0.05)}, BAD).decided.get("a") for _ in range(100)]

    assert decided.count(Verdict.SAME) <= 3
    assert decided.count(Verdict.FASTER) == 0


def test_a_suspicion_is_confirmed_by_fresh_launches() -> None:
    """Five launches raise it; the next four have to agree; what had raised it does not count again."""
    referee = Referee(["a"])
    for at, log_ratio in enumerate([0.1, 0.101, 0.102, 0.103, 0.104]):
        referee.add({"a": log_ratio})
        assert referee.evidence("a").suspected == (at == 4)
    assert referee.evidence("a").launches_needed == 4
    for _ in range(3):
        referee.add({"a": 0.1})
        assert referee.evidence("a").verdict == "inconclusive"
    assert referee.evidence("a").launches_needed == 1
    referee.add({"a": 0.1})

    assert referee.evidence("a").verdict == "slower"
    assert referee.evidence("a").launches_needed == 0
    assert referee.evidence("a").ratio == pytest.approx(math.exp(0.1), rel=0.01)


def test_a_suspicion_that_fresh_launches_contradict_is_dropped() -> None:
    """When the interval over all launches no longer excludes 1; a later one has to be confirmed anew."""
    referee = Referee(["a"])
    for log_ratio in [0.08, 0.081, 0.082, 0.083, 0.084, -0.08, -0.081, -0.082]:
        referee.add({"a": log_ratio})

    assert referee.evidence("a").verdict == "inconclusive"
    assert not referee.evidence("a").suspected
    assert referee.standing("a") == "inconclusive"


def test_too_few_launches_say_nothing() -> None:
    """Before the fifth there is no interval; before the first no ratio."""
    referee = Referee(["a"])
    assert math.isnan(referee.evidence("a").ratio)
    for _ in range(4):
        referee.add({"a": 0.3})

    assert referee.evidence("a").high == math.inf
    assert referee.undecided == ["a"]


def test_what_decided_a_case_is_what_is_shown() -> None:
    """Launches that were on their way when it was decided count no more; for a control all do."""
    referee, control = Referee(["a"]), Referee(["a"], decides=False)
    for log_ratio in [0.001, -0.001, 0.002, -0.002, 0.0, 0.5, 0.6, 0.7, 0.8]:
        referee.add({"a": log_ratio})
        control.add({"a": log_ratio})
    evidence = referee.evidence("a")

    assert (evidence.verdict, evidence.launches) == ("same", 5)
    assert 0.95 < evidence.low < evidence.high < 1.05
    assert control.evidence("a").launches == 9
    assert control.standing("a") == "inconclusive"


BOUND = math.log1p(0.05)
SLOW = (0.1, 0.101, 0.102, 0.103, 0.104)


def told(*log_ratios: float, **options: Any) -> Referee:
    """Return a referee of one case, a, that has heard of these launches."""
    referee = Referee(["a"], **options)
    for log_ratio in log_ratios:
        referee.add({"a": log_ratio})
    return referee


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        (BOUND * (1 - 1e-12), "same"),
        (BOUND * (1 + 1e-12), "slower"),
        (-BOUND * (1 - 1e-12), "same"),
        (-BOUND * (1 + 1e-12), "faster"),
        (0.0, "same"),
    ],
)
def test_the_minimum_effect_is_no_longer_the_same(value: float, standing: str) -> None:
    """Six launches that agree are the same just within 5 % to either side of 1, and changed at it."""
    control = told(*[value] * 6, decides=False)

    assert control.standing("a") == standing
    assert control.undecided == ["a"]
    assert told(*[value] * 6).decided == ({"a": "same"} if standing == "same" else {})


@pytest.mark.parametrize(
    ("interval", "standing"),
    [
        ((-0.01, BOUND), "inconclusive"),
        ((-BOUND, 0.01), "inconclusive"),
        ((0.0, 0.2), "inconclusive"),
        ((-0.2, 0.0), "inconclusive"),
        ((5e-324, 0.2), "slower"),
        ((-0.2, -5e-324), "faster"),
        ((0.01, 0.02), "same"),
        ((-0.02, -0.01), "same"),
    ],
)
def test_an_interval_that_touches_a_bound_says_nothing(
    interval: tuple[float, float], standing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both its ends have to be within the minimum effect for the same, and beyond 1 for a change."""
    referee = told(*SLOW)
    monkeypatch.setattr(statistics, "trimmed_interval", lambda values, confidence: interval)

    assert referee.standing("a") == standing


def test_four_launches_have_no_interval_and_five_have() -> None:
    """However near they are to one another; with five it is that of the trimmed mean, in ratios."""
    four, five = told(*SLOW[:4]), told(*SLOW)
    low, high = statistics.trimmed_interval(SLOW, 0.99)

    assert (four.evidence("a").low, four.evidence("a").high, four.standing("a")) == (0.0, math.inf, "inconclusive")
    assert four.evidence("a").ratio == pytest.approx(math.exp(0.1015))
    assert five.standing("a") == "slower"
    assert asdict(five.evidence("a")) == {
        "ratio": pytest.approx(math.exp(0.102)),
        "low": pytest.approx(math.exp(low)),
        "high": pytest.approx(math.exp(high)),
        "confidence": pytest.approx(0.99),
        "launches": 5,
        "launches_needed": 4,
        "suspected": True,
        "verdict": Verdict.INCONCLUSIVE,
    }


def test_nothing_is_known_before_the_first_launch() -> None:
    """No ratio, no bounds, no suspicion, and no number of launches."""
    evidence = told().evidence("a")

    assert math.isnan(evidence.ratio)
    assert (evidence.low, evidence.high, evidence.launches, evidence.launches_needed) == (0.0, math.inf, 0, None)
    assert (evidence.verdict, evidence.suspected, told().looks_changed("a")) == ("inconclusive", False, False)


def test_the_minimum_effect_and_the_confidence_are_the_callers() -> None:
    """At 50 % a slowdown of 10 % is the same, and the interval has the confidence that was asked for."""
    referee = told(*SLOW, minimum_effect=0.5, confidence=0.9)

    assert referee.decided == {"a": "same"}
    assert referee.evidence("a").confidence == pytest.approx(0.9)
    assert referee.evidence("a").high == pytest.approx(math.exp(statistics.trimmed_interval(SLOW, 0.9)[1]))


def test_confidences_of_a_family_are_holms() -> None:
    """Of three cases the one that stands out is held against 0.01 / 3, the others against 0.01 / 2."""
    referee = Referee(["a", "b", "c"])
    for at, log_ratio in enumerate(SLOW):
        referee.add({"b": log_ratio, "a": 0.3 * (-1) ** at, "c": 0.4 * (-1) ** at})
        expected = [1 - 0.01 / 3] * 3 if at < 4 else [1 - 0.01 / 2, 1 - 0.01 / 3, 1 - 0.01 / 2]
        assert [referee.evidence(case).confidence for case in "abc"] == pytest.approx(expected)


def test_a_decision_keeps_the_confidence_that_it_was_made_at() -> None:
    """Though another case, found later, would leave it a larger share."""
    referee = Referee(["a", "b"])
    for log_ratio in (0.001, -0.001, 0.002, -0.002, 0.0):
        referee.add({"a": log_ratio})
    decided = referee.evidence("a")
    for log_ratio in (*SLOW, *SLOW):
        referee.add({"b": log_ratio, "a": 0.4})

    assert referee.decided == {"a": "same", "b": "slower"}
    assert decided.confidence == pytest.approx(1 - 0.01 / 2)
    assert referee.evidence("a") == decided
    assert referee.evidence("b").confidence == pytest.approx(1 - 0.01 / 2)


@pytest.mark.parametrize(("sign", "verdict"), [(1, "slower"), (-1, "faster")])
@pytest.mark.parametrize("stray", [0.0, -0.02])
def test_six_of_seven_fresh_launches_confirm(sign: int, verdict: str, stray: float) -> None:
    """One on neither side, or on the other, asks for three more; the numbers still missing count down."""
    referee, needed = told(*[sign * value for value in SLOW]), []
    for log_ratio in (0.1, 0.1, 0.1, stray, 0.1, 0.1, 0.1):
        assert referee.decided == {}
        needed.append(referee.evidence("a").launches_needed)
        referee.add({"a": sign * log_ratio})

    assert needed == [4, 3, 2, 1, 3, 2, 1]
    assert referee.decided == {"a": verdict}
    assert referee.evidence("a").suspected is False


@pytest.mark.parametrize("fresh", range(1, 19))
def test_fresh_launches_confirm_by_the_sign_test(fresh: int) -> None:
    """So many of them agree that a fair coin does as well in at most 7 % of cases, counted one by one."""
    for agreeing in range(fresh + 1):
        chance = sum(math.comb(fresh, heads) for heads in range(agreeing, fresh + 1)) / 2**fresh
        launches = [-0.1] * (fresh - agreeing) + [0.2] * agreeing

        assert confirms(launches, 1) == (chance <= 0.07)
        assert confirms([-log_ratio for log_ratio in launches], -1) == (chance <= 0.07)
    assert not confirms([], 1)


def test_a_suspicion_of_the_other_direction_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Launches since the first suspicion do not confirm the second, even where no launch lay between them."""
    intervals = {5: (0.1, 0.2), 6: (0.1, 0.2), 7: (-0.2, -0.1), 8: (-0.2, -0.1)}
    monkeypatch.setattr(statistics, "trimmed_interval", lambda values, confidence: intervals[len(values)])
    referee = told(*[-0.1] * 6)

    assert referee.suspicions == {"a": Suspicion(5, 1)}
    referee.add({"a": -0.1})
    assert referee.suspicions == {"a": Suspicion(7, -1)}
    referee.add({"a": -0.1})
    assert referee.suspicions == {"a": Suspicion(7, -1)}
    assert referee.decided == {}


@pytest.mark.parametrize("sign", [1, -1])
def test_half_the_minimum_effect_looks_changed(sign: int) -> None:
    """A trimmed mean of more than that to either side is nearer to a change than to the same."""
    assert not told(*[sign * BOUND / 2] * 4).looks_changed("a")
    assert told(*[sign * math.nextafter(BOUND / 2, 1)] * 4).looks_changed("a")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("log_ratios", "spread", "reach", "confirming"),
    [
        ((0.03, -0.01, 0.01), 0.02, BOUND - 0.01, 0),  # to be within 5 % is nearer
        ((0.04, 0.0, 0.02), 0.02, BOUND - 0.02, 0),
        ((0.06, 0.01, 0.035), 0.025, 0.035, 4),  # to exclude 1 is nearer, and has to be confirmed
        ((0.3, 0.1), 0.1 * math.sqrt(2), 0.2, 4),
    ],
)
def test_launches_needed_for_either_verdict(
    log_ratios: tuple[float, ...], spread: float, reach: float, confirming: int, sign: int
) -> None:
    """So many more as Student's interval needs to be within the minimum effect, or to exclude 1, and to confirm it."""
    reaches = {
        number: spread / math.sqrt(number) * stats.t.ppf(0.995, number - 2 * max(1, number // 10) - 1)
        for number in range(4, 500)
    }
    wanted = next(number for number, reached in reaches.items() if reached <= reach)
    referee = told(*[sign * log_ratio for log_ratio in log_ratios])

    assert wanted > 5
    assert referee.evidence("a").launches_needed == wanted - len(log_ratios) + confirming


def test_launches_needed_at_the_edges() -> None:
    """One launch has no spread; five are the fewest; a control, which is never decided, always needs one more."""
    near = (0.001, 0.0011, 0.0012, 0.0013)

    assert [told(*near[:launches]).evidence("a").launches_needed for launches in (1, 2, 3, 4)] == [None, 3, 2, 1]
    assert told(*near, 0.001, 0.001, decides=False).evidence("a").launches_needed == 1
    assert told(*SLOW, 0.1, 0.1, decides=False).evidence("a").launches_needed == 1 + 4
    assert told(*near, 0.001).evidence("a").launches_needed == 0
    assert told(-9.0, 9.0).evidence("a").launches_needed is None  # above 1,000


def test_a_ratio_that_no_number_holds_is_infinite() -> None:
    """Up to e to the 700 it is a number."""
    assert told(*[700.0] * 4).evidence("a").ratio == math.exp(700)
    assert told(*[701.0] * 4).evidence("a").ratio == math.inf
