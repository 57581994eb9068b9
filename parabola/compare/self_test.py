"""What this machine can tell apart: false alarms and the smallest slowdown, from a comparison of a tree with itself."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parabola.compare import betting
from parabola.compare.comparison import Comparison
from parabola.compare.referee import verdict_of
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.verdicts import Verdict
from parabola.records.case import short_names

SIMULATIONS, POWER = 200, 0.9
FEWEST_LAUNCHES = 5  # that tell a spread
SLOWDOWNS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Ability:
    """What comparing a case comes to on this machine, within the budget.

    Attributes:
        case: its name.
        launches: how many launches the budget allows.
        spread: the standard deviation of the log ratio from launch to launch.
        false_alarms: the share of simulated comparisons that call it slower or faster, though nothing is.
        smallest_slowdown: the smallest one that nine of ten simulated comparisons find; None if none up to twice the
            time.
    """

    case: str
    launches: int
    spread: float
    false_alarms: float
    smallest_slowdown: float | None


def abilities(comparison: Comparison, seed: int = 0) -> list[Ability]:
    """Simulate comparisons from the launches of one, of a tree with itself.

    A simulated launch is one of the measured log ratios with a random sign, as neither side has a name when both are
    the same; a slowdown is added to it. All finished launches are drawn from. In a self-test each of them measures
    every case: a case that left once it is decided would leave where it happened to be quiet. The rule is the one
    that decides real comparisons, in which every other case is the same, and each comparison gets as many launches as
    the budget allows at the pace of the one measured.

    Args:
        comparison: a comparison of a tree with itself; cases with too few launches for a spread are left out.
        seed: where the simulation's random numbers begin.
    """
    launches = [launch for launch in comparison.launches if launch.finished]
    pace = comparison.seconds / max(1, len(launches))
    affordable = max(len(launches), round(comparison.options.budget_seconds / pace))
    generator = np.random.default_rng(seed)
    tested = []
    for case in (case.case for case in comparison.cases):
        measured = [launch.seconds[case] for launch in launches if case in launch.seconds]
        if len(measured) >= FEWEST_LAUNCHES:
            pool = np.array([launch_log_ratio(seconds.base, seconds.head) for seconds in measured])
            tested.append(_ability(case, pool, affordable, generator, comparison))
    return tested


def _ability(case: str, pool: Any, launches: int, generator: np.random.Generator, comparison: Comparison) -> Ability:
    """Return what comparing a case comes to, from its measured log ratios."""
    bound, wanted = math.log1p(comparison.minimum_effect), 2 / (1 - comparison.confidence)

    def share(slowdown: float, *verdicts: Verdict) -> float:
        """Return the share of simulated comparisons that come to one of some verdicts."""
        simulated = [
            first_verdict(_draw(pool, slowdown, launches, generator), bound, wanted, len(comparison.cases))
            for _ in range(SIMULATIONS)
        ]
        return sum(verdict in verdicts for verdict in simulated) / SIMULATIONS

    at = bisect_left(SLOWDOWNS, True, key=lambda slowdown: share(slowdown, Verdict.SLOWER) >= POWER)
    smallest = SLOWDOWNS[at] if at < len(SLOWDOWNS) else None
    false_alarms = share(0.0, Verdict.SLOWER, Verdict.FASTER)
    return Ability(case, launches, float(pool.std(ddof=1)), false_alarms, smallest)


def _draw(pool: Any, slowdown: float, launches: int, generator: np.random.Generator) -> Any:
    """Return the log ratios of launches of a case that is so much slower."""
    return generator.choice(pool, launches) * generator.choice((-1, 1), launches) + math.log1p(slowdown)


def first_verdict(log_ratios: Any, bound: float, wanted: float, cases: int) -> Verdict:
    """Return the verdict on a case beside others that are the same, by the first of its launches that decides it.

    Args:
        log_ratios: shape (launches,).
        bound: the minimum effect, as a log ratio.
        wanted: what bets on one case by itself must win.
        cases: how many cases are compared, this one included.
    """
    factors = betting.log_factors(betting.deviations(log_ratios, bound), bound)
    claims = betting.claims(np.cumsum(factors, axis=0))
    same, changed = claims.same >= math.log(wanted), claims.changed >= math.log(wanted * cases)
    first = (same | changed).argmax()  # 0 if none decides, as then all of them are alike
    return verdict_of(same[first], changed[first], claims.slower[first] > claims.faster[first])


def lines(tested: Sequence[Ability], comparison: Comparison) -> list[str]:
    """Say in lines what the machine can tell apart.

    Args:
        tested: what comparing each case comes to, as `abilities` returns it.
        comparison: the comparison that this was worked out from.
    """
    budget = comparison.options.budget_seconds
    if not tested:
        return [f"too few launches in {budget:.0f} s to say what this machine can tell apart: give a larger --budget"]
    finished = sum(launch.finished for launch in comparison.launches)
    none_false = math.prod(1 - ability.false_alarms for ability in tested)
    sentences = [
        f"self-test: both sides are the same; drawn from {finished} launches, each of which measured every case, "
        f"for a budget of {budget:.0f} s ({SIMULATIONS} simulated comparisons a figure):",
        f"false alarms: {100 * (1 - none_false):.1f} % of comparisons, over {len(tested)} cases",
    ]
    names = short_names(ability.case for ability in tested)
    for ability in tested:
        smallest = ability.smallest_slowdown
        finds = "none up to 100 %" if smallest is None else f"{100 * smallest:g} %"
        spread = f"spread between launches {100 * ability.spread:.1f} %"
        sentences.append(f"{names[ability.case]}: smallest slowdown found {finds} ({spread})")
    return sentences
