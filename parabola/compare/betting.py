"""How strongly launches speak for a case being slower, faster or the same: what gamblers win who bet on signs.

Both sides of a launch are treated alike, so around its centre a case's log ratio is as often so far above as so far
below. Whoever bets against this, on the side of the centre that a launch lies on, plays a fair game: however long the
game, and whenever it is stopped, the stake grows 200-fold with a probability of at most 1/200, whatever the
distribution of the launches. Large winnings of a bet are therefore evidence that the centre lies on that side.

Source: Ville, "Étude critique de la notion de collectif", 1939; bets on signs: de la Peña, "A general class of
exponential inequalities for martingales and ratios", Annals of Probability 1999; as a method: Ramdas, Grünwald, Vovk
and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 2023.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Five gamblers share the stake. The most that each bets, as a share of what it has; the distance from the centre, in
# minimum effects, from which on it bets as much, while it bets in proportion below; and its part of the stake. The bold
# win where launches differ by less than the minimum effect, the timid where they differ by several times as much. How
# many launches they take is shown by benchmarks/studies/looking.py; that they are rarely wrong holds for any numbers.
BETS = np.array([(0.97, 0.5, 0.25), (0.85, 0.5, 0.5), (0.6, 1.2, 0.1), (0.4, 3.0, 0.09), (0.15, 12.0, 0.06)])
SHARES, REACHES, PARTS = BETS.T
MOST = 700.0  # of a logarithm whose exponential is a number


class Claims(NamedTuple):
    """The logarithm of what bets on each claim have won, of any one shape.

    Attributes:
        same: that the centre lies within the minimum effect: the less that was won of the bets on both its ends.
        slower: that the centre lies above 0.
        faster: that the centre lies below 0.
    """

    same: Floats
    slower: Floats
    faster: Floats

    @property
    def changed(self) -> Floats:
        """That the centre is not 0: half the stake is bet on either side."""
        return np.logaddexp(self.slower, self.faster) - math.log(2)


def deviations(log_ratios: npt.ArrayLike, bound: float) -> Floats:
    """Return how far launches lie above -bound, below bound, above 0 and below 0: shape (..., 4), as log ratios.

    Args:
        log_ratios: shape (...,), one of each launch.
        bound: the minimum effect, as a log ratio.
    """
    values = np.asarray(log_ratios, float)
    return np.stack((values + bound, bound - values, values, -values), axis=-1)


def log_factors(deviations: Floats, bound: float) -> Floats:
    """Return the logarithm of the factor by which launches multiply what each gambler has.

    Args:
        deviations: shape (...,), how far launches lie on the side of a centre that is bet on.
        bound: the minimum effect, as a log ratio.

    Returns:
        Shape (..., gamblers); to be summed over launches.
    """
    return np.asarray(np.log1p(SHARES * np.clip(deviations[..., None] / (REACHES * bound), -1.0, 1.0)))


def log_winnings(sums: Floats) -> Floats:
    """Return the logarithm of what all gamblers together have won, from the sums over launches of `log_factors`."""
    return np.asarray(np.log(np.exp(np.clip(sums, -MOST, MOST)) @ PARTS))


def claims(sums: Floats) -> Claims:
    """Return what was won on each claim, from the sums over launches that bet on `deviations`: (..., 4, gamblers)."""
    above_low, below_high, slower, faster = np.moveaxis(log_winnings(sums), -1, 0)
    return Claims(np.minimum(above_low, below_high), slower, faster)


def convincing(log_won: Floats, wanted: float) -> npt.NDArray[np.bool_]:
    """Return of which cases a claim is believed, so that the probability of any wrong one is at most 1 / wanted.

    What a case has won beyond `wanted` must make up for all that other cases lack of it. So one case that stands out
    of many needs as much as by Bonferroni's method, but nothing more is asked of many that all have enough.

    Args:
        log_won: shape (cases, ...), on the claim of each case, decided or not; the family is along the first axis.
        wanted: what a case by itself must win.

    Source: Vovk and Wang, "E-values: calibration, combination and applications", Annals of Statistics 2021, whose
    algorithm 1, Holm's method for averages, comes to this sum.
    """
    won = np.exp(np.minimum(log_won, 100.0))  # nobody asks for more
    lacking = np.maximum(0.0, wanted - won).sum(axis=0)
    return np.asarray(won - wanted >= lacking)


def interval(log_ratios: npt.ArrayLike, bound: float, wanted: float) -> tuple[float, float]:
    """Return the ends of the interval of all centres against which bets on neither side have won `wanted`.

    At any time, and however often one looks, the centre lies outside with a probability of at most 2 / wanted.

    Args:
        log_ratios: shape (launches,).
        bound: the minimum effect, as a log ratio.
        wanted: what a bet must win.

    Returns:
        The lower and the upper end; infinite where so few launches cannot win enough.
    """
    values = np.ravel(np.asarray(log_ratios, float))
    return _lower_end(values, bound, wanted), -_lower_end(-values, bound, wanted)


def _lower_end(values: Floats, bound: float, wanted: float) -> float:
    from scipy.optimize import brentq

    def excess(centre: float) -> float:
        return float(log_winnings(log_factors(values - centre, bound).sum(axis=0))) - math.log(wanted)

    if not len(values) or excess(farthest := float(values.min()) - REACHES.max() * bound) < 0:
        return -math.inf
    return float(brentq(excess, farthest, float(values.max())))
