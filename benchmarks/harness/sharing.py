"""Test processes that run side by side share a machine: each has a GPU of its own, and a part of memory and cores."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import pytest

from parabola.machine import host

MEMORY_SHARE = 0.9  # of a GPU: the rest is for contexts and compilers


def share(worker: int, workers: int, gpus: Sequence[tuple[str, int]], cores: int) -> dict[str, str]:
    """Return the environment of one of several processes.

    Args:
        worker: which, from 0.
        workers: how many there are.
        gpus: name, as CUDA_VISIBLE_DEVICES has it, and memory in MiB (0: not known) of each; dealt out in turn.
        cores: of the CPU.
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
    """Return the GPUs that this process may use, with their memory.

    Args:
        memory_mib: of all GPUs that the driver has, by index and by UUID.
        visible: the caller's CUDA_VISIBLE_DEVICES: indices or (the beginnings of) UUIDs; None where it is not set. As
            CUDA does, what follows the first that is not there is left out. Parts of a GPU ("MIG-…") are as named.
    """
    if visible is None:  # by UUID: CUDA may number them otherwise than the driver
        return [(name, mib) for name, mib in memory_mib.items() if not name.isdigit()]
    found = list[tuple[str, int]]()
    for name in (name.strip() for name in visible.split(",")):
        if name.startswith("MIG-"):
            found.append((name, 0))
            continue
        full = [one for one in memory_mib if one == name or (name.startswith("GPU-") and one.startswith(name))]
        if len(full) != 1:
            break
        found.append((name, memory_mib[full[0]]))
    return found


def memory_of_gpus() -> dict[str, int]:
    """Return each GPU's memory in MiB (0 where the driver does not say), by index and by UUID; nothing without one."""
    with suppress(TimeoutError):
        rows = host.ask_driver("index", "uuid", "memory.total")
        return {name: int(mib) if mib.isdigit() else 0 for index, uuid, mib in rows for name in (index, uuid)}
    return {}


def take_part(config: pytest.Config) -> None:
    """Set the environment of this process, where pytest-xdist has started it; what the caller has set stays."""
    given = getattr(config, "workerinput", None)
    if given is None:
        return
    worker, workers = int(given["workerid"].removeprefix("gw")), given["workercount"]
    gpus = usable(memory_of_gpus(), os.environ.get("CUDA_VISIBLE_DEVICES"))
    if "XLA_CLIENT_MEM_FRACTION" in os.environ:  # the same by its newer name; JAX refuses both together
        os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = os.environ.pop("XLA_CLIENT_MEM_FRACTION")
    for name, value in share(worker, workers, gpus, host.usable_cores()).items():
        if name == "CUDA_VISIBLE_DEVICES":
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)
