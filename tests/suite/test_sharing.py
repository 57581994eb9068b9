"""Test processes side by side: who has which GPU, and how much of the machine."""

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdist.remote import Producer

from benchmarks.harness import sharing
from parabola.machine import host

GPUS = [("0", 80_000), ("1", 40_000)]


def test_each_worker_has_a_gpu_of_its_own() -> None:
    """As long as there are enough: nearly all of its memory, and its part of the cores."""
    first, second = (sharing.part_of_machine(worker, 2, GPUS, 16) for worker in (0, 1))

    assert (first["CUDA_VISIBLE_DEVICES"], second["CUDA_VISIBLE_DEVICES"]) == ("0", "1")
    assert (first["PARABOLA_GPU_MEMORY_MIB"], second["PARABOLA_GPU_MEMORY_MIB"]) == ("72000", "36000")
    assert first["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.900"
    assert first["TF_NUM_INTRAOP_THREADS"] == first["OMP_NUM_THREADS"] == "8"


def test_without_a_gpu_only_cores_are_shared() -> None:
    """At least one each."""
    environment = sharing.part_of_machine(3, 4, [], 2)

    assert set(environment) == set(host.THREAD_SETTINGS)
    assert set(environment.values()) == {"1"}


@given(st.integers(1, 32), st.lists(st.integers(1000, 10**6), min_size=1, max_size=9), st.integers(1, 128))
def test_no_gpu_is_promised_twice(workers: int, memory: list[int], cores: int) -> None:
    """Of no GPU more memory is given away than it has; no two workers share one while another is idle."""
    gpus = [(str(number), mib) for number, mib in enumerate(memory)]
    shares = [sharing.part_of_machine(worker, workers, gpus, cores) for worker in range(workers)]
    used = [share["CUDA_VISIBLE_DEVICES"] for share in shares]

    assert len(set(used)) == min(workers, len(gpus))
    for name, mib in gpus:
        mine = [share for share in shares if share["CUDA_VISIBLE_DEVICES"] == name]
        assert sum(int(share["PARABOLA_GPU_MEMORY_MIB"]) for share in mine) <= 0.9 * mib
        assert sum(float(share["XLA_PYTHON_CLIENT_MEM_FRACTION"]) for share in mine) <= 0.92
    assert sum(int(share["OMP_NUM_THREADS"]) for share in shares) <= max(cores, workers)


def names_of(memory: dict[str, int], beginning: str) -> str:
    return next((full for full in memory if full.startswith(beginning)), beginning)


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ["GPU-a0", "GPU-b1", "GPU-c2"]),
        ("MIG-7,1", ["MIG-7", "1"]),
        ("", []),
        ("-1", []),
        ("2,0", ["2", "0"]),
        ("1, 7, 0", ["1"]),
        ("GPU-b", ["GPU-b"]),
        ("GPU-", []),
        ("GPU-c2,1", ["GPU-c2", "1"]),
    ],
)
def test_the_callers_list_is_indexed_into(visible: str | None, names: list[str]) -> None:
    """As CUDA reads it: up to the first that is not there."""
    memory = {"0": 1, "GPU-a0": 1, "1": 2, "GPU-b1": 2, "2": 3, "GPU-c2": 3}
    found = sharing.usable(memory, visible)

    assert [name for name, _ in found] == names
    assert all({**memory, "MIG-7": 0}[name if name in memory else names_of(memory, name)] == mib for name, mib in found)


class Process:
    """Stands for a process of xdist's: it notes which tests it is given, and which are taken from it."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name, spec=None)
        self.given, self.taken = list[int](), list[int]()
        self.send_runtest_some, self.send_steal = self.given.extend, self.taken.extend


@pytest.mark.parametrize(("dist", "steals"), [("load", True), ("loadfile", False), ("no", False)])
def test_tests_that_lie_side_by_side_meet_in_one_process(dist: str, steals: bool) -> None:
    """Unless another distribution is asked for, two processes begin with a half each, in the order of collection.

    The first that is done takes the end of what the other has left.
    """
    config: Any = SimpleNamespace(
        getoption=lambda name, *default: {"dist": dist}[name],
        getvalue=lambda name: {"tx": ["2*popen"]}[name],
        option=SimpleNamespace(maxschedchunk=None),
    )
    dealt = sharing.scheduler(config, Producer("none", enabled=False))
    assert (dealt is not None) == steals
    if not steals:
        return
    first, second = Process("first"), Process("second")
    for process in (first, second):
        dealt.add_node(process)
        dealt.add_node_collection(process, [f"test_{number}" for number in range(12)])
    dealt.schedule()
    assert (first.given, second.given) == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11])
    for number in range(5):
        dealt.mark_test_complete(first, number)
    assert second.taken == [9, 10, 11]


def test_only_workers_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that was started by hand keeps all; a worker of xdist takes the part of its number, and leaves what
    the caller has set."""
    environment: dict[str, str] = {"CUDA_VISIBLE_DEVICES": "1,0", "OMP_NUM_THREADS": "5"}
    monkeypatch.setattr("os.environ", environment)
    monkeypatch.setattr(sharing, "memory_of_gpus", lambda: {"0": 10_000, "1": 20_000})
    before, config = dict(environment), SimpleNamespace()
    sharing.take_part(config)  # type: ignore[arg-type]
    assert environment == before

    worker: Any = SimpleNamespace(workerinput={"workerid": "gw2", "workercount": 3})
    sharing.take_part(worker)
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"  # the third of three shares the first with the first
    assert environment["PARABOLA_GPU_MEMORY_MIB"] == "9000"
    assert environment["OMP_NUM_THREADS"] == "5"
    assert environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.450"


