"""What this machine can tell apart: false alarms and the smallest slowdown, from a comparison of a tree with itself."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola import statistics
from parabola.compare.referee import FEWEST_LAUNCHES, Referee
from parabola.records.fingerprint import short_name

SIMULATIONS, POWER = 200, 0.9
SLOWDOWNS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Ability:
    """What comparing a case comes to on this machine, within the budget.

    Attributes:
        case: which.
        launches: that the budget allows.
        spread: of the log ratio, from launch to launch: a standard deviation.
        false_alarms: share of simulated comparisons that call it slower or faster, though nothing is.
        smallest_slowdown: which nine of ten simulated comparisons find; None if none up to twice the time.
    """

    case: str
    launches: int
    spread: float
    false_alarms: float
    smallest_slowdown: float | None


def abilities(record: Mapping[str, Any], seed: int = 0) -> list[Ability]:
    """Simulate comparisons from the launches of one, of a tree with itself.

    A simulated launch is one of the measured log ratios with a random sign, as neither side has a name when both are
    the same; a slowdown is added to it. The procedure is the one that decides real comparisons, and each gets as many
    launches as the budget allows at the pace of the comparison measured.

    Args:
        record: as comparison_record.make_record gives it; cases with too few launches for an interval are left out.
        seed: of the simulation.
    """
    launches = len(record["launches"])
    pace = record["seconds"] / max(1, launches)
    affordable = max(launches, round(record["options"]["budget_seconds"] / pace))
    family = len(record["cases"])
    generator = np.random.default_rng(seed)
    found = []
    for case in record["cases"]:
        measured = [
            launch["seconds"][case["case"]] for launch in record["launches"] if case["case"] in launch["seconds"]
        ]
        if len(measured) < FEWEST_LAUNCHES:
            continue
        pool = np.array([statistics.launch_log_ratio(one["base"], one["head"]) for one in measured])
        confidence = 1 - (1 - record["confidence"]) / family

        def called(slowdown: float, *names: str, pool: Any = pool, confidence: float = confidence) -> float:
            referee = (record["minimum_effect"], confidence)
            verdicts = [_simulate(pool, slowdown, affordable, generator, *referee) for _ in range(SIMULATIONS)]
            return sum(verdict in names for verdict in verdicts) / SIMULATIONS

        at = bisect_left(SLOWDOWNS, True, key=lambda slowdown: called(slowdown, "slower") >= POWER)
        smallest = SLOWDOWNS[at] if at < len(SLOWDOWNS) else None
        found.append(
            Ability(case["case"], affordable, float(pool.std(ddof=1)), called(0.0, "slower", "faster"), smallest)
        )
    return found


def _simulate(
    pool: Any, slowdown: float, launches: int, generator: np.random.Generator, minimum_effect: float, confidence: float
) -> str:
    referee = Referee(("case",), minimum_effect, confidence)
    for _ in range(launches):
        log_ratio = generator.choice(pool) * generator.choice((-1, 1)) + math.log1p(slowdown)
        referee.add({"case": float(log_ratio)})
        if not referee.undecided:
            break
    return referee.decided.get("case", "inconclusive")


def lines(found: Sequence[Ability], record: Mapping[str, Any]) -> list[str]:
    """Say it in lines."""
    budget = record["options"]["budget_seconds"]
    if not found:
        return [f"too few launches in {budget:.0f} s to say what this machine can tell apart: give a larger --budget"]
    none_false = math.prod(1 - ability.false_alarms for ability in found)
    said = [
        f"self-test: both sides are the same; from {len(record['launches'])} launches, for a budget of {budget:.0f} s "
        f"({SIMULATIONS} simulated comparisons a figure):",
        f"false alarms: {100 * (1 - none_false):.1f} % of comparisons, over {len(found)} cases",
    ]
    for ability in found:
        name = short_name(ability.case)
        smallest = ability.smallest_slowdown
        finds = "none up to 100 %" if smallest is None else f"{100 * smallest:g} %"
        said.append(f"{name}: smallest slowdown found {finds} (spread between launches {100 * ability.spread:.1f} %)")
    return said
