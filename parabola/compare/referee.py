"""The referee: what launches say of each case (same within the minimum effect, slower, …), and when they suffice."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parabola import statistics
from parabola.compare import betting
from parabola.compare.verdicts import Verdict

CONFIDENCE, MINIMUM_EFFECT = 0.99, 0.05
MOST_NEEDED = 1000  # launches: a case that would need more is said to need many
AHEAD = np.unique(np.geomspace(1, MOST_NEEDED, 60).astype(int))  # numbers of further launches that are tried


@dataclass(frozen=True)
class Evidence:
    """What is known of a case.

    Attributes:
        ratio: the time of head divided by the time of base; NaN before the first launch.
        low, high: the interval of the ratio; 0 and infinity as long as there are too few launches for one.
        confidence: the confidence of this interval alone, however often one looks.
        launches: how many launches measured the case.
        launches_needed: about how many more would decide it; 0 if it is decided, None if unknown or above 1,000.
        suspected: the interval excludes 1, but the case is not decided, as other cases count, too.
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


class Referee:
    """Gathers log ratios, launch by launch, and decides.

    A case is `same` when its interval lies within the minimum effect on either side of 1, and slower or faster when
    its interval excludes 1. The interval may be looked at after every launch. In a family of cases it must do so the
    more clearly the further other cases are from it (`betting.convincing`), so that all verdicts together are right
    with the confidence: half of what is left for error goes to a false `same`, half to a false slower or faster.
    What is decided stays decided, with the launches that decided it: those that come later count no more.
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
            cases: the names of all cases that are judged together, as far as launches measure them.
            minimum_effect: 0.05 calls times that differ by less than 5 % the same.
            confidence: the probability that all verdicts together are right, and that each interval alone is.
            decides: False for a control, which is never decided: all its launches count, to the end.
        """
        self.decides = decides
        self.log_ratios: dict[str, list[float]] = {case: [] for case in cases}
        self.decided: dict[str, Verdict] = {}
        self.bound = math.log1p(minimum_effect)
        self.confidence = confidence
        self.wanted = 2 / (1 - confidence)
        self._at = {case: at for at, case in enumerate(self.log_ratios)}
        self._sums = np.zeros((len(self._at), 4, len(betting.BETS)))
        self._standings = [Verdict.INCONCLUSIVE for _ in self._at]
        self._needed: dict[str, int | None] | None = None  # by launches of all cases

    def add(self, log_ratios: Mapping[str, float]) -> None:
        """Take in a launch: the log ratio of each case that it measured."""
        new = {case: log_ratio for case, log_ratio in log_ratios.items() if case not in self.decided}
        for case, log_ratio in new.items():
            self.log_ratios[case].append(log_ratio)
        if not new:
            return
        bets = betting.deviations([*new.values()], self.bound)
        self._sums[[self._at[case] for case in new]] += betting.log_factors(bets, self.bound)
        self._standings, self._needed = self._judge(), None
        if self.decides:
            standing = {case: self.standing(case) for case in self.undecided}
            self.decided |= {case: verdict for case, verdict in standing.items() if verdict != Verdict.INCONCLUSIVE}

    @property
    def undecided(self) -> list[str]:
        """The cases without a verdict."""
        return [case for case in self.log_ratios if case not in self.decided]

    def evidence(self, case: str) -> Evidence:
        """Return what is known of a case; once it is decided, what was known then."""
        values, verdict = self.log_ratios[case], self.standing(case)
        self._needed = self._needed or self.launches_needed(self.log_ratios)
        low, high = betting.interval(values, self.bound, self.wanted)
        center = min(max(statistics.trimmed(values).mean, low), high) if values else math.nan
        return Evidence(
            ratio=_exp(center),
            low=_exp(low),
            high=_exp(high),
            confidence=self.confidence,
            launches=len(values),
            launches_needed=self._needed[case],
            suspected=verdict == Verdict.INCONCLUSIVE and (low > 0 or high < 0),
            verdict=verdict,
        )

    def standing(self, case: str) -> Verdict:
        """Return the verdict on a case; of a control, which is never decided, what all launches so far come to."""
        return self.decided.get(case) or self._standings[self._at[case]]

    def looks_changed(self, case: str) -> bool:
        """Return whether more launches would rather call a case slower or faster than the same."""
        values = self.log_ratios[case]
        return bool(values) and abs(statistics.trimmed(values).mean) > self.bound / 2

    def launches_needed(self, measured: Collection[str]) -> dict[str, int | None]:
        """Return about how many more launches decide each case; 0 if it is decided, None if unknown or too many.

        Args:
            measured: the cases that these launches are thought to measure, all of them like those so far.
        """
        left = np.array([self.standing(case) == Verdict.INCONCLUSIVE for case in self._at])
        going_on = set(measured)
        launches = [len(values) if case in going_on else math.inf for case, values in self.log_ratios.items()]
        growth = left / np.maximum(1, launches)
        ahead = 1 + growth[:, None] * AHEAD  # shape (cases, numbers): how many times as much is known by then
        claims = betting.claims(self._sums[:, None] * ahead[:, :, None, None])
        enough = self._believed(claims.same) | self._believed(claims.changed)
        needed = [int(AHEAD[row.argmax()]) if row.any() else None for row in enough]
        return {case: needed[at] if left[at] else 0 for case, at in self._at.items()}

    def _judge(self) -> list[Verdict]:
        claims = betting.claims(self._sums)
        believed = self._believed(claims.same), self._believed(claims.changed), claims.slower > claims.faster
        return [verdict_of(*case) for case in zip(*believed, strict=True)]

    def _believed(self, log_won: betting.Floats) -> npt.NDArray[np.bool_]:
        """Return of which cases a claim is believed; what nothing has measured gets no verdict, and lacks nothing."""
        measured = np.array([bool(values) for values in self.log_ratios.values()], bool)
        believed = np.zeros(log_won.shape, bool)
        believed[measured] = betting.convincing(log_won[measured], self.wanted)
        return believed


def verdict_of(same: bool, changed: bool, slower: bool) -> Verdict:
    """Return the verdict on a case of which it is believed or not that it is the same, and that it has changed."""
    if same:
        return Verdict.SAME
    if changed:
        return Verdict.SLOWER if slower else Verdict.FASTER
    return Verdict.INCONCLUSIVE


def _exp(value: float) -> float:
    return math.inf if value > 700 else math.exp(value)
