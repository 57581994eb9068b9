"""Times as multiples of `native`'s in the same session: what may be compared from one machine to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from parabola.records.case import Case, Setting
from parabola.records.history import Commit, History, Line

NATIVE, KIND = "native", "epoch time"


@dataclass(frozen=True)
class Ratio:
    """How many times as long as `native` a case took at one commit on one machine.

    Attributes:
        machine: place of the machine in the histories.
        commit: the commit.
        ratio: median time of the case : median time of `native` at the same setting.
    """

    machine: int
    commit: Commit
    ratio: float


@dataclass(frozen=True)
class RelativeLine:
    """One case over the commits of all machines.

    Attributes:
        case: the case.
        ratios: one for each commit and machine that measured the case and `native`, in the order of the commits.
    """

    case: Case
    ratios: tuple[Ratio, ...]

    def medians(self) -> dict[int, float]:
        """Return the median ratio of each machine that has measured the case."""
        by_machine = dict[int, list[float]]()
        for ratio in self.ratios:
            by_machine.setdefault(ratio.machine, []).append(ratio.ratio)
        return {machine: median(ratios) for machine, ratios in by_machine.items()}


def relative_lines(histories: Sequence[History]) -> list[RelativeLine]:
    """Return the cases that two or more histories measured beside `native`, in the order of their keys."""
    found = dict[tuple[str, int], tuple[Case, list[Ratio]]]()
    for machine, history in enumerate(histories):
        natives = {_setting(line): line for line in history.lines if line.measurement.case.engine == NATIVE}
        for line in history.lines:
            case, native = line.measurement.case, natives.get(_setting(line))
            if case.kind == KIND and case.engine != NATIVE and native:
                seconds = dict(zip(native.at.tolist(), native.seconds.tolist(), strict=True))
                pairs = zip(line.at.tolist(), line.seconds.tolist(), strict=True)
                _, ratios = found.setdefault(case.key, (case, []))
                ratios += [
                    Ratio(machine, history.commits[place], time / seconds[place])
                    for place, time in pairs
                    if place in seconds
                ]
    lines = [
        RelativeLine(case, tuple(sorted(ratios, key=lambda ratio: ratio.commit.made)))
        for _, (case, ratios) in sorted(found.items())
    ]
    return [line for line in lines if len(line.medians()) > 1]


def _setting(line: Line) -> tuple[str, Setting, int | None]:
    """Return what a case and the `native` that it is held against have in common."""
    case = line.measurement.case
    return case.kind, case.setting, case.epochs
