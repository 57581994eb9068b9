"""What the launches of a comparison say of their cases besides times: which fail, which a side skips or lacks."""

from collections.abc import Sequence

from parabola.compare.schedule import Costs
from parabola.compare.sides.failure import Failure
from parabola.compare.sides.launch import Launch
from parabola.compare.verdicts import Judgement, Verdict, judge

UNSTABLE = Judgement(Verdict.NOT_MEASURED, "its name is not the same in every launch")


def judged(launches: Sequence[Launch]) -> dict[str, Judgement]:
    """Return what is said of the cases that times say nothing of: those whose tests fail, and those without a name.

    Args:
        launches: those that are over, in the order in which they ended.
    """
    plans = [launch.plan for launch in launches if launch.plan]
    heard: dict[str, list[Failure | None]] = {case: [] for case in (plans or [[]])[0]}
    for launch in launches:
        for case in heard.keys() & launch.plan:
            if launch.finished or case in launch.measured or case in launch.failed:
                heard[case].append(launch.failed.get(case))
    missed = _missed(launches)
    judgements = {case: UNSTABLE if case in missed else judge(said) for case, said in heard.items()}
    return {case: judgement for case, judgement in judgements.items() if judgement}


def _missed(launches: Sequence[Launch]) -> set[str]:
    """Return the cases that launches which knew theirs should have had, and one of them did not."""
    known = [launch for launch in launches if launch.plan]
    return {case for launch in known for case in {*(launch.cases or known[0].plan)} - {*launch.plan}}


def skipped(launches: Sequence[Launch]) -> list[str]:
    """Return the cases that finished launches should have measured and none did, though none failed: a side skips them.

    Args:
        launches: those that are over.
    """
    planned = dict.fromkeys(case for launch in launches if launch.finished for case in launch.plan)
    said = {case for launch in launches for case in (*launch.measured, *launch.failed)} | _missed(launches)
    return [case for case in planned if case not in said]


def first_launch_takes(launches: Sequence[Launch], seconds: float) -> str:
    """Say in words how long the first launch takes, where the budget ended before it was over.

    Args:
        launches: those that were stopped.
        seconds: how long they ran.
    """
    for launch in launches:
        ended = {case: measured.ended_at for case, measured in launch.measured.items()}
        if len(ended) > 1:
            costs = Costs.of([ended], launch.plan).by_case
            rest = sum(costs[case] for case in launch.plan if case not in ended)
            return f"about {max(seconds, max(ended.values()) + rest):.0f} s"
    return f"more than {seconds:.0f} s"
