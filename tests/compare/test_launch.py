"""A launch from agreement to its end, with players in the place of processes: cases, turns, what is kept, failures."""

import math
import shutil
import signal
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare.sides import launch
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.failure import Failure, SideFailed
from parabola.compare.sides.failure import failure_of as failure_of_ends
from parabola.compare.sides.launch import Launch, Measured
from parabola.compare.sides.protocol import Failed, Finished, Skipped
from parabola.compare.sides.start import Setup
from tests.players import Case, Player, Stage, setup_of, suite


def failure_of(made: Launch) -> SideFailed:
    with pytest.raises(SideFailed) as failure:
        made.run()
    return failure.value


@pytest.mark.parametrize(
    ("number", "first", "second"),
    [(0, "bb bhhbbh hhh", "hh bh bbb"), (1, "bb hbbhhb hhh", "hh hb bbb")],
)
@pytest.mark.parametrize("later", [0, 2])
def test_the_order_of_turns(
    number: int, later: int, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Extra warm-up rounds come first, then pairs, each begun by the side that ended the last, then what is left."""
    stage = Stage(
        monkeypatch,
        base=suite(Case("a", rounds=2, warmup_rounds=3), Case("b", rounds=4), Case("c", rounds=3, warmup_rounds=1)),
        head=suite(Case("a", rounds=5, warmup_rounds=1), Case("b", rounds=1, warmup_rounds=2), Case("c", skips=True)),
    )
    made = Launch(setup_of(tmp_path), number + later, [], None)
    made.run()

    assert stage.turns("a") == first.replace(" ", "")
    assert stage.turns("b") == second.replace(" ", "")
    assert stage.turns("c") == "bbbb"
    assert list(dict.fromkeys(turn.split()[1] for turn in stage.journal)) == ["control", "a", "b", "c"]
    assert list(made.measured) == ["control", "a", "b"]
    go, go_on = {"go": True}, {"go_on": True}
    told: dict[str, Any] = {"run": ["a", "b", "c"], "slower": {}}
    assert stage.player("base").heard == [told, go, go_on, *[go] * 5, go_on, *[go] * 4, go_on, *[go] * 4, go_on]
    assert stage.player("head").heard == [told, go, go_on, *[go] * 6, go_on, *[go] * 3, go_on]


@pytest.mark.parametrize(("number", "order"), [(0, ["base", "head"]), (1, ["head", "base"])])
@pytest.mark.parametrize(("base", "head", "agreed"), [(3, 7, 7), (8, 2, 8)])
def test_calibration_takes_the_larger_number(
    number: int, order: list[str], base: int, head: int, agreed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sides calibrate one after the other and both get the larger number; a side that is alone keeps its own."""
    stage = Stage(
        monkeypatch,
        base=suite(Case("a", calls=base), Case("b", calls=11)),
        head=suite(Case("a", calls=head), Case("b", skips=True)),
    )
    Launch(setup_of(tmp_path), number, [], None).run()

    found = [turn for turn in stage.journal if "finds" in turn]
    assert found == [f"{order[0]} finds a", f"{order[1]} finds a", "base finds b"]
    assert stage.player("base").heard[7:9] == [{"go": True}, {"iterations": 11}]
    for player in stage.players:
        assert player.heard[3:7] == [{"go": True}, {"iterations": agreed}, {"go": True}, {"go_on": True}]


def test_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch keeps by case and side the seconds and what the suite says, and when the case ended on its own clock."""
    moments = iter([100.0, 101.0, 101.5, 104.75])
    monkeypatch.setattr(launch, "time", SimpleNamespace(perf_counter=lambda: next(moments)))
    stage = Stage(
        monkeypatch,
        base=suite(Case("control", seconds=[0.5, 0.25]), Case("b"), Case("a", seconds=[3.0, 2.0, 1.0])),
        head=suite(Case("control", seconds=[0.125]), Case("a", seconds=[4.0], extra_info={"x": 1}), Case("c")),
    )
    made = Launch(setup_of(tmp_path), 1, [], None)
    assert (made.plan, made.doing, made.only, made.finished, made.measured) == (
        *([], "starting", BySide([], []), False, {}),
    )
    made.run()

    assert made.measured == {
        "control": Measured(BySide([0.5, 0.25], [0.125]), BySide({}, {}), 1.5),
        "a": Measured(BySide([3.0, 2.0, 1.0], [4.0]), BySide({}, {"x": 1}), 4.75),
    }
    assert made.only == BySide(["b"], ["c"])
    assert made.plan == ["control", "a"]
    assert made.doing == "a"
    assert made.finished
    assert made.stopped
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["base", "head", "kept"]


def test_the_case_in_work_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line on the terminal can name the case whose rounds are being measured."""
    doing = list[str]()

    class Journal(list[str]):
        def append(self, turn: str) -> None:
            doing.append(f"{turn.split()[-1]} {made.doing}")

    stage = Stage(monkeypatch, base=suite(Case("a"), Case("b")), head=suite(Case("a"), Case("b", calls=2)))
    stage.journal = Journal()
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()

    assert doing == ["control control"] * 2 + ["a a"] * 2 + ["b b"] * 3


@pytest.mark.parametrize("number", [0, 1])
def test_cases_that_both_have(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases that both have and that are asked for run in the order of head, and a slowdown is planted in head alone."""
    setup = setup_of(tmp_path, slower={"batch_2[a]": 0.05, "control": 2.0}, collects_all=True)
    stage = Stage(
        monkeypatch,
        base=suite(Case("old"), Case("b.py::batch_1[a]"), Case("b.py::batch_2[a]"), Case("a.py::other")),
        head=suite(Case("b.py::batch_2[a]"), Case("new"), Case("a.py::other"), Case("b.py::batch_1[a]"), Case("newer")),
    )
    made = Launch(setup, number, [], ["b.py::batch_1[a]", "b.py::batch_2[a]", "old", "newer"])
    made.run()
    run = ["b.py::batch_2[a]", "b.py::batch_1[a]"]

    assert made.only == BySide(["old"], ["new", "newer"])
    assert made.plan == ["control", *run]
    assert stage.player("base").heard[0] == {"run": run, "slower": {}}
    assert stage.player("head").heard[0] == {"run": run, "slower": {"b.py::batch_2[a]": 0.05, "control": 2.0}}
    assert list(made.measured) == ["control", *run]


@pytest.mark.parametrize(
    ("part", "answer"),
    [
        ("a.py::x", {"a.py::x": 0.5}),  # whole, though others begin so
        ("a.py::x_2", {"a.py::x_2": 0.5}),
        ("_1", {"a.py::x_1": 0.5}),  # a part of one
        ("contr", {"control": 0.5}),
        ("x_", "--inject plants in one case, but 2 have 'x_' in their name"),
        ("a.py", "--inject plants in one case, but 3 have 'a.py' in their name"),
        ("only_in_head", "--inject plants in one case, but 0 have 'only_in_head' in their name"),
    ],
)
def test_a_slowdown_is_planted_in_one_case(
    part: str, answer: dict[str, float] | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted case is named in whole or by a part that no other has, and any other name is bad input."""
    both = [Case("a.py::x_1"), Case("a.py::x"), Case("a.py::x_2")]
    stage = Stage(monkeypatch, base=suite(*both), head=suite(*both, Case("only_in_head")))
    made = Launch(setup_of(tmp_path, slower={part: 0.5}), 0, [], None)

    if isinstance(answer, str):
        failure = failure_of(made)
        assert (str(failure), failure.usage) == (answer, True)
        assert not made.finished
    else:
        made.run()
        assert stage.player("head").heard[0]["slower"] == answer


@pytest.mark.parametrize(
    ("wanted", "cases", "plan"),
    [
        ([], None, ["a.py::x_1", "a.py::x", "b.py::y"]),
        (["a.py::x"], None, ["a.py::x"]),  # whole, though another begins so
        (["x"], None, ["a.py::x_1", "a.py::x"]),
        (["::y", "x_1"], None, ["a.py::x_1", "b.py::y"]),
        (["x"], ["a.py::x"], ["a.py::x"]),  # of those that were asked for, the one that is undecided
        (["x", "only_in_head"], None, "only_in_head"),
    ],
)
def test_cases_are_named_in_whole_or_by_a_part(
    wanted: list[str], cases: list[str] | None, plan: list[str] | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in the order of head; a name that is in none of those that both sides have is bad input."""
    both = [Case("a.py::x_1"), Case("a.py::x"), Case("b.py::y")]
    Stage(monkeypatch, base=suite(*both[::-1]), head=suite(*both, Case("only_in_head")))
    made = Launch(setup_of(tmp_path, wanted=wanted), 0, [], cases)

    if isinstance(plan, str):
        failure = failure_of(made)
        says = f"--case: none of the 3 benchmarks of both sides has {plan!r} in its name"
        assert (str(failure), failure.usage) == (says, True)
    else:
        made.run()
        assert made.plan == ["control", *plan]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    ("base", "head", "says"),
    [
        ([], [Case("a")], "base has no benchmarks (v1)"),
        ([Case("a")], [], "head has no benchmarks (working tree)"),
        ([Case("a")], [Case("b")], "base and head have no benchmark in common"),
    ],
)
def test_nothing_to_compare(
    number: int, base: list[Case], head: list[Case], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A side without benchmarks is named with its revision; two that have none in common are not bad input either."""
    Stage(monkeypatch, base=suite(*base), head=suite(*head))
    failure = failure_of(Launch(setup_of(tmp_path), number, [], None))

    assert (str(failure), failure.usage) == (says, False)


def exits(code: int | None, log: bytes = b"", *said: dict[str, Any]) -> Callable[[Player], int | None]:
    """Return the play of a process that says something and ends."""

    def play(player: Player) -> int | None:
        player.log(log)
        for message in said:
            player.say(**message)
        return code

    return play


NO_FILE = "{} ended with exit code 4, starting: ERROR: file or directory not found: {}"


@pytest.mark.parametrize(
    ("number", "base", "head", "says", "usage"),
    [
        (0, 4, 4, NO_FILE.format("base", "base"), True),
        (1, 4, 4, NO_FILE.format("head", "head"), True),
        (0, None, 4, NO_FILE.format("head", "head"), False),
        (1, 4, None, NO_FILE.format("base", "base"), False),
        (0, 4, 3, NO_FILE.format("base", "base"), False),
        (0, 3, 4, "base ended with exit code 3, starting: ERROR: file or directory not found: base", False),
    ],
)
def test_options_that_pytest_refuses(
    number: int,
    base: int | None,
    head: int | None,
    says: str,
    usage: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Options are to blame only if neither side takes them, and the words are those of the side that began."""
    codes = {"base": base, "head": head}
    plays: dict[str, Any] = {
        name: exits(code, f"ERROR: file or directory not found: {name}\n".encode()) if code else suite(Case("a"))
        for name, code in codes.items()
    }
    stage = Stage(monkeypatch, **plays)
    failure = failure_of(Launch(setup_of(tmp_path), number, [], None))

    assert (str(failure), failure.usage) == (says, usage)
    assert failure.output == [f"ERROR: file or directory not found: {says[:4]}"]
    assert [pid for pid, _ in stage.killed] == [7001, 7002]


def test_a_side_that_collects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that ends before it has collected is a process that ended, as one with --version is."""
    ended = exits(0, b"pytest 9\n", {"kind": "ended", "strangers": {}})
    stage = Stage(monkeypatch, base=suite(Case("a")), head=ended)
    failure = failure_of(Launch(setup_of(tmp_path), 0, [], None))

    assert (str(failure), failure.usage) == ("head ended with exit code 0, starting: pytest 9", False)
    assert stage.player("head").waited[0] == 10


def test_tests_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch goes on with the other cases to its end, and keeps why one has no times, unless it is skipped."""
    base = [Case("a"), Case("b", fails="no"), Case("c", fails="no"), Case("d", skips=True), Case("e", skips=True)]
    head = [Case("a", fails="oh"), Case("b", fails="no"), Case("c"), Case("d", fails="oh"), Case("e"), Case("f")]
    zero = Case("f", seconds=[1.0, 0.0])
    Stage(monkeypatch, base=suite(*base, zero, Case("g")), head=suite(*head, Case("g")))
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()

    assert made.finished
    assert list(made.measured) == ["control", "g"]
    assert made.failed == {
        "a": Failure("head", "failed", "oh", in_head_alone=True, output=["E", "head"]),
        "b": Failure("both sides", "failed", "no", output=["E", "base"]),
        "c": Failure("base", "failed", "no", output=["E", "base"]),
        "d": Failure("head", "failed", "oh", output=["E", "head"]),
        "f": Failure("base", "had a round of 0 s", "no ratio follows from it"),
    }
    assert str(made.failed["b"]) == "both sides failed: no"


@pytest.mark.parametrize(
    ("base", "head", "says"),
    [
        ([1.0], [0.5], None),
        ([1.0, 0.0], [0.0], "base had a round of 0 s: no ratio follows from it"),
        ([1.0], [1.0, -2.5e-7], "head had a round of -2.5e-07 s: no ratio follows from it"),
        ([math.nan], [1.0], "base had a round of nan s: no ratio follows from it"),
        ([1.0], [math.inf], "head had a round of inf s: no ratio follows from it"),
    ],
)
def test_times_of_which_there_is_no_ratio(base: list[float], head: list[float], says: str | None) -> None:
    """A round of no time, or of one that no clock can tell, leaves a case without times, and says nothing of head."""
    failure = failure_of_ends({"head": Finished("a", head, {}), "base": Finished("a", base, {})})

    assert (failure and str(failure)) == says
    assert failure is None or not failure.in_head_alone


def test_a_test_that_one_side_alone_came_to() -> None:
    """Where it fails, nothing is known of the other side; where it does not, or is skipped, nothing failed."""
    failed = failure_of_ends({"head": Failed("a", "no", [])})

    assert failed == Failure("head", "failed", "no", output=[])
    assert [failure_of_ends({"base": end}) for end in (Skipped("a"), Finished("a", [1.0], {}))] == [None, None]


def test_a_side_that_ends_after_the_first_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the launch and the other side: the case it was in is failed, and what was finished until then is kept."""

    def play(player: Player) -> int | None:
        player.say("collected", cases=["a", "b"])
        player.hear()
        for case in ("control", "a"):
            player.say("ready", case=case, rounds=1, warmup_rounds=0)
            player.hear()
            player.say("passed")
            player.hear()
            if case == "control":
                player.say("finished", case=case, seconds=[2.0], extra_info={})
        player.log(b"so long\n")
        return 3

    stage = Stage(monkeypatch, base=suite(Case("a"), Case("b")), head=play)
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()

    assert str(made.died) == "head ended with exit code 3, in a: so long"
    assert list(made.measured) == ["control"]
    assert made.failed == {"a": Failure("head", "ended with exit code 3: so long", "", output=["so long"])}
    assert str(made.failed["a"]) == "head ended with exit code 3: so long"
    assert not made.finished
    assert made.stopped
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
    assert [side.connection.fileno() for side in made.sides] == [-1, -1]
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["base", "head", "kept"]


Act = Callable[[Player], int | None]


def ends_where(moment: str) -> Act:
    """Return the play of a side that is gone, with exit code 3, at a moment of its session of the cases a and b."""

    def play(player: Player) -> int | None:
        for part, steps in SESSION:
            if part == moment:
                return 3
            for kind, message, answered in steps:
                player.say(kind, **message)
                if answered:
                    player.hear()
        return None

    return play


def case_steps(case: str) -> list[tuple[str, list[tuple[str, dict[str, Any], bool]]]]:
    """Return what is said of a case, by the moment before it."""
    return [
        (f"before {case}", [("begun", {"case": case}, False)]),
        (f"set-up of {case}", [("ready", {"case": case, "rounds": 1, "warmup_rounds": 0}, True)]),
        (f"rounds of {case}", [("passed", {}, True)]),
        (f"after the rounds of {case}", [("finished", {"case": case, "seconds": [1.0], "extra_info": {}}, False)]),
    ]


SESSION = [
    ("start", [("collected", {"cases": ["a", "b"]}, True)]),
    *[(moment, steps) for moment, steps in case_steps("control") if moment != "before control"],
    *case_steps("a"),
    *case_steps("b"),
    ("end", [("ended", {"strangers": {}}, False)]),
]


@pytest.mark.parametrize("moment", [moment for moment, _ in SESSION])
def test_whose_doing_it_is_that_a_side_ends(moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the set-up of a case's test to its end it is that case's; else, as in the control, nobody's: all ends."""
    Stage(monkeypatch, base=suite(Case("a"), Case("b")), head=ends_where(moment))
    made = Launch(setup_of(tmp_path), 0, [], None)
    case = moment[-1] if moment.endswith((" of a", " of b")) else ""
    if case:
        made.run()
        assert [*made.failed] == [case]
        assert made.died
        assert [*made.measured] == ["control", "a"][: 1 + (case == "b")]
    else:
        with pytest.raises(SideFailed, match="head ended with exit code 3"):
            made.run()
        assert (made.failed, made.died) == ({}, None)
    assert not made.finished


def test_a_launch_that_is_stopped_blames_no_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sides are gone since they were ended, where the time is used up, in whatever case they were."""
    made = Launch(setup_of(tmp_path), 0, [], None)

    def play(player: Player) -> int | None:
        code = ends_where("rounds of a")(player)
        made.stopped = True
        return code

    Stage(monkeypatch, base=suite(Case("a"), Case("b")), head=play)

    with pytest.raises(SideFailed, match="head ended with exit code 3, in a"):
        made.run()
    assert made.failed == {}


BROKEN = {"kind": "failed", "case": "b.py", "why": "ImportError: no", "output": ["E no"]}


def collects(cases: list[str], *broken: dict[str, Any]) -> Act:
    """Return the play of a side that has such cases, and could not collect some files."""

    def play(player: Player) -> int | None:
        player.say("collected", cases=cases, uncollected=broken)
        for case in ["control", *player.hear()["run"]]:
            for _, steps in case_steps(case):
                for kind, message, answered in steps:
                    player.say(kind, **message)
                    if answered:
                        player.hear()
        player.say("ended", strangers={})
        return 0

    return play


def test_a_file_that_one_side_cannot_collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases that the other has of it fail with the reason, and are not listed as its alone; all others go on."""
    base = collects(["a.py::a", "b.py::one", "b.py::T::two", "b.pyx::gone"])
    Stage(monkeypatch, base=base, head=collects(["a.py::a"], BROKEN))
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()
    failure = Failure("head", "could not collect b.py", "ImportError: no", output=["E no"])

    assert made.finished
    assert [*made.measured] == ["control", "a.py::a"]
    assert made.failed == {"b.py::one": failure, "b.py::T::two": failure}
    assert made.only == BySide(["b.pyx::gone"], [])
    assert str(failure) == "head could not collect b.py: ImportError: no"


@pytest.mark.parametrize("both", [True, False])
def test_a_file_that_nobody_has_cases_of(both: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stands for its cases: neither side could collect it, or it is new in head and broken there."""
    base = collects(["a.py::a"], *([{**BROKEN, "why": "odd"}] if both else []))
    Stage(monkeypatch, base=base, head=collects(["a.py::a"], BROKEN))
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()
    says = "both sides could not collect b.py: base: odd; head: ImportError: no"

    assert {file: str(why) for file, why in made.failed.items()} == {
        "b.py": says if both else "head could not collect b.py: ImportError: no"
    }
    assert [*made.measured] == ["control", "a.py::a"]


def test_a_side_that_can_collect_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has no other case to go on with: it ends the launch with the reason."""
    Stage(monkeypatch, base=collects(["b.py::one"]), head=collects([], BROKEN))
    failure = failure_of(Launch(setup_of(tmp_path), 0, [], None))

    assert (str(failure), failure.output, failure.case) == ("head failed in b.py: ImportError: no", ["E no"], "")


def test_a_side_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that says nothing fails after the comparison's limit of silence."""

    def play(player: Player) -> int | None:
        player.hear()
        return 0

    def collected(player: Player) -> None:
        if player.name == "base":  # at once, however busy the machine is
            player.say("collected", cases=["a"])

    stage = Stage(monkeypatch, base=play, head=play)
    stage.at_start = collected
    failure = failure_of(Launch(setup_of(tmp_path, limit_seconds=0.51), 0, [], None))

    assert (str(failure), failure.usage) == ("head hangs: silent for 1 s, starting", False)


STRANGER = "{} imported {} from /r/{}.py, not from its own tree; name its own folder in PYTHONPATH, or allow this one: "


@pytest.mark.parametrize("when", ["collected", "ended"])
@pytest.mark.parametrize(
    ("number", "base", "head", "side", "module"),
    [
        (0, [], ["thing", "x"], "head", "thing"),
        (1, ["b"], [], "base", "b"),
        (0, ["b"], ["h"], "base", "b"),
        (1, ["b"], ["h"], "head", "h"),
    ],
)
def test_strangers(
    when: str,
    number: int,
    base: list[str],
    head: list[str],
    side: str,
    module: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first stranger of the first side that has any is named, with what to do; at once if it is known at once."""
    told = [{when: {name: f"/r/{name}.py" for name in names}} for names in (base, head)]
    Stage(monkeypatch, base=suite(Case("a"), strangers=told[0]), head=suite(Case("a"), strangers=told[1]))
    made = Launch(setup_of(tmp_path), number, [], None)
    failure = failure_of(made)

    assert str(failure) == STRANGER.format(side, module, module) + f"--allow {module}"
    assert not failure.usage
    assert not made.finished
    assert list(made.measured) == (["control", "a"] if when == "ended" else [])


def test_a_launch_that_is_stopped_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that comes into being while its launch is being stopped is killed, too."""
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    made = Launch(setup_of(tmp_path), 0, [], None)
    killed = list[tuple[str, list[tuple[int, int]]]]()

    def stop(player: Player) -> None:
        killed.append((player.name, list(stage.killed)))
        if player.name == "base":
            made.stop()

    stage.at_start = stop
    failure = failure_of(made)

    assert str(failure) == "base was killed by SIGTERM, starting"
    assert killed == [("base", []), ("head", [(7001, signal.SIGKILL)])]
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]


def test_a_launch_that_is_stopped_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both processes of a launch that was stopped are killed as soon as they are there, and nothing is measured."""
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    made = Launch(setup_of(tmp_path), 1, [], None)
    made.stop()
    failure = failure_of(made)

    assert str(failure) == "head was killed by SIGTERM, starting"
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
    assert made.measured == {}


def test_a_suite_that_removes_its_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch whose folder is gone already ends as any other."""
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))

    def remove(player: Player) -> None:
        if player.name == "head":
            shutil.rmtree(Path(player.options["env"]["TMPDIR"]).parent)

    stage.at_start = remove
    made = Launch(setup_of(tmp_path), 0, [], None)
    made.run()

    assert made.finished


def test_a_side_that_speaks_out_of_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else a side says in a round is a fault of the conversation, and no time is kept of it."""

    def play(player: Player) -> int | None:
        player.say("collected", cases=["a"])
        player.hear()
        player.say("ready", case="control", rounds=1, warmup_rounds=0)
        player.hear()
        player.say("ready", case="a", rounds=1, warmup_rounds=0)
        player.hear()
        return 0

    Stage(monkeypatch, base=suite(Case("a")), head=play)
    made = Launch(setup_of(tmp_path), 0, [], None)
    failure = failure_of(made)

    assert str(failure) == 'head said "ready" of a, where "passed" of control was expected'
    assert made.measured == {}
    assert made.stopped


def test_what_was_set_up_and_measured_does_not_change(tmp_path: Path) -> None:
    """The set-up of a comparison and what was measured in it stay what they were when they were made."""
    for made, field in ((setup_of(tmp_path), "slower"), (Measured(BySide([], []), BySide({}, {}), 0.0), "seconds")):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field, {})


def test_a_comparison_has_these_defaults(tmp_path: Path) -> None:
    """Nothing is passed to pytest, nothing is planted, and a side may be silent for five minutes."""
    given = setup_of(tmp_path)
    made = Setup(given.base, given.head, given.scratch, given.elsewhere)

    assert (made.pytest_options, made.slower, made.limit_seconds) == ((), {}, 300.0)
