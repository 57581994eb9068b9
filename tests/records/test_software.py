"""Which software of a machine follows which, and what an update changed."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from parabola.records.fingerprint import FINGERPRINT, hardware, software
from parabola.records.history import histories
from parabola.records.machines.software import lineages, update
from parabola.records.record import Record
from tests.made_measurements import measurement, record

START = datetime(2026, 1, 1, tzinfo=UTC)


def measured(hour: int, commit: str, **machine: object) -> Record:
    """Return a record of a commit that is made and measured at such an hour."""
    when = START + timedelta(hours=hour)
    times = measurement(median=1e-6 * (hour + 1), low_quartile=1e-6, high_quartile=1.0)
    return record(times, machine=machine, commit=commit, committed=when, measured=when, path=f"{hour}.json")


def paths(groups: list[list[Record]]) -> list[list[str]]:
    return [[one.path.removesuffix(".json") for one in group] for group in groups]


def test_an_update_goes_on_with_the_history() -> None:
    """Also where it is taken back, and where two kernels take turns on hosted runners."""
    kernels = ["6.1", "6.1", "6.2", "6.1", "6.2", "6.3"]
    found = lineages([measured(hour, f"c{hour}", kernel=kernel) for hour, kernel in enumerate(kernels)])

    assert paths(found) == [["0", "1", "2", "3", "4", "5"]]


def test_two_pythons_at_the_same_commits_are_two_histories_that_updates_go_on_with() -> None:
    """Each job of CI keeps its Python, and an update of the kernel joins the history of the same Python."""
    found = lineages(
        [
            measured(2 * place + job, f"c{place}", python=python, kernel="6.1" if place < 3 else "6.2")
            for place in range(6)
            for job, python in enumerate(("3.11", "3.13"))
        ]
    )

    assert paths(found) == [["0", "2", "4", "6", "8", "10"], ["1", "3", "5", "7", "9", "11"]]


@pytest.mark.parametrize(("again", "groups"), [(1, 1), (2, 2)])
def test_half_of_the_commits_make_two_kinds_of_software_stand_side_by_side(again: int, groups: int) -> None:
    """A commit that was measured again after an update does not split a history; two of the newer's four commits do."""
    newer = ["a", "b"][:again] + ["f", "g", "h"][: 4 - again]
    records = [measured(hour, commit, keras="1") for hour, commit in enumerate("abcde")]
    records += [measured(hour, commit, keras="2") for hour, commit in enumerate(newer, start=10)]

    assert len(lineages(records)) == groups


def test_a_commit_that_two_kinds_of_software_measured_has_two_points() -> None:
    """Nothing is pooled within one commit: what was measured first comes first, and now is the newer software's."""
    records = [measured(hour, commit, keras="1") for hour, commit in enumerate("abc")]
    again = dataclasses.replace(measured(9, "c", keras="2"), committed=records[2].committed)
    later = [measured(hour, f"{hour}", keras="2") for hour in (10, 11)]
    (found,) = histories([*records, again, *later])

    assert [commit.id for commit in found.commits] == ["a", "b", "c", "c", "10", "11"]
    assert found.lines[0].seconds.tolist() == pytest.approx([1e-6, 2e-6, 3e-6, 10e-6, 11e-6, 12e-6])
    assert [(change.at, change.words) for change in found.updates] == [(3, "Keras 1 → 2")]
    assert [found.updates_within(*ends) for ends in ((0, 2), (3, 3), (4, 5), (2, 3))] == [
        *("", "Keras 1 → 2", "", "Keras 1 → 2")
    ]


def test_an_update_is_told_in_the_names_that_everybody_knows() -> None:
    """All facts that changed, in their order; what is not there is none."""
    facts = dict.fromkeys(FINGERPRINT, "1") | {"gpu": "H200, driver 580.1", "xla_flags": ""}
    other = facts | {"gpu": "H200, driver 581", "xla_flags": "--x", "python": "2", "numpy": "none", "kernel": "7"}
    before, after = (software(tuple(of.items())) for of in (facts, other))

    assert update(before, before) == []
    assert update(before, after) == [
        *("kernel 1 → 7", "Python 1 → 2", "NumPy 1 → none", "XLA flags none → --x", "GPU driver 580.1 → 581")
    ]


@pytest.mark.parametrize(
    ("gibibytes", "size"),
    [
        *(("1", "1"), ("5", "6"), ("7", "8"), ("15", "16"), ("16", "16"), ("24", "24"), ("31", "32"), ("62", "64")),
        *(("125", "128"), ("251", "256"), ("376", "384"), ("0", "0"), ("", ""), ("?", "?")),
    ],
)
def test_memory_is_a_class(gibibytes: str, size: str) -> None:
    """A kernel keeps some to itself, so a machine of 16 GiB shows 15 with one kernel and 16 with another."""
    assert dict(hardware((("memory_gib", gibibytes),)))["memory_gib"] == size


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        *(({}, 1), ({"kernel": "7"}, 1), ({"memory_gib": 32}, 1), ({"gpu": "none"}, 1), ({"memory_gib": 64}, 2)),
        *(({"cores": 8}, 2), ({"cores_usable": 8}, 2), ({"cpu_quota": "1.5"}, 2), ({"cpu_model": "B"}, 2)),
        ({"gpu": "H200, driver 580"}, 2),
    ],
)
def test_a_machine_is_its_hardware(machine: dict[str, object], number: int) -> None:
    """Processor, GPU, cores, quota and the class of memory make another machine, software does not."""
    assert len(histories([measured(0, "a"), measured(1, "b", **machine)])) == number


def test_another_driver_is_an_update_of_the_same_gpu() -> None:
    """Its name is hardware, and the driver's version software."""
    records = [measured(hour, f"{hour}", gpu=f"H200, driver {580 + hour}", cuda="12") for hour in (0, 1)]
    (found,) = histories(records)

    assert [change.words for change in found.updates] == ["GPU driver 580 → 581"]
