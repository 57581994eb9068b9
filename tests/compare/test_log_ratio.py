"""How much launches, and rounds within them, differ: the noise that is left, in figures by hand."""

import math

import numpy as np
import pytest

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.log_ratio import launch_spread, round_spread

NORMAL = 1.482602  # times the median distance from the median is a normal distribution's standard deviation


def rounds(*ratios: float) -> BySide[list[float]]:
    """Return a launch of as many rounds, in which head took so many times as long as base."""
    base = [0.5 * 2**at for at in range(len(ratios))]
    return BySide(base, [second * ratio for second, ratio in zip(base, ratios, strict=True)])


def test_launches_differ() -> None:
    """Distances of logs from their median are 3, 1, 0, 2 and 9 hundredths, so the median distance is 2."""
    logs = (0.02, 0.04, 0.05, 0.07, 0.14)

    assert launch_spread([rounds(math.exp(log), math.exp(log)) for log in logs]) == pytest.approx(NORMAL * 0.02)
    assert launch_spread([rounds(1.0), rounds(1.1)]) is None
    assert launch_spread([]) is None
    assert launch_spread([rounds(1.0)] * 3) == 0


def test_rounds_differ_within_launches() -> None:
    """The median over launches that have three rounds, of which each has its own level; rounds are not averaged."""
    steady = rounds(1.0, 1.0, 1.0)
    uneven = rounds(*(2 * math.exp(log) for log in (0.0, 0.01, 0.03)))  # 1, 0 and 2 hundredths from the median
    wild = rounds(*(math.exp(log) for log in (-0.1, 0.1, 0.0, 5.0)))  # 0.15, 0.05, 0.05 and 4.95

    assert round_spread([wild]) == pytest.approx(NORMAL * 0.1)
    assert round_spread([steady, uneven, wild, rounds(1.0, 9.0)]) == pytest.approx(NORMAL * 0.01)
    assert round_spread([rounds(1.0, 9.0)]) is None
    assert round_spread([]) is None


def test_a_spread_is_a_standard_deviation_but_for_bad_launches() -> None:
    """Of 4,001 normal launches it is theirs within 5 %, also if one in ten takes twice as long."""
    logs = np.random.default_rng(0).normal(0.0, 0.03, 4001)
    launches = [rounds(float(np.exp(log))) for log in logs]
    struck = [rounds(2 * float(np.exp(log))) if at % 10 == 0 else launches[at] for at, log in enumerate(logs)]

    assert launch_spread(launches) == pytest.approx(0.03, rel=0.05)
    assert launch_spread(struck) == pytest.approx(0.03, rel=0.2)
