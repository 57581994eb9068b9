"""How long each stage will take: by the cost model of the suite, or by a guess."""

from benchmarks.bench_members import EPOCH_SECONDS, MEASURED_FROM, MEMBER_SECONDS, ROUND_SECONDS
from benchmarks.harness.cases import MOST_ROUNDS, make_case, seconds_per_epoch
from benchmarks.harness.options import Selection
from parabola.ensemble.learning_map import BATCH_SIZES
from parabola.training.experiment import Experiment

START_SECONDS, GPU_START_SECONDS = 8.0, 15.0  # of one process; the first is measured on a CPU, the other a guess
BUILD_SECONDS = 2.0  # of a program, as the suite takes it to be
ANSWERS_SECONDS, LEARNING_SECONDS = 12.0, 6.0  # of the exact tests on a CPU, measured
GPU_ANSWERS_SECONDS, GPU_LEARNING_SECONDS = 60.0, 120.0  # and on a GPU besides: guesses


def start_seconds(device: str) -> float:
    """Return how long a process takes to import the backend and to find its devices."""
    return GPU_START_SECONDS if device.startswith("gpu") else START_SECONDS


def answers_seconds(device: str) -> float:
    """Return how long the tests take that hold every engine against the reference, on the CPU and on a GPU."""
    return start_seconds(device) + ANSWERS_SECONDS + (GPU_ANSWERS_SECONDS if device.startswith("gpu") else 0.0)


def learning_seconds(device: str) -> float:
    """Return how long the tests take that train for a thousand epochs, on the CPU and on a GPU."""
    return start_seconds(device) + LEARNING_SECONDS + (GPU_LEARNING_SECONDS if device.startswith("gpu") else 0.0)


def epoch_time_seconds(engine: str, device: str, samples: int, batch_size: int) -> float:
    """Return how long the suite is predicted to time one case, in seconds."""
    knobs = {"engine": engine, "device": device, "samples": samples, "batch_size": batch_size}
    return make_case(Selection(), **knobs).predicted_seconds


def members_seconds(device: str, members: int) -> float:
    """Return how long the suite is predicted to time one block of members: a CPU's cost, and so a guess on a GPU."""
    round_seconds = max(ROUND_SECONDS, EPOCH_SECONDS + members * MEMBER_SECONDS)
    apart = start_seconds(device) + round_seconds if members >= MEASURED_FROM else 0.0
    return BUILD_SECONDS + (MOST_ROUNDS + 1) * round_seconds + apart


def map_seconds(device: str) -> float:
    """Return how long the map is guessed to take: as long as a run by itself at each batch size, and its building."""
    runs = [Experiment(device=device, batch_size=size) for size in BATCH_SIZES]
    return sum(BUILD_SECONDS + run.epochs * seconds_per_epoch(run) for run in runs)
