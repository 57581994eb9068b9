"""How often does a whole report see a change of level where there is none, and a step where there is one?"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
import typer
from scipy.signal import lfilter

from parabola.display.console import tracked
from parabola.display.tables import markdown_lines, table_of

CASES = 35
KINDS: dict[str, dict[str, float]] = {
    "neighbours do not correlate": {},
    "neighbours correlated by 0.3": {"correlation": 0.3},
    "neighbours correlated by 0.5": {"correlation": 0.5},
    "neighbours correlated by 0.7": {"correlation": 0.7},
    "as on hosted runners: 8 % that cases share, 4 % of their own": {"noise": 0.04, "shared": 0.08},
    "a host of two states 8 % apart, each lasting 5 commits": {"noise": 0.01, "lasts": 5},
    "a host of two states 8 % apart, each lasting 20 commits": {"noise": 0.01, "lasts": 20},
}
CHANGED = (("the only case", 1, 1), ("one of 35", CASES, 1), ("all 35", CASES, CASES))  # cases, and of these changed
# From logarithms of times, of shape (cases, commits): whether a case alone changes, and whether the machine does.
Judge = Callable[[Any], tuple[bool, bool]]


def made(generator: np.random.Generator, cases: int, commits: int, kind: Mapping[str, float]) -> Any:
    """Return logarithms of times without any change, with 5 % outliers of +10 to +100 %: shape (cases, commits).

    Args:
        generator: generator of random numbers.
        cases, commits: how many.
        kind: the scale of each case's own `noise` (0.03 if it is not given) and the `correlation` of its neighbours;
            the scale of noise that is `shared` by all cases, from half to one and a half times as strongly; for how
            many commits each of two states of the machine `lasts` on average, of which one is 8 % slower, for each case
            from half to one and a half times as much. What is not given is 0, and the machine has one state.
    """
    correlation = kind.get("correlation", 0.0)
    white = generator.standard_normal((cases, commits + 50)) * (1 - correlation**2) ** 0.5
    strength = 1 + generator.uniform(-0.5, 0.5, (cases, 1))
    logs = kind.get("noise", 0.03) * lfilter([1], [1, -correlation], white, axis=1)[:, 50:]
    logs = logs + kind.get("shared", 0.0) * strength * generator.standard_normal(commits)
    if "lasts" in kind:
        state = (np.cumsum(generator.random(commits) < 1 / kind["lasts"]) + (generator.random() < 0.5)) % 2
        logs = logs + np.log(1.08) * strength * state
    hit = generator.random((cases, commits)) < 0.05
    return logs + np.log1p(hit * generator.uniform(0.1, 1, (cases, commits)))


def judged(logs: Any) -> tuple[bool, bool]:
    """Return whether the report says that a case alone changes, and whether it says that most cases do together."""
    from parabola.records.levels.together import Series, family_of, find_levels

    cases, commits = logs.shape
    levels = find_levels(
        [Series(np.arange(commits), np.exp(of_case)) for of_case in logs], commits, family_of([commits] * cases)
    )
    alone = sum(map(len, levels.changes)) - sum(len(event.cases) for event in levels.events)
    return alone > 0, bool(levels.events)


def shares(kind: str, cases: int, commits: int, reports: int, judge: Judge = judged) -> tuple[float, float]:
    """Return the shares of so many reports, without any change, in which a case alone, and the machine, changes."""
    random = np.random.default_rng([*map(ord, kind), cases, commits])
    said = np.array([judge(made(random, cases, commits, KINDS[kind])) for _ in range(reports)])
    alone, together = said.mean(axis=0).tolist()
    return alone, together


def found(step: float, cases: int, commits: int, reports: int, changed: int) -> float:
    """Return the share of reports in which a step in the middle of the first so many cases is said, and no other kind.

    Neighbours correlate by 0.3. One case has a change alone; all of them have an event.
    """
    random, right = np.random.default_rng([cases, commits, changed]), 0
    for _ in range(reports):
        logs = made(random, cases, commits, {"correlation": 0.3})
        logs[:changed, commits // 2 :] += np.log1p(step)
        right += judged(logs) == (changed == 1, changed > 1)
    return right / reports


def main(reports: Annotated[int, typer.Option(help="Of reports a cell; a tenth of these with a step.")] = 3000) -> None:
    """Print both tables of the handbook."""
    alarms = [{"noise of 35 unchanged cases": kind, **_alarms(kind, reports)} for kind in tracked([*KINDS], "kinds")]
    cells = [(*who, commits) for who in CHANGED for commits in (10, 12, 15, 20, 25, 30, 100)]
    power = [
        {"changed": cell[0], "commits": str(cell[-1]), **_power(*cell, reports // 10)}
        for cell in tracked(cells, "cells")
    ]
    for table in (table_of("", alarms, left=(next(iter(alarms[0])),)), table_of("", power, left=("changed",))):
        print(*markdown_lines(table), "", sep="\n")


def _alarms(kind: str, reports: int) -> dict[str, str]:
    said = {commits: shares(kind, CASES, commits, reports) for commits in (20, 100)}
    what = ("a case", "the machine")
    return {f"{n} commits: {what[i]}": f"{100 * share:.1f} %" for n in said for i, share in enumerate(said[n])}


def _power(name: str, cases: int, changed: int, commits: int, reports: int) -> dict[str, str]:
    said = {step: found(step, cases, commits, reports, changed) for step in (0.05, 0.1, 0.2, 0.5)}
    row = {"changed": name, "commits": str(commits)}
    return row | {f"+{100 * step:.0f} %": f"{100 * share:.0f} %" for step, share in said.items()}


if __name__ == "__main__":
    typer.run(main)
