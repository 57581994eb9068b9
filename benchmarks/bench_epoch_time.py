"""How fast is an epoch?"""

from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks.harness.cases import AXES, TimedCase, count_epochs, stats_of
from benchmarks.harness.fixed_cost import tell_fixed_cost
from benchmarks.harness.known_runs import checked_run, in_comparison
from parabola.records.extra_info import ExtraInfo
from parabola.training import engines
from parabola.training.target import Array
from parabola.verification.check import told


@pytest.mark.benchmark(group="epoch time: seconds per epoch")
def bench_epoch_time(benchmark: Any, case: TimedCase, timed: bool, pytestconfig: pytest.Config) -> None:
    """Inside the clock: the epochs of one run, and its weights back on the host.

    Outside: building and compiling, copying the samples and the bank of orders to the device, fresh weights and a fresh
    optimizer before each round, and the check: one run before the rounds is held against the reference from its first
    epoch to its last, and every round against that run. After them runs of one epoch tell what a round costs once. In a
    comparison, later launches take a run whose bits were found to be right for that one.
    """
    experiment = case.experiment
    engine = engines.build(experiment, anew=timed and not in_comparison())
    checked = checked_run(engine)
    rows, trained = engine.reset(), list[Array]()

    def fresh(*_: Any) -> None:
        hold()
        engine.reset()
        count_epochs(benchmark, experiment.epochs)

    def hold() -> None:
        """Hold what the round before has trained, while the engine still is where it ended."""
        while trained:
            checked.hold(trained.pop(), engine.state())

    benchmark.pedantic(
        lambda rows: trained.append(engine.run(rows)),
        args=(rows,),
        setup=fresh,
        rounds=case.rounds,
        warmup_rounds=case.warmup_rounds,
    )
    hold()
    fit = checked.fit
    info = ExtraInfo(
        **{knob: getattr(experiment, knob) for knob in (*AXES, "network", "optimizer", "epochs", "seed")},
        compile_seconds=engine.compile_seconds,
        coefficient_error=float(fit.coefficient_error[-1]),
        verdict=fit.verdict,
        passed=fit.verdict == "pass",
        **told([checked]),
    )
    if stats_of(benchmark) is not None:
        seconds_per_epoch = benchmark.stats.stats.median
        tell_fixed_cost(pytestconfig, engine, case, benchmark.stats.stats.min)
        info = replace(
            info,
            samples_per_second=experiment.samples / seconds_per_epoch,
            steps_per_second=experiment.steps / seconds_per_epoch,
        )
    benchmark.extra_info.update(info.known())
