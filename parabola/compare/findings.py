"""What the launches of a comparison say of their cases besides times: which fail, which a side skips or lacks."""

from collections.abc import Collection, Sequence

from parabola.compare.outcome import Progress
from parabola.compare.referee import Referee
from parabola.compare.schedule import Costs
from parabola.compare.sides.failure import Failure
from parabola.compare.sides.launch import Launch
from parabola.compare.verdicts import Judgement, Verdict, judge
from parabola.records.case import short_names

UNSTABLE = Judgement(Verdict.NOT_MEASURED, "its name is not the same in every launch")


def judged(launches: Sequence[Launch]) -> dict[str, Judgement]:
    """Return what is said of the cases that times say nothing of: those whose tests fail, and those without a name.

    Args:
        launches: those that are over, in the order in which they ended.
    """
    plans = [launch.plan for launch in launches if launch.plan]
    without = [case for launch in launches for case in launch.failed if case not in launch.plan]  # as their file failed
    heard: dict[str, list[Failure | None]] = {case: [] for case in [*(plans or [[]])[0], *without]}
    for launch in launches:
        for case in heard.keys() & {*launch.plan, *launch.failed}:
            if launch.finished or case in launch.measured or case in launch.failed:
                heard[case].append(launch.failed.get(case))
    missed = _missed(launches)
    judgements = {case: UNSTABLE if case in missed else judge(said) for case, said in heard.items()}
    return {case: judgement for case, judgement in judgements.items() if judgement}


def _missed(launches: Sequence[Launch]) -> set[str]:
    """Return the cases that launches which knew theirs should have had, and one of them did not."""
    known = [launch for launch in launches if launch.plan]
    expected = ({*(launch.cases or known[0].plan)} - {*launch.plan} - {*launch.failed} for launch in known)
    return {case for cases in expected for case in cases}


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


def progress(referee: Referee, over: Sequence[Launch], running: Collection[Launch], seconds: float) -> Progress:
    """Return what is going on.

    Args:
        referee: what the launches so far say of the cases.
        over: the launches that are over.
        running: those that run.
        seconds: since the comparison began.
    """
    doing = [launch.doing for launch in running]
    names = short_names([*referee.log_ratios, *doing])
    named = " and ".join(dict.fromkeys(names[case] for case in doing))
    return Progress(seconds, len(over), len(referee.decided), len(referee.log_ratios), named)
