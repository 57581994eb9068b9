"""Which part of a suite later launches collect: as before for the cases that are wanted, and nothing of the others."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from parabola.compare import session
from parabola.compare.conclusion import _launch
from parabola.compare.findings import (
    costs,
    doubted,
    first_launch_seconds,
    first_launch_takes,
    judged,
    progress,
    starting,
    strayed,
)
from parabola.compare.outcome import Options
from parabola.compare.referee import Referee
from parabola.compare.session import _Session
from parabola.compare.sides.failure import Failure, SideFailed
from parabola.compare.sides.launch import CONTROL, Launch
from parabola.compare.text import notes
from parabola.compare.verdicts import Judgement, Verdict
from tests import scripted_conductor
from tests.conftest import git
from tests.made_comparisons import FAST, SETUP, SLOW, STEADY, Clock, Script, made_comparison, made_launch
from tests.players import Case, Stage, setup_of, suite

SUITE = {
    "conftest.py": """
import pytest

@pytest.fixture(scope="session", params=["x", "y"])
def shared(request):
    return request.param

def pytest_generate_tests(metafunc):
    if "made" in metafunc.fixturenames:
        metafunc.parametrize("made", [1, 1, 2], ids=["p::q", "p::q", "p[q]"])

def pytest_collection_modifyitems(items):
    items.reverse()
""",
    "test_a.py": """
import pytest
print("imported a")

@pytest.mark.parametrize("v", ["w-v]", "::", "[", ""])
def test_it(benchmark, v): ...

def test_it_all(benchmark): ...

class TestX:
    @pytest.mark.parametrize("v", [1, 2])
    def test_it(self, benchmark, shared, v): ...
    class TestInner:
        def test_it(self, benchmark): ...

class TestXY(TestX): ...
""",
    "test_b.py": """
import unittest
print("imported b")

def test_made(benchmark, made): ...

class TestUnit(unittest.TestCase):
    def test_it(self): ...
""",
    "sub/__init__.py": "",
    "sub/test_a.py": "print('imported sub/a')\ndef test_it(benchmark): ...\n",
    "sub/conftest.py": "print('imported sub/conftest')\n",
}


class Collected:
    """A plugin that keeps the names that are collected, and has a part of the suite collected."""

    def __init__(self, part: Any = None, cases: Sequence[str] = ()) -> None:
        self.part, self.cases, self.names = part, cases, list[str]()

    def pytest_configure(self, config: pytest.Config) -> None:
        """Ask for the part."""
        if self.part:
            config.pluginmanager.register(self.part(self.cases, config))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the names."""
        self.names += [item.nodeid for item in session.items]


@pytest.fixture
def collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Return what collects the suite above: all of it, or the part that holds some cases."""
    folder = tmp_path / "suite"
    for name, text in SUITE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # some start programs
    here = (f"--rootdir={folder}", "-c", "/dev/null")
    with scripted_conductor.loading(tmp_path, monkeypatch) as load:

        def names(*options: str, cases: Sequence[str] | None = None) -> list[str]:
            plugin = Collected() if cases is None else Collected(load().Part, cases)
            fixed = ("--collect-only", "-qq", "-s", "-p", "no:unraisableexception", "--import-mode=importlib", *here)
            before = {*sys.modules}
            code = pytest.main([*fixed, *options], plugins=[plugin])
            for module in {*sys.modules} - before:  # else it is not imported again
                del sys.modules[module]
            assert code in (0, 5)
            return plugin.names

        yield names


PARTS = [
    ["test_a.py::test_it[w-v]]"],
    ["test_a.py::test_it[::]", "test_a.py::test_it[[]", "test_a.py::test_it[]"],
    ["test_a.py::test_it_all"],
    ["test_a.py::TestX::test_it[x-2]", "test_a.py::TestX::test_it[y-1]"],
    ["test_a.py::TestXY::TestInner::test_it"],
    ["test_b.py::test_made[p::q0]", "test_b.py::test_made[p[q]]"],
    ["test_b.py::TestUnit::test_it", "sub/test_a.py::test_it"],
    [],
]


@pytest.mark.parametrize("cases", PARTS, ids=range(len(PARTS)))
def test_a_part_has_the_wanted_cases_and_no_others(
    cases: list[str], collect: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Names and order are as where all is collected, and no file without them is imported."""
    everything = collect()
    assert {*cases} < {*everything}
    assert len(everything) == 20
    capsys.readouterr()

    assert collect(cases=cases) == [case for case in everything if case in cases]
    files = {case.partition("::")[0].replace("test_", "").removesuffix(".py") for case in cases}
    told = capsys.readouterr().out.splitlines()
    assert {line for line in told if line.startswith("imported ") and "conftest" not in line} == {
        f"imported {file}" for file in files
    }


