"""What a comparison is asked, how far it is, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parabola.compare.referee import MINIMUM_EFFECT, Referee
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.launch import Launch


@dataclass(frozen=True)
class Options:
    """How to compare.

    Attributes:
        base, head: revisions; None for the working tree as it stands.
        pytest_options: for both sides.
        budget_seconds: after which nothing is measured any more.
        minimum_effect: 0.05 calls times that differ by less than 5 % the same.
        limit_seconds: how long a side may be silent.
        cores_per_launch: on which both sides of a launch run, in turn.
        launches_at_once: side by side, each on its own cores; None for as many as the cores allow.
        slower: share of extra work to plant on the side of head, by case or a part of its name that no other has.
    """

    base: str | None
    head: str | None = None
    pytest_options: tuple[str, ...] = ()
    budget_seconds: float = 300.0
    minimum_effect: float = MINIMUM_EFFECT
    limit_seconds: float = 300.0
    cores_per_launch: int = 1
    launches_at_once: int | None = None
    slower: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """What is going on, for a line on the terminal: times in seconds, how many cases are decided, those in work."""

    seconds: float
    launches: int
    decided: int
    cases: int
    doing: str

    def __str__(self) -> str:
        cases = f", {self.decided} of {self.cases} cases decided" if self.cases else ""
        return f"launch {self.launches + 1}{cases}: {self.doing}"


@dataclass(frozen=True)
class Outcome:
    """What was measured, and how it ended.

    Attributes:
        base, head: the two sides.
        launches: that are over, in the order in which they ended.
        referee: what they say of the cases.
        control: what they say of the control.
        only: by side, the cases that the other does not have.
        unmeasured: cases that both have, but that a side skips.
        ended: "decided", "budget", "failed" or "interrupted".
        why: where it failed.
        usage: it failed since pytest refused its options.
        disturbed: another comparison ran on this machine meanwhile.
        seconds: from beginning to end.
    """

    base: Checkout
    head: Checkout
    launches: Sequence[Launch]
    referee: Referee
    control: Referee
    only: Mapping[str, Sequence[str]]
    unmeasured: Sequence[str]
    ended: str
    why: str
    usage: bool
    disturbed: bool
    seconds: float
