"""The conversation of a launch with its two sides, here played by threads: what is started, agreed on, said and kept."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.tracking import lockstep
from parabola.tracking.lockstep import PLUGIN, Launch, Measured, Side, SideFailed
from tests.players import Case, Player, Stage, setup_of, suite

MakeSide = Callable[..., tuple[Side, socket.socket]]


@pytest.fixture
def make_side(tmp_path: Path) -> Iterator[MakeSide]:
    """Return what makes a side whose process ended with a code, and the other end of its line."""
    opened = list[socket.socket]()

    def make(code: int | None = 0, log: bytes = b"", limit: float = 20.0) -> tuple[Side, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.settimeout(limit)
        opened.extend([ours, theirs])

        def wait(timeout: float | None = None) -> int:
            if code is None:
                raise subprocess.TimeoutExpired("pytest", timeout or 0.0)
            return code

        (tmp_path / "head.log").write_bytes(log)
        process: Any = SimpleNamespace(wait=wait, pid=7001)
        return Side("head", process, ours, tmp_path / "head.log"), theirs

    yield make
    for one in opened:
        one.close()


def failure_of(call: Callable[[], object]) -> SideFailed:
    with pytest.raises(SideFailed) as failure:
        call()
    return failure.value


def test_what_a_side_says_is_peeked_at_and_taken(make_side: MakeSide) -> None:
    """In order, however it arrives: several lines at once, one in pieces, one of more than a buffer."""
    side, line = make_side()
    line.sendall(b'{"kind": "passed", "n": 1}\n{"kind": "passed", "n": 2}\n{"kind": "pa')

    assert [side.peek()["n"], side.peek()["n"], side.take()["n"], side.take()["n"]] == [1, 1, 2, 2][:1] * 2 + [1, 2]
    line.sendall(b'ssed", "n": "' + "ä".encode() * 40_000 + b'"}\n')
    assert side.take() == {"kind": "passed", "n": "ä" * 40_000}
    assert side.waiting is None


def test_what_a_side_is_told(make_side: MakeSide) -> None:
    """Each message is a line of JSON; whoever is gone hears nothing, and that is no error yet."""
    side, line = make_side()
    side.tell(run=["a"], slower={"a": 0.25})
    side.tell(go=True)

    assert line.recv(1 << 16) == b'{"run": ["a"], "slower": {"a": 0.25}}\n{"go": true}\n'
    line.close()
    side.tell(go=True)


def test_a_side_is_silent_for_too_long(make_side: MakeSide) -> None:
    """The words have the whole seconds of the limit, and the case that it spoke of last."""
    side, line = make_side(limit=0.51)
    line.sendall(b'{"kind": "ready", "case": "a.py::b"}\n{"kind": "passed"}\n')
    side.take()
    side.take()
    failure = failure_of(side.peek)

    assert (str(failure), failure.usage) == ("head hangs: silent for 1 s, in a.py::b", False)


@pytest.mark.parametrize(
    ("case", "says"),
    [("a.py::b", "head failed in a.py::b: ValueError: no"), ("", "head failed in collecting: ValueError: no")],
)
def test_a_side_tells_of_its_failure(case: str, says: str, make_side: MakeSide) -> None:
    """In its own words, with the case, or that it was collecting."""
    side, line = make_side()
    line.sendall(json.dumps({"kind": "failed", "case": case, "why": "ValueError: no"}).encode() + b"\n")
    failure = failure_of(side.take)

    assert (str(failure), failure.usage) == (says, False)


@pytest.mark.parametrize(
    ("code", "log", "says", "usage"),
    [
        (-9, b"ERROR: no", "head was killed by SIGKILL, starting", False),
        (-15, b"", "head was killed by SIGTERM, starting", False),
        (-1, b"", "head was killed by SIGHUP, starting", False),
        (None, b"ERROR: no", "head closed its connection, starting", False),
        (0, b"", "head ended with exit code 0, starting: no word", False),
        (1, b" \n\n\t\n", "head ended with exit code 1, starting: no word", False),
        (3, b"one\n two\n\n", "head ended with exit code 3, starting: two", False),
        (4, b"x\nERROR: first\n  Error: last \nhint\n", "head ended with exit code 4, starting: Error: last", True),
        (5, b"\xff an error\n", "head ended with exit code 5, starting: \ufffd an error", False),
    ],
)
def test_how_a_process_ended(code: int | None, log: bytes, says: str, usage: bool, make_side: MakeSide) -> None:
    """By a signal's name, or with its exit code and the last error of its log, or else the last line."""
    side, line = make_side(code, log)
    line.close()
    failure = failure_of(side.take)

    assert (str(failure), failure.usage) == (says, usage)


