"""One option of the suite: how it is declared to pytest's parser, checked and read."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any, argparse.Namespace], None]


def no_check(value: Any, options: argparse.Namespace) -> None:
    """Take any value."""


def itself(value: Any) -> Any:
    """Return the value: it has one name only."""
    return value


@dataclass(frozen=True)
class Option:
    """One option of pytest's command line: what it takes, and what it is for.

    Attributes:
        flag: the option as it is typed, as "--batch-size".
        text: the help: what the option takes, and what holds without it.
        benchmarks: which benchmarks or tests the option is for; "" where it is for all of them.
        type: makes a value from one word of the command line; None for a switch, which takes no word.
        repeatable: whether it may be given several times. Its values add up; one that is given twice counts once.
        choices: returns the values that it takes; None where `check` alone decides.
        metavar: what stands for the value in the help; None for the flag's name in capitals.
        check: raises ValueError unless a value is within bounds. It is called with each value as it was given, and
            with all options.
        canonical: returns the one name of a value that has several.
        recorded: whether a session's record has the option among those that chose its cases.
    """

    flag: str
    text: str
    benchmarks: str = ""
    type: Callable[[str], Any] | None = str
    repeatable: bool = False
    choices: Callable[[], tuple[str, ...]] | None = None
    metavar: str | None = None
    check: Check = no_check
    canonical: Callable[[Any], Any] = itself
    recorded: bool = True

    @property
    def destination(self) -> str:
        """The option's name among those that pytest has parsed: "batch_size"."""
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def help(self) -> str:
        """The option's line in `pytest --help`."""
        benchmarks = f"of {self.benchmarks}: " if self.benchmarks else ""
        return f"{benchmarks}{self.text}{'; repeatable' if self.repeatable else ''}"

    def declare(self, group: Any, default: Any) -> None:
        """Declare the option to a group of pytest's parser.

        Args:
            group: what `getgroup` of pytest's parser returns.
            default: the value where the option is not given; one that is repeatable then is an empty list.
        """
        if self.type is None:
            group.addoption(self.flag, action="store_true", help=self.help)
            return
        values = {"type": self.type, "choices": self.choices and self.choices(), "metavar": self.metavar}
        action = {"action": "append", "default": []} if self.repeatable else {"default": default}
        group.addoption(self.flag, help=self.help, **values, **action)

    def read(self, options: argparse.Namespace) -> Any:
        """Return the option's value, or a tuple of its values, each under its one name.

        Raises:
            ValueError: if a value is out of bounds; the message says what was received.
        """
        given = getattr(options, self.destination)
        if given is None:
            return None
        for value in given if self.repeatable else [given]:
            self.check(value, options)
        return tuple(dict.fromkeys(map(self.canonical, given))) if self.repeatable else given


def line(flag: str, text: str, *, default: Any = None, **others: Any) -> Any:
    """Return a dataclass field that holds an option, and so is a line of a table of options.

    Args:
        flag: the option as it is typed.
        text: its help.
        default: the field's value where the option is not given; one that is repeatable then is an empty tuple.
        others: the other attributes of the `Option`, by name.
    """
    option = Option(flag, text, **others)
    return field(default=() if option.repeatable else default, metadata={"option": option})
