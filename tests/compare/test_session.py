"""From launches to an outcome: which are begun, on which cores, with which cases, and how it ends."""

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare import findings, session
from parabola.compare.environments.differences import Environment
from parabola.compare.outcome import Options, Outcome, Progress
from parabola.compare.referee import Referee
from parabola.compare.schedule import SELF_TEST_LAUNCHES
from parabola.compare.session import _Session
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.failure import Failure, SideFailed
from parabola.compare.sides.launch import CONTROL, Launch, Measured
from parabola.compare.sides.start import Setup
from parabola.compare.verdicts import Judgement, Verdict
from parabola.machine import cores, ending
from tests.made_comparisons import BASE, HEAD, SETUP, Clock, Script

STEADY, SLOW, FAST = "a.py::steady", "b/c.py::slow[1]", "a.py::fast[a::b]"
THERE = Environment({"python": "3.11.7", "pytest": "9.2.0"})
RATIOS = {STEADY: [1.001, 0.999, 1.0], SLOW: [1.5], FAST: [0.5]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that a test decides on; and no other comparison on this machine."""
    own = Clock()
    monkeypatch.setattr(session, "time", own)
    monkeypatch.setattr(session, "others", lambda besides: [])
    monkeypatch.setattr(cores, "physical_cores", lambda: [[2], [4], [5], [6], [9]])
    monkeypatch.setattr(cores, "cpu_quota", lambda: None)
    return own


def outcome_of(script: Script, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Outcome:
    """Run a comparison of such launches, one at a time unless the options say otherwise."""
    monkeypatch.setattr(session, "Launch", script)
    given = {"launches_at_once": 1, **options}
    return _Session(Options("main", **given), SETUP).run(None)


def test_launches_go_on_until_every_case_is_decided(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first measures all there is, the others what is undecided: what is decided leaves."""
    script = Script(clock, {STEADY: [1.0], SLOW: [1.2], FAST: [1.027]})
    outcome = outcome_of(script, monkeypatch)

    assert outcome.referee.decided == {STEADY: "same", SLOW: "slower", FAST: "same"}
    assert [launch.cases and sorted(launch.cases) for launch in script.launches] == (
        [None] + 9 * [sorted(RATIOS)] + [sorted([SLOW, FAST])]
    )
    assert [launch.number for launch in script.launches] == list(range(11))
    assert {tuple(launch.cores) for launch in script.launches} == {(2,)}
    assert all(launch.setup is SETUP for launch in script.launches)
    assert outcome.launches == script.launches
    assert (outcome.base, outcome.head) == (BASE, HEAD)
    assert (outcome.ended, outcome.why, outcome.usage, outcome.disturbed) == ("decided", "", False, False)
    assert (outcome.only, outcome.unmeasured) == (BySide(["a.py::gone"], ["a.py::new"]), [])
    assert outcome.seconds == 10 * 4 + 3
    assert outcome.control.evidence(CONTROL).launches == 11
    assert outcome.control.decided == {}
    assert list(outcome.referee.log_ratios) == list(RATIOS)
    assert {launch.stops for launch in script.launches} == {1}


def test_the_minimum_effect_is_that_of_the_options(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the cases and for the control."""
    script = Script(clock, {SLOW: [1.4], CONTROL: [1.4]})
    outcome = outcome_of(script, monkeypatch, minimum_effect=0.9)

    assert outcome.referee.decided == {SLOW: "same"}
    assert outcome.control.standing(CONTROL) == "same"


def test_the_control_is_measured_until_it_is_known(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once all cases are decided, launches measure it alone, as what is the same waits for it."""
    script = Script(clock, {STEADY: [1.0], CONTROL: [1.2, 1 / 1.2, 1.2, 1 / 1.2, 1.0]})
    outcome = outcome_of(script, monkeypatch)
    known = outcome.control.evidence(CONTROL)

    assert [launch.cases for launch in script.launches[8:]] == [[STEADY]] + [[CONTROL]] * (known.launches - 9)
    assert (outcome.ended, known.verdict, outcome.referee.decided) == ("decided", "same", {STEADY: "same"})
    assert known.launches > 12
    assert outcome.referee.evidence(STEADY).launches == 9


@pytest.mark.parametrize(("ratios", "launches"), [({STEADY: [1.0]}, 49), ({SLOW: [1.5]}, 10)])
def test_a_control_that_never_is_known(
    ratios: dict[str, list[float]], launches: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It uses the budget up, as no case can be called the same without it; a change alone does not wait for it."""
    wild = [1.5, 1 / 1.5] * 50
    outcome = outcome_of(Script(clock, {**ratios, CONTROL: wild}), monkeypatch, budget_seconds=59.0)

    assert outcome.ended == ("budget" if STEADY in ratios else "decided")
    assert len(outcome.launches) == launches
    assert outcome.control.standing(CONTROL) == "inconclusive"


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_self_test_measures_every_case_in_every_launch(
    at_once: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty times, whatever they say, so that none is left off where it happened to be quiet; none is decided."""
    monkeypatch.setattr(session, "Launch", script := Script(clock, RATIOS))
    outcome = _Session(Options("main", launches_at_once=at_once), SETUP, self_test=True).run(None)

    assert [launch.cases for launch in script.launches] == [None] * SELF_TEST_LAUNCHES
    assert SELF_TEST_LAUNCHES == 40
    assert (outcome.ended, outcome.referee.decided, outcome.referee.undecided) == ("decided", {}, list(RATIOS))
    assert [outcome.referee.evidence(case).launches for case in RATIOS] == [40] * 3
    assert [outcome.referee.evidence(case).verdict for case in RATIOS] == ["same", "slower", "faster"]


def test_a_self_test_ends_with_its_budget(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many launches as there was time for; and at once where there is nothing to measure."""
    monkeypatch.setattr(session, "Launch", Script(clock, RATIOS))
    short = _Session(Options("main", launches_at_once=1, budget_seconds=18.0), SETUP, self_test=True).run(None)
    monkeypatch.setattr(session, "Launch", Script(clock, RATIOS, skipped=list(RATIOS)))
    empty = _Session(Options("main", launches_at_once=1), SETUP, self_test=True).run(None)

    assert (short.ended, len(short.launches)) == ("budget", 5)
    assert (empty.ended, empty.why, len(empty.launches)) == ("failed", "no case was measured on both sides", 1)


@pytest.mark.parametrize(("budget", "launches"), [(12.0, 4), (11.9, 3), (9.1, 3), (9.0, 3), (8.9, 2), (3.0, 1)])
def test_the_budget_ends_it(budget: float, launches: int, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch of three seconds is begun if it would be finished in time, to the second."""
    script = Script(clock, {SLOW: [1.0, 1.5]}, overhead=1.0)
    outcome = outcome_of(script, monkeypatch, budget_seconds=budget)

    assert (outcome.ended, len(outcome.launches)) == ("budget", launches)
    assert outcome.referee.undecided == [SLOW]
    assert outcome.seconds == 3.0 * launches


def test_the_last_half_second_is_used(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a launch takes no longer."""
    script = Script(clock, {SLOW: [1.0, 1.5]}, costs={CONTROL: 0.25, SLOW: 0.25})

    assert len(outcome_of(script, monkeypatch, budget_seconds=1.5).launches) == 3


def test_what_is_running_when_the_time_is_used_up_is_stopped(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, and not a moment later; what it had finished by then counts."""
    script = Script(clock, {SLOW: [1.5]}, endless={3: clock.now + 77.0})
    outcome = outcome_of(script, monkeypatch, budget_seconds=77.0)

    assert (outcome.ended, outcome.why, [launch.stops for launch in script.launches]) == ("budget", "", [1, 1, 1, 1])
    assert [launch.finished for launch in outcome.launches] == [True, True, True, False]
    assert outcome.referee.evidence(SLOW).launches == 3
    assert outcome.control.evidence(CONTROL).launches == 4


def test_a_side_that_fails_ends_it(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured until then stays, of the launch that failed, too; its cases may yet be measured."""
    fails = {2: SideFailed("head is gone", usage=True, output=["bye"])}
    outcome = outcome_of(Script(clock, RATIOS, fails=fails), monkeypatch)

    assert (outcome.ended, outcome.why, outcome.usage) == ("failed", "head is gone", True)
    assert (outcome.output, outcome.judged) == (["bye"], {})
    assert [launch.finished for launch in outcome.launches] == [True, True, False]
    assert [outcome.referee.evidence(case).launches for case in RATIOS] == [3, 2, 2]
    assert outcome.unmeasured == []


def test_a_side_that_ends_within_a_case(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next launch goes on without that case, which is not measured, and all others are decided."""
    script = Script(clock, {STEADY: [1.0], SLOW: [1.2], FAST: [1.0]}, deaths=[SLOW])
    outcome = outcome_of(script, monkeypatch)

    assert (outcome.ended, outcome.why, outcome.output) == ("decided", "", [])
    assert outcome.judged == {SLOW: Judgement(Verdict.NOT_MEASURED, "head is gone", ["bye"])}
    assert outcome.referee.decided == {STEADY: "same", FAST: "same"}
    assert [SLOW in (launch.cases or []) for launch in script.launches[1:]] == [False] * (len(script.launches) - 1)
    assert [launch.finished for launch in outcome.launches] == [False] + [True] * (len(outcome.launches) - 1)
    measured = [outcome.referee.evidence(case).launches for case in RATIOS]
    assert measured == [10, 0, 9]  # with what the first launch finished before it ended so


def test_every_case_ends_its_side(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then none is left to measure, and each has its reason."""
    outcome = outcome_of(Script(clock, RATIOS, deaths=list(RATIOS)), monkeypatch)

    assert (outcome.ended, outcome.why, len(outcome.launches)) == ("decided", "", 4)
    assert [judgement.verdict for judgement in outcome.judged.values()] == ["not measured"] * 3


@pytest.mark.parametrize(("number", "ended"), [(9, "decided"), (10, "failed"), (11, "failed")])
def test_a_bound_on_starts_anew(number: int, ended: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenth launch that ends within a case ends the comparison: no case is to blame for that."""
    cases = {f"a.py::case_{at}": [1.0] for at in range(12)}
    outcome = outcome_of(Script(clock, cases, deaths=list(cases)[:number]), monkeypatch)

    assert outcome.ended == ended
    assert sum(bool(launch.died) for launch in outcome.launches if not launch.collects_part) == min(number, 10)
    last = outcome.launches[-1].died
    assert outcome.why == (f"{last}; 10 launches ended so" if last else "")
    assert outcome.output == (["bye"] if last else [])


def test_a_self_test_goes_on_without_a_case_that_ends_its_side(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as without it."""
    monkeypatch.setattr(session, "Launch", script := Script(clock, RATIOS, deaths=[SLOW]))
    outcome = _Session(Options("main", launches_at_once=1), SETUP, self_test=True).run(None)

    assert [launch.cases for launch in script.launches] == [None] + [[STEADY, FAST]] * (SELF_TEST_LAUNCHES - 1)
    assert [outcome.referee.evidence(case).launches for case in RATIOS] == [40, 0, 39]


def test_a_failure_in_the_first_launch(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it knew its cases nothing is known; after that, which there are, and none is called skipped."""
    early = outcome_of(Script(clock, RATIOS, fails={0: SideFailed("before its plan")}), monkeypatch)
    later = outcome_of(Script(clock, RATIOS, fails={0: SideFailed("in a case")}), monkeypatch)

    assert (early.ended, early.why, early.usage) == ("failed", "before its plan", False)
    assert (early.only, early.unmeasured, early.referee.undecided) == (BySide([], []), [], [])
    assert (later.only.head, later.unmeasured, later.referee.undecided) == (["a.py::new"], [], list(RATIOS))


def test_ctrl_c_ends_it(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every launch is stopped, and what was measured stays."""
    script = Script(clock, {STEADY: [1.0], SLOW: [1.2], FAST: [1.027]}, fails={10: KeyboardInterrupt()})
    outcome = outcome_of(script, monkeypatch)

    assert (outcome.ended, outcome.why, outcome.usage) == ("interrupted", "", False)
    assert outcome.referee.decided == {STEADY: "same", SLOW: "slower"}
    assert len(outcome.launches) == 11
    assert {launch.stops for launch in script.launches} == {1}


def test_a_ctrl_c_that_python_dropped_ends_it(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the next launch is over: what was asked of the process is looked at each time."""
    asked = list[int]()
    monkeypatch.setattr(ending, "_asked", asked)
    monkeypatch.setattr(session, "Launch", Script(clock, RATIOS))

    def drop(progress: Progress) -> None:
        asked.extend([signal.SIGTERM] if progress.launches == 3 else [])

    outcome = _Session(Options("main", launches_at_once=1), SETUP).run(drop)

    assert (outcome.ended, len(outcome.launches)) == ("interrupted", 4)


def test_what_was_running_is_kept(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one of two launches side by side fails, the other's finished cases count."""
    script = Script(clock, RATIOS, fails={0: SideFailed("before its plan")})
    outcome = outcome_of(script, monkeypatch, launches_at_once=2)

    assert outcome.ended == "failed"
    assert sorted(launch.number for launch in outcome.launches) == [0, 1]
    assert [outcome.referee.evidence(case).launches for case in RATIOS] == [1, 1, 1]
    assert outcome.only == BySide(["a.py::gone"], ["a.py::new"])


def test_a_case_that_a_side_skips(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps nobody waiting, and is named."""
    outcome = outcome_of(Script(clock, RATIOS, skipped=[SLOW]), monkeypatch)

    assert (outcome.ended, outcome.unmeasured, outcome.referee.undecided) == ("decided", [SLOW], [SLOW])
    assert outcome.referee.decided == {STEADY: "same", FAST: "faster"}


HEAD_ALONE, IN_BASE = Failure("head", "failed", "no", True), Failure("base", "failed", "odd")


@pytest.mark.parametrize(
    ("failures", "verdict", "runs"),
    [
        ([HEAD_ALONE, HEAD_ALONE], "wrong", 2),
        ([HEAD_ALONE, None, HEAD_ALONE], "not measured", 2),
        ([HEAD_ALONE, IN_BASE], "not measured", 2),
        ([IN_BASE, HEAD_ALONE], "not measured", 1),
        ([None, None, HEAD_ALONE, HEAD_ALONE], "wrong", 4),  # the first of these in a launch that collected a part
        ([None, None, HEAD_ALONE, None, HEAD_ALONE], "not measured", 4),
        ([None, None, IN_BASE, IN_BASE], "not measured", 4),  # where the first failure in base says nothing
        ([*[None] * 7, *[HEAD_ALONE] * 2], "wrong", 9),  # in the launch that would have decided it
    ],
)
def test_a_case_whose_test_fails(
    failures: list[Failure | None], verdict: str, runs: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run once more if that may make it wrong, and then no more; the others are decided as without it."""
    script = Script(
        clock, {STEADY: [1.001, 0.999, 1.0], SLOW: [1.5], "f.py::odd": [1.5]}, failing={"f.py::odd": failures}
    )
    outcome = outcome_of(script, monkeypatch)

    assert (outcome.ended, outcome.why) == ("decided", "")
    assert {case: judgement.verdict for case, judgement in outcome.judged.items()} == {"f.py::odd": verdict}
    assert sum("f.py::odd" in launch.plan for launch in script.launches) == runs
    assert {case: outcome.referee.decided[case] for case in (STEADY, SLOW)} == {STEADY: "same", SLOW: "slower"}
    assert outcome.unmeasured == []


def test_a_failure_that_no_launch_could_confirm(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps the comparison from being decided, and where time is short it is what the next launch is for."""
    script = Script(clock, {SLOW: [1.5], FAST: [1.0]}, failing={FAST: [HEAD_ALONE] * 3}, overhead=1.0)
    short = outcome_of(script, monkeypatch, budget_seconds=5.0)
    script = Script(clock, {SLOW: [1.5], FAST: [1.0]}, failing={FAST: [HEAD_ALONE] * 3}, overhead=1.0)
    longer = outcome_of(script, monkeypatch, budget_seconds=9.0)

    assert (short.ended, len(short.launches), short.judged[FAST].verdict) == ("budget", 1, "not measured")
    assert (longer.ended, longer.judged[FAST].verdict) == ("budget", "wrong")
    assert script.launches[1].cases is not None
    assert script.launches[1].cases[0] == FAST


def test_nothing_but_tests_that_fail(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison in which every case is wrong or not measured has come to its end."""
    failing = {SLOW: [IN_BASE], FAST: [HEAD_ALONE] * 2}
    outcome = outcome_of(Script(clock, {SLOW: [1.5], FAST: [1.0]}, failing=failing), monkeypatch)

    assert (outcome.ended, outcome.why, len(outcome.launches)) == ("decided", "", 2)
    assert {case: judgement.verdict for case, judgement in outcome.judged.items()} == {
        SLOW: "not measured",
        FAST: "wrong",
    }


@pytest.mark.parametrize("at_once", [1, 2])
def test_names_that_are_new_in_every_launch(at_once: int, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a case is not measured, for this reason, however many launches run side by side; the others are."""
    script = Script(clock, RATIOS, unstable=[FAST])
    outcome = outcome_of(script, monkeypatch, launches_at_once=at_once)

    assert outcome.ended == "decided"
    assert [*outcome.judged.values()] == [Judgement(Verdict.NOT_MEASURED, "its name is not the same in every launch")]
    assert next(iter(outcome.judged)).startswith(FAST)
    assert {case: outcome.referee.decided[case] for case in (STEADY, SLOW)} == {STEADY: "same", SLOW: "slower"}


@pytest.mark.parametrize(
    ("cases", "takes"),
    [
        (-1, "more than 35 s"),
        (0, "more than 35 s"),
        (1, "about 55 s"),
        (2, "about 54 s"),
        (3, "about 46 s"),
        (4, "about 35 s"),
    ],
)
def test_a_budget_that_ends_within_the_first_launch(
    cases: int, takes: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is inconclusive, and how long a launch takes is said as far as what was measured of it tells."""
    names = [f"a.py::case_{number}" for number in range(4)]
    ended = _Session(Options("main", budget_seconds=35.0), SETUP)
    made = Script(clock, {})(SETUP, 0, [2], None)
    made.plan = [CONTROL, *names] if cases >= 0 else []
    ends = [3.0, 16.0, 28.4, 34.0, 34.5]  # a control of 3 s, cases of 13, 12.4, 5.6 and 0.5 s, and what is not over yet
    made.measured = {
        case: Measured(BySide([1.0], [1.0]), BySide({}, {}), ends[at]) for at, case in enumerate(made.plan[: cases + 1])
    }
    ended.over, clock.now = [made], clock.now + 35.0 + 4.0  # its sides take a while to end

    assert ended._end() == ("budget", f"the budget ended within the first launch, which takes {takes}")
    made.finished = True
    assert ended._end() == ("failed", "no case was measured on both sides")


def test_nothing_is_measured_on_both_sides(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all cases are skipped that is a failure, after one launch."""
    outcome = outcome_of(Script(clock, RATIOS, skipped=list(RATIOS)), monkeypatch)

    assert (outcome.ended, outcome.why) == ("failed", "no case was measured on both sides")
    assert (outcome.unmeasured, len(outcome.launches), outcome.usage) == (list(RATIOS), 1, False)


@pytest.mark.parametrize("disturbed_at", [0, 3, 10, None])
def test_another_comparison_disturbs(disturbed_at: int | None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for after each launch, and seen once is seen for good."""
    asked: list[Path] = []

    def others(besides: Path) -> list[Path]:
        asked.append(besides)
        return [Path("/another")] if len(asked) - 1 == disturbed_at else []

    monkeypatch.setattr(session, "others", others)
    outcome = outcome_of(Script(clock, RATIOS), monkeypatch)

    assert outcome.disturbed == (disturbed_at is not None)
    assert asked == [SETUP.scratch] * (11 if disturbed_at is None else disturbed_at + 1)


@pytest.mark.parametrize(
    ("options", "cores"),
    [
        ({"launches_at_once": 1, "cores_per_launch": 2}, [(2, 4)]),
        ({"launches_at_once": 2, "cores_per_launch": 2}, [(2, 4), (5, 6)]),
        ({"launches_at_once": 9, "cores_per_launch": 2}, [(2, 4), (5, 6)]),
        ({"launches_at_once": None, "cores_per_launch": 1}, [(2,), (4,), (5,), (6,), (9,)]),
    ],
)
def test_launches_side_by_side(
    options: dict[str, Any], cores: list[tuple[int, ...]], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as are asked for and the cores allow, each on cores of its own, which the next one takes over."""
    script = Script(clock, {STEADY: [1.0], SLOW: [1.5]})
    outcome = outcome_of(script, monkeypatch, **options)

    assert outcome.ended == "decided"
    assert [tuple(launch.cores) for launch in script.launches[: len(cores)]] == cores
    assert {tuple(launch.cores) for launch in script.launches} == set(cores)
    assert [launch.number for launch in script.launches] == list(range(len(script.launches)))


def test_the_line_of_progress() -> None:
    """The launch counts from 1; the number of cases is told once it is known; names are short."""
    assert str(Progress(0.0, 0, 0, 0, "starting")) == "launch 1: starting"
    assert str(Progress(7.0, 4, 2, 3, "a[x::y]")) == "launch 5, 2 of 3 cases decided: a[x::y]"


def test_progress_is_told(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each look at the launches: seconds from the beginning, launches that are over, and cases decided."""
    told: list[Progress] = []
    monkeypatch.setattr(session, "Launch", Script(clock, {STEADY: [1.0], SLOW: [1.5]}, overhead=2.0))
    _Session(Options("main", launches_at_once=1), SETUP).run(told.append)
    over = {one.launches: one for one in reversed(told) if one.launches}  # the first that is told after each launch

    assert [over[launches].seconds for launches in range(1, 12)] == [5.0 * launches for launches in range(1, 11)] + [
        54.0
    ]
    assert [over[launches].decided for launches in range(1, 12)] == [0] * 9 + [1, 2]
    assert {one.cases for one in over.values()} == {2}


def test_progress_names_what_is_being_measured() -> None:
    """Each case once, by its short name, also where launches side by side are at different ones."""
    doing = (SLOW, FAST, SLOW)
    launches = [Launch(SETUP, at, [], None) for at in range(3)]
    for at, case in enumerate(doing):
        launches[at].doing = case
    progress = findings.progress(Referee(()), [], launches, 0.0)

    assert progress.doing == "slow[1] and fast[a::b]"
    assert str(progress) == "launch 1: slow[1] and fast[a::b]"


def waiting(clock: Clock, log_ratios: dict[str, list[float]], left: float) -> _Session:
    """Return a comparison whose cases have said this so far, in one launch of ten seconds each, with this time left."""
    waits = _Session(Options("main"), SETUP)
    waits.referee = Referee(tuple(log_ratios))
    for at in range(max(map(len, log_ratios.values()))):
        waits.referee.add({case: values[at] for case, values in log_ratios.items() if at < len(values)})
    ends = {case: SimpleNamespace(ended_at=10.0 * at) for at, case in enumerate((CONTROL, *log_ratios), start=1)}
    waits.over = [SimpleNamespace(measured=ends, finished=False, plan=[], collects_part=True, collecting_seconds=0.0)]  # type: ignore[list-item]
    clock.now = waits.started + waits.options.budget_seconds - left
    return waits


def test_before_the_first_launch_all_is_chosen(clock: Clock) -> None:
    """The cases are not known yet; once all of them are decided, the control alone is left, while there is time."""
    waits = _Session(Options("main"), SETUP)

    assert waits._next_cases(1) is None
    assert waiting(clock, {"a": [0.0] * 9}, 20.0)._next_cases(1) == [CONTROL]
    assert waiting(clock, {"a": [0.0] * 9}, 19.9)._next_cases(1) == []


@pytest.mark.parametrize(("left", "chosen"), [(20.0, ["a"]), (19.9, []), (1e9, ["a", "c"])])
def test_the_schedule_is_asked_with_what_launches_took(left: float, chosen: list[str], clock: Clock) -> None:
    """The control costs nothing, what is decided is left out, and the time that is left is the budget's."""
    waits = waiting(clock, {"a": [0.01] * 3, "b": [0.0] * 12, "c": [0.02] * 3}, left)

    # a ended at 20 s, the others 10 s later each: a start of 10 s and 10 s a case.
    assert waits._next_cases(1) == chosen


def test_the_options_as_they_are_unless_given() -> None:
    """Five minutes, a minimum effect of 5 %, and a side that may be silent for five minutes."""
    none = BySide("", "")
    assert Options(None) == Options(None, None, (), 300.0, 0.05, 300.0, 1, None, {}, (), none, None, (), none, none, ())


def test_what_a_comparison_is_given_and_lacks(
    project: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Launches get what is allowed, both checkouts are prepared before them, and what they lack is in the outcome.

    Head's harness lies over base before all, and what still differs is known at the end.
    """
    folder, order = project(), list[Any]()
    (folder / ".gitignore").write_text("_version.py")
    (folder / "src/_version.py").touch()
    (folder / "conftest.py").write_text("import thing")
    (folder / "test_it.py").write_text("LIMIT = 3")
    script = Script(clock, {STEADY: [1.0]})

    def make(setup: Setup, options: Options, tell: Callable[[str], None]) -> Setup:
        order.append((setup.base.revision, options.setup.base, len(script.launches)))
        order.append(((setup.base.top / "conftest.py").read_text(), setup.laid))
        tell("base: --setup, 0 s")
        clock.now += 999.0
        return dataclasses.replace(setup, environments=BySide(THERE, THERE))

    monkeypatch.setattr(session, "Launch", script)
    monkeypatch.setattr(session, "make", make)
    monkeypatch.setattr(cores, "cpu_quota", lambda: 0.25)
    told = list[Progress]()
    options = Options("main", launches_at_once=1, allowed=("numpy",), setup=BySide("make", ""), budget_seconds=99.0)
    options = dataclasses.replace(options, harness=("conftest.py",))
    outcome = session.compare(options, folder, told.append)

    assert order == [("main", "make", 0), ("import thing", ["conftest.py"])]
    assert {case: said.why for case, said in outcome.other_work.items()} == {
        STEADY: "base and head differ in test_it.py; --harness test_it.py lays head's over base"
    }
    assert str(told[0]) == "base: --setup, 0 s"
    assert told[0].seconds == 0
    assert (outcome.ended, outcome.seconds_before) == ("decided", 999.0)
    assert outcome.seconds == pytest.approx(clock.now - 1999.0)
    assert outcome.environments == BySide(THERE, THERE)
    setup = script.launches[0].setup
    names = {"projects": [], "modules": ["conftest", "test_it", "thing"]}
    assert (setup.allowed, setup.own_names) == (("numpy",), BySide(names, names))
    lacks, little = outcome.missing
    assert lacks.startswith("not in the checkouts, as git ignores them: src/_version.py; ")
    assert little.startswith("the container's quota is 0.25 CPU, and a launch keeps 1 busy: ")


@pytest.mark.parametrize("error", [OSError("no such file"), ValueError("git ls-files: no such folder")])
def test_what_is_missing_may_be_unknown(
    error: Exception, project: Callable[..., Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured is kept though a suite has removed its checkout, and why nobody knows is told."""

    def missing(*_: Any) -> list[str]:
        raise error

    monkeypatch.setattr(session, "Launch", Script(clock, {STEADY: [1.0]}))
    monkeypatch.setattr(session, "missing", missing)
    outcome = session.compare(Options("main", launches_at_once=1), project())

    assert outcome.referee.decided == {STEADY: "same"}
    assert outcome.missing == [f"what the checkouts lack is not known: {error}"]


def test_a_comparison_that_cannot_be_prepared(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has failed, with the command's own words, and no launch is begun."""
    script = Script(clock, {STEADY: [1.0]})

    def make(*_: Any) -> Setup:
        raise SideFailed("base: --setup ended with exit code 2: no rule", output=["no rule"])

    monkeypatch.setattr(session, "make", make)
    outcome = outcome_of(script, monkeypatch, setup=BySide("make", "make"))

    why = "base: --setup ended with exit code 2: no rule"
    assert (outcome.ended, outcome.why, outcome.output, outcome.usage) == ("failed", why, ["no rule"], False)
    assert script.launches == []
