"""The schedule of a comparison: what launches cost, which cases come next, and which cores they have."""

import re
from collections.abc import Callable, Mapping, Sequence

import pytest

from parabola.compare.referee import Referee
from parabola.compare.schedule import Costs, choose, core_groups, launches_needed, throttled, unplaced
from parabola.machine import cores

NEAR, CHANGED = [0.001, 0.0011, 0.0012, 0.0013], [0.3, 0.3, 0.3, 0.3, 0.3]
COSTS = Costs(9.0, {"near": 2.0, "far": 3.0, "changed": 4.0, "x": 3.0})


def referee_of(log_ratios: Mapping[str, Sequence[float]]) -> Referee:
    """Return a referee whom launches have told these log ratios, case by case."""
    referee = Referee(tuple(log_ratios))
    for at in range(max(map(len, log_ratios.values()))):
        referee.add({case: values[at] for case, values in log_ratios.items() if at < len(values)})
    return referee


def test_what_launches_cost_by_hand() -> None:
    """A case's median time after the case before it; the start is the first case's end less what a case costs."""
    ends = [{"a": 20.0, "b": 22.0, "c": 26.0}, {"b": 31.0, "a": 36.0, "c": 46.0}, {"b": 8.0}, {}]

    # b took 2, a took 5, c took 4 and 10; the median of 2, 5 and 7 is 5; starts were 20, 31 and 8.
    assert Costs.of(ends, ["a", "b", "c", "new"]) == Costs(20.0 - 5.0, {"a": 5.0, "b": 2.0, "c": 7.0, "new": 5.0})
    assert Costs.of([], ["a"]) == Costs(0.0, {"a": 0.0})
    assert Costs.of([{"a": 3.0, "b": 9.0}], ["a"]) == Costs(0.0, {"a": 6.0})


def test_launches_that_a_case_is_thought_to_need() -> None:
    """What the referee says; twelve before the first, and a thousand for what is too wild to tell."""
    values = {"none": [], "one": [0.01], "three": [-5.0, 5.0, 0.0], "five": [5.0, -5.0, 4.0, -4.0, 0.0],
              "six": [5.0, -5.0, 4.0, -4.0, 1.0, -1.0],
              "near": [0.001, 0.0011, 0.0012], "same": [0.0, 0.001, 0.0, 0.001, 0.0]}  # fmt: skip
    referee = referee_of(values)

    known = referee.launches_needed(values)
    assert launches_needed(referee, list(values)) == {
        "none": 12, "one": known["one"], "three": 1000, "five": 1000, "six": 1000, "near": known["near"],
        "same": known["same"],
    }  # fmt: skip
    assert launches_needed(referee, ["near"]) == {"near": referee.launches_needed(["near"])["near"]}


@pytest.mark.parametrize(
    ("left", "at_once", "chosen"),
    [
        # changed: 7 launches of 9 + 4 seconds are 91; near in all of them, of 2, together 105; far in 8, of 3: 138.
        (138.0, 1, ["changed", "near", "far"]),
        (137.9, 1, ["changed", "near"]),
        (105.0, 1, ["changed", "near"]),
        (104.9, 1, ["changed"]),
        (13.0, 1, ["changed"]),
        (12.9, 1, []),
        (52.5, 2, ["changed", "near"]),
        (52.4, 2, ["changed"]),
        (69.0, 2, ["changed", "near", "far"]),
    ],
)
def test_the_time_left_chooses(left: float, at_once: int, chosen: list[str]) -> None:
    """What looks changed comes first, then what costs least until it is decided, while the time left allows it."""
    referee = referee_of({"far": NEAR[:3], "near": NEAR, "changed": CHANGED, "x": [0.0] * 5})

    assert launches_needed(referee, ["far", "near", "changed"]) == {"far": 8, "near": 7, "changed": 7}

    assert choose(referee, ["far", "near", "changed"], COSTS, left, at_once) == chosen


@pytest.mark.parametrize("left", [14.0, 1e9])
def test_whatever_looks_changed_is_chosen(left: float) -> None:
    """However late it is for all of it: a slowdown that is not decided in time would be missed."""
    log_ratios = {"near": [0.3, 0.3, 0.3], "far": [0.3] * 5, "changed": [-0.3] * 6, "x": NEAR}
    referee = referee_of(log_ratios)
    chosen = choose(referee, list(log_ratios), COSTS, left, 1)

    # near 8 launches of 2 s, far 7 of 3 s, changed 6 of 4 s.
    assert launches_needed(referee, ["near", "far", "changed"]) == {"near": 8, "far": 7, "changed": 6}
    assert chosen == ["near", "far", "changed", *(["x"] if left > 14 else [])]


@pytest.mark.parametrize(("left", "chosen"), [(11.0, ["near"]), (10.9, [])])
def test_what_is_nearest_is_chosen_where_nothing_is_in_time(left: float, chosen: list[str]) -> None:
    """One case at least is chosen, as long as one launch of it would be finished."""
    referee = referee_of({"far": NEAR[:3], "near": NEAR[:2]})

    assert launches_needed(referee, ["far", "near"]) == {"far": 7, "near": 7}
    assert choose(referee, ["far", "near"], COSTS, left, 1) == chosen


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what puts a machine with such cores, each with its logical CPUs, in this one's place."""

    def put(physical: list[list[int]], quota: float | None = None) -> None:
        monkeypatch.setattr(cores, "physical_cores", lambda: physical)
        monkeypatch.setattr(cores, "cpu_quota", lambda: quota)

    return put


