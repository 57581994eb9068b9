"""The referee: what launches say of each case (same within the minimum effect, slower, …), and when they suffice."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parabola import statistics
from parabola.compare.suspicion import Suspicion, confirmations_needed, confirms
from parabola.compare.verdicts import Verdict

FAMILY_CONFIDENCE, MINIMUM_EFFECT = 0.99, 0.05
FEWEST_LAUNCHES = 5  # from which on a case has an interval


@dataclass(frozen=True)
class Evidence:
    """What is known of a case.

    Attributes:
        ratio: the time of head divided by the time of base; NaN before the first launch.
        low, high: the interval of the ratio; 0 and infinity as long as there are too few launches for one.
        confidence: the confidence of this interval alone, after Holm.
        launches: how many launches measured the case.
        launches_needed: about how many more would decide it; 0 if it is decided, None if unknown or above 1,000.
        suspected: the interval excludes 1, but fresh launches have not confirmed it.
        verdict: the verdict by its times: INCONCLUSIVE until it is decided.
    """

    ratio: float
    low: float
    high: float
    confidence: float
    launches: int
    launches_needed: int | None
    suspected: bool
    verdict: Verdict


@dataclass(frozen=True)
class Interval:
    """Where the log ratio of a case lies.

    Attributes:
        center: the trimmed mean of the launches; NaN without any.
        low, high: its ends; infinite as long as there are too few launches.
    """

    center: float
    low: float
    high: float


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
        confidence: float = FAMILY_CONFIDENCE,
        decides: bool = True,
    ) -> None:
        """Begin without launches.

        Args:
            cases: the names of all cases that are judged together: the family of Holm's method.
            minimum_effect: 0.05 calls times that differ by less than 5 % the same.
            confidence: the probability that all verdicts together are right.
            decides: False for a control, which is never decided: all its launches count, to the end.
        """
        self.decides = decides
        self.log_ratios: dict[str, list[float]] = {case: [] for case in cases}
        self.decided: dict[str, Verdict] = {}
        self._final: dict[str, Evidence] = {}
        self.suspicions: dict[str, Suspicion] = {}
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

    def evidence(self, case: str) -> Evidence:
        """Return what is known of a case; once it is decided, what was known then."""
        return self._final.get(case) or self._describe(case, 1 - self._levels()[case])

    def _describe(self, case: str, confidence: float) -> Evidence:
        values = self.log_ratios[case]
        interval = self._interval(values, confidence)
        return Evidence(
            ratio=_exp(interval.center),
            low=_exp(interval.low),
            high=_exp(interval.high),
            confidence=confidence,
            launches=len(values),
            launches_needed=self._needed(case, interval.center, confidence),
            suspected=case in self.suspicions and case not in self.decided,
            verdict=self.decided.get(case, Verdict.INCONCLUSIVE),
        )

    def standing(self, case: str) -> Verdict:
        """Return the verdict that the interval over all launches suggests, confirmed or not."""
        return self._standing(case, 1 - self._levels()[case])

    def looks_changed(self, case: str) -> bool:
        """Return whether more launches would rather call a case slower or faster than the same."""
        values = self.log_ratios[case]
        return case in self.suspicions or bool(values and abs(statistics.trimmed(values).mean) > self.bound / 2)

    def _standing(self, case: str, confidence: float) -> Verdict:
        interval = self._interval(self.log_ratios[case], confidence)
        if -self.bound < interval.low and interval.high < self.bound:
            return Verdict.SAME
        if interval.low > 0:
            return Verdict.SLOWER
        return Verdict.FASTER if interval.high < 0 else Verdict.INCONCLUSIVE

    def _levels(self) -> dict[str, float]:
        p_values = [
            statistics.trimmed_p_value(values) if len(values) >= FEWEST_LAUNCHES else 1.0
            for values in self.log_ratios.values()
        ]
        levels = statistics.holm_levels(p_values, 1 - self.confidence)
        return dict(zip(self.log_ratios, levels.tolist(), strict=True))

    def _interval(self, values: Sequence[float], confidence: float) -> Interval:
        if not values:
            return Interval(math.nan, -math.inf, math.inf)
        center = statistics.trimmed(values).mean
        if len(values) < FEWEST_LAUNCHES:
            return Interval(center, -math.inf, math.inf)
        return Interval(center, *statistics.trimmed_interval(values, confidence))

    def _judge(self, case: str, confidence: float) -> None:
        values, standing = self.log_ratios[case], self._standing(case, confidence)
        if standing == Verdict.SAME:
            self.decided[case] = standing
        elif standing == Verdict.INCONCLUSIVE:
            self.suspicions.pop(case, None)
        else:
            sign = 1 if standing == Verdict.SLOWER else -1
            suspicion = self.suspicions.get(case)
            if suspicion is None or suspicion.sign != sign:
                suspicion = self.suspicions[case] = Suspicion(len(values), sign)
            if confirms(values[suspicion.launches_before :], sign):
                self.decided[case] = standing

    def _needed(self, case: str, center: float, confidence: float) -> int | None:
        """Return how many more launches: to be within the bound, or to exclude 1, whichever comes first."""
        values = self.log_ratios[case]
        if case in self.decided:
            return 0
        if case in self.suspicions:
            suspicion = self.suspicions[case]
            return confirmations_needed(values[suspicion.launches_before :], suspicion.sign)
        if len(values) < 2:
            return None
        reach = max(abs(center), self.bound - abs(center))
        wanted = statistics.launches_needed(values, confidence, reach)
        if wanted is None:
            return None
        confirming = confirmations_needed([], 1) if self.looks_changed(case) else 0
        return max(wanted, FEWEST_LAUNCHES, len(values) + 1) - len(values) + confirming


def _exp(value: float) -> float:
    return math.inf if value > 700 else math.exp(value)
