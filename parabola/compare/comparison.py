"""A comparison as plain values: the one place that knows its JSON, and what it comes to."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from parabola.compare.outcome import Options, Outcome
from parabola.compare.referee import Referee
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.machine import host

VERSION = 1
SIDES = ("base", "head")


def make_record(outcome: Outcome, options: Options) -> dict[str, Any]:
    """Return everything about a comparison, with every round of every launch, as what JSON holds.

    Times are in seconds, ratios are head : base; what is not known is None.
    """
    measured = [case for case in outcome.referee.log_ratios if case not in outcome.unmeasured]
    cases = [_case(case, outcome.referee, outcome.launches) for case in measured]
    control = _case(CONTROL, outcome.control, outcome.launches)
    standing = outcome.control.standing(CONTROL)
    moved = standing in ("slower", "faster")
    return {
        "parabola_comparison": VERSION,
        "verdict": _overall(outcome.ended, moved, [case["verdict"] for case in cases]),
        "ended": outcome.ended,
        "why": outcome.why,
        "disturbed": outcome.disturbed,
        "seconds": outcome.seconds,
        "base": _side(outcome.base),
        "head": _side(outcome.head),
        "options": asdict(options),
        "confidence": outcome.referee.confidence,
        "minimum_effect": options.minimum_effect,
        "machine": host.facts(),
        "control": {**control, "verdict": standing, "moved": moved},
        "cases": cases,
        "only_in_base": list(outcome.only["base"]),
        "only_in_head": list(outcome.only["head"]),
        "unmeasured": list(outcome.unmeasured),
        "launches": [_launch(launch) for launch in outcome.launches],
    }


def as_json(record: Mapping[str, Any]) -> str:
    """Return a record as the text of a file."""
    return json.dumps(record, indent=1, allow_nan=False)


def _side(checkout: Any) -> dict[str, str]:
    return {"revision": checkout.revision, "commit": checkout.commit, "subject": checkout.subject}


def _launch(launch: Launch) -> dict[str, Any]:
    return {
        "number": launch.number,
        "began_with": SIDES[launch.number % 2],
        "cores": launch.cores,
        "finished": launch.finished,
        "seconds": {case: measured.seconds for case, measured in launch.measured.items()},
    }


def _case(case: str, referee: Referee, launches: Sequence[Launch]) -> dict[str, Any]:
    verdict = referee.verdict(case)
    measured = [launch.measured[case] for launch in launches if case in launch.measured]
    medians = {
        side: _number(float(np.median([np.median(one.seconds[side]) for one in measured]))) if measured else None
        for side in SIDES
    }
    accuracy = {
        name: {side: _number(_agreed([one.extra_info[side].get(name) for one in measured])) for side in SIDES}
        for name in ("coefficient_error", "passed")
    }
    wrong = accuracy["passed"] == {"base": True, "head": False}
    return {
        "case": case,
        **{name: _number(value) for name, value in asdict(verdict).items() if name != "name"},
        "verdict": "wrong" if wrong else verdict.name,
        "median_seconds": medians,
        **accuracy,
    }


def _agreed(values: Sequence[Any]) -> Any:
    """Return what most launches say, the first of these where none does; None without any."""
    return max(values, key=values.count, default=None)


def _number(value: Any) -> Any:
    """Return a number or a truth; None for anything else, as NaN."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _overall(ended: str, moved: bool, verdicts: Sequence[str]) -> str:
    """Return what a comparison comes to: the first of these that holds."""
    if ended == "failed":
        return "failed"
    if "wrong" in verdicts:
        return "wrong"
    if moved:
        return "contaminated"
    return next(
        (name for name in ("slower", "inconclusive", "faster") if name in verdicts),
        "same" if verdicts else "inconclusive",
    )