FIVE, SMT = [[2], [4], [5], [6], [9]], [[0, 4], [1, 5], [2], [3, 7]]


@pytest.mark.parametrize(
    ("physical", "per_launch", "groups"),
    [
        (FIVE, 1, [[2], [4], [5], [6], [9]]),
        (FIVE, 2, [[2, 4], [5, 6]]),
        (FIVE, 3, [[2, 4, 5]]),
        (FIVE, 5, [[2, 4, 5, 6, 9]]),
        (SMT, 1, [[0], [1], [2], [3]]),
        (SMT, 2, [[0, 1], [2, 3]]),
        (SMT, 3, [[0, 1, 2]]),
        (SMT, 5, [[0, 1, 2, 3, 4]]),
        (SMT, 7, [[0, 1, 2, 3, 4, 5, 7]]),
    ],
)
def test_cores_are_shared_out_in_order(
    physical: list[list[int]], per_launch: int, groups: list[list[int]], machine: Callable[..., None]
) -> None:
    """Each launch has one logical CPU of each of its cores; one that needs more CPUs than cores has others, too."""
    machine(physical)

    assert core_groups(per_launch) == groups


@pytest.mark.parametrize(
    ("quota", "per_launch", "groups"),
    [
        (5.0, 1, [[2], [4], [5], [6], [9]]),
        (64.0, 1, [[2], [4], [5], [6], [9]]),
        (2.9, 1, [[2], [4]]),
        (1.0, 1, [[2]]),
        (0.5, 1, [[2]]),
        (4.0, 2, [[2, 4], [5, 6]]),
        (3.9, 2, [[2, 4]]),
        (1.0, 3, [[2, 4, 5]]),
    ],
)
def test_no_more_launches_than_the_quota_is_for(
    quota: float, per_launch: int, groups: list[list[int]], machine: Callable[..., None]
) -> None:
    """A launch keeps all its cores busy by turns, so whole ones are counted; one launch runs always."""
    machine(FIVE, quota)

    assert core_groups(per_launch) == groups


@pytest.mark.parametrize(
    ("quota", "per_launch", "says"),
    [
        (None, 5, []),
        (1.0, 1, []),
        (2.5, 2, []),
        (0.5, 1, ["the container's quota is 0.5 CPU, and a launch keeps 1 busy"]),
        (1.5, 2, ["the container's quota is 1.5 CPU, and a launch keeps 2 busy"]),
    ],
)
def test_a_quota_that_is_less_than_a_launch_needs(
    quota: float | None, per_launch: int, says: list[str], machine: Callable[..., None]
) -> None:
    """Is told, as both sides are then stopped within their rounds; a quota that is enough is not."""
    machine(FIVE, quota)

    why = ": the system stops both sides now and then, and their times are too long: raise the quota"
    assert throttled(per_launch) == [granted + why for granted in says]


@pytest.mark.parametrize(("physical", "most"), [(FIVE, 5), (SMT, 7)])
@pytest.mark.parametrize("received", [0, 8, -1])
def test_more_cores_than_there_are(
    received: int, physical: list[list[int]], most: int, machine: Callable[..., None]
) -> None:
    """Is refused, as is none, with what this machine has and what was received."""
    machine(physical, 1.0)

    says = f"cores must be 1 to {most}, which this machine has. Received: {received}"
    with pytest.raises(ValueError, match=rf"^{re.escape(says)}$"):
        core_groups(received)


def test_where_cores_cannot_be_chosen(machine: Callable[..., None]) -> None:
    """One launch at a time runs on any of them."""
    machine([])

    assert core_groups(64) == [[]]


def test_what_is_to_be_confirmed_comes_first() -> None:
    """One more launch tells whether a test fails again, however long it takes, and whatever is left out for it."""
    referee = Referee(("wild", "failed", "steady"))
    for value in (0.2, -0.1, 0.3):
        referee.add({"wild": value, "steady": 0.001 * value})
    costs = Costs(1.0, {"wild": 2.0, "failed": 5.0, "steady": 2.0})

    assert choose(referee, ["wild", "failed", "steady"], costs, 7.0, 1, again=["failed"])[0] == "failed"
    assert choose(referee, ["failed"], costs, 6.0, 1, again=["failed"]) == ["failed"]
    assert choose(referee, ["failed"], costs, 5.9, 1, again=["failed"]) == []
    assert choose(referee, ["wild", "failed", "steady"], costs, 7.0, 1)[-1] != "failed"


@pytest.mark.parametrize(
    ("physical", "says"), [([[0], [1]], []), ([], ["this system lets no process choose its cores"])]
)
def test_a_system_that_places_no_process_is_told(
    physical: list[list[int]], says: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it lacks is said, and what that means for launches; where cores can be chosen, nothing is."""
    monkeypatch.setattr(cores, "physical_cores", lambda: physical)
    means = ": launches run one at a time, and other work moves them more"

    assert unplaced() == [granted + means for granted in says]