@pytest.mark.parametrize(
    ("worker", "name", "memory_mib", "fraction"),
    [
        (0, "a", "29999", "0.300"),  # 0.9 × 99,999 MiB / 3 = 29,999.7
        (1, "b", None, "0.450"),  # the driver does not say how much it has
        (2, "c", "20250", "0.450"),  # 0.9 × 45,000 / 2
        (3, "a", "29999", "0.300"),
        (6, "a", "29999", "0.300"),
    ],
)
def test_seven_processes_share_three_gpus(worker: int, name: str, memory_mib: str | None, fraction: str) -> None:
    """The GPUs are dealt out in turn: the first has three processes, the others two; 17 cores make 2 for each."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NUMBA_NUM_THREADS"), "2"
    )
    expected = threads | {"CUDA_VISIBLE_DEVICES": name, "XLA_PYTHON_CLIENT_MEM_FRACTION": fraction}
    if memory_mib:
        expected["PARABOLA_GPU_MEMORY_MIB"] = memory_mib

    assert sharing.part_of_machine(worker, 7, [("a", 99_999), ("b", 0), ("c", 45_000)], 17) == expected


@pytest.mark.parametrize(("workers", "cores", "threads"), [(3, 2, "1"), (3, 3, "1"), (3, 5, "1"), (3, 6, "2")])
def test_each_process_has_whole_cores(workers: int, cores: int, threads: str) -> None:
    """A process has its part of the cores, rounded down, and at least one."""
    assert sharing.part_of_machine(1, workers, [], cores)["NUMBA_NUM_THREADS"] == threads


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, [("GPU-a0", 10), ("GPU-ab", 20)]),
        ("1,0", [("1", 20), ("0", 10)]),
        ("GPU-ab, GPU-a0", [("GPU-ab", 20), ("GPU-a0", 10)]),
        ("GPU-a", []),  # the beginning of two
        ("GPU-ab1", []),
        ("G", []),
        ("MIG-1/2, MIG-5", [("MIG-1/2", 0), ("MIG-5", 0)]),
        ("0,GPU-x,MIG-5", [("0", 10)]),
    ],
)
def test_usable_gpus_have_their_memory(visible: str | None, found: list[tuple[str, int]]) -> None:
    """Each GPU has the memory that the driver says; a part of a GPU has none that is known."""
    assert sharing.usable({"0": 10, "GPU-a0": 10, "1": 20, "GPU-ab": 20}, visible) == found


def test_the_driver_says_each_gpus_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is known by index and by UUID, and 0 where the driver has no number; without a driver nothing is known."""
    asked = tmp_path / "asked"
    fake = tmp_path / "nvidia-smi"
    fake.write_text(f"#!/bin/sh\necho \"$@\" > {asked}\necho '0, GPU-a, 81559'\necho '1, GPU-b, [N/A]'\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sharing.memory_of_gpus() == {}
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    assert sharing.memory_of_gpus() == {"0": 81559, "GPU-a": 81559, "1": 0, "GPU-b": 0}
    assert asked.read_text() == "--query-gpu=index,uuid,memory.total --format=csv,noheader,nounits\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"CUDA_VISIBLE_DEVICES": "GPU-b", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.450"}),
        (
            {"XLA_CLIENT_MEM_FRACTION": "0.2"},
            {"CUDA_VISIBLE_DEVICES": "GPU-b", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.2"},
        ),
        (
            {"XLA_PYTHON_CLIENT_MEM_FRACTION": "0.3", "PARABOLA_GPU_MEMORY_MIB": "7", "NUMBA_NUM_THREADS": "1"},
            {"CUDA_VISIBLE_DEVICES": "GPU-b", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.3"}
            | {"PARABOLA_GPU_MEMORY_MIB": "7", "NUMBA_NUM_THREADS": "1"},
        ),
        ({"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "0", "PARABOLA_GPU_MEMORY_MIB": "2250"}),
        ({"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": ""}),
    ],
)
def test_what_a_worker_sets(before: dict[str, str], after: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of four processes has its part of the second of two GPUs, and of 13 cores; the caller's settings stay.

    The newer name of JAX's setting is replaced by the older one, because JAX refuses both together.
    """
    environment = dict(before)
    monkeypatch.setattr("os.environ", environment)
    monkeypatch.setattr(sharing, "memory_of_gpus", lambda: {"0": 10_000, "GPU-a": 10_000, "1": 20_000, "GPU-b": 20_000})
    monkeypatch.setattr(host, "usable_cores", lambda: 13)
    worker: Any = SimpleNamespace(workerinput={"workerid": "gw1", "workercount": 4})
    sharing.take_part(worker)

    expected = dict.fromkeys(host.THREAD_SETTINGS, "3") | after
    if after["CUDA_VISIBLE_DEVICES"] == "GPU-b":
        expected.setdefault("PARABOLA_GPU_MEMORY_MIB", "9000")
    if after["CUDA_VISIBLE_DEVICES"] == "0":  # the one GPU is for all four
        expected.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.225")
    assert environment == expected
