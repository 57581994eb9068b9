"""Comparisons made by hand, irregular on purpose: sides, launches, rounds and cases that are all unlike one another."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import msgspec

from parabola.compare.comparison import ComparedCase, ComparedCommit, ComparedControl, ComparedLaunch, Comparison
from parabola.compare.outcome import Options, Outcome
from parabola.compare.referee import Referee
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.failure import Failure, SideFailed
from parabola.compare.sides.launch import CONTROL, Launch, Measured
from parabola.compare.sides.start import Setup
from parabola.compare.verdicts import Verdict

BASE = Checkout("base", "v1.2|old", "b" * 9 + "1" * 31, "The <old> way", Path("/x/base"), Path("/x/base/sub"))
HEAD = Checkout("head", "working tree", "d" * 9 + "2" * 31, "A new|way", Path("/x/head"), Path("/x/head/sub"))
SETUP = Setup(BASE, HEAD, Path("/x"), Path("/elsewhere"))
FACTS: dict[str, Any] = {
    "cpu_model": "EPYC <7>", "cores": 16, "cores_usable": 3, "memory_gib": 31, "gpu": "none", "cuda": "12.9",
    "system": "Linux", "kernel": "6.1", "python": "3.11.9", "backend": "tensorflow", "tensorflow": "2.20",
    "keras": "3.10", "numpy": "2.1", "numba": "0.61", "pytest_benchmark": "5.3", "threads": "default",
    "xla_flags": "", "onednn": "1",
}  # fmt: skip
STEADY, SLOW, FAST, OPEN = "a.py::steady[x=1]", "b/c.py::slow", "a.py::fast|wide", "a.py::open"
ROUNDS: dict[str, Any] = {
    CONTROL: ([0.5, 0.25, 0.75], 1.0),
    STEADY: ([0.002, 0.001, 0.009, 0.003], 1.0),
    SLOW: ([0.375, 0.125], 1.25),
    FAST: ([0.1], 0.5),
    OPEN: ([20.0, 40.0], 1.0),
}
VERDICTS = {verdict.value: verdict for verdict in Verdict}
INFO: dict[str, Any] = {
    STEADY: ({"passed": True, "coefficient_error": 0.5}, {"passed": True, "coefficient_error": 0.75}),
    SLOW: ({"passed": False}, {"passed": True}),
    FAST: ({}, {}),
}


def made_launch(
    number: int,
    cases: Sequence[str],
    cores: Sequence[int] = (3,),
    finished: bool = True,
    wobble: float = 0.0,
    info: Mapping[str, Any] = INFO,
    ratios: Mapping[str, float] | None = None,
) -> Launch:
    """Return a launch that is over, without processes: head takes as long as its ratio says, and a wobble longer."""
    launch = Launch(SETUP, number, cores, None)
    launch.finished, launch.plan = finished, [CONTROL, *cases]
    launch.only = BySide(["a.py::gone[1]", "a.py::past"], ["b/c.py::fresh"])
    for at, case in enumerate(launch.plan):
        rounds, ratio = ROUNDS[case]
        ratio = (ratios or {}).get(case, ratio) * (1 + wobble)
        base, head = info.get(case, ({}, {}))
        seconds = BySide(list(rounds), [ratio * one for one in rounds])
        launch.measured[case] = Measured(seconds, BySide(base, head), 1.0 + at)
    return launch


def made_outcome(launches: Sequence[Launch], **changes: Any) -> Outcome:
    """Return what a comparison has come to after such launches."""
    from parabola.compare.sides.log_ratio import launch_log_ratio

    cases = list(dict.fromkeys(case for launch in launches for case in launch.plan if case != CONTROL))
    referee, control = Referee(cases), Referee([CONTROL], decides=False)
    for launch in launches:
        log_ratios = {
            case: launch_log_ratio(measured.seconds.base, measured.seconds.head)
            for case, measured in launch.measured.items()
        }
        control.add({case: value for case, value in log_ratios.items() if case == CONTROL})
        referee.add({case: value for case, value in log_ratios.items() if case != CONTROL})
    made: dict[str, Any] = {
        "base": BASE, "head": HEAD, "launches": launches, "referee": referee, "control": control,
        "only": BySide(["a.py::gone[1]", "a.py::past"], ["b/c.py::fresh"]), "unmeasured": (), "judged": {},
        "ended": "decided", "why": "", "output": (), "usage": False, "disturbed": False, "seconds": 12.5,
    }  # fmt: skip
    return Outcome(**{**made, **changes})


def mixed_outcome(**changes: Any) -> Outcome:
    """Return a comparison with a case the same, one slower, one faster and one that too few launches measured."""
    wobbles = (0.001, -0.001, 0.002, 0.0, -0.002, 0.001, 0.0, -0.001, 0.002, 0.0, 0.001, 0.0, -0.002, 0.0, 0.001)
    launches = [
        made_launch(number, [FAST, STEADY, SLOW, *([OPEN] if number in (2, 7) else [])], [number % 3], wobble=wobble)
        for number, wobble in enumerate(wobbles)
    ]
    return made_outcome(launches, **changes)


def made_case(case: str, verdict: str, **changes: Any) -> ComparedCase:
    """Return a case as a comparison has it."""
    made: dict[str, Any] = {
        "case": case, "ratio": 1.1234, "low": 1.0506, "high": 1.2, "confidence": 0.995, "launches": 8,
        "launches_needed": 0, "suspected": False, "verdict": VERDICTS[verdict],
        "median_seconds": BySide(0.00123456, 2.5e-7), "coefficient_error": BySide(None, None),
        "passed": BySide(None, None),
    }  # fmt: skip
    return ComparedCase(**{**made, **changes})


def made_control(**changes: Any) -> ComparedControl:
    """Return the control as a comparison has it."""
    made = {"ratio": 0.998, "low": 0.991, "high": 1.0049, "launches": 11, "moved": False, **changes}
    moved = made.pop("moved")
    return ComparedControl(**msgspec.structs.asdict(made_case(CONTROL, "same", **made)), moved=moved)


def made_comparison(*cases: ComparedCase, verdict: str = "slower", **changes: Any) -> Comparison:
    """Return a comparison with these cases, and three launches of which one is not finished."""
    launches = [ComparedLaunch(number, "base", [], finished=number != 1, seconds={}) for number in range(3)]
    made: dict[str, Any] = {
        "version": 1, "verdict": VERDICTS[verdict], "ended": "decided", "why": "",
        "disturbed": False, "seconds": 61.6, "base": ComparedCommit(BASE.revision, BASE.commit, BASE.subject),
        "head": ComparedCommit(HEAD.revision, HEAD.commit, HEAD.subject),
        "options": Options(BASE.revision, budget_seconds=90.0), "confidence": 0.995, "minimum_effect": 0.025,
        "machine": FACTS, "control": made_control(), "cases": list(cases), "only_in_base": [], "only_in_head": [],
        "unmeasured": [], "launches": launches,
    }  # fmt: skip
    return Comparison(**{**made, **changes})


def made_options(**changes: Any) -> Options:
    """Return options of which none is the default."""
    made: dict[str, Any] = {
        "base": "v1.2|old", "head": None, "pytest_options": ("-k", "a or b"), "budget_seconds": 90.0,
        "minimum_effect": 0.05, "limit_seconds": 77.0, "cores_per_launch": 2, "launches_at_once": 3,
        "slower": {"slow": 0.25}, "logs": "kept",
    }  # fmt: skip
    return Options(**{**made, **changes})


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return it as `time` does."""
        return self.now