@pytest.mark.parametrize(
    "options",
    [
        ("-k", "test_it and not Inner"),
        ("--deselect", "test_a.py::TestX::test_it[x-2]"),
        ("test_a.py",),
        ("sub", "test_a.py"),
        ("test_b.py::TestUnit", "test_a.py::TestX"),  # the first has none of them, and would be "not found"
        ("test_a.py::TestX::test_it[x-2]", "test_b.py::test_made"),
        ("--ignore", "test_b.py"),
    ],
)
def test_what_pytest_was_asked_for_holds_of_a_part(options: tuple[str, ...], collect: Callable[..., list[str]]) -> None:
    """Options that choose files or tests choose the same of the wanted cases."""
    wanted = ["test_a.py::TestX::test_it[x-2]", "test_a.py::TestX::test_it[y-1]"]
    expected = [case for case in collect(*options) if case in wanted]

    assert len(expected) in (1, 2)
    assert collect(*options, cases=wanted) == expected


def test_a_case_that_is_not_there_is_not_made_up(collect: Callable[..., list[str]]) -> None:
    """Parameters without any that is wanted are all made, and the conductor chooses none of them."""
    made = collect(cases=["test_a.py::test_it[gone]"])

    assert sorted(made) == sorted(f"test_a.py::test_it[{v}]" for v in ("w-v]", "::", "[", ""))


def part_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: list[str], **changes: Any) -> tuple[Launch, Stage]:
    """Return a launch of two of three cases, whose sides collect what `cases` says, and its stage."""
    played = suite(*map(Case, cases))
    stage = Stage(monkeypatch, base=played, head=played)
    wanted = list[list[str]]()
    stage.at_start = lambda player: wanted.append(
        json.loads(Path(json.loads(player.options["env"]["LOCKSTEP"])["wanted"]).read_text())
    )
    launch = Launch(setup_of(tmp_path, **changes), 0, [], ["a", "b"])
    launch.run()
    assert wanted == [["a", "b"]] * 2
    return launch, stage


def test_a_launch_of_a_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sides are told of its cases in a file; what the first launch planted, it plants by that name."""
    launch, stage = part_of(tmp_path, monkeypatch, ["a", "b"], slower={"b": 0.5, "c": 0.25})

    assert launch.plan == [CONTROL, "a", "b"]
    assert stage.player("head").heard[0] == {"run": ["a", "b"], "slower": {"b": 0.5, "c": 0.25}}
    assert strayed(launch, []) == []


@pytest.mark.parametrize("cases", [[], ["b"]])
def test_cases_that_a_part_lacks_are_no_failure(
    cases: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It measures what there is, be it the control alone, and says what it did not find."""
    launch, _ = part_of(tmp_path, monkeypatch, cases)

    assert launch.finished
    assert list(launch.measured) == [CONTROL, *cases]
    assert strayed(launch, []) == (["a"] if cases else ["a", "b"])
    assert strayed(launch, ["a"]) == ([] if cases else ["b"])


def made_part(cases: list[str], **changes: Any) -> Launch:
    """Return a launch that collected a part of the suite, made for these cases."""
    launch = made_launch(1, cases)
    launch.cases, launch.collects_part = cases, True
    for name, value in changes.items():
        setattr(launch, name, value)
    return launch


