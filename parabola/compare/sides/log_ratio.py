"""What the rounds of one launch say: the ratio of its two sides; and how much such ratios differ among each other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import median_abs_deviation

from parabola.compare.sides.by_side import BySide

FEWEST_VALUES = 3  # that have a spread


def launch_log_ratio(base: npt.ArrayLike, head: npt.ArrayLike) -> float:
    """Return the log of the ratio head : base in one launch, whose rounds took turns: base, head, head, base, …

    Two neighbouring pairs are averaged, which takes out a steady drift; the median of these takes out a bad moment.

    Args:
        base: shape (rounds,), seconds of each of the base's rounds.
        head: shape (rounds,), seconds of the head's. Where one side has more rounds, its last ones have no partner.
    """
    ratios = _log_ratios(base, head)
    if len(ratios) < 2:
        return float(ratios[0])
    whole = len(ratios) - len(ratios) % 2
    return float(np.median(ratios[:whole].reshape(-1, 2).mean(axis=1)))


def launch_spread(launches: Sequence[BySide[list[float]]]) -> float | None:
    """Return how much launches differ in their log ratios.

    Args:
        launches: of each, the seconds of its sides' rounds.

    Returns:
        What would be the standard deviation if all were normal; a few bad launches do not move it, as it is taken from
        the median of the distances from the median. None for too few launches.
    """
    return _spread([launch_log_ratio(seconds.base, seconds.head) for seconds in launches])


def round_spread(launches: Sequence[BySide[list[float]]]) -> float | None:
    """Return how much pairs of rounds differ in their log ratios within a launch, by the median over launches.

    Args:
        launches: of each, the seconds of its sides' rounds.

    Returns:
        A spread as that of `launch_spread`; None where no launch has enough rounds.
    """
    spreads = [_spread(_log_ratios(seconds.base, seconds.head)) for seconds in launches]
    known = [spread for spread in spreads if spread is not None]
    return float(np.median(known)) if known else None


def _log_ratios(base: npt.ArrayLike, head: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the log of the ratio head : base of each pair of rounds."""
    pairs = min(np.size(base), np.size(head))
    ratios: npt.NDArray[np.float64] = np.log(np.ravel(head)[:pairs]) - np.log(np.ravel(base)[:pairs])
    return ratios


def _spread(log_ratios: npt.ArrayLike) -> float | None:
    return float(median_abs_deviation(log_ratios, scale="normal")) if np.size(log_ratios) >= FEWEST_VALUES else None