class Script:
    """What launches without processes do; it is called in the place of Launch.

    Attributes:
        ratios: what each case measures, head : base, by launch number; the last one stays.
        skipped: cases that a side skips.
        failing: by case, how it fails in each launch, by number; it does not where there is None or nothing.
        unstable: cases that have another name in every launch but the first.
        fails: by launch number, what is raised after the first case.
        deaths: cases within which a side ends, in every launch that measures them.
        endless: by launch number, what time it gets in the first case, in which it then stays until it is stopped.
        clock: of which each launch takes `overhead` seconds, and each case in `costs` its own, else one.
        launches: that were made, in order.
    """

    def __init__(self, clock: Clock, ratios: Mapping[str, Sequence[float]], **changes: Any) -> None:
        self.clock, self.ratios = clock, {CONTROL: [1.0], **ratios}
        self.skipped: Sequence[str] = ()
        self.failing: Mapping[str, Sequence[Failure | None]] = {}
        self.unstable: Sequence[str] = ()
        self.fails: Mapping[int, BaseException] = {}
        self.deaths: Sequence[str] = ()
        self.endless: Mapping[int, float] = {}
        self.costs: Mapping[str, float] = {}
        self.overhead = 0.0
        self.launches: list[ScriptedLaunch] = []
        for name, value in changes.items():
            setattr(self, name, value)

    def __call__(self, setup: Setup, number: int, cores: Sequence[int], cases: Sequence[str] | None) -> Launch:
        """Make one."""
        launch = ScriptedLaunch(setup, number, cores, cases)
        launch.script, launch.stops, launch.ending = self, 0, Event()
        self.launches.append(launch)
        return launch


class ScriptedLaunch(Launch):
    """One of them."""

    script: Script
    stops: int
    ending: Event

    def run(self) -> None:
        """Measure at once."""
        script = self.script
        began = script.clock.now
        names = {case: f"{case}_{self.number}" for case in script.unstable if self.number}
        everything = [names.get(case, case) for case in script.ratios if case != CONTROL]
        self.only = BySide(["a.py::gone"], ["a.py::new"])
        tops = self.setup.base.top, self.setup.head.top
        self.files = BySide(*({case: [str(top / "test_it.py")] for case in everything} for top in tops))
        script.clock.now += script.overhead
        if self.number in script.fails and script.fails[self.number].args[:1] == ("before its plan",):
            raise script.fails[self.number]
        self.plan = [CONTROL, *(case for case in everything if self.cases is None or case in self.cases)]
        for at, case in enumerate(self.plan):
            if at == 2 and self.number in script.fails:
                raise script.fails[self.number]
            self.doing = case
            if at == 1 and self.number in script.endless:
                script.clock.now = script.endless[self.number]
                self.finished = not self.ending.wait(30)
                return
            script.clock.now += script.costs.get(case, 1.0)
            if case in script.deaths:
                self.died = SideFailed(f"head is gone, in {case}", output=["bye"], case=case)
                self.failed[case] = self.died.failure
                return
            failures = script.failing.get(case, ())[self.number : self.number + 1]
            if failures and failures[0]:
                self.failed[case] = failures[0]
            elif case not in script.skipped:
                ratios = script.ratios.get(case, [1.0])
                seconds = BySide([0.5, 0.5], [0.5 * ratios[min(self.number, len(ratios) - 1)]] * 2)
                self.measured[case] = Measured(seconds, BySide({}, {}), script.clock.now - began)
        self.finished = True

    def ask_to_end(self) -> None:
        """End."""
        self.ending.set()

    def stop(self) -> None:
        """End, and count how often."""
        self.stops += 1
        self.ending.set()
