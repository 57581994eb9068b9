"""How a side is started, spoken with and ended: one pytest process, and the line to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare.sides import side as side_of_a_launch
from parabola.compare.sides import start
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.protocol import Calibrated, Collected, Passed, Ready
from parabola.compare.sides.side import Side
from parabola.compare.sides.start import PLUGIN
from parabola.machine import ending
from tests.players import Case, Player, Stage, setup_of, suite

READY = b'{"kind": "ready", "case": "a.py::b", "rounds": 2, "warmup_rounds": 0}\n'
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
    """A side's lines come in order, be they several at once, in pieces, or larger than a buffer."""
    side, line = make_side()
    line.sendall(b'{"kind": "calibrated", "iterations": 1}\n{"kind": "calibrated", "iterations": 2}\n{"kind": "coll')
    one, two = Calibrated(1), Calibrated(2)

    assert [side.peek(), side.peek(), side.hear(Calibrated), side.hear(Calibrated)] == [one, one, one, two]
    line.sendall(b'ected", "cases": ["' + "ä".encode() * 40_000 + b'"]}\n')
    assert side.hear(Collected) == Collected(["ä" * 40_000])
    assert side.waiting is None


def test_what_a_side_is_told(make_side: MakeSide) -> None:
    """Each message is a line of JSON, and a side that is gone raises no error yet."""
    side, line = make_side()
    side.tell(run=["a"], slower={"a": 0.25})
    side.tell(go=True)

    assert line.recv(1 << 16) == b'{"run": ["a"], "slower": {"a": 0.25}}\n{"go": true}\n'
    line.close()
    side.tell(go=True)


def test_a_side_is_silent_for_too_long(make_side: MakeSide) -> None:
    """The failure gives the limit in whole seconds, and the case that the side spoke of last."""
    side, line = make_side(limit=0.51)
    line.sendall(READY + b'{"kind": "passed"}\n')
    side.hear(Ready)
    side.hear(Passed)
    failure = failure_of(side.peek)

    assert (str(failure), failure.usage) == ("head hangs: silent for 1 s, in a.py::b", False)


@pytest.mark.parametrize(
    ("case", "says"),
    [("a.py::b", "head failed in a.py::b: ValueError: no"), ("", "head failed in collecting: ValueError: no")],
)
def test_a_side_tells_of_its_failure(case: str, says: str, make_side: MakeSide) -> None:
    """A failure that is no planned case's has the side's own words, and its file or that it was collecting."""
    side, line = make_side()
    said = {"kind": "failed", "case": case, "why": "ValueError: no", "output": ["E no"]}
    line.sendall(json.dumps(said).encode() + b"\n")
    failure = failure_of(lambda: side.hear(Collected))

    assert (str(failure), failure.usage, failure.output) == (says, False, ["E no"])


@pytest.mark.parametrize(
    ("code", "log", "says", "usage"),
    [
        (-9, b"ERROR: no", "head was killed by SIGKILL, starting", False),
        (-15, b"", "head was killed by SIGTERM, starting", False),
        (-1, b"", "head was killed by SIGHUP, starting", False),
        (-40, b"", "head was killed by signal 40, starting", False),
        (None, b"ERROR: no", "head closed its connection, starting", False),
        (0, b"", "head ended with exit code 0, starting: no word", False),
        (1, b" \n\n\t\n", "head ended with exit code 1, starting: no word", False),
        (3, b"one\n two\n\n", "head ended with exit code 3, starting: two", False),
        (4, b"x\nERROR: first\n  Error: last \nhint\n", "head ended with exit code 4, starting: Error: last", True),
        (5, b"\xff an error\n", "head ended with exit code 5, starting: \ufffd an error", False),
        (
            4,
            b"\nImportError while loading conftest '/x/conftest.py'.\nE   KeyError: 'error'\n",
            "head ended with exit code 4, starting: E   KeyError: 'error'",
            False,
        ),
    ],
)
def test_how_a_process_ended(code: int | None, log: bytes, says: str, usage: bool, make_side: MakeSide) -> None:
    """The failure gives the signal's name, or the exit code with the last error or else the last line of the log."""
    side, line = make_side(code, log)
    line.close()
    failure = failure_of(side.peek)

    assert (str(failure), failure.usage) == (says, usage)


