"""How long does it take before the first epoch can start?"""

from typing import Any

import numpy as np
import pytest

from benchmarks.cases import GRID
from parabola import engines
from parabola.engines import Engine
from parabola.engines.native import make_kernel
from parabola.experiment import Experiment

ROUNDS = 3


@pytest.mark.benchmark(group="compile time: seconds per build")
def bench_compile_time(benchmark: Any, request: pytest.FixtureRequest, engine: str, device: str, timed: bool) -> None:
    """Inside the clock: making the model and the optimizer, tracing and compiling, all anew.

    Keras traces when it first trains, so for the two fits one epoch of training is inside, too. `native`, which keeps
    its kernel for the next build, is made to forget it. Outside: importing the framework, the samples and the orders,
    and training with what was built.
    """
    grid = request.config.stash[GRID]
    batch_size = grid.batch_sizes[0] if grid.batch_sizes else 111
    experiment = Experiment(engine=engine, device=device, batch_size=batch_size, epochs=4)
    engines.build(experiment)  # what only the first build of a process does is for the cold start to show
    built: list[Engine] = []

    def unbuilt() -> tuple[tuple[Engine], dict[str, Any]]:
        make_kernel.cache_clear()
        built.append(engines.create(experiment))
        return (built[-1],), {}

    benchmark.pedantic(lambda fresh: fresh.build(), setup=unbuilt, rounds=ROUNDS if timed else 1)
    weights = [fresh.run(fresh.reset()) for fresh in built]
    assert all(np.array_equal(weights[0], other) for other in weights), "two builds train differently"
    assert np.isfinite(weights[0]).all()
    benchmark.extra_info.update(engine=engine, device=device, batch_size=batch_size)
