"""What a side says to the conductor: a message a line, typed, and checked as it comes in.

The plugin that says these cannot import them: it stands alone. Of each case it says, in this order: `begun`,
`calibrate` and `calibrated` (if pytest-benchmark would calibrate), `ready`, `passed` after every round, and `finished`;
or `skipped` or `failed` in place of any of them. `collected` comes before all cases, and `ended` after them.
"""

import json
from typing import Annotated, Any

import msgspec

LONGEST_QUOTE = 100  # characters of a line that is no message
Count = Annotated[int, msgspec.Meta(ge=0)]


class Message(msgspec.Struct, frozen=True, tag_field="kind", tag=str.lower):
    """What a side says; its kind is the name of its class, in small letters."""

    @classmethod
    def kind(cls) -> str:
        """Return the word that stands for the message on the line."""
        return cls.__name__.lower()

    def __str__(self) -> str:
        return f'"{self.kind()}"'


class OfCase(Message, frozen=True):
    """A message that names the case it is about."""

    case: str

    def __str__(self) -> str:
        return f'"{self.kind()}" of {self.case}'


class Collected(Message, frozen=True):
    """These benchmarks are there; these modules were imported from where they should not be; these files have failed.

    Attributes:
        cases: their names.
        strangers: the modules, each with its file.
        uncollected: of each file that could not be collected, in the place of a case, why.
        seconds: how long collecting took.
        files: of each case the files that say what it measures, its own first.
    """

    cases: list[str]
    strangers: dict[str, str] = {}
    uncollected: "list[Failed]" = []
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    files: dict[str, list[str]] = {}


class Begun(OfCase, frozen=True):
    """The case's test begins with what it needs to be set up; it needs no answer."""


class Calibrate(OfCase, frozen=True):
    """The side has to find how many calls make a round, and waits for its turn."""


class Calibrated(Message, frozen=True):
    """So many calls make a round."""

    iterations: Annotated[int, msgspec.Meta(ge=1)]


class Ready(OfCase, frozen=True):
    """The side waits for the turn of its first round."""

    rounds: Count
    warmup_rounds: Count


class Passed(Message, frozen=True):
    """A round is over."""


class Finished(OfCase, frozen=True):
    """The case's test has passed; of each round the seconds, and what the suite tells of the case."""

    seconds: Annotated[list[float], msgspec.Meta(min_length=1)]
    extra_info: dict[str, Any]


class Skipped(OfCase, frozen=True):
    """The case's test is over without times: it was skipped, or measured nothing."""


class Failed(OfCase, frozen=True):
    """The case's test failed, or a file (then in the case's place) could not be collected; why, and pytest's report."""

    why: str
    output: list[str]


class Ended(Message, frozen=True):
    """The session is over; modules that were imported from where they should not be, each with its file."""

    strangers: dict[str, str]


Said = Collected | Begun | Calibrate | Calibrated | Ready | Passed | Finished | Skipped | Failed | Ended


class NoMessage(ValueError):
    """A line is no message; the error quotes it and says why."""


def decode(line: bytes) -> Said:
    """Return the message that a line holds.

    Numbers that JSON does not have, such as NaN, are taken in what a suite tells of a case: Python writes them so.

    Raises:
        NoMessage: if it holds none.
    """
    try:
        return msgspec.convert(json.loads(line), Said)  # type: ignore[no-any-return]
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        text = line.decode(errors="replace")
        quote = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
        raise NoMessage(f"{quote!r} ({error})") from None
