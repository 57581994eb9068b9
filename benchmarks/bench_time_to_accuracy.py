"""How long does it take to learn?"""

from itertools import cycle
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.harness.cases import stats_of
from benchmarks.harness.options import SELECTION
from parabola import statistics
from parabola.records.extra_info import ExtraInfo
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit, on_host
from parabola.training.target import Array, first_settled, first_true
from parabola.verification.check import check_run

SEEDS, FEW_SEEDS = range(40), range(10)
# Batch size and learning rate: as published, and from there along the ridge of the map, where most seeds learn.
SETTINGS = ((1, 0.001), (9, 0.001), (27, 0.01), (111, 0.1))


@pytest.mark.benchmark(group="time to accuracy: seconds per run")
@pytest.mark.parametrize(("batch_size", "learning_rate"), SETTINGS)
def bench_time_to_accuracy(
    benchmark: Any,
    engine: str,
    device: str,
    batch_size: int,
    learning_rate: float,
    timed: bool,
    request: pytest.FixtureRequest,
) -> None:
    """Inside the clock: the epochs of a run, up to that from which the coefficient error stays below the learning rate.

    An untimed run of 999 epochs finds that epoch for each seed. Each seed that has one makes a round; the seeds that
    never get there are only counted. Outside: all that is outside of epoch times.
    """
    experiment = Experiment(engine=engine, device=device, batch_size=batch_size, learning_rate=learning_rate)
    if device.startswith("gpu") and batch_size < 111 and not request.config.stash[SELECTION].devices:
        pytest.skip(f"40 runs of small batches take minutes on a GPU; --device {device} runs them")
    built = engines.build(experiment)
    checked = check_run(built)
    checked.hold(built.run(built.reset()), built.state())
    seeds = SEEDS if timed else FEW_SEEDS
    fits = {seed: Fit(experiment, built.device, built.run(built.reset(seed=seed)), 0.0, 0.0) for seed in seeds}
    settled = {seed: int(first_settled(fit.below)) for seed, fit in fits.items()}
    learnt = {seed: fit for seed, fit in fits.items() if settled[seed]}
    least = 6 if timed else 1  # fewer give no interval
    assert len(learnt) >= least, f"{len(learnt)} of {len(seeds)} seeds get there and stay: too few"
    if not timed:  # pytest-benchmark then runs one round
        learnt = dict([*learnt.items()][:1])
    in_turn, trained = cycle(learnt), list[tuple[int, Array]]()

    def fresh() -> tuple[tuple[int, Array], dict[str, Any]]:
        seed = next(in_turn)
        return (seed, built.reset(seed=seed)[: settled[seed]]), {}

    benchmark.pedantic(lambda seed, rows: trained.append((seed, built.run(rows))), setup=fresh, rounds=len(learnt))
    assert {seed for seed, _ in trained} == set(learnt)
    for seed, weights in trained:
        on_host(weights)
        np.testing.assert_array_equal(weights, learnt[seed].weights[: settled[seed]])
    epochs, low, high = statistics.median_interval([settled[seed] for seed in learnt])
    info = ExtraInfo(
        engine=engine,
        device=device,
        batch_size=batch_size,
        learning_rate=learning_rate,
        samples=experiment.samples,
        seeds=len(seeds),
        settled_seeds=len(learnt),
        epochs_to_accuracy=epochs,
        epochs_low=low,
        epochs_high=high,
        epochs_to_first_pass=float(np.median([first_true(fit.below) for fit in learnt.values()])),
    )
    if stats_of(benchmark) is not None:
        seconds, low, high = statistics.median_interval(benchmark.stats.stats.data)
        info = replace(info, seconds_to_accuracy=seconds, seconds_low=low, seconds_high=high)
    benchmark.extra_info.update(info.known())
