"""A comparison in this process: the options it was asked with, its progress, and what it measured when it ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from parabola.compare.environments.differences import Environment
from parabola.compare.referee import MINIMUM_EFFECT, Referee
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.launch import Launch
from parabola.compare.verdicts import Judgement

NEITHER = BySide("", "")
Ended = Literal["decided", "budget", "failed", "interrupted"]


@dataclass(frozen=True)
class Options:
    """How to compare.

    Attributes:
        base, head: revisions of the repository; None for the working tree as it stands.
        pytest_options: what pytest is called with, on both sides.
        budget_seconds: nothing is measured any more after this time.
        minimum_effect: 0.05 calls times that differ by less than 5 % the same.
        limit_seconds: how long a side may be silent before it is taken to hang.
        cores_per_launch: how many cores each launch has to itself; its two sides share them, in turn.
        launches_at_once: how many launches run side by side, each on its own cores; None for what the cores allow.
        slower: the share of extra work to plant in a case of head, by its name or by a part that no other name has.
        allowed: modules that may come from elsewhere than a side's own tree, with all that is in them.
        setup: of each side a command that its checkout's shell runs first; empty for none.
        logs: a folder that keeps what each side of each launch writes; None for none.
        only_cases: names of the cases to measure, or parts of their names; empty for all.
        install: of each side a command that fills a new environment for it; empty for none.
        python: of each side the file of its Python; empty for the one that runs this program.
        harness: files and folders of head to lay over base, as seen from the folder that the comparison is started in.
        metrics: the keys of extra_info that are compared as times are, each with its minimum effect.
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
    allowed: tuple[str, ...] = ()
    setup: BySide[str] = NEITHER
    logs: str | None = None
    only_cases: tuple[str, ...] = ()
    install: BySide[str] = NEITHER
    python: BySide[str] = NEITHER
    harness: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """What is going on, for a line on the terminal.

    Attributes:
        seconds: since the comparison began.
        launches: how many launches are over.
        decided: how many cases are decided.
        cases: how many cases there are; 0 as long as nobody knows.
        doing: the short names of the cases that are being measured; before the first launch, what else is done.
        launched: whether the first launch has begun.
        first_launch_seconds: while it runs, about how long the first launch takes, once it has collected.
    """

    seconds: float
    launches: int
    decided: int
    cases: int
    doing: str
    launched: bool = True
    first_launch_seconds: float | None = None

    def __str__(self) -> str:
        if not self.launched:
            return self.doing
        cases = f", {self.decided} of {self.cases} cases decided" if self.cases else ""
        takes = f", of about {self.first_launch_seconds:.0f} s" if self.first_launch_seconds else ""
        return f"launch {self.launches + 1}{cases or takes}: {self.doing}"


Watch = Callable[[Progress], None] | None  # what is told several times a second what is going on; None for nobody


def told_before_launches(watch: Watch) -> Callable[[str], None]:
    """Return what tells somebody who watches what is done before the first launch, of which the budget is not used."""
    return lambda doing: watch(Progress(0.0, 0, 0, 0, doing, launched=False)) if watch else None


@dataclass(frozen=True)
class Outcome:
    """What was measured, and how it ended.

    Attributes:
        base, head: the checkouts of the two sides.
        launches: all launches that are over, in the order in which they ended.
        referee: what the launches say of the cases.
        control: what they say of the control.
        only: the cases of each side that the other does not have.
        unmeasured: the cases that both sides have, but that one of them skips.
        judged: what is said of the cases whose tests fail, or whose names change from launch to launch.
        other_work: what is said of the cases whose harness is not the same on both sides.
        ended: all cases are decided, the budget is used up, a side failed, or Ctrl-C.
        why: if it failed, or if the budget ended within the first launch, the reason in one line; else empty.
        output: the last lines that the side wrote that failed.
        usage: whether it failed because pytest refused its options on both sides.
        disturbed: whether another comparison ran on this machine meanwhile.
        seconds: from the first launch's beginning to the end.
        missing: what the checkouts or the container do not have, though cases may need it: a sentence each.
        environments: what is installed for each side; None if both ran in this program's environment.
        seconds_before: what was done before the first launch took so long, as to make environments.
        strayed: what went wrong where a part of the suite was collected, so that later launches collected all; empty
            for nothing.
    """

    base: Checkout
    head: Checkout
    launches: Sequence[Launch]
    referee: Referee
    control: Referee
    only: BySide[list[str]]
    unmeasured: Sequence[str]
    judged: Mapping[str, Judgement]
    ended: Ended
    why: str
    output: Sequence[str]
    usage: bool
    disturbed: bool
    seconds: float
    missing: Sequence[str] = ()
    environments: BySide[Environment] | None = None
    seconds_before: float = 0.0
    strayed: str = ""
    other_work: Mapping[str, Judgement] = field(default_factory=dict)
