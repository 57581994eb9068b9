"""Do rounds measure epochs? What a round costs once, such as its dispatch, against the whole of it."""

import math
import os
import time

import pytest

from benchmarks.harness.cases import TimedCase
from parabola.display.units import duration
from parabola.training.engines import Engine

FIXED_COSTS: pytest.StashKey[list[str]] = pytest.StashKey()
LARGEST_SHARE = 0.05  # of a round that may be fixed
MOST_SHORT_RUNS, SHORT_RUNS_SECONDS = 10, 0.1  # of one epoch each


def tell_fixed_cost(config: pytest.Config, engine: Engine, case: TimedCase, seconds_per_epoch: float) -> None:
    """Time runs of one epoch, outside of all rounds, and keep a line for the session's end if rounds are too short.

    A side of a comparison does not: its short runs would be timed while the other side's are.

    Args:
        config: pytest's.
        engine: the engine whose rounds are over.
        case: the case that was timed.
        seconds_per_epoch: the smallest over rounds, each divided by its epochs; other work on the machine only adds.
    """
    epochs = case.experiment.epochs
    if epochs > 1 and "PARABOLA_SIDE" not in os.environ:
        config.stash[FIXED_COSTS] += lines(case, seconds_per_epoch * epochs, short_run_seconds(engine))


def short_run_seconds(engine: Engine) -> float:
    """Return the smallest time of a few runs of one epoch, in seconds."""
    taken = list[float]()
    while len(taken) < MOST_SHORT_RUNS and sum(taken) < SHORT_RUNS_SECONDS:
        rows = engine.reset()[:1]
        start = time.perf_counter()
        engine.run(rows)
        taken.append(time.perf_counter() - start)
    return min(taken)


def lines(case: TimedCase, round_seconds: float, short_seconds: float) -> list[str]:
    """Say how much of a case's rounds is a fixed cost, and with how many epochs it would be little; nothing if it is.

    A round of n epochs takes the fixed cost and n times an epoch, a run of one epoch takes the fixed cost and an epoch.

    Args:
        case: the case, of at least two epochs a round.
        round_seconds: how long a round takes.
        short_seconds: how long a run of one epoch takes.
    """
    epochs = case.experiment.epochs
    epoch = (round_seconds - short_seconds) / (epochs - 1)
    fixed = short_seconds - epoch
    if epoch <= 0 or fixed <= LARGEST_SHARE * round_seconds:
        return []
    enough = math.ceil((1 / LARGEST_SHARE - 1) * fixed / epoch)
    digits = 10 ** max(0, len(str(enough)) - 2)
    return [
        f"{case.id}: {100 * fixed / round_seconds:.0f} % of a round of {epochs} epochs is a cost that every round has "
        f"once ({duration(fixed)}); below {100 * LARGEST_SHARE:g} % with --epochs {math.ceil(enough / digits) * digits}"
    ]
