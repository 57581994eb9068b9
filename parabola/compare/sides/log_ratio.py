"""What the rounds of one launch say: the ratio of its two sides."""

import numpy as np
import numpy.typing as npt


def launch_log_ratio(base: npt.ArrayLike, head: npt.ArrayLike) -> float:
    """Return the log of the ratio head : base in one launch, whose rounds took turns: base, head, head, base, …

    Two neighbouring pairs are averaged, which takes out a steady drift; the median of these takes out a bad moment.

    Args:
        base: shape (rounds,), seconds of each of the base's rounds.
        head: shape (rounds,), seconds of the head's. Where one side has more rounds, its last ones have no partner.
    """
    pairs = min(np.size(base), np.size(head))
    ratios = np.log(np.ravel(head)[:pairs]) - np.log(np.ravel(base)[:pairs])
    if pairs < 2:
        return float(ratios[0])
    whole = pairs - pairs % 2
    return float(np.median(ratios[:whole].reshape(-1, 2).mean(axis=1)))
