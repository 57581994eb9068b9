"""What launches say besides times of cases: which fail, which a side skips or lacks, and what launches cost."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from statistics import median

from parabola.compare.comparison import ComparedLaunch
from parabola.compare.outcome import Progress
from parabola.compare.referee import Referee
from parabola.compare.schedule import Costs
from parabola.compare.sides.failure import Failure
from parabola.compare.sides.launch import CONTROL, Launch, Measured
from parabola.compare.verdicts import Judgement, Verdict, judge
from parabola.records.case import short_names

CASE_SECONDS = 0.25  # of benchmark(f), on both sides
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
            skips = launch.finished and not launch.collects_part  # of a part nobody knows why it lacks a case
            if skips or case in launch.measured or case in launch.failed:
                heard[case].append(_failure(launch, case))
    missed = _missed(launches)
    judgements = {case: UNSTABLE if case in missed else judge(said) for case, said in heard.items()}
    return {case: judgement for case, judgement in judgements.items() if judgement}


def _failure(launch: Launch, case: str) -> Failure | None:
    """Return how a launch failed to measure a case, if it did, in other words where that is head's harness in base."""
    failure, head = launch.failed.get(case), launch.setup.head
    files = [Path(file) for file in launch.files.head.get(case, ())]
    laid = any(file.is_relative_to(head.top / path) for file in files for path in launch.setup.laid)
    return failure.of_harness() if failure and laid else failure


def _missed(launches: Sequence[Launch]) -> set[str]:
    """Return the cases that launches which knew theirs should have had, and one of them did not."""
    known = [launch for launch in launches if launch.plan and not launch.collects_part]
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


def strayed(launch: Launch, judged: Collection[str]) -> list[str]:
    """Return the cases that a launch which collected a part of the suite did not measure, perhaps as it was a part.

    Args:
        launch: one that is over.
        judged: the cases that are known not to be measured.
    """
    asked = (launch.cases or []) if launch.finished or launch.died else []
    return [case for case in (*asked, *launch.failed) if case not in {CONTROL, *launch.measured, *judged}]


def doubted(launch: Launch, judged: Mapping[str, Judgement]) -> tuple[dict[str, Measured], dict[str, Failure], str]:
    """Return what counts of a launch that collected a part, and why no other launch is to collect a part.

    A failure that may be there as only a part was collected says nothing: those count that are known from a launch of
    the whole suite, and those of head alone, as what was collected is the same on both sides. Times count unless a side
    has failed in no case of its own, as one does that has imported code from elsewhere.

    Args:
        launch: one that is over.
        judged: what the launches before say of cases whose tests fail.

    Returns:
        What it has measured, and its failures, by case; and the reason in words, which is empty where there is none.
    """
    counted = {case: failure for case, failure in launch.failed.items() if case in judged or failure.in_head_alone}
    settled = [case for case, judgement in judged.items() if judgement.final or case in launch.failed]
    missed = strayed(launch, settled)
    failure = launch.failed.get(missed[0]) if missed else None
    why = f"{missed[0]} was not measured" + (f": {failure}" if failure else "") if missed else ""
    return {} if launch.died and not launch.died.case else launch.measured, counted, str(launch.died or why)


def costs(launches: Sequence[Launch], cases: Collection[str], collects_all: bool) -> Costs:
    """Return what the next launch costs.

    A launch that collected all tells of one that collects a part, too, but for what collecting takes: nothing at all
    until one has told.

    Args:
        launches: those that are over.
        cases: all cases whose costs are wanted.
        collects_all: whether the next launch collects the whole suite.
    """
    of_part = median([launch.collecting_seconds for launch in launches if launch.collects_part] or [0.0])
    ended = list[dict[str, float]]()
    for launch in launches:
        spared = 0.0 if collects_all or launch.collects_part else launch.collecting_seconds - of_part
        measured = launch.measured.items()
        ended.append({case: one.ended_at - spared for case, one in measured if case != CONTROL})
    return Costs.of(ended, cases)


def first_launch_seconds(launch: Launch) -> float | None:
    """Return about how long a first launch takes, from what it has measured so far; None until it knows its cases.

    Before it has measured two, each case is taken to be a `benchmark(f)`.
    """
    ended = {case: measured.ended_at for case, measured in launch.measured.items()}
    by_case = Costs.of([ended], launch.plan).by_case if len(ended) > 1 else dict.fromkeys(launch.plan, CASE_SECONDS)
    begun = max(ended.values(), default=launch.starting_seconds + launch.collecting_seconds)
    return begun + sum(by_case[case] for case in launch.plan if case not in ended) if launch.plan else None


def first_launch_takes(launches: Sequence[Launch], seconds: float) -> str:
    """Say in words how long the first launch takes, where the budget ended before it was over.

    Args:
        launches: those that were stopped.
        seconds: how long they ran.
    """
    known = [first_launch_seconds(launch) or 0.0 for launch in launches if len(launch.measured) > 1]
    return f"about {max(seconds, known[0]):.0f} s" if known else f"more than {seconds:.0f} s"


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
    takes = None if over else max(filter(None, map(first_launch_seconds, running)), default=None)
    return Progress(
        seconds, len(over), len(referee.decided), len(referee.log_ratios), named, first_launch_seconds=takes
    )


def starting(launches: Sequence[ComparedLaunch]) -> list[str]:
    """Say what came before the first case of a launch, by the median over those that collected all, and a part."""
    parts = list[str]()
    for everything, what in ((True, "all"), (False, "only what they measure")):
        alike = [launch for launch in launches if launch.collecting_seconds and launch.collected_all == everything]
        if alike:
            starting = median(launch.starting_seconds for launch in alike)
            collecting = median(launch.collecting_seconds for launch in alike)
            parts.append(f"{starting:.1f} s and {collecting:.1f} s in launches that collect {what}")
    return [f"starting and collecting: {', '.join(parts)}"] if parts else []