def test_a_process_that_is_cut_off_has_ended(make_side: MakeSide) -> None:
    """A reset of the line is an end as any other, and is said of the case in work."""
    side, line = make_side(-11)
    line.sendall(b'{"kind": "ready", "case": "a.py::b"}\n')
    side.take()
    side.tell(go=True)
    line.close()  # with words in it that it has not read
    failure = failure_of(side.take)

    assert str(failure) == "head was killed by SIGSEGV, in a.py::b"


def test_a_side_is_killed_once(make_side: MakeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all processes of its group, and its line is closed; one that has ended already is no error."""
    killed = list[tuple[int, int]]()

    def gone(pid: int, sent: int) -> None:
        killed.append((pid, sent))
        raise ProcessLookupError

    monkeypatch.setattr("os.killpg", gone)
    side, _ = make_side()
    side.kill()
    side.kill()

    assert killed == [(7001, signal.SIGKILL)]
    assert side.connection.fileno() == -1


def test_a_process_that_is_killed_is_waited_for(tmp_path: Path) -> None:
    """None is left as a zombie: git, which waits for what it is asked, ends at once."""
    ours, theirs = socket.socketpair()
    command = ["git", "hash-object", "--stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    side = Side("head", process, ours, tmp_path / "log")
    side.kill()
    theirs.close()
    assert process.stdin is not None
    process.stdin.close()

    assert process.returncode == -signal.SIGKILL


ENVIRONMENT = {
    "PATH": "/bin",
    "PYTHONPATH": "/some where:/else",
    "PYTEST_ADDOPTS": "-q",
    "PYTEST_XDIST_WORKER": "gw0",
    "MY_PYTEST_XDIST": "stays",
    "GIT_DIR": "/a hook's",
    "MY_GIT_DIR": "stays",
    "TMPDIR": "/tmp/mine",
}


@pytest.mark.parametrize("on_path", ["/some where:/else", "", None])
@pytest.mark.parametrize("number", [0, 1])
def test_how_a_side_is_started(
    number: int, on_path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each with its own command, folder, environment, log and temporary folder, in a session of its own."""
    setup = setup_of(tmp_path, pytest_options=("-k", "a or b"))
    (setup.head.top / "src").mkdir()
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    seen = {}

    def look(player: Player) -> None:
        temporary = Path(player.options["env"]["TMPDIR"])
        plugin = temporary.parent / "plugin/lockstep_plugin.py"
        seen[player.name] = (plugin.read_text() == PLUGIN.read_text(), temporary.is_dir(), temporary)
        assert os.fstat(json.loads(player.options["env"]["LOCKSTEP"])["socket"])

    stage.at_start = look
    made = Launch(setup, number, [5, 3], None)
    with monkeypatch.context() as patch:
        environment = {name: value for name, value in ENVIRONMENT.items() if name != "PYTHONPATH"}
        patch.setattr("os.environ", environment if on_path is None else {**environment, "PYTHONPATH": on_path})
        patch.setattr(sys, "path", [str(tmp_path / "repository/docs")])
        made.run()

    assert [player.name for player in stage.players] == (["base", "head"] if number == 0 else ["head", "base"])
    for player, command in zip(stage.players, stage.commands, strict=True):
        top, options = setup.scratch / player.name, dict(player.options)
        copied, was_there, temporary = seen[player.name]
        launch = temporary.parent
        paths = [launch / "plugin", top, *([top / "src"] if player.name == "head" else []), top / "docs"]
        environment = options.pop("env")
        given = json.loads(environment.pop("LOCKSTEP"))
        assert copied
        assert was_there
        assert temporary.name == f"{player.name}_tmp"
        assert launch.parent == setup.scratch
        assert launch.name.startswith("launch-")
        assert not launch.exists()
        assert command == [
            *(sys.executable, "-m", "pytest", "-p", "lockstep_plugin", "-o", f"cache_dir={temporary}/cache"),
            *("--benchmark-only", "-k", "a or b"),
        ]
        assert environment == {
            "PATH": "/bin",
            "PYTHONPATH": ":".join([*map(str, paths), *([on_path] if on_path else [])]),
            "PYTEST_ADDOPTS": "-q",
            "MY_PYTEST_XDIST": "stays",
            "MY_GIT_DIR": "stays",
            "TMPDIR": str(temporary),
        }
        (descriptor,) = options.pop("pass_fds")
        assert given == {
            "socket": descriptor,
            "cores": [5, 3],
            "elsewhere": f"{tmp_path}/repository",
            "scratch": f"{tmp_path}/scratch",
        }
        output = options.pop("stdout")
        assert (output.name, output.mode, output.closed) == (str(launch / f"{player.name}.log"), "wb", True)
        assert options == {
            "cwd": setup.scratch / player.name / "docs",
            "stdin": subprocess.DEVNULL,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
        }


def test_where_a_checkouts_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the repository's own are, by what is on the path within it: no installed ones, none twice, none missing."""
    repository, top = tmp_path / "repository", tmp_path / "scratch/head"
    for name in ("src", "python/lib", "tools", "venv/lib", "here"):
        (top / name).mkdir(parents=True)
    (top / "archive.zip").touch()
    (repository / "here").mkdir(parents=True)
    (tmp_path / "link").symlink_to("repository")
    monkeypatch.chdir(repository / "here")
    entries = ["", "python/lib", "tools", "src", "venv/lib", "missing", "archive.zip", "", "tools"]
    path = ["", *(str(tmp_path / "link" / entry) for entry in entries), str(tmp_path / "repository2/here")]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", path)
        patch.setattr(sys, "prefix", str(tmp_path / "link/venv"))
        found = lockstep._own_paths(top, repository)
        patch.setattr(sys, "prefix", str(tmp_path / "installed"))
        with_venv = lockstep._own_paths(top, repository)
        patch.setattr(sys, "path", [])
        alone = lockstep._own_paths(tmp_path / "repository", repository)

    assert found == [top, top / "src", top / "python/lib", top / "tools"]
    assert with_venv == [top, top / "src", top / "python/lib", top / "tools", top / "venv/lib"]
    assert alone == [tmp_path / "repository"]


@pytest.mark.parametrize(
    ("number", "first", "second"),
    [(0, "bb bhhbbh hhh", "hh bh bbb"), (1, "bb hbbhhb hhh", "hh hb bbb")],
)
@pytest.mark.parametrize("later", [0, 2])
def test_the_order_of_turns(
    number: int, later: int, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First what one side warms up longer, then pairs of which each begins as the last one ended, then what is left."""
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
    """The sides find how many calls make a round one after the other; a side that is alone keeps its own number."""
    stage = Stage(
        monkeypatch,
        base=suite(Case("a", calls=base), Case("b", calls=11)),
        head=suite(Case("a", calls=head), Case("b", skips=True)),
    )
    Launch(setup_of(tmp_path), number, [], None).run()

    assert [turn for turn in stage.journal if "finds" in turn] == [
        *(f"{side} finds a" for side in order),
        "base finds b",
    ]
    heard = {
        player.name: [one["iterations"] for one in player.heard if "iterations" in one] for player in stage.players
    }
    assert heard == {"base": [agreed, 11], "head": [agreed]}
    for player in stage.players:
        assert player.heard[3:7] == [{"go": True}, {"iterations": agreed}, {"go": True}, {"go_on": True}]


def test_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By case and side: the seconds, what the suite says of it, and when it ended on the launch's own clock."""
    moments = iter([100.0, 101.5, 104.75])
    monkeypatch.setattr(lockstep, "time", SimpleNamespace(perf_counter=lambda: next(moments)))
    stage = Stage(
        monkeypatch,
        base=suite(Case("control", seconds=[0.5, 0.25]), Case("b"), Case("a", seconds=[3.0, 2.0, 1.0])),
        head=suite(Case("control", seconds=[0.125]), Case("a", seconds=[4.0], extra_info={"x": 1}), Case("c")),
    )
    made = Launch(setup_of(tmp_path), 1, [], None)
    assert (made.plan, made.doing, made.only, made.finished, made.measured) == ([], "starting", {}, False, {})
    made.run()

    assert made.measured == {
        "control": Measured({"base": [0.5, 0.25], "head": [0.125]}, {"base": {}, "head": {}}, 1.5),
        "a": Measured({"base": [3.0, 2.0, 1.0], "head": [4.0]}, {"base": {}, "head": {"x": 1}}, 4.75),
    }
    assert made.only == {"base": ["b"], "head": ["c"]}
    assert made.plan == ["control", "a"]
    assert made.doing == "a"
    assert made.finished
    assert made.stopped
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["base", "head"]


def test_the_case_in_work_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While its rounds are measured, for the line on the terminal."""
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
    """They run in the order of head, and only those that are asked for; a slowdown is planted in head alone."""
    setup = setup_of(tmp_path, slower={"batch_2[a]": 0.05, "control": 2.0})
    stage = Stage(
        monkeypatch,
        base=suite(Case("old"), Case("b.py::batch_1[a]"), Case("b.py::batch_2[a]"), Case("a.py::other")),
        head=suite(Case("b.py::batch_2[a]"), Case("new"), Case("a.py::other"), Case("b.py::batch_1[a]"), Case("newer")),
    )
    made = Launch(setup, number, [], ["b.py::batch_1[a]", "b.py::batch_2[a]", "old", "newer"])
    made.run()
    run = ["b.py::batch_2[a]", "b.py::batch_1[a]"]

    assert made.only == {"base": ["old"], "head": ["new", "newer"]}
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
    """It is named in whole or by a part that no other has; any other name is bad input."""
    both = [Case("a.py::x_1"), Case("a.py::x"), Case("a.py::x_2")]
    stage = Stage(monkeypatch, base=suite(*both), head=suite(*both, Case("only_in_head")))
    made = Launch(setup_of(tmp_path, slower={part: 0.5}), 0, [], None)

    if isinstance(answer, str):
        failure = failure_of(made.run)
        assert (str(failure), failure.usage) == (answer, True)
        assert not made.finished
    else:
        made.run()
        assert stage.player("head").heard[0]["slower"] == answer


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
    failure = failure_of(Launch(setup_of(tmp_path), number, [], None).run)

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
    """They are to blame only if neither side takes them; the words are of the side that began."""
    codes = {"base": base, "head": head}
    plays: dict[str, Any] = {
        name: exits(code, f"ERROR: file or directory not found: {name}\n".encode()) if code else suite(Case("a"))
        for name, code in codes.items()
    }
    stage = Stage(monkeypatch, **plays)
    failure = failure_of(Launch(setup_of(tmp_path), number, [], None).run)

    assert (str(failure), failure.usage) == (says, usage)
    assert [pid for pid, _ in stage.killed] == [7001, 7002]


def test_a_side_that_collects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that ends before it has collected is a process that ended, as one with --version is."""
    ended = exits(0, b"pytest 9\n", {"kind": "ended", "strangers": {}})
    stage = Stage(monkeypatch, base=suite(Case("a")), head=ended)
    failure = failure_of(Launch(setup_of(tmp_path), 0, [], None).run)

    assert (str(failure), failure.usage) == ("head ended with exit code 0, starting: pytest 9", False)
    assert stage.player("head").waited[0] == 10


def test_a_side_that_fails_after_the_first_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides are killed, and what was finished until then is kept."""

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
        player.say("failed", case="a", why="RuntimeError: no")
        player.hear()
        return 0

    stage = Stage(monkeypatch, base=suite(Case("a"), Case("b")), head=play)
    made = Launch(setup_of(tmp_path), 0, [], None)
    failure = failure_of(made.run)

    assert str(failure) == "head failed in a: RuntimeError: no"
    assert list(made.measured) == ["control"]
    assert not made.finished
    assert made.stopped
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
    assert [side.connection.fileno() for side in made.sides] == [-1, -1]
    assert sorted(path.name for path in (tmp_path / "scratch").iterdir()) == ["base", "head"]


def test_a_side_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the comparison's limit of silence."""

    def play(player: Player) -> int | None:
        player.hear()
        return 0

    Stage(monkeypatch, base=suite(Case("a")), head=play)
    failure = failure_of(Launch(setup_of(tmp_path, limit_seconds=0.51), 0, [], None).run)

    assert str(failure) == "head hangs: silent for 1 s, starting"


@pytest.mark.parametrize(
    ("number", "base", "head", "says"),
    [
        (0, {}, {"thing": "/r/thing.py", "x": "/r/x"}, "head imported thing from /r/thing.py, not from its own tree"),
        (1, {"b": "/r/b.py"}, {}, "base imported b from /r/b.py, not from its own tree"),
        (0, {"b": "/r/b"}, {"h": "/r/h"}, "base imported b from /r/b, not from its own tree"),
        (1, {"b": "/r/b"}, {"h": "/r/h"}, "head imported h from /r/h, not from its own tree"),
    ],
)
def test_strangers(
    number: int,
    base: dict[str, str],
    head: dict[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first module of the first side that imported from elsewhere is named, and the launch is not finished."""
    Stage(monkeypatch, base=suite(Case("a"), strangers=base), head=suite(Case("a"), strangers=head))
    made = Launch(setup_of(tmp_path), number, [], None)
    failure = failure_of(made.run)

    assert (str(failure), failure.usage) == (says, False)
    assert not made.finished
    assert list(made.measured) == ["control", "a"]


def test_a_launch_that_is_stopped_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that comes into being only then is killed, too."""
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    made = Launch(setup_of(tmp_path), 0, [], None)
    killed = list[tuple[str, list[tuple[int, int]]]]()

    def stop(player: Player) -> None:
        killed.append((player.name, list(stage.killed)))
        if player.name == "base":
            made.stop()

    stage.at_start = stop
    failure = failure_of(made.run)

    assert str(failure) == "base was killed by SIGKILL, starting"
    assert killed == [("base", []), ("head", [(7001, signal.SIGKILL)])]
    assert stage.killed == [(7001, signal.SIGKILL), (7002, signal.SIGKILL)]
