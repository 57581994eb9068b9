"""Changes of level of all cases of a history: one event for what most share, nothing for a machine's moods."""

import numpy as np
import pytest

from benchmarks.studies.reports_of_nothing import KINDS, judged, made
from parabola.records.levels.search import Floats
from parabola.records.levels.together import Levels, Series, family_of, find_levels


def levels_of(logs: Floats) -> Levels:
    cases, commits = logs.shape
    every = [Series(np.arange(commits), np.exp(of_case)) for of_case in logs]
    return find_levels(every, commits, family_of([commits] * cases))


def quiet(cases: int, commits: int, seed: int = 1) -> Floats:
    """Return logarithms of times with 1 % of noise."""
    noise: Floats = np.random.default_rng(seed).normal(0, 0.01, (cases, commits))
    return noise


@pytest.mark.parametrize(("lengths", "family"), [([], 0), ([9, 10], 1), ([10, 10], 2), ([10, 10, 9, 11], 4)])
def test_the_family_of_a_history(lengths: list[int], family: int) -> None:
    """Cases of ten commits or more, and the median case if there are three."""
    assert family_of(lengths) == family


def test_a_step_of_most_cases_is_one_event() -> None:
    """Seven of eight cases are 8 % slower from commit 24 on; case 3 is not, and case 5 is faster besides, at 12."""
    logs = quiet(8, 40)
    logs[[0, 1, 2, 4, 5, 6, 7], 24:] += np.log(1.08)
    logs[5, 12:] -= np.log(1.2)
    found = levels_of(logs)
    (event,) = found.events

    assert event.change.at == 24
    assert event.change.ratio == pytest.approx(1.08, abs=0.01)
    assert [place for place, _ in event.cases] == [0, 1, 2, 4, 5, 6, 7]
    assert all(change.at == 24 and change in found.changes[place] for place, change in event.cases)
    assert [len(changes) for changes in found.changes] == [1, 1, 1, 0, 1, 2, 1, 1]
    assert [change.at for change in found.changes[5]] == [12, 24]
    assert found.flips == ()


def test_a_step_of_a_few_cases_is_no_event() -> None:
    """Three of eight change by themselves."""
    logs = quiet(8, 40)
    logs[:3, 20:] += np.log(1.2)
    found = levels_of(logs)

    assert found.events == ()
    assert [len(changes) for changes in found.changes] == [1, 1, 1, 0, 0, 0, 0, 0]


def test_a_case_that_goes_the_other_way_is_told_with_the_event() -> None:
    """Its change belongs to the same commit, so it is neither lost nor counted again."""
    logs = quiet(6, 40)
    logs[:, 20:] += np.log(1.1) * np.array([1, 1, 1, 1, 1, -2])[:, None]
    (event,) = levels_of(logs).events

    assert [place for place, change in event.cases if change.ratio < 1] == [5]


def test_a_machine_of_two_states_has_no_change() -> None:
    """Five stays of ten commits, 8 % apart, which half of the cases feel by half: four flips of the machine."""
    logs = quiet(9, 50) + np.log(1.08) * (np.arange(50) // 10 % 2)
    logs[:4] -= 0.5 * np.log(1.08) * (np.arange(50) // 10 % 2)
    found = levels_of(logs)

    assert [flip.at for flip in found.flips] == [10, 20, 30, 40]
    assert (found.events, set(found.changes)) == ((), {()})


def test_between_flips_a_case_may_change_alone() -> None:
    """Case 2 is 20 % slower from the middle of a stay on, which none of the machine's four flips explains."""
    logs = quiet(9, 150) + np.log(1.08) * (np.arange(150) // 30 % 2)
    logs[2, 75:] += np.log(1.2)
    found = levels_of(logs)

    assert [flip.at for flip in found.flips] == [30, 60, 90, 120]
    assert [[change.at for change in changes] for changes in found.changes] == [
        [75] if n == 2 else [] for n in range(9)
    ]


def test_places_are_the_cases_own_and_the_historys() -> None:
    """Case 0 was measured at every other commit, case 1 from the event on, and case 2 nine times: too few to search."""
    logs = quiet(7, 40)
    logs[:, 20:] += np.log(1.3)
    places = [np.arange(0, 40, 2), np.arange(20, 40), np.arange(9), *[np.arange(40)] * 4]
    found = find_levels([Series(at, np.exp(of_case[at])) for at, of_case in zip(places, logs, strict=True)], 40, 8)
    (event,) = found.events

    assert event.change.at == 20
    assert [(place, change.at) for place, change in event.cases] == [(0, 10), (3, 20), (4, 20), (5, 20), (6, 20)]
    assert (found.changes[1], found.changes[2]) == ((), ())


def test_two_cases_have_no_median() -> None:
    """Each is judged by itself, and nothing at all is found of none."""
    logs = quiet(2, 40)
    logs[:, 20:] += np.log(1.3)
    found = levels_of(logs)

    assert found.events == ()
    assert [len(changes) for changes in found.changes] == [1, 1]
    assert find_levels([], 0, 0) == Levels(())


def test_no_case_changes_alone_beside_a_short_stay_of_the_machine() -> None:
    """It is 8 % slower for six commits, which cases feel from half to one and a half times; outliers lead none of them.

    The slope of differences, each clipped, was led astray in six of these twelve histories.
    """
    stay = np.log(1.08) * ((np.arange(60) >= 30) & (np.arange(60) < 36))
    for seed in range(45, 57):
        random = np.random.default_rng(seed)
        logs = random.normal(0, 0.01, (9, 60)) + stay * np.linspace(0.5, 1.5, 9)[:, None]
        hit = random.random((9, 60)) < 0.05

        assert not judged(logs + np.log1p(hit * random.uniform(0.1, 1, (9, 60))))[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("commits", [20, pytest.param(100, marks=pytest.mark.end_to_end)])  # long
def test_few_reports_of_nothing_have_a_change(kind: str, commits: int) -> None:
    """Of 25 reports on 35 unchanged cases five at most have any, which 5 % of alarms exceed once in 3,000 times.

    Where the host has two states, the machine may be said to change, and no case alone.
    """
    random = np.random.default_rng(5)
    said = [judged(made(random, 35, commits, KINDS[kind])) for _ in range(25)]

    assert sum(alone or (machine and "states" not in kind) for alone, machine in said) <= 5
