"""What the launches of a comparison say: a verdict for each case, and when there are enough of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from parabola import statistics

CONFIDENCE, MINIMUM_EFFECT = 0.99, 0.05
FEWEST_LAUNCHES = 5
CONFIRMED = 0.07  # of the sign test over the launches since a case was first suspected


@dataclass(frozen=True)
class Verdict:
    """What is known of a case.

    Attributes:
        name: "same", "slower", "faster" or "inconclusive".
        ratio: time of head : time of base; NaN before the first launch.
        low, high: its interval, at the family's confidence.
        confidence: of this interval alone, after Holm.
        launches: that measured the case.
        launches_needed: about how many more would decide it; 0 if it is decided, None if unknown or above 1,000.
        suspected: the interval excludes 1, but fresh launches have not confirmed it.
    """

    name: str
    ratio: float
    low: float
    high: float
    confidence: float
    launches: int
    launches_needed: int | None
    suspected: bool


class Referee:
    """Gathers log ratios, launch by launch, and decides.

    A case is `same` when its interval lies within the minimum effect on either side of 1; else it is suspected to be
    slower or faster when the interval excludes 1. A suspicion becomes the verdict once launches that came after it
    arose say the same by themselves (a sign test: all of the first four, six of seven, …), while the interval over
    all launches still excludes 1. What is decided stays decided, with the interval that
    decided it: launches that come later count no more.
    """

    def __init__(
        self,
        cases: Sequence[str],
        minimum_effect: float = MINIMUM_EFFECT,
        confidence: float = CONFIDENCE,
        decides: bool = True,
    ) -> None:
        """Begin without launches.

        Args:
            cases: the family that Holm's method is over.
            minimum_effect: 0.05 calls times that differ by less than 5 % the same.
            confidence: of all verdicts together.
            decides: False for a control: all its launches count, to the end.
        """
        self.decides = decides
        self.log_ratios: dict[str, list[float]] = {case: [] for case in cases}
        self.decided: dict[str, str] = {}
        self._final: dict[str, Verdict] = {}
        self.suspected_from: dict[str, tuple[int, int]] = {}  # by case: launches before, and 1 for slower or -1
        self.bound = math.log1p(minimum_effect)
        self.confidence = confidence

    def add(self, log_ratios: Mapping[str, float]) -> None:
        """Take in a launch: the log ratio of each case that it measured."""
        new = {case: log_ratio for case, log_ratio in log_ratios.items() if case not in self.decided}
        for case, log_ratio in new.items():
            self.log_ratios[case].append(log_ratio)
        if not self.decides:
            return
        levels = self._levels()
        for case in new:
            self._judge(case, 1 - levels[case])
            if case in self.decided:
                self._final[case] = self._describe(case, 1 - levels[case])

    @property
    def undecided(self) -> list[str]:
        """The cases without a verdict."""
        return [case for case in self.log_ratios if case not in self.decided]

    def verdict(self, case: str) -> Verdict:
        """Return what is known of a case."""
        return self._final.get(case) or self._describe(case, 1 - self._levels()[case])

    def _describe(self, case: str, confidence: float) -> Verdict:
        values = self.log_ratios[case]
        center, low, high = self._interval(values, confidence)
        return Verdict(
            name=self.decided.get(case, "inconclusive"),
            ratio=_exp(center),
            low=_exp(low),
            high=_exp(high),
            confidence=confidence,
            launches=len(values),
            launches_needed=self._needed(case, center, confidence),
            suspected=case in self.suspected_from and case not in self.decided,
        )

    def standing(self, case: str) -> str:
        """Return the verdict that the interval over all launches suggests, confirmed or not."""
        return self._standing(case, 1 - self._levels()[case])

    def looks_changed(self, case: str) -> bool:
        """Return whether more launches would rather call a case slower or faster than the same."""
        values = self.log_ratios[case]
        return case in self.suspected_from or bool(values and abs(statistics.trimmed(values)[0]) > self.bound / 2)

    def _standing(self, case: str, confidence: float) -> str:
        _, low, high = self._interval(self.log_ratios[case], confidence)
        if -self.bound < low and high < self.bound:
            return "same"
        return "slower" if low > 0 else "faster" if high < 0 else "inconclusive"

    def _levels(self) -> dict[str, float]:
        p_values = [
            statistics.trimmed_p_value(values) if len(values) >= FEWEST_LAUNCHES else 1.0
            for values in self.log_ratios.values()
        ]
        levels = statistics.holm_levels(p_values, 1 - self.confidence)
        return dict(zip(self.log_ratios, levels.tolist(), strict=True))

    def _interval(self, values: Sequence[float], confidence: float) -> tuple[float, float, float]:
        if not values:
            return math.nan, -math.inf, math.inf
        center, _, _ = statistics.trimmed(values)
        if len(values) < FEWEST_LAUNCHES:
            return center, -math.inf, math.inf
        return center, *statistics.trimmed_interval(values, confidence)

    def _judge(self, case: str, confidence: float) -> None:
        values, standing = self.log_ratios[case], self._standing(case, confidence)
        if standing == "same":
            self.decided[case] = standing
        elif standing == "inconclusive":
            self.suspected_from.pop(case, None)
        else:
            sign = 1 if standing == "slower" else -1
            before, suspected = self.suspected_from.get(case, (len(values), sign))
            if sign != suspected:
                before = len(values)
            self.suspected_from[case] = before, sign
            if _confirms(values[before:], sign):
                self.decided[case] = standing

    def _needed(self, case: str, center: float, confidence: float) -> int | None:
        """Return how many more launches: to be within the bound, or to exclude 1, whichever comes first."""
        values = self.log_ratios[case]
        if case in self.decided:
            return 0
        if case in self.suspected_from:
            before, sign = self.suspected_from[case]
            return _confirmations_needed(values[before:], sign)
        if len(values) < 2:
            return None
        reach = max(abs(center), self.bound - abs(center))
        wanted = statistics.launches_needed(values, confidence, reach)
        if wanted is None:
            return None
        confirming = _confirmations_needed([], 1) if self.looks_changed(case) else 0
        return max(wanted, FEWEST_LAUNCHES, len(values) + 1) - len(values) + confirming


def _confirms(fresh: Sequence[float], sign: int) -> bool:
    return bool(fresh) and _sign_p_value(int(np.sum(np.sign(fresh) == sign)), len(fresh)) <= CONFIRMED


def _confirmations_needed(fresh: Sequence[float], sign: int) -> int:
    agreeing, more = int(np.sum(np.sign(fresh) == sign)), 0
    while _sign_p_value(agreeing + more, len(fresh) + more) > CONFIRMED:
        more += 1
    return more


def _sign_p_value(agreeing: int, launches: int) -> float:
    """Return how probably at least so many of the launches are on one given side of 1 if either is as likely."""
    from scipy.special import bdtrc

    return float(bdtrc(agreeing - 1, launches, 0.5)) if agreeing else 1.0


def _exp(value: float) -> float:
    return math.inf if value > 700 else math.exp(value)
