"""What is too large for the machine is told before anything is trained."""

from pathlib import Path

import pytest

from parabola.machine import host
from parabola.training import memory
from parabola.training.experiment import Experiment


def test_what_a_run_needs_by_hand() -> None:
    """It keeps what it had learnt after every epoch, and its samples in several forms."""
    assert memory.needed_bytes(Experiment(epochs=1_000_000, samples=1_000)) == 148_000_000 + 88_000


def test_what_members_need_by_hand() -> None:
    """Of each member the order, x and y of an epoch's samples; of each epoch its row and four weights, or two."""
    many = Experiment(epochs=10, samples=1_000)

    assert memory.needed_bytes(many, 7) == 7 * 4 * (3_000 + 50)
    assert memory.needed_bytes(Experiment(epochs=10, samples=1_000, network="one_neuron"), 1) == 4 * (3_000 + 30)


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (2 * 148 * 10**9 + 88 * 999, ""),
        (
            2 * 148 * 10**9 + 88 * 999 - 1,
            "2,000,000,000 epochs of 999 samples need about 276 GiB, and 276 GiB are free: ask for fewer",
        ),
        (2**30, "2,000,000,000 epochs of 999 samples need about 276 GiB, and 1 GiB are free: ask for fewer"),
    ],
)
def test_more_than_there_is_has_a_reason(free: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just what is free is enough, and a byte less is not."""
    monkeypatch.setattr(host, "free_bytes", lambda: free)

    assert memory.too_large(Experiment(epochs=2_000_000_000)) == said


def test_free_memory_is_what_the_kernel_says() -> None:
    """In bytes, as /proc/meminfo has it in KiB; it moves, so within a tenth."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    kib = int(lines["MemAvailable"].split()[0])

    assert 0.9 * kib * 1024 < host.free_bytes() < 1.1 * kib * 1024
