"""What trials come to, in lines: false alarms, what was found, and what the same rounds say to pytest-benchmark."""

import math
from collections.abc import Sequence

import numpy as np
from pytest_benchmark.utils import parse_compare_fail
from scipy.stats import binomtest

from parabola.compare.comparison import Comparison
from parabola.compare.sides.launch import CONTROL
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.verdicts import Verdict
from parabola.records.case import short_name

MOST_OF_THEM = 0.9  # of what is planted, which a budget is to find


def summary(comparisons: Sequence[Comparison]) -> list[str]:
    """Count, over comparisons of a tree with itself, what was said of cases with and without a planted slowdown."""
    untouched = [
        [case for case in comparison.cases if case.case not in comparison.options.slower] for comparison in comparisons
    ]
    planted = [case for each in comparisons for case in each.cases if case.case in each.options.slower]
    every = [case for cases in untouched for case in cases]
    false = sum(any(case.verdict in (Verdict.SLOWER, Verdict.FASTER) for case in cases) for cases in untouched)
    decided = sum(case.verdict != Verdict.INCONCLUSIVE for case in every)
    contaminated = sum(comparison.verdict == Verdict.CONTAMINATED for comparison in comparisons)
    seconds = [comparison.seconds for comparison in comparisons]
    launches = [len(comparison.launches) for comparison in comparisons]
    whole = len(comparisons)
    lines = [
        f"{whole} comparisons of a tree with itself, {np.median(seconds):.0f} s each (median; "
        f"{min(seconds):.0f} to {max(seconds):.0f} s), of {np.median(launches):.0f} launches (median)",
        f"false slower or faster in a case where nothing is planted: {share(false, whole)} of comparisons",
        f"contaminated: {share(contaminated, whole)}",
        f"cases decided: {share(decided, len(every))}",
        f"pytest-benchmark's median:5%, the sides of one launch: {share(*cries(comparisons, 0))} of comparisons",
        f"pytest-benchmark's median:5%, base of one launch, head of the next: {share(*cries(comparisons, 1))}",
    ]
    lines += [f"spread between launches, {name}: {100 * spread:.1f} %" for name, spread in spreads(comparisons).items()]
    if planted:
        found = sum(case.verdict == Verdict.SLOWER for case in planted)
        missed = sum(case.verdict == Verdict.SAME for case in planted)
        lines.append(f"planted slowdowns found: {share(found, len(planted))}; called the same: {missed}")
        lines.append(f"the budget that finds nine of ten: {budget_that_finds(comparisons)}")
    return lines


def budget_that_finds(comparisons: Sequence[Comparison]) -> str:
    """Say in which time the comparisons end, found, that are nine of ten of those with a planted slowdown."""
    ends = [
        comparison.seconds if case.verdict == Verdict.SLOWER else math.inf
        for comparison in comparisons
        for case in comparison.cases
        if case.case in comparison.options.slower
    ]
    budget = sorted(ends)[math.ceil(MOST_OF_THEM * len(ends)) - 1]
    return f"{math.ceil(budget)} s" if budget < math.inf else "more than these had"


def spreads(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Return the standard deviation of the log ratio over all launches, a case each, where nothing is planted."""
    ratios = log_ratios(comparisons)
    return {short_name(case): float(np.std(values, ddof=1)) for case, values in ratios.items() if len(values) > 1}


def log_ratios(comparisons: Sequence[Comparison]) -> dict[str, list[float]]:
    """Return by case the log ratios of all recorded launches, the control's among them, where nothing is planted."""
    ratios = dict[str, list[float]]()
    for comparison in comparisons:
        for launch in comparison.launches:
            for case, seconds in launch.seconds.items():
                if case not in comparison.options.slower:
                    ratios.setdefault(case, []).append(launch_log_ratio(seconds.base, seconds.head))
    return ratios


def cries(comparisons: Sequence[Comparison], later: int) -> tuple[int, int]:
    """Count the comparisons in which pytest-benchmark's own check fails for a case where nothing is planted.

    Args:
        comparisons: the comparisons of a tree with itself.
        later: the head is taken from so many launches after the first on the same cores; 0 for the same launch.

    Returns:
        How many comparisons fail, and how many have launches enough to be counted.
    """
    check = parse_compare_fail("median:5%")
    failed = counted = 0
    for comparison in comparisons:
        finished = [launch for launch in comparison.launches if launch.finished]
        launches = [launch.seconds for launch in finished if launch.cores == finished[0].cores]
        if len(launches) > later:
            left_out = (*comparison.options.slower, CONTROL)
            both = [case for case in launches[0] if case in launches[later] and case not in left_out]
            pairs = [(launches[later][case].head, launches[0][case].base) for case in both]
            counted += 1
            failed += any(check.fails(*({"median": float(np.median(rounds))} for rounds in pair)) for pair in pairs)
    return failed, counted


def share(part: int, whole: int) -> str:
    """Write a share with its exact 95 % interval (Clopper and Pearson 1934)."""
    if not whole:
        return "none measured"
    low, high = binomtest(part, whole).proportion_ci(0.95, "exact")
    return f"{part} of {whole}, {100 * part / whole:.1f} % ({100 * low:.1f}–{100 * high:.1f})"
