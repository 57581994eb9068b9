"""Which logical CPUs are one core, and what cgroups grant, from made-up files as Linux has them."""

import os
from pathlib import Path

import pytest

from parabola.machine import cores

HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
32 31 0:29 / {top}/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / {top}/cpuset rw - cgroup cgroup rw,cpuset
41 31 0:38 / {top}/unified rw - cgroup2 cgroup2 rw,nsdelegate
"""
UNIFIED = "31 23 0:28 / {top} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
CONTAINER = "32 31 0:29 /docker/abc {top} ro - cgroup cgroup rw,cpu,cpuacct\n"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of what Linux says of this process."""
    monkeypatch.setattr(cores, "PROCESS", tmp_path / "proc")
    (tmp_path / "proc").mkdir()
    return tmp_path / "proc"


@pytest.mark.parametrize(
    ("siblings", "usable", "grouped"),
    [
        ({0: "0,4", 4: "0,4", 1: "1,5", 5: "1,5"}, {5, 4, 1, 0}, [[0, 4], [1, 5]]),
        ({0: "0-1\n", 1: "0-1\n", 2: "2-3\n", 3: "2-3\n"}, {3, 2, 1}, [[1], [2, 3]]),  # 0 is not for us
        ({8: "8", 9: "9"}, {9, 8}, [[8], [9]]),
        ({}, {7, 3}, [[3], [7]]),  # nothing is said
        ({0: "0-3", 1: "0-3", 2: "0-3", 3: "0-3"}, {0, 1, 2, 3, 11}, [[0, 1, 2, 3], [11]]),
    ],
)
def test_logical_cpus_of_one_core(
    siblings: dict[int, str],
    usable: set[int],
    grouped: list[list[int]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that this process may run on are together if they share a core, and each is alone if nobody knows."""
    monkeypatch.setattr(cores, "CPUS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: usable}[process], raising=False)
    for cpu, text in siblings.items():
        write(tmp_path, **{f"cpu{cpu}/topology/thread_siblings_list": text})

    assert cores.physical_cores() == grouped


def test_where_cores_cannot_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are none to tell apart."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)

    assert cores.physical_cores() == []


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({"a/b/cpu.max": "150000 100000\n"}, 1.5),
        ({"a/b/cpu.max": "max 100000"}, None),
        ({"a/b/cpu.max": "max 100000", "a/cpu.max": "400000 100000", "cpu.max": "300000 50000"}, 4.0),
        ({"a/b/cpu.max": "50000 100000", "a/cpu.max": "200000 100000"}, 0.5),
        ({"a/b/c/cpu.max": "1 100", "other/cpu.max": "1 100"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_version_2(limits: dict[str, str], quota: float | None, process: Path, tmp_path: Path) -> None:
    """The smallest of the process' own group and of those above it; "max" is none."""
    write(process, cgroup="0::/a/b\n", mountinfo=UNIFIED.format(top=tmp_path / "top"))
    write(tmp_path / "top", **limits)

    assert cores.cpu_quota() == quota


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({"cpu,cpuacct/a/cpu.cfs_quota_us": "250000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, 2.5),
        ({"cpu,cpuacct/a/cpu.cfs_quota_us": "-1", "cpu,cpuacct/a/cpu.cfs_period_us": "100000"}, None),
        ({"cpu,cpuacct/cpu.cfs_quota_us": "100000\n", "cpu,cpuacct/cpu.cfs_period_us": "50000\n"}, 2.0),
        ({"cpuset/a/cpu.cfs_quota_us": "100000", "cpuset/a/cpu.cfs_period_us": "50000"}, None),
        ({"cpu,cpuacct/a/cpu.cfs_quota_us": "100000"}, None),
        ({"unified/s/cpu.max": "100 200"}, 0.5),
    ],
)
def test_the_quota_of_version_1(limits: dict[str, str], quota: float | None, process: Path, tmp_path: Path) -> None:
    """That of the controller "cpu", where it is mounted; -1 is none; version 2 may be mounted beside it."""
    write(process, cgroup="5:cpuset:/x\n4:cpu,cpuacct:/a\n0::/s\n", mountinfo=HYBRID.format(top=tmp_path / "top"))
    write(tmp_path / "top", **limits)

    assert cores.cpu_quota() == quota


@pytest.mark.parametrize("group", ["/docker/abc", "/"])
def test_the_quota_of_a_container(group: str, process: Path, tmp_path: Path) -> None:
    """A container's own group is mounted as the top, whether its path is told as the host has it or not."""
    write(process, cgroup=f"4:cpu,cpuacct:{group}\n", mountinfo=CONTAINER.format(top=tmp_path / "top"))
    write(tmp_path / "top", **{"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"})

    assert cores.cpu_quota() == 3.0


def test_no_cgroups(process: Path) -> None:
    """Where the system has none, nothing is limited."""
    assert cores.cpu_quota() is None


def test_this_machine() -> None:
    """Every CPU that this process may run on is in one core, and a quota is above 0."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    assert sorted(cpu for core in cores.physical_cores() for cpu in core) == usable
    assert (cores.cpu_quota() or 1.0) > 0