@pytest.mark.parametrize("lines", [0, 30, 31])
def test_the_last_lines_of_a_side_that_fails(lines: int, make_side: MakeSide) -> None:
    """Thirty lines of what it wrote come with its failure, be it that it ended, hangs or says what does not fit."""
    written = [f" line {number}" for number in range(lines)]
    log = "\n".join(written).encode()
    gone, hanging, odd = (make_side(3, log, limit) for limit in (20.0, 0.01, 20.0))
    gone[1].close()
    odd[1].sendall(b'nonsense\n{"kind": "passed"}\n')
    failures = [failure_of(side.peek) for side in (gone[0], hanging[0], odd[0])]
    failures.append(failure_of(lambda: odd[0].hear(Ready)))

    assert [failure.output for failure in failures] == [written[-30:]] * 4


def test_a_side_whose_output_is_gone(make_side: MakeSide) -> None:
    """A suite that removes its temporary folder leaves no last lines."""
    side, line = make_side(3, b"x")
    side.log.unlink()
    line.close()

    assert str(failure_of(side.peek)) == "head ended with exit code 3, starting: no word"


def test_a_process_that_is_cut_off_has_ended(make_side: MakeSide) -> None:
    """A line that is reset is an end like any other, of the case in work."""
    side, line = make_side(-11)
    line.sendall(READY)
    side.hear(Ready)
    side.tell(go=True)
    line.close()  # with words in it that it has not read
    failure = failure_of(side.peek)

    assert str(failure) == "head was killed by SIGSEGV, in a.py::b"