def test_what_strays() -> None:
    """Cases that were asked for and not measured, if the launch came to an end; else those alone that failed."""
    failed = made_part([STEADY, SLOW], failed={SLOW: Failure("head", "failed", "no")})
    del failed.measured[SLOW]
    assert strayed(failed, []) == [SLOW, SLOW]
    assert strayed(failed, [SLOW]) == []
    failed.finished = False
    assert strayed(failed, []) == [SLOW]
    failed.failed = {}
    assert strayed(failed, []) == []
    failed.died = SideFailed("head ended", case=STEADY)
    assert strayed(failed, []) == [SLOW]


def test_a_case_that_strays_is_measured_where_all_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it lost in a part says nothing of it; later launches collect all, which is said."""
    monkeypatch.setattr(session, "time", clock := Clock())
    monkeypatch.setattr(session, "others", lambda besides: [])
    script = Script(clock, {STEADY: [1.0], SLOW: [1.5]}, failing={SLOW: [None, Failure("base", "failed", "alone")]})
    monkeypatch.setattr(session, "Launch", script)
    outcome = _Session(Options("main", launches_at_once=1), SETUP).run(None)

    assert [launch.collects_part for launch in script.launches] == [False, True] + [False] * (len(script.launches) - 2)
    assert (outcome.judged, outcome.referee.decided) == ({}, {STEADY: "same", SLOW: "slower"})
    assert outcome.strayed == f"{SLOW} was not measured: base failed: alone"
    (said,) = [line for line in notes(made_comparison(strayed=outcome.strayed)) if "part of the suite" in line]
    assert said == f"launches that collect a part of the suite were given up, as in one {outcome.strayed}"


FAILURE = Failure("head", "failed", "no", in_head_alone=True)
OPEN, FINAL = (Judgement(Verdict.NOT_MEASURED, "no", final=final) for final in (False, True))


@pytest.mark.parametrize(
    ("changes", "judged", "counts", "why"),
    [
        ({}, {}, [], ""),
        ({"failed": {SLOW: FAILURE}}, {}, [SLOW], f"{SLOW} was not measured: head failed: no"),
        ({"failed": {SLOW: Failure("base", "failed", "no")}}, {}, [], f"{SLOW} was not measured: base failed: no"),
        ({"failed": {SLOW: FAILURE}}, {SLOW: OPEN}, [SLOW], ""),  # which it confirms
        ({}, {SLOW: OPEN}, [], f"{SLOW} was not measured"),  # nor confirmed
        ({}, {SLOW: FINAL}, [], ""),
        ({"died": SideFailed("head imported x", case=SLOW)}, {SLOW: FINAL}, [], "head imported x"),
    ],
)  # fmt: skip
def test_what_counts_of_a_launch_that_collected_a_part(
    changes: dict[str, Any], judged: dict[str, Judgement], counts: list[str], why: str
) -> None:
    """Failures that are known or of head alone; what it lacks beside them says that no more parts are collected."""
    launch = made_part([STEADY, SLOW], **changes)
    if changes.get("failed") or why or judged:
        del launch.measured[SLOW]

    assert doubted(launch, judged) == (launch.measured, {case: launch.failed[case] for case in counts}, why)
    launch.died = SideFailed("head imported mylib")
    assert doubted(launch, judged)[0] == {}


def test_a_part_that_lacks_a_case_confirms_nothing() -> None:
    """A failure in head alone waits for a launch that has the case; a launch of all that skips it is one."""
    first, part, whole = made_launch(0, [STEADY]), made_part([STEADY]), made_launch(2, [STEADY])
    first.failed = {SLOW: FAILURE}
    for launch in (first, part, whole):
        launch.plan = [CONTROL, STEADY, SLOW]
        launch.measured.pop(SLOW, None)

    assert [judged([first, part])[SLOW].final, judged([first, whole])[SLOW].final] == [False, True]
    assert judged([first, part, whole])[SLOW].why == "head failed in one launch, and not in the next: no"


def test_a_launch_of_all_tells_what_one_of_a_part_costs() -> None:
    """But for what collecting takes, which nobody knows before the first; then its median is."""
    first = made_launch(0, [STEADY, SLOW, FAST])  # ended at 2, 3 and 4 s
    first.collecting_seconds = 0.5

    assert costs([first], [STEADY], collects_all=True).overhead == 1.0
    assert costs([first], [STEADY], collects_all=False).overhead == 0.5
    second = made_part([STEADY, SLOW], collecting_seconds=0.125)
    for case, one in second.measured.items():
        second.measured[case] = type(one)(one.seconds, one.extra_info, one.ended_at - 0.5)
    known = costs([first, first, second], [STEADY, SLOW, FAST], collects_all=False)
    assert known.overhead == 2 - (0.5 - 0.125) - 1
    assert known.by_case == {STEADY: 1.0, SLOW: 1.0, FAST: 1.0}


def test_what_the_first_launch_takes_is_known_once_it_has_collected() -> None:
    """At first by a quarter of a second a case, on both sides, then by what its own cases took."""
    launch = made_launch(0, [STEADY, SLOW, FAST], finished=False)
    measured = dict(launch.measured)
    launch.starting_seconds, launch.collecting_seconds, launch.measured = 2.0, 5.0, {}
    running = progress(Referee(()), [], [launch], 8.0)

    assert first_launch_seconds(launch) == 7 + 4 * 0.25
    assert running.first_launch_seconds == 8.0
    assert str(running) == "launch 1, of about 8 s: starting"
    launch.measured = {case: measured[case] for case in (CONTROL, STEADY)}
    assert first_launch_seconds(launch) == 2 + 2 * 1.0
    assert first_launch_takes([launch], 3.0) == "about 4 s"
    launch.plan = []
    assert progress(Referee(()), [], [launch], 8.0).first_launch_seconds is None
    assert progress(Referee(()), [launch], [launch], 8.0).first_launch_seconds is None


def test_what_starting_and_collecting_took() -> None:
    """By the median, apart for launches that collected all; a comparison of before that was measured says nothing."""
    launches = [made_launch(0, [STEADY]), made_part([STEADY]), made_part([STEADY]), made_part([STEADY])]
    assert starting([_launch(one) for one in launches]) == []
    for launch, seconds in zip(launches, [33.04, 1.0, 2.0, 9.0], strict=True):
        launch.starting_seconds, launch.collecting_seconds = seconds / 10, seconds
    kept = [_launch(one) for one in launches]

    assert [one.collected_all for one in kept] == [True, False, False, False]
    assert starting(kept) == [
        "starting and collecting: 3.3 s and 33.0 s in launches that collect all, "
        "0.2 s and 2.0 s in launches that collect only what they measure"
    ]
    assert starting(kept)[0] in notes(made_comparison(launches=kept))


COSTLY = """
import os, pytest
with open(os.environ["IMPORTS_LOG"], "a") as log:
    log.write(f"{os.environ['PARABOLA_LAUNCH']} costly\\n")
