"""Test processes side by side: who has which GPU, and how much of the machine."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import sharing
from parabola.tracking import machine

GPUS = [("0", 80_000), ("1", 40_000)]


def test_each_worker_has_a_gpu_of_its_own() -> None:
    """As long as there are enough: nearly all of its memory, and its part of the cores."""
    first, second = (sharing.share(worker, 2, GPUS, 16) for worker in (0, 1))

    assert (first["CUDA_VISIBLE_DEVICES"], second["CUDA_VISIBLE_DEVICES"]) == ("0", "1")
    assert (first["PARABOLA_GPU_MEMORY_MIB"], second["PARABOLA_GPU_MEMORY_MIB"]) == ("72000", "36000")
    assert first["XLA_PYTHON_CLIENT_MEM_FRACTION"] == "0.900"
    assert first["TF_NUM_INTRAOP_THREADS"] == first["OMP_NUM_THREADS"] == "8"


def test_without_a_gpu_only_cores_are_shared() -> None:
    """At least one each."""
    environment = sharing.share(3, 4, [], 2)

    assert set(environment) == set(machine.THREAD_SETTINGS)
    assert set(environment.values()) == {"1"}


@given(st.integers(1, 32), st.lists(st.integers(1000, 10**6), min_size=1, max_size=9), st.integers(1, 128))
def test_no_gpu_is_promised_twice(workers: int, memory: list[int], cores: int) -> None:
    """Of no GPU more memory is given away than it has; no two workers share one while another is idle."""
    gpus = [(str(number), mib) for number, mib in enumerate(memory)]
    shares = [sharing.share(worker, workers, gpus, cores) for worker in range(workers)]
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
