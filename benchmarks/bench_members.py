"""How much longer does an epoch take when many runs are trained together?"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.cases import MOST_ROUNDS, SHORT_EPOCHS, count_epochs
from parabola.ensemble.members import members_program
from parabola.records.extra_info import ExtraInfo
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.verification.check import check_first_epoch

# Where most seeds learn; few enough steps that one member's epoch is short.
BATCH_SIZE, LEARNING_RATE = 111, 0.1
# Seconds an epoch, and a member and epoch: fitted by eye to runs on a core of an AMD EPYC, for the number of epochs.
EPOCH_SECONDS, MEMBER_SECONDS, ROUND_SECONDS = 2e-5, 4e-6, 0.03


@pytest.mark.benchmark(group="members: seconds per epoch of all")
def bench_members(benchmark: Any, device: str, members: int, timed: bool) -> None:
    """Inside the clock: the epochs of a block of members in one XLA program, and their weights back on the host.

    Each has its own seed and order. A CPU's block keeps to one core; `map` runs one on each. Outside: building and
    compiling, fresh weights and a fresh optimizer, the orders, and holding the first and the last member of the last
    round against the reference.
    """
    epochs = math.ceil(ROUND_SECONDS / (EPOCH_SECONDS + members * MEMBER_SECONDS)) if timed else SHORT_EPOCHS
    experiment = Experiment(device=device, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, epochs=epochs)
    program = members_program(experiment, members)
    seeds, rates = np.arange(members), np.full(members, LEARNING_RATE)

    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        count_epochs(benchmark, epochs)
        return (program.reset(seeds, rates),), {}

    weights = benchmark.pedantic(program.run, setup=fresh, rounds=MOST_ROUNDS if timed else 1, warmup_rounds=1)
    ends = [Fit(replace(experiment, seed=seed), device, weights[..., seed], 0.0, 0.0) for seed in (0, members - 1)]
    for fit in ends:
        check_first_epoch(fit.experiment, device, fit.weights[0])
    info = ExtraInfo(
        engine=experiment.engine,
        device=device,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        samples=experiment.samples,
        epochs=epochs,
        members=members,
        coefficient_error=max(float(fit.coefficient_error[-1]) for fit in ends),
    )
    benchmark.extra_info.update(info.known())
