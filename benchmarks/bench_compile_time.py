"""How long does it take before the first epoch can start?"""

from typing import Any

import pytest

from parabola.records.extra_info import ExtraInfo
from parabola.training import engines
from parabola.training.engines import Engine
from parabola.training.experiment import Experiment
from parabola.verification.check import check_run

ROUNDS, BATCH_SIZE = 3, 111


@pytest.mark.benchmark(group="compile time: seconds per build")
def bench_compile_time(benchmark: Any, engine: str, device: str, timed: bool) -> None:
    """Inside the clock: making the model and the optimizer, tracing and compiling, all anew.

    Keras traces when it first trains, so for the two fits one epoch of training is inside, too. `native`, which keeps
    its kernel for the next build, in memory and on disk, is made to forget it. Outside: importing the framework, the
    samples and the orders, and training with what was built.
    """
    experiment = Experiment(engine=engine, device=device, batch_size=BATCH_SIZE, epochs=4)
    if timed:
        engines.build(experiment)  # what only the first build of a process does is for the cold start to show
    built: list[Engine] = []

    def unbuilt() -> tuple[tuple[Engine], dict[str, Any]]:
        built.append(engines.create(experiment))
        built[-1].forget()
        return (built[-1],), {}

    benchmark.pedantic(lambda fresh: fresh.build(), setup=unbuilt, rounds=ROUNDS if timed else 1)
    for fresh in built:
        checked = check_run(fresh)
        checked.hold(fresh.run(fresh.reset()), fresh.state())
    benchmark.extra_info.update(ExtraInfo(engine=engine, device=device, batch_size=BATCH_SIZE).known())
