"""A gate for CI: are the newest commits of a history slower, or do fewer seeds pass? And how is that confirmed?"""

from collections.abc import Iterator, Sequence

import numpy as np

from parabola.display.units import per_cent
from parabola.records.foreign.naming import told_apart
from parabola.records.history import History, Line, histories
from parabola.records.record import Record
from parabola.report.level_changes import ChangeOfCase, changes_of, group
from parabola.statistics import same_share_p_value

NEWEST = 20  # commits in which a level that a case still has may have begun
MOST_FALSE = 0.01  # probability that a history whose pass rates are as they were is suspected of lower ones


def suspicions(records: Sequence[Record]) -> list[str]:
    """Return a line for each group of cases that is slower, or passes less, and the command that confirms it."""
    found = histories(told_apart(records))
    return [line for history in found for line in (*_slower(history), *_passing_less(history))]


def newly_slower(history: History) -> list[ChangeOfCase]:
    """Return the changes to a slower level that a case still has, and that may lie within the newest commits."""
    oldest = len(history.commits) - NEWEST
    return [
        change
        for change in changes_of(history)
        if change.slower and change.change is change.line.changes[-1] and change.last >= oldest
    ]


def _slower(history: History) -> Iterator[str]:
    """Name the cases that are newly slower, those together that may have become so by one commit."""
    for together in group(newly_slower(history)):
        first, last = max(change.first for change in together), min(change.last for change in together)
        sizes = sorted(change.change.ratio for change in together)
        ends = dict.fromkeys(f"{100 * (ratio - 1):+.1f}" for ratio in (sizes[0], sizes[-1]))
        yield f"slower by {' to '.join(ends)} %: {_cases(together, history)}{_confirm(history, first - 1, last)}"


def _passing_less(history: History) -> Iterator[str]:
    """Name the cases of the newest commit of which fewer seeds pass than at the commits before, by Fisher's test.

    Every commit trains the same seeds, so its counts are held against those of the one commit before that has the
    median rate, and not against all of them, which would count every seed again and again.
    """
    counted = [line for line in history.lines if line.passes and len(line.at) > 1 and _is_newest(line, history)]
    for line in counted:
        assert line.passes is not None
        settled, seeds = line.passes.settled.tolist(), line.passes.seeds.tolist()
        usual = int(np.argsort(line.passes.rates[:-1], kind="stable")[(len(line.at) - 1) // 2])
        newest, before = (settled[-1], seeds[-1]), (settled[usual], seeds[usual])
        less = newest[0] / newest[1] < before[0] / before[1]
        if less and same_share_p_value(newest, before) < MOST_FALSE / len(counted):
            shares = [f"{per_cent(passed / of)} % ({passed} of {of})" for passed, of in (newest, before)]
            name = line.measurement.case.label
            yield f"passes less, {shares[0]} after {shares[1]}: {name}{_confirm(history, line.at[-2], line.at[-1])}"


def _is_newest(line: Line, history: History) -> bool:
    return bool(line.at[-1] == len(history.commits) - 1)


def _cases(together: Sequence[ChangeOfCase], history: History) -> str:
    names = [change.line.measurement.case.label for change in together]
    return f"all {len(names)} cases" if len(names) == len(history.lines) > 1 else "; ".join(names)


def _confirm(history: History, before: int, last: int) -> str:
    """Say how the suspicion is confirmed: by a comparison, unless the same commit was measured by other software."""
    base, head = history.commits[before].id[:9], history.commits[last].id[:9]
    updates = history.updates_within(int(before) + 1, int(last))
    also = f" (or the update in this range: {updates})" if updates else ""
    return f". Confirm{also}: parabola compare {base} {head}" if base != head else f". Same commit, updated: {updates}"
