"""Changes of level of all the cases of a history: what most cases share at one commit is one event of the machine.

The cases of a session are timed within minutes on one machine, so they share its mood. The median case tells it. What
it has of steps are events; what is left of it is taken out of each case before the case's own changes are looked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from parabola.records.levels.changes import changes_between, lasting
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.noise import REACH, noises, tame
from parabola.records.levels.search import FEWEST, Floats

FEWEST_CASES = 3  # of which the median case is told: of two, neither can be told from the machine
WINDOW = 21  # values of a running median: up to ten in a row do not move it; a stay of eight is told as a flip
STEPS = 5  # of the search for the strength with which a case follows the machine


@dataclass(frozen=True)
class Series:
    """The times of a case.

    Attributes:
        at: shape (n,), int: the commits that have measured the case, as places in the history's commits, rising.
        seconds: shape (n,), positive.
    """

    at: npt.NDArray[np.int_]
    seconds: Floats


@dataclass(frozen=True)
class Event:
    """A change of level that most cases share.

    Attributes:
        change: the change of the median case; its places count the history's commits.
        cases: the cases that clearly change with it, as places in the list of series, and each one's own change.
    """

    change: LevelChange
    cases: tuple[tuple[int, LevelChange], ...]


@dataclass(frozen=True)
class Levels:
    """Changes of level of the cases of a history.

    Attributes:
        changes: for each case its changes, in order, those that belong to an event among them; their places count the
            case's own points.
        events: the changes that most cases share, in order.
        flips: the steps of the median case between two states of the machine, which are no changes; their places count
            the history's commits.
    """

    changes: tuple[tuple[LevelChange, ...], ...]
    events: tuple[Event, ...] = ()
    flips: tuple[LevelChange, ...] = ()


def family_of(lengths: Sequence[int]) -> int:
    """Return how many series of a history are searched, from their lengths: the cases', and that of the median case."""
    searched = sum(length >= FEWEST for length in lengths)
    return searched + (searched >= FEWEST_CASES)


def find_levels(series: Sequence[Series], commits: int, family: int) -> Levels:
    """Return the changes of level of all cases of a history.

    Args:
        series: the times of each case; those with fewer than ten are left alone.
        commits: number of commits of the history.
        family: number of series of the whole report, which share the level.
    """
    logs = {
        place: np.log(of_case.seconds) - np.median(np.log(of_case.seconds))
        for place, of_case in enumerate(series)
        if len(of_case.at) >= FEWEST
    }
    at = {place: series[place].at for place in logs}
    median = _median_case([at[place] for place in logs], [*logs.values()], commits)
    shared, flips, mood = _mood(median, family)
    for place, values in logs.items():
        here = np.nan_to_num(mood[at[place]])
        logs[place] = values - _share(values, here) * here
    tamed = {place: tame(values, _starts(at[place], [*shared, *flips])) for place, values in logs.items()}
    noise = dict(zip(tamed, noises([*tamed.values()]), strict=True))

    def changes_of(events: Sequence[LevelChange]) -> dict[int, list[LevelChange]]:
        return {
            place: changes_between(values, tamed[place], noise[place], family, _starts(at[place], [*events, *flips]))
            for place, values in logs.items()
        }

    events = [event.change for event in _events(shared, changes_of(shared), at)]
    found = changes_of(events)
    told = _events(events, found, at)
    changes = {
        place: _own_and_shared(every, _starts(at[place], events), _starts(at[place], flips))
        for place, every in found.items()
    }
    return Levels(tuple(tuple(changes.get(place, ())) for place in range(len(series))), told, tuple(flips))


def _own_and_shared(changes: Sequence[LevelChange], events: Sequence[int], flips: Sequence[int]) -> list[LevelChange]:
    """Return those of a case's changes that begin with an event, or last; none that begins with a flip."""
    own = lasting([change for change in changes if change.at not in {*events, *flips}])[0]
    return [change for change in changes if change.at in events or change in own]


def _median_case(at: Sequence[npt.NDArray[np.int_]], logs: Sequence[Floats], commits: int) -> Floats:
    """Return the median of the cases at each commit; NaN where fewer than three cases were measured."""
    every = np.full((len(logs), commits), np.nan)
    for row, places, values in zip(every, at, logs, strict=True):
        row[places] = values
    known = np.isfinite(every).sum(axis=0) >= FEWEST_CASES
    median = np.full(commits, np.nan)
    if known.any():
        median[known] = np.nanmedian(every[:, known], axis=0)
    return median


def _mood(median: Floats, family: int) -> tuple[list[LevelChange], list[LevelChange], Floats]:
    """Return the changes of the median case, its flips between two states, and what is left of it without both."""
    known = np.flatnonzero(np.isfinite(median))
    if len(known) < FEWEST:
        return [], [], np.zeros(len(median))
    values = median[known]
    tamed = tame(values)
    changes, flips = lasting(changes_between(values, tamed, noises([tamed])[0], family))
    edges = [0, *sorted(change.at for change in (*changes, *flips)), len(values)]
    mood = median.copy()
    for start, end in pairwise(edges):
        mood[known[start:end]] -= np.median(values[start:end])
    return [_of_commits(change, known) for change in changes], [_of_commits(flip, known) for flip in flips], mood


def _of_commits(change: LevelChange, known: npt.NDArray[np.int_]) -> LevelChange:
    """Return a change whose places count all commits, from one that counts those that are known."""
    at, last = int(known[change.at]), int(known[change.last])
    return LevelChange(at, int(known[change.first - 1]) + 1, last, change.ratio, change.low, change.high)


def _share(logs: Floats, mood: Floats) -> float:
    """Return how strongly a case follows the machine's mood: the slope of what both have beside their running medians.

    A stay of the machine in another state that is too short to be told is whole in both, and a change of the case alone
    is in neither. No value pulls with more than REACH scales of what the slope leaves, so outliers cannot lead it.

    Source: Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 1964.
    """
    from scipy.ndimage import median_filter

    values, moods = (every - median_filter(every, WINDOW, mode="mirror") for every in (logs, mood))
    square = float(moods @ moods)
    share = 1.0 if square else 0.0
    for _ in range(STEPS if square else 0):
        left = values - share * moods
        most = REACH * 1.4826 * np.partition(np.abs(left), len(left) // 2)[len(left) // 2]  # np.median is far slower
        share += float(moods @ left.clip(-most, most)) / square
    return share


def _starts(at: npt.NDArray[np.int_], events: Sequence[LevelChange]) -> list[int]:
    """Return a case's own places of the first values after events, for those with values before and after."""
    starts = {int(np.searchsorted(at, event.at)) for event in events}
    return sorted(start for start in starts if 0 < start < len(at))


def _events(
    shared: Sequence[LevelChange], changes: dict[int, list[LevelChange]], at: dict[int, npt.NDArray[np.int_]]
) -> tuple[Event, ...]:
    """Return those of the changes that more than half of the cases clearly share which were measured on either side."""
    events = list[Event]()
    for event in shared:
        starts = {place: start for place in changes for start in _starts(at[place], [event])}
        cases = [(place, change) for place in starts for change in changes[place] if change.at == starts[place]]
        alike = [change for _, change in cases if (change.ratio > 1) == (event.ratio > 1)]
        if 2 * len(alike) > len(starts):
            events.append(Event(event, tuple(cases)))
    return tuple(events)
