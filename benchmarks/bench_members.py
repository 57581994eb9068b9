"""How much longer does an epoch take when many runs are trained together?"""

import math
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.cases import AXES, MOST_ROUNDS, SHORT_EPOCHS, count_epochs
from benchmarks.harness.machine.peak import peak_mebibytes
from benchmarks.harness.member import Member
from parabola.ensemble.members import members_program
from parabola.records.extra_info import ExtraInfo
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.check import check_run, told

# Where most seeds learn; few enough steps that one member's epoch is short.
BATCH_SIZE, LEARNING_RATE = 111, 0.1
# Seconds an epoch, and a member and epoch: fitted by eye to runs on a core of an AMD EPYC, for the number of epochs.
EPOCH_SECONDS, MEMBER_SECONDS, ROUND_SECONDS = 2e-5, 4e-6, 0.03
MEASURED_FROM = 512  # members: the memory of smaller blocks is lost in that of the framework
PROGRAM = f"""
import sys
import numpy as np
from parabola.ensemble.members import members_program
from parabola.training.experiment import Experiment
device, members, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
knobs = dict(batch_size={BATCH_SIZE}, learning_rate={LEARNING_RATE}, epochs=epochs)
program = members_program(Experiment(device=device, **knobs), members)
program.run(program.place(program.reset(np.arange(members), np.full(members, {LEARNING_RATE}))))
"""


@pytest.mark.benchmark(group="members: seconds per epoch of all")
def bench_members(benchmark: Any, device: str, members: int, timed: bool) -> None:
    """Inside the clock: the epochs of a block of members in one XLA program, and their weights back on the host.

    Each has its own seed and order. A CPU's block keeps to one core; `map` runs one on each. Outside: building and
    compiling, fresh weights and a fresh optimizer, the orders, and the check: before the rounds the first and the last
    member are held against the reference from their first epoch to their last, and in every round against that run.
    After them a fresh process trains a large block once, and its largest resident memory is kept.
    """
    epochs = math.ceil(ROUND_SECONDS / (EPOCH_SECONDS + members * MEMBER_SECONDS)) if timed else SHORT_EPOCHS
    experiment = Experiment(device=device, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, epochs=epochs)
    program = members_program(experiment, members)
    seeds, rates = np.arange(members), np.full(members, LEARNING_RATE)
    ends = [Member(program, seeds, rates, place) for place in sorted({0, members - 1})]
    checks, trained = [check_run(member, member.subject) for member in ends], list[Array]()

    def fresh() -> tuple[tuple[Any], dict[str, Any]]:
        hold()
        count_epochs(benchmark, epochs)
        return (program.place(program.reset(seeds, rates)),), {}

    def hold() -> None:
        """Hold what the round before has trained, while the block still is where it ended."""
        while trained:
            weights = trained.pop()
            for member, check in zip(ends, checks, strict=True):
                check.hold(member.of(weights), member.state())

    benchmark.pedantic(
        lambda placed: trained.append(program.run(placed)),
        setup=fresh,
        rounds=MOST_ROUNDS if timed else 1,
        warmup_rounds=1,
    )
    hold()
    command = [sys.executable, "-c", PROGRAM, device, str(members), str(epochs)]
    info = ExtraInfo(
        peak_mebibytes=peak_mebibytes(command) if timed and members >= MEASURED_FROM else None,
        **{knob: getattr(experiment, knob) for knob in (*AXES, "epochs")},
        members=members,
        coefficient_error=max(float(check.fit.coefficient_error[-1]) for check in checks),
        **told(checks),
    )
    benchmark.extra_info.update(info.known())
