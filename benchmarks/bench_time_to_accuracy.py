"""How long does it take to learn?"""

from dataclasses import replace
from itertools import cycle
from typing import Any

import msgspec
import numpy as np
import pytest

from benchmarks.harness.accuracy import FEW_SEEDS, SEEDS, SETTINGS, fewer_than_before
from benchmarks.harness.cases import AXES, stats_of
from benchmarks.harness.options import SELECTION
from parabola import registry, statistics
from parabola.machine.backends import backend
from parabola.records.extra_info import ExtraInfo
from parabola.training import engines
from parabola.training.fit import Fit, on_host
from parabola.training.target import Array, first_true
from parabola.verification.check import check_run, told
from parabola.verification.refusal import subject_of

# Two of a setting's values are parameters of their own, as records have had them.
PARAMETERS = [(spec.batch_size, spec.learning_rate, name) for name, spec in SETTINGS.items()]


@pytest.mark.benchmark(group="time to accuracy: seconds to the first epoch below")
@pytest.mark.parametrize(("batch_size", "learning_rate", "setting"), PARAMETERS, ids=SETTINGS)
def bench_time_to_accuracy(
    benchmark: Any,
    engine: str,
    device: str,
    batch_size: int,
    learning_rate: float,
    setting: str,
    timed: bool,
    request: pytest.FixtureRequest,
) -> None:
    """Inside the clock: the epochs of a run, up to the first after which the error is below the learning rate.

    An untimed run of 999 epochs finds that epoch for each seed. Each seed that has one arrives, and makes a round; the
    others are only counted, and significantly more of them than in the baseline fail the case. A learning rate that
    decays counts by its smallest value. Outside of the clock: all that is outside of epoch times.
    """
    spec = SETTINGS[setting]
    if spec.final_learning_rate is not None and not registry.ENGINES[engine].schedules:
        pytest.skip(f"{engine} has no learning-rate schedule")
    if device.startswith("gpu") and batch_size < 111 and not request.config.stash[SELECTION].devices:
        pytest.skip(f"40 runs of small batches take minutes on a GPU; --device {device} runs them")
    experiment = replace(spec, engine=engine, device=device)
    built = engines.build(experiment)
    again = f"benchmarks/bench_time_to_accuracy.py --benchmark-only --engine {engine} --backend {backend()}"
    subject = subject_of(experiment, built.device, again=f"{again} --device {device}")
    checked = check_run(built, subject)
    checked.hold(built.run(built.reset()), built.state())
    seeds = SEEDS if timed else FEW_SEEDS
    fits = {seed: Fit(experiment, built.device, built.run(built.reset(seed=seed)), 0.0, 0.0) for seed in seeds}
    first = {seed: int(first_true(fit.below)) for seed, fit in fits.items()}
    arrived = [seed for seed in seeds if first[seed]]
    fewer = fewer_than_before(setting, len(arrived), len(seeds))
    assert not fewer, f"{engine} on {device}, setting {setting}: {fewer}"
    least = 6 if timed else 1  # fewer give no interval
    assert len(arrived) >= least, f"{len(arrived)} of {len(seeds)} seeds arrive: too few"
    in_turn, trained = cycle(arrived), list[tuple[int, Array]]()

    def fresh() -> tuple[tuple[int, Array], dict[str, Any]]:
        seed = next(in_turn)
        return (seed, built.reset(seed=seed)[: first[seed]]), {}

    rounds = len(arrived) if timed else 1
    benchmark.pedantic(lambda seed, rows: trained.append((seed, built.run(rows))), setup=fresh, rounds=rounds)
    assert {seed for seed, _ in trained} == {*arrived[:rounds]}
    for seed, weights in trained:
        on_host(weights)
        np.testing.assert_array_equal(weights, fits[seed].weights[: first[seed]])
    epochs, low, high = statistics.median_interval([first[seed] for seed in arrived])
    info = ExtraInfo(
        seeds=len(seeds),
        arrived_seeds=len(arrived),
        settled_seeds=sum(bool(fit.below[-1]) for fit in fits.values()),
        epochs_to_accuracy=epochs,
        epochs_low=low,
        epochs_high=high,
        later_share_below=float(np.median([fits[seed].below[first[seed] - 1 :].mean() for seed in arrived])),
        **{knob: getattr(experiment, knob) for knob in (*AXES, "final_learning_rate", "init")},
        **told([checked]),
    )
    if stats_of(benchmark) is not None:
        seconds, low, high = statistics.median_interval(benchmark.stats.stats.data)
        info = msgspec.structs.replace(info, seconds_to_accuracy=seconds, seconds_low=low, seconds_high=high)
    benchmark.extra_info.update(info.known())
