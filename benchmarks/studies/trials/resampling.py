"""False alarms in thousands of comparisons, whose launches are drawn from those that trials have recorded."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.studies.trials.summary import log_ratios
from parabola.compare.comparison import Comparison
from parabola.compare.referee import CONFIDENCE, MINIMUM_EFFECT, Referee
from parabola.compare.sides.launch import CONTROL
from parabola.compare.verdicts import Verdict

MOST_LAUNCHES = 100  # of a comparison


def pools(comparisons: Sequence[Comparison]) -> dict[str, npt.NDArray[np.float64]]:
    """Return by case the log ratios of all recorded launches, but for the control and where a slowdown is planted."""
    return {case: np.array(values) for case, values in log_ratios(comparisons).items() if case != CONTROL}


def resample(
    ratios: dict[str, npt.NDArray[np.float64]],
    number: int,
    launches: int = MOST_LAUNCHES,
    minimum_effect: float = MINIMUM_EFFECT,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> tuple[int, int]:
    """Simulate comparisons by the rule of real ones, looked at after every launch.

    Each launch draws for every undecided case one of its recorded log ratios, with a random sign, as neither side has
    a name when both are the same.

    Args:
        ratios: the log ratios of recorded launches, by case.
        number: how many comparisons.
        launches: how many each has at most.
        minimum_effect: what is called the same.
        confidence: that of all verdicts together.
        seed: where random numbers begin.

    Returns:
        In how many some case was called slower or faster, though nothing is; and how many of all cases were decided.
    """
    generator, false, decided = np.random.default_rng(seed), 0, 0
    for _ in range(number):
        referee = Referee([*ratios], minimum_effect, confidence)
        for _ in range(launches):
            left = referee.undecided
            referee.add({case: generator.choice(ratios[case]) * generator.choice((-1, 1)) for case in left})
        false += any(verdict in (Verdict.SLOWER, Verdict.FASTER) for verdict in referee.decided.values())
        decided += len(referee.decided)
    return false, decided
