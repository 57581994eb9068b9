"""How a launch fails to measure a case: from what its two sides say last of it, or as one of them is gone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from parabola.compare.sides.protocol import Failed, Finished, OfCase

CANNOT_RUN = "cannot run head's harness"


@dataclass(frozen=True)
class Failure:
    """Why a launch has no times of a case: who did what, and the reason, as words of one sentence.

    Attributes:
        who: "base", "head" or "both sides".
        did: what went wrong, as "failed".
        why: the reason, as pytest has it; empty where none is known.
        in_head_alone: whether the test failed in head, and passed in base.
        output: the end of pytest's report, line by line.
    """

    who: str
    did: str
    why: str
    in_head_alone: bool = False
    output: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.who} {self.did}" + (f": {self.why}" if self.why else "")

    def of_harness(self) -> "Failure":
        """Return it as what base alone fails with where head's harness was laid over it."""
        said = self.why if self.did == "failed" else f"{self.did}: {self.why}" if self.why else self.did
        return replace(self, did=CANNOT_RUN, why=said) if self.who == "base" else self


class SideFailed(Exception):
    """A side could not be measured; the message says in one line which, and why.

    Attributes:
        usage: whether the options were wrong.
        output: the last lines of what it wrote.
        case: the case whose test it was in; empty for none.
    """

    def __init__(self, reason: str, usage: bool = False, output: Sequence[str] = (), case: str = "") -> None:
        super().__init__(reason)
        self.usage, self.output, self.case = usage, output, case

    @property
    def failure(self) -> Failure:
        """What this says of the case that it was in."""
        side, _, did = str(self).replace(f", in {self.case}", "", 1).partition(" ")
        return Failure(side, did, "", output=self.output)


def in_words(failures: Sequence[SideFailed], laid: Sequence[str]) -> str:
    """Return why a launch could not begin, of which one side or both have failed.

    Args:
        failures: that of each side that has failed, in turn.
        laid: where head's harness was laid over base.
    """
    side, _, did = str(failures[0]).partition(" ")
    return f"base {CANNOT_RUN}: {did}" if laid and side == "base" and len(failures) == 1 else str(failures[0])


def failure_of(ends: Mapping[str, OfCase]) -> Failure | None:
    """Return why a launch could not measure a case; None if no test failed, be it that one was skipped.

    Args:
        ends: what each side that ran the case said last of it, by the side's name.
    """
    failed = {name: message for name, message in ends.items() if isinstance(message, Failed)}
    if failed:
        whys = {message.why for message in failed.values()}
        return Failure(
            who="both sides" if len(failed) == 2 else min(failed),
            did="failed",
            why=whys.pop() if len(whys) == 1 else "; ".join(f"{name}: {failed[name].why}" for name in sorted(failed)),
            in_head_alone="head" in failed and isinstance(ends.get("base"), Finished),
            output=failed[min(failed)].output,
        )
    for name, message in sorted(ends.items()):
        for seconds in message.seconds if isinstance(message, Finished) else ():
            if not 0 < seconds < math.inf:
                return Failure(name, f"had a round of {seconds:g} s", "no ratio follows from it")
    return None