@pytest.mark.parametrize("v", range(20))
def test_costly(benchmark, v):
    pytest.skip("so that only the first launch is to measure them")
"""
ALONE = """
import os, sys, thing
def test_it(benchmark):
    assert "test_costly" in sys.modules
    benchmark.pedantic(thing.work, rounds=2)
    assert os.environ["PARABOLA_SIDE"] == "base" or int(os.environ["PARABOLA_LAUNCH"]) < 3
"""


@pytest.mark.end_to_end
@pytest.mark.usefixtures("few_plugins")
def test_later_launches_import_what_they_measure(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that fails in its part alone is measured with the whole suite, and wrong only where it fails there."""
    log = tmp_path / "imports"
    monkeypatch.setenv("IMPORTS_LOG", str(log))
    folder = project(test_it=ALONE)
    (folder / "test_costly.py").write_text(COSTLY)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    outcome = session.compare(Options("main", budget_seconds=100.0, launches_at_once=1), folder)

    assert outcome.ended == "decided", (outcome.why, outcome.output)
    assert {case: judgement.verdict for case, judgement in outcome.judged.items()} == {"test_it.py::test_it": "wrong"}
    assert outcome.strayed.startswith("test_it.py::test_it was not measured: both sides failed: AssertionError")
    assert [launch.collects_part for launch in outcome.launches] == [False, True, False, False, False]
    assert sorted(log.read_text().split()[::2]) == ["0", "0", "2", "2", "3", "3", "4", "4"]
    assert all(launch.starting_seconds > 0 < launch.collecting_seconds for launch in outcome.launches)
