"""A comparison as its JSON has it, key for key; and how a file of one is read, and refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from parabola.compare.environments.differences import Difference, Environment
from parabola.compare.outcome import Ended, Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.verdicts import Verdict
from parabola.records.case import short_names

VERSION_KEY, VERSION = "parabola_comparison", 1
Number = bool | int | float | None  # a number or a truth that a suite tells of itself


class ComparedCommit(msgspec.Struct, frozen=True):
    """What a side was: as it was asked for, and the commit that this is."""

    revision: str
    commit: str
    subject: str


class ComparedCase(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison says of a case. Times are in seconds, ratios are head : base; None is what is not known.

    Attributes:
        case: its name in the suite.
        ratio, low, high: how many times as long head takes as base, and the interval of this.
        confidence: the confidence of this interval alone, however often one looked.
        launches: how many launches measured it.
        launches_needed: about how many more would decide it.
        suspected: the interval excludes 1, but as other cases count, too, it is not decided.
        verdict: what is said of it.
        median_seconds: a round, by the median over launches of the medians over rounds.
        coefficient_error: as most launches have it.
        passed: whether its runs passed, as most launches have it.
        launch_spread: the standard deviation of its log ratio from launch to launch, but for a few bad ones.
        round_spread: the same of a pair of rounds, within a launch.
        reason: where it is wrong, not measured or measures other work, why; else empty.
        metric: the key of extra_info that the row is about; empty where it is about times.
        median_values: the metric's median over launches, on each side; None where the row is about times.
    """

    case: str
    ratio: float | None
    low: float | None
    high: float | None
    confidence: float
    launches: int
    launches_needed: int | None
    suspected: bool
    verdict: Verdict
    median_seconds: BySide[float | None]
    coefficient_error: BySide[Number]
    passed: BySide[Number]
    launch_spread: float | None = None
    round_spread: float | None = None
    reason: str = ""
    metric: str = ""
    median_values: BySide[float | None] | None = None


class ComparedControl(ComparedCase, frozen=True, kw_only=True):
    """The same of the control; and whether it moved, so that no verdict can be trusted."""

    moved: bool


class ComparedLaunch(msgspec.Struct, frozen=True):
    """What a launch measured.

    Attributes:
        number: from 0, in the order in which launches began.
        began_with: the side that had the first turn.
        cores: the cores that both sides ran on; none if they could not be chosen.
        finished: whether it came to its own end.
        seconds: by case, those of every round.
        starting_seconds, collecting_seconds: what came before its first case took so long, on both sides at once.
        collected_all: whether it collected the whole suite, or what it was to measure alone.
    """

    number: int
    began_with: Literal["base", "head"]
    cores: list[int]
    finished: bool
    seconds: dict[str, BySide[list[float]]]
    starting_seconds: float = 0.0
    collecting_seconds: float = 0.0
    collected_all: bool = True


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of a comparison.

    Attributes:
        version: the number of this form of the JSON.
        verdict: what the comparison comes to.
        ended: what ended it.
        why: where it failed, or ended within the first launch, the reason; else empty.
        disturbed: whether another comparison ran on this machine meanwhile.
        seconds: from the first launch's beginning to the end.
        base, head: the two sides.
        options: what was asked for.
        confidence: the confidence of all verdicts together.
        minimum_effect: 0.05 calls times that differ by less than 5 % the same.
        machine: the facts of parabola.machine.host.
        control: what is said of the control.
        cases: what is said of each case that both sides measured.
        only_in_base, only_in_head: the cases that the other side does not have.
        unmeasured: the cases that both sides have, but that one skips.
        launches: in the order in which they ended.
        missing: what the checkouts or the container did not have, though cases may need it: a sentence each;
            and which metrics were no positive numbers.
        output: the last lines of what a side wrote that failed, or else of pytest's report on a test that did.
        written_by: which version of this package wrote the file; empty for one from before that was said.
        environments: what is installed for each side; None if both ran in this program's environment.
        differences: the packages that are not the same in both environments.
        seconds_before: what was done before the first launch took so long, as to make environments.
        strayed: what went wrong where a part of the suite was collected, so that later launches collected all; empty
            for nothing.
    """

    version: int = msgspec.field(name=VERSION_KEY)
    verdict: Verdict
    ended: Ended
    why: str
    disturbed: bool
    seconds: float
    base: ComparedCommit
    head: ComparedCommit
    options: Options
    confidence: float
    minimum_effect: float
    machine: dict[str, Any]
    control: ComparedControl
    cases: list[ComparedCase]
    only_in_base: list[str]
    only_in_head: list[str]
    unmeasured: list[str]
    launches: list[ComparedLaunch]
    missing: list[str] = []
    output: list[str] = []
    written_by: str = ""
    environments: BySide[Environment] | None = None
    differences: list[Difference] = []
    seconds_before: float = 0.0
    strayed: str = ""


def shown_names(comparison: Comparison) -> dict[str, str]:
    """Return each name in a comparison, cut to what tells it from the others: for tables, pictures and sentences."""
    cases = [case.case for case in (*comparison.cases, comparison.control)]
    return short_names([*cases, *comparison.only_in_base, *comparison.only_in_head, *comparison.unmeasured])


class NoComparison(ValueError):
    """A file is no comparison that can be read; the message says in one line which file, and why."""


def as_json(comparison: Comparison) -> str:
    """Return a comparison as the text of a file.

    Raises:
        ValueError: if it holds a number that JSON does not have, such as NaN.
    """
    return json.dumps(msgspec.to_builtins(comparison), indent=1, allow_nan=False)


def read(path: Path) -> Comparison:
    """Read a file that `compare --json` wrote.

    Raises:
        NoComparison: if it is none, or one of a version that is not known here.
    """
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise NoComparison(f"{path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoComparison(f"{path}: not JSON, or cut off ({error})") from None
    if not isinstance(content, Mapping) or VERSION_KEY not in content:
        raise NoComparison(f"{path}: not a comparison: it has no {VERSION_KEY!r}")
    if content[VERSION_KEY] != VERSION:
        raise NoComparison(f"{path}: of version {content[VERSION_KEY]!r}; this parabola reads version {VERSION}")
    try:
        return msgspec.convert(content, Comparison)
    except msgspec.ValidationError as error:
        raise NoComparison(f"{path}: damaged: {error}") from None
