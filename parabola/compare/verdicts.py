"""The verdicts of a comparison: one a line, with its precedence, its exit code and its colours."""

from collections.abc import Iterable
from enum import StrEnum

from parabola.compare.sides.by_side import BySide
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

    SLOWER = "slower", 4, ExitCode.CHECK_FAILED, "red", "red", "#c0392b"
    WRONG = "wrong", 2, ExitCode.CHECK_FAILED, "red", "bold red", "#7b241c"
    FASTER = "faster", 6, ExitCode.DONE, "green", "green", "#1e8449"
    SAME = "same", 7, ExitCode.DONE, "green", "", BLUE
    INCONCLUSIVE = "inconclusive", 5, ExitCode.INCONCLUSIVE, "yellow", "yellow", GREY
    CONTAMINATED = "contaminated", 3, ExitCode.CONTAMINATED, "red"
    FAILED = "failed", 1, ExitCode.SIDE_FAILED, "red"


def judge(by_times: Verdict, passed: BySide[bool | float | None]) -> Verdict:
    """Return the verdict on a case.

    Args:
        by_times: the verdict that its times alone suggest.
        passed: whether its runs pass on each side; None where the suite does not say.

    Returns:
        WRONG if the runs pass in base and no longer in head, whatever the times; else the verdict by times.
    """
    return Verdict.WRONG if passed == BySide(base=True, head=False) else by_times


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what a whole comparison comes to.

    Args:
        verdicts: all that hold: those on its cases, CONTAMINATED if its control moved, FAILED if a side failed.

    Returns:
        The verdict that goes first; INCONCLUSIVE if there is none at all.
    """
    return min(verdicts, key=lambda verdict: verdict.precedence, default=Verdict.INCONCLUSIVE)
