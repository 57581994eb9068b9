"""A suspicion that a case is slower or faster, and how fresh launches confirm it: by a sign test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIRMED = 0.07  # the largest p-value that confirms: all of four launches, six of seven, …


@dataclass(frozen=True)
class Suspicion:
    """A case looks slower or faster, and fresh launches have to say the same.

    Attributes:
        launches_before: how many launches had measured the case when the suspicion arose; later ones are fresh.
        sign: 1 if the case looks slower, -1 if it looks faster.
    """

    launches_before: int
    sign: int


def confirms(fresh: Sequence[float], sign: int) -> bool:
    """Return whether launches confirm a suspicion.

    Args:
        fresh: the log ratios of the launches since the suspicion arose.
        sign: 1 or -1, the sign of the log ratios that agree with the suspicion.
    """
    return bool(fresh) and _sign_p_value(int(np.sum(np.sign(fresh) == sign)), len(fresh)) <= CONFIRMED


def confirmations_needed(fresh: Sequence[float], sign: int) -> int:
    """Return how many more launches confirm a suspicion if all of them agree; the arguments are those of `confirms`."""
    agreeing, more = int(np.sum(np.sign(fresh) == sign)), 0
    while _sign_p_value(agreeing + more, len(fresh) + more) > CONFIRMED:
        more += 1
    return more


def _sign_p_value(agreeing: int, launches: int) -> float:
    """Return how probably at least so many of the launches are on one given side of 1 if either is as likely."""
    from scipy.special import bdtrc

    return float(bdtrc(agreeing - 1, launches, 0.5)) if agreeing else 1.0
