"""How fast is an epoch?"""

from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.harness.cases import TimedCase, count_epochs, stats_of
from benchmarks.harness.reference import check_run
from parabola.records.extra_info import ExtraInfo
from parabola.training import engines


@pytest.mark.benchmark(group="epoch time: seconds per epoch")
def bench_epoch_time(benchmark: Any, case: TimedCase) -> None:
    """Inside the clock: the epochs of one run, and its weights back on the host.

    Outside: building and compiling, copying the samples and the bank of orders to the device, fresh weights and a fresh
    optimizer before each round, and holding what the last round learnt against the reference.
    """
    experiment = case.experiment
    engine = engines.build(experiment)
    rows = engine.reset()

    def fresh(*_: Any) -> None:
        engine.reset()
        count_epochs(benchmark, experiment.epochs)

    weights = benchmark.pedantic(
        engine.run, args=(rows,), setup=fresh, rounds=case.rounds, warmup_rounds=case.warmup_rounds
    )
    fit = check_run(experiment, weights)
    info = ExtraInfo(
        network=experiment.network,
        engine=experiment.engine,
        device=experiment.device,
        optimizer="adam",
        batch_size=experiment.batch_size,
        learning_rate=experiment.learning_rate,
        samples=experiment.samples,
        epochs=experiment.epochs,
        seed=experiment.seed,
        compile_seconds=engine.compile_seconds,
        coefficient_error=float(fit.coefficient_error[-1]),
        verdict=fit.verdict,
        passed=fit.verdict == "pass",
    )
    if stats_of(benchmark) is not None:
        seconds_per_epoch = benchmark.stats.stats.median
        info = replace(
            info,
            samples_per_second=experiment.samples / seconds_per_epoch,
            steps_per_second=experiment.steps / seconds_per_epoch,
        )
    benchmark.extra_info.update(info.known())
