"""Which cores this process may use: those that the system lets it run on, one by one, and what its cgroup allows."""

import os
from collections.abc import Iterator
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")
PROCESS = Path("/proc/self")


def physical_cores() -> list[list[int]]:
    """Return the logical CPUs that this process may run on, by the physical core that they share, each in order.

    Where Linux does not say which of them are one core, each is one of its own; empty where a process cannot choose.
    """
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cores = dict[str, list[int]]()
    for cpu in usable:
        cores.setdefault(_read(CPUS / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu), []).append(cpu)
    return [*cores.values()]


def cpu_quota() -> float | None:
    """Return how many CPUs' worth of time this process' cgroups grant it, those above them included; None for any.

    Understands both versions of cgroups, and those that a container sees from within.
    """
    quotas = [quota for folder in _cgroups() if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def _cgroups() -> Iterator[Path]:
    """Yield the folders of the cgroups that this process is in, and of all above them, as far as they are mounted."""
    groups = dict[str, str]()
    for line in _read(PROCESS / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path)  # of version 2, an empty name
    for line in _read(PROCESS / "mountinfo").splitlines():
        mount, _, file_system = line.partition(" - ")
        kind, _, options = file_system.split(" ", 2)
        controller = {"cgroup2": "", "cgroup": "cpu"}.get(kind)
        if controller in groups and (kind == "cgroup2" or "cpu" in options.split(",")):
            root, point = mount.split()[3:5]
            path = groups[controller]
            within = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path()
            yield from (Path(point) / folder for folder in (within, *within.parents))


def _quota(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")  # version 2: "max 100000", "150000 100000"
    if not period:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # version 1 has -1 for none


def _read(path: Path) -> str:
    """Return a file's text without blanks at its ends; empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
