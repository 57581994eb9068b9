"""The verdicts of a comparison: one a line, with its precedence, its exit code and its colours.

Scripts rely on the order of exit codes: wrong or slower 1, contaminated 4, failed, not measured or other work 5,
inconclusive 3.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from parabola.compare.sides.failure import Failure
from parabola.display.pictures import BLUE, GREY
from parabola.exit_codes import ExitCode


class Verdict(StrEnum):
    """What is said of a case, or of a whole comparison; tables and pictures count them in the order of these lines.

    Attributes:
        precedence: a whole comparison comes to that verdict, of all that hold, which has the smallest number.
        exit_code: how `compare` ends if the comparison comes to this; INCONCLUSIVE counts with --strict alone.
        headline_style: Rich's style for the line that says what the comparison comes to.
        style: Rich's style for the verdict in a case's row.
        colour: in the picture, for a case; empty if this is said of whole comparisons alone.
    """

    precedence: int
    exit_code: ExitCode
    headline_style: str
    style: str
    colour: str

    def __new__(
        cls, name: str, precedence: int, exit_code: ExitCode, headline_style: str, style: str = "", colour: str = ""
    ) -> "Verdict":
        """Make the verdict that a line below describes."""
        verdict = str.__new__(cls, name)
        verdict._value_, verdict.precedence, verdict.exit_code = name, precedence, exit_code
        verdict.headline_style, verdict.style, verdict.colour = headline_style, style, colour
        return verdict

    SLOWER = "slower", 2, ExitCode.CHECK_FAILED, "red", "red", "#c0392b"
    WRONG = "wrong", 1, ExitCode.CHECK_FAILED, "red", "bold red", "#7b241c"
    FASTER = "faster", 8, ExitCode.DONE, "green", "green", "#1e8449"
    SAME = "same", 9, ExitCode.DONE, "green", "", BLUE
    INCONCLUSIVE = "inconclusive", 7, ExitCode.INCONCLUSIVE, "yellow", "yellow", GREY
    OTHER_WORK = "measures other work", 6, ExitCode.SIDE_FAILED, "red", "yellow", "#b7950b"
    NOT_MEASURED = "not measured", 5, ExitCode.SIDE_FAILED, "red", "red", "#8e44ad"
    CONTAMINATED = "contaminated", 3, ExitCode.CONTAMINATED, "red"
    FAILED = "failed", 4, ExitCode.SIDE_FAILED, "red"

    def of(self, metric: str) -> str:
        """Return the word for a row about a metric, or about times where it is empty: no memory is slower."""
        return {"slower": "larger", "faster": "smaller"}.get(self.value, self.value) if metric else self.value


@dataclass(frozen=True)
class Judgement:
    """What is said of a case whatever its times, as its test fails, or is not the same on both sides.

    Attributes:
        verdict: WRONG, NOT_MEASURED or OTHER_WORK.
        why: the reason.
        output: the end of pytest's report.
        final: whether another launch could not change this.
    """

    verdict: Verdict
    why: str
    output: Sequence[str] = ()
    final: bool = True


def judge(launches: Sequence[Failure | None]) -> Judgement | None:
    """Return what tests that fail say of a case.

    Args:
        launches: of each launch that ran the case, in the order in which they ended, how it failed; None where it did
            not.

    Returns:
        WRONG if the first launch with a failure and the next one have it in head alone; NOT_MEASURED after any other
        failure, which is final unless the next launch may make it WRONG; None without any, as then the times decide.
    """
    failed = [number for number, failure in enumerate(launches) if failure]
    if not failed:
        return None
    first, after = launches[failed[0]], launches[failed[0] + 1 :]
    assert first is not None
    again = after[0] if after else None
    if not first.in_head_alone:
        return Judgement(Verdict.NOT_MEASURED, str(first), first.output)
    if again and again.in_head_alone:
        why = f"head failed in two launches, and base passed: {first.why}"
        return Judgement(Verdict.WRONG, why, first.output)
    seen = "in one launch, and not in the next" if after else "in one launch, which no other could confirm"
    return Judgement(Verdict.NOT_MEASURED, f"head failed {seen}: {first.why}", first.output, final=bool(after))


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what a whole comparison comes to.

    Args:
        verdicts: all that hold: those on its cases, CONTAMINATED if its control moved, FAILED if a side failed.

    Returns:
        The verdict that goes first; INCONCLUSIVE if there is none at all.
    """
    return min(verdicts, key=lambda verdict: verdict.precedence, default=Verdict.INCONCLUSIVE)


def counted(rows: Iterable[tuple[Verdict, str]]) -> str:
    """Say how many rows have each verdict, as "1 slower, 2 same".

    Args:
        rows: of each row its verdict and its metric, which is empty where it is about times.
    """
    numbers = Counter((verdict, verdict.of(metric)) for verdict, metric in rows)
    counts = [f"{numbers[one]} {one[1]}" for one in sorted(numbers, key=lambda one: ([*Verdict].index(one[0]), one[1]))]
    return ", ".join(counts) if counts else "no case was measured"