@pytest.mark.parametrize(
    ("takes", "hurried", "waited"), [(0.0, False, 0.0), (9.9, False, 9.9), (10.5, False, 10.0), (10.5, True, 4.0)]
)
def test_a_side_is_asked_to_end_and_then_killed(
    takes: float, hurried: bool, waited: float, make_side: MakeSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has ten seconds to tear down what it set up, or four where a user waits; its group goes, once."""
    done, now = list[Any](), [100.0]

    def kill(pid: int, sent: int) -> None:
        done.append((pid, sent, now[0] - 100))
        raise ProcessLookupError

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("os.killpg", kill)
    monkeypatch.setattr(side_of_a_launch, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))
    monkeypatch.setattr(ending, "_asked", [signal.SIGTERM] * hurried)
    side, _ = make_side()
    side.process.poll = lambda: 0 if now[0] >= 100 + takes else None  # type: ignore[method-assign]
    side.process.terminate = lambda: done.append("asked")  # type: ignore[method-assign]
    for _ in range(2):
        side.ask_to_end()
    side.end()
    side.end()

    assert done[0] == "asked"
    assert done[1:] == [(7001, signal.SIGKILL, pytest.approx(waited, abs=0.05))]
    assert side.connection.fileno() == -1


def test_whoever_ends_a_side_that_is_being_ended_waits(make_side: MakeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of a launch may be removed only once its sides are gone, whichever thread ends them."""
    killed = list[bool]()
    begun, goes_on = threading.Event(), threading.Event()

    def kill(pid: int, sent: int) -> None:
        begun.set()
        goes_on.wait(20)
        killed.append(True)

    monkeypatch.setattr("os.killpg", kill)
    side, _ = make_side()
    side.process.poll = lambda: 0  # type: ignore[method-assign]
    side.process.terminate = lambda: None  # type: ignore[method-assign]
    first = threading.Thread(target=side.end)
    first.start()
    begun.wait(20)
    threading.Timer(0.05, goes_on.set).start()
    side.end()

    assert killed == [True]
    first.join()


def test_a_process_that_is_ended_is_waited_for(tmp_path: Path) -> None:
    """It leaves no zombie: a git that waits for its input ends when it is asked to."""
    ours, theirs = socket.socketpair()
    command = ["git", "hash-object", "--stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    side = Side("head", process, ours, tmp_path / "log")
    side.end()
    theirs.close()
    assert process.stdin is not None
    process.stdin.close()

    assert process.returncode == -signal.SIGTERM


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
    """Each side has its own command, folder, environment, log and temporary folder, in a session of its own."""
    own_names = BySide({"projects": ["of-base"], "modules": []}, {"projects": ["of-head"], "modules": ["a"]})
    setup = setup_of(tmp_path, pytest_options=("-k", "a or b"), own_names=own_names, allowed=["numpy"])
    (setup.head.top / "src").mkdir()
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    seen = {}

    def look(player: Player) -> None:
        temporary = Path(player.options["env"]["TMPDIR"])
        copied = temporary.parent / "plugin/lockstep_plugin"
        files = {path.name: path.read_text() for path in copied.iterdir()}
        own = {path.name: path.read_text() for path in PLUGIN.glob("*.py")}
        seen[player.name] = (files == own, temporary.is_dir(), temporary)
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
            "PYTHONHASHSEED": str(number),
            "PARABOLA_SIDE": player.name,
            "PARABOLA_LAUNCH": str(number),
            "PARABOLA_FOLDER": str(setup.scratch / "kept" / player.name),
        }
        (descriptor,) = options.pop("pass_fds")
        assert given == {
            "socket": descriptor,
            "cores": [5, 3],
            "wanted": "",
            "top": str(top),
            "elsewhere": f"{tmp_path}/repository",
            "scratch": f"{tmp_path}/scratch",
            "projects": [f"of-{player.name}"],
            "modules": ["a"] if player.name == "head" else [],
            "allowed": ["numpy"],
            "passes_conftests": False,
        }
        output = options.pop("stdout")
        assert (output.name, output.mode, output.closed) == (str(launch / f"{player.name}.log"), "wb", True)
        assert options == {
            "cwd": setup.scratch / player.name / "docs",
            "stdin": subprocess.DEVNULL,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
        }


@pytest.mark.parametrize(("chosen", "seeds"), [(None, "01"), ("", "01"), ("random", "01"), ("7", "77"), ("0", "00")])
def test_strings_hash_alike_on_both_sides(
    chosen: str | None, seeds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each launch has a seed of its own for both its sides, unless the user has chosen one."""
    stage = Stage(monkeypatch, base=suite(Case("a")), head=suite(Case("a")))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    monkeypatch.setattr("os.environ", environment if chosen is None else {**environment, "PYTHONHASHSEED": chosen})
    setup = setup_of(tmp_path)
    for number in (0, 1):
        Launch(setup, number, [], None).run()

    given = [player.options["env"]["PYTHONHASHSEED"] for player in stage.players]
    assert given == [seeds[0], seeds[0], seeds[1], seeds[1]]


def test_what_sides_write_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each launch has a folder of its own, with a file a side, which stays when the launch is over."""
    logs, session = tmp_path / "deep/logs", suite(Case("a"))

    def play(player: Player) -> int:
        code = session(player)
        time.sleep(0.05)  # there is more to write after the last word that is said
        player.log(player.name.encode())
        return code

    stage = Stage(monkeypatch, base=play, head=play)
    for number in (0, 1234):
        Launch(setup_of(tmp_path / str(number), logs=logs), number, [], None).run()

    kept = {str(path.relative_to(logs)): path.read_text() for path in logs.rglob("*.log")}
    assert kept == {
        "launch-000/base.log": "base",
        "launch-000/head.log": "head",
        "launch-1234/base.log": "base",
        "launch-1234/head.log": "head",
    }
    assert [player.waited for player in stage.players] == [[10, None]] * 4  # and once it is killed, for good


def test_where_a_checkouts_modules_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout's paths mirror those within the repository, without installed, repeated or missing ones."""
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
        found = start._own_paths(top, repository)
        patch.setattr(sys, "prefix", str(tmp_path / "installed"))
        with_venv = start._own_paths(top, repository)
        patch.setattr(sys, "path", [])
        alone = start._own_paths(tmp_path / "repository", repository)
        patch.setattr(sys, "path", path)
        patch.setattr(sys, "prefix", str(tmp_path))  # as /usr is for a repository in /usr/src
        beside = start._own_paths(top, repository)

    assert found == [top, top / "src", top / "python/lib", top / "tools"]
    assert with_venv == [top, top / "src", top / "python/lib", top / "tools", top / "venv/lib"]
    assert alone == [tmp_path / "repository"]
    assert beside == with_venv
