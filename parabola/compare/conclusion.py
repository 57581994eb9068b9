"""From what was measured (outcome) to what is said and kept of it (comparison), with the referee's verdicts."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from parabola import WRITTEN_BY
from parabola.compare import metrics, verdicts
from parabola.compare.comparison import (
    VERSION,
    ComparedCase,
    ComparedCommit,
    ComparedControl,
    ComparedLaunch,
    Comparison,
    Number,
)
from parabola.compare.environments.differences import differences, facts_of
from parabola.compare.outcome import Options, Outcome
from parabola.compare.referee import Referee
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.compare.sides.log_ratio import launch_spread, round_spread
from parabola.compare.verdicts import Judgement, Verdict
from parabola.machine import host


def conclude(outcome: Outcome, options: Options) -> Comparison:
    """Return everything about a comparison, with every round of every launch.

    Args:
        outcome: what was measured, and how it ended.
        options: what was asked for.
    """
    untimed = {*outcome.unmeasured, *outcome.judged}
    names = outcome.referee.log_ratios
    measured = [name for name in names if name not in outcome.unmeasured and not isinstance(name, metrics.Row)]
    listed = dict.fromkeys([*measured, *outcome.judged])
    judged = {**outcome.other_work, **outcome.judged}
    cases = [_case(case, outcome.referee, outcome.launches, judged.get(case)) for case in listed]
    rows = [name for name in names if isinstance(name, metrics.Row) and name.case not in untimed]
    control, environments = _control(outcome.control, outcome.launches), outcome.environments
    if control.verdict != Verdict.SAME:
        cases = [_doubted(case, control) for case in cases]
    cases += [_metric(row, outcome, options) for row in rows]
    holding = [case.verdict for case in cases]
    if outcome.ended == "failed":
        holding.append(Verdict.FAILED)
    if control.moved:
        holding.append(Verdict.CONTAMINATED)
    return Comparison(
        version=VERSION,
        verdict=verdicts.overall(holding),
        ended=outcome.ended,
        why=outcome.why,
        disturbed=outcome.disturbed,
        seconds=outcome.seconds,
        base=_commit(outcome.base),
        head=_commit(outcome.head),
        options=options,
        confidence=outcome.referee.confidence,
        minimum_effect=options.minimum_effect,
        machine=facts_of(environments, host.facts()) if environments else host.facts(),
        control=control,
        cases=cases,
        only_in_base=list(outcome.only.base),
        only_in_head=list(outcome.only.head),
        unmeasured=list(outcome.unmeasured),
        launches=[_launch(launch) for launch in outcome.launches],
        missing=[*outcome.missing, *metrics.not_measured(outcome.launches, options.metrics)],
        output=[*(outcome.output or _first_report(outcome.judged.values()))],
        written_by=WRITTEN_BY,
        environments=environments,
        differences=differences(environments, options.install) if environments else [],
        seconds_before=outcome.seconds_before,
        strayed=outcome.strayed,
    )


def _first_report(judgements: Iterable[Judgement]) -> Sequence[str]:
    """Return the end of pytest's report on a test that fails, on one that makes a case wrong if there is one."""
    ordered = sorted(judgements, key=lambda judgement: judgement.verdict != Verdict.WRONG)
    return next((judgement.output for judgement in ordered if judgement.output), ())


def _commit(checkout: Checkout) -> ComparedCommit:
    return ComparedCommit(checkout.revision, checkout.commit, checkout.subject)


def _launch(launch: Launch) -> ComparedLaunch:
    return ComparedLaunch(
        number=launch.number,
        began_with="head" if launch.number % 2 else "base",
        cores=launch.cores,
        finished=launch.finished,
        seconds={case: measured.seconds for case, measured in launch.measured.items()},
        starting_seconds=launch.starting_seconds,
        collecting_seconds=launch.collecting_seconds,
        collected_all=not launch.collects_part,
    )


def _control(referee: Referee, launches: Sequence[Launch]) -> ComparedControl:
    """Return what is said of the control: what all its launches come to, as it is never decided."""
    known = _case(CONTROL, referee, launches)
    moved = known.verdict in (Verdict.SLOWER, Verdict.FASTER)
    return ComparedControl(**msgspec.structs.asdict(known), moved=moved)


def _doubted(case: ComparedCase, control: ComparedControl) -> ComparedCase:
    """Return a case beside a control that is not the same: then no case is, until the control's launches say so."""
    if case.verdict != Verdict.SAME:
        return case
    return msgspec.structs.replace(case, verdict=Verdict.INCONCLUSIVE, launches_needed=control.launches_needed)


def _case(case: str, referee: Referee, launches: Sequence[Launch], judgement: Judgement | None = None) -> ComparedCase:
    """Return what is said of a case: by tests that fail, or else by times; one without a name has none of these."""
    evidence = (referee if case in referee.log_ratios else Referee((case,))).evidence(case)
    measured = [launch.measured[case] for launch in launches if case in launch.measured]
    return ComparedCase(
        case=case,
        ratio=_finite(evidence.ratio),
        low=_finite(evidence.low),
        high=_finite(evidence.high),
        confidence=evidence.confidence,
        launches=evidence.launches,
        launches_needed=evidence.launches_needed,
        suspected=evidence.suspected,
        verdict=judgement.verdict if judgement else evidence.verdict,
        median_seconds=BySide(
            base=_median([launch.seconds.base for launch in measured]),
            head=_median([launch.seconds.head for launch in measured]),
        ),
        coefficient_error=_agreed([launch.extra_info for launch in measured], "coefficient_error"),
        passed=_agreed([launch.extra_info for launch in measured], "passed"),
        launch_spread=launch_spread([launch.seconds for launch in measured]),
        round_spread=round_spread([launch.seconds for launch in measured]),
        reason=judgement.why if judgement else "",
    )


def _metric(row: metrics.Row, outcome: Outcome, options: Options) -> ComparedCase:
    """Return what is said of a metric of a case, whose log ratios the referee has stretched."""
    said = [pair for launch in outcome.launches if (pair := metrics.values(launch, row))]
    whole = _case(row, outcome.referee, (), outcome.other_work.get(row.case))
    power = 1 / metrics.scale(row.metric, options.metrics, options.minimum_effect)
    ratio, low, high = (None if end is None else end**power for end in (whole.ratio, whole.low, whole.high))
    base, head = (float(np.median(side)) for side in zip(*said, strict=True))
    changed = {"ratio": ratio, "low": low, "high": high, "metric": row.metric, "median_values": BySide(base, head)}
    return msgspec.structs.replace(whole, case=str(row), **changed)


def _median(launches: Sequence[Sequence[float]]) -> float | None:
    """Return the median over launches of the median over rounds; None without any launch."""
    return _finite(float(np.median([np.median(rounds) for rounds in launches]))) if launches else None


def _agreed(launches: Sequence[BySide[dict[str, Any]]], name: str) -> BySide[Number]:
    """Return what most launches say, on each side, of what a suite tells under a name.

    Args:
        launches: the extra_info of each launch.
        name: a key of extra_info.
    """
    return BySide(
        base=_number(_most_common([launch.base.get(name) for launch in launches])),
        head=_number(_most_common([launch.head.get(name) for launch in launches])),
    )


def _most_common(values: Sequence[Any]) -> Any:
    """Return the value that occurs most often, the first of these if there are several; None without any value."""
    return max(values, key=values.count, default=None)


def _number(value: Any) -> Number:
    """Return a finite number or a truth; None for anything else, such as NaN or words."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _finite(value: float) -> float | None:
    """Return a finite number; None for NaN and infinity, for which JSON has no word."""
    return value if math.isfinite(value) else None
