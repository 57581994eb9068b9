"""Test processes that run side by side share a machine: each gets a GPU of its own, and a part of memory and cores."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from parabola.machine import host

MEMORY_SHARE = 0.9  # how much of a GPU's memory is given away; the rest is for contexts and compilers


def part_of_machine(worker: int, workers: int, gpus: Sequence[tuple[str, int]], cores: int) -> dict[str, str]:
    """Return the environment variables that give one of several processes its part of the machine.

    Args:
        worker: number of the process, from 0.
        workers: number of processes.
        gpus: for each GPU its name, as CUDA_VISIBLE_DEVICES has it, and its memory in MiB, 0 where it is not known.
            Processes get them in turn.
        cores: number of the CPU's cores that the processes may use together.
    """
    environment = dict.fromkeys(host.THREAD_SETTINGS, str(max(1, cores // workers)))
    if gpus:
        name, memory_mib = gpus[worker % len(gpus)]
        sharing = len(range(worker % len(gpus), workers, len(gpus)))
        environment["CUDA_VISIBLE_DEVICES"] = name
        environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{MEMORY_SHARE / sharing:.3f}"  # JAX's own
        if memory_mib:
            environment["PARABOLA_GPU_MEMORY_MIB"] = str(int(MEMORY_SHARE * memory_mib / sharing))
    return environment


def usable(memory_mib: Mapping[str, int], visible: str | None) -> list[tuple[str, int]]:
    """Return the GPUs that this process may use: for each its name and its memory in MiB, 0 where it is not known.

    Args:
        memory_mib: memory of each GPU that the driver has, in MiB, both under its index and under its UUID.
        visible: the caller's CUDA_VISIBLE_DEVICES: indices, UUIDs, or beginnings of UUIDs; None where it is not set.
            CUDA ignores all that follows the first name that no GPU has, and so does this. A part of a GPU ("MIG-…") is
            taken as it is named.
    """
    if visible is None:  # named by UUID, because CUDA may number them in another order than the driver
        return [(name, mib) for name, mib in memory_mib.items() if not name.isdigit()]
    gpus = list[tuple[str, int]]()
    for name in (name.strip() for name in visible.split(",")):
        if name.startswith("MIG-"):
            gpus.append((name, 0))
            continue
        meant = [full for full in memory_mib if full == name or (name.startswith("GPU-") and full.startswith(name))]
        if len(meant) != 1:
            break
        gpus.append((name, memory_mib[meant[0]]))
    return gpus


def memory_of_gpus() -> dict[str, int]:
    """Return the memory of each GPU in MiB, under its index and under its UUID; 0 where the driver does not say."""
    with suppress(TimeoutError):
        rows = host.ask_driver("index", "uuid", "memory.total")
        return {name: int(mib) if mib.isdigit() else 0 for index, uuid, mib in rows for name in (index, uuid)}
    return {}


def take_part(config: pytest.Config) -> None:
    """Set the environment of this process if pytest-xdist has started it; variables that the caller has set stay."""
    given = getattr(config, "workerinput", None)
    if given is None:
        return
    worker, workers = int(given["workerid"].removeprefix("gw")), given["workercount"]
    gpus = usable(memory_of_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    if "XLA_CLIENT_MEM_FRACTION" in os.environ:  # the newer name of the same setting; JAX refuses both together
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = os.environ.pop("XLA_CLIENT_MEM_FRACTION")
    for name, value in part_of_machine(worker, workers, gpus, host.usable_cores()).items():
        if name == "CUDA_VISIBLE_DEVICES":
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what deals tests out to pytest-xdist's processes, unless --dist asks for something other than its default.

    Each process begins with a part of the tests that lie side by side, and takes from the ends of the others' parts
    when it is done. So tests of one file mostly meet in one process, which then compiles once what they share.

    Args:
        config: pytest's.
        log: pytest-xdist's log.
    """
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
