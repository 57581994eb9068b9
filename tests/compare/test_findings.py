"""What launches that are over say of their cases besides times."""

import pytest

from parabola.compare.findings import UNSTABLE, judged, skipped
from parabola.compare.sides.failure import Failure
from parabola.compare.sides.launch import CONTROL, Launch
from tests.made_comparisons import FAST, SLOW, STEADY, made_launch

HEAD, BASE = Failure("head", "failed", "no", in_head_alone=True), Failure("base", "failed", "odd")


def launch_of(*failures: Failure | str | None, finished: bool = True, asked: list[str] | None = None) -> Launch:
    """Return a launch in which the cases failed so, were "skipped", are "lost" or "ahead", or were measured."""
    cases = [STEADY, SLOW, FAST][: len(failures)]
    made = made_launch(0, cases, finished=finished)
    made.cases = asked
    for case, failure in zip(cases, failures, strict=True):
        if failure is not None:
            del made.measured[case]
        if isinstance(failure, Failure):
            made.failed[case] = failure
        if failure == "lost":
            made.plan.remove(case)
    return made


def verdicts(*launches: Launch) -> dict[str, tuple[str, bool]]:
    return {case: (judgement.verdict, judgement.final) for case, judgement in judged(launches).items()}


def test_launches_without_failures_say_nothing() -> None:
    """Nor do those that never knew their cases, as where a side failed before."""
    early = launch_of(None)
    early.plan = []

    assert judged([]) == judged([early]) == judged([launch_of(None, "skipped"), early, launch_of(None, None)]) == {}
    assert skipped([]) == skipped([early]) == []


@pytest.mark.parametrize(
    ("after", "verdict", "final"),
    [
        (launch_of(HEAD), "wrong", True),
        (launch_of(HEAD, finished=False), "wrong", True),
        (launch_of(None), "not measured", True),
        (launch_of(None, finished=False), "not measured", True),
        (launch_of("skipped"), "not measured", True),
        (launch_of("ahead", finished=False), "not measured", False),
    ],
)
def test_the_launch_that_is_to_confirm(after: Launch, verdict: str, final: bool) -> None:
    """One that came to its end without the case does not confirm; one that was stopped before it has said nothing."""
    assert verdicts(launch_of(HEAD), after) == {STEADY: (verdict, final)}
    assert verdicts(launch_of(None), launch_of(HEAD), after) == {STEADY: (verdict, final)}


def test_a_name_that_a_launch_does_not_have() -> None:
    """It is lost if the launch was to measure it, whatever else is said of it; and not if it was not asked for."""
    first = launch_of(BASE, "skipped", None)

    assert judged([first, launch_of("lost", "lost", "lost")]) == dict.fromkeys([STEADY, SLOW, FAST], UNSTABLE)
    assert skipped([first, launch_of("lost", "lost", "lost")]) == []
    assert verdicts(first, launch_of("lost", "lost", None, asked=[FAST])) == {STEADY: ("not measured", True)}
    assert skipped([first, launch_of("lost", "lost", None, asked=[FAST])]) == [SLOW]
    assert list(judged([first, launch_of(None, None, "lost", asked=[FAST])])) == [STEADY, FAST]


def test_names_that_only_a_later_launch_has() -> None:
    """Nothing is said of them, as no other launch has them."""
    assert list(judged([launch_of(BASE), launch_of(None, BASE)])) == [STEADY]


def test_cases_that_a_side_skips() -> None:
    """They are planned in a launch that came to its end, and neither measured nor failed in any; never the control."""
    assert skipped([launch_of("skipped", None, BASE)]) == [STEADY]
    assert skipped([launch_of("skipped", None, BASE), launch_of(None, None, None)]) == []
    assert skipped([launch_of("ahead", None, "ahead", finished=False)]) == []
    assert CONTROL not in skipped([launch_of("skipped")])
