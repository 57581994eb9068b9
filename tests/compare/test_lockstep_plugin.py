"""What a side's pytest does beside its rounds: what it tells the conductor, and which tests it runs."""

import ast
import json
import os
import signal
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from parabola.compare.sides import protocol
from parabola.compare.sides.launch import CONTROL
from parabola.compare.sides.start import PLUGIN
from tests.scripted_conductor import Conductor, Exited, Load, loading

CASE = "test_it.py::test_case[a-b]"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return what imports the plugin afresh."""
    with loading(tmp_path, monkeypatch) as made:
        yield made


def pytest_with(*plugins: Any) -> Any:
    """Return pytest's hooks with these plugins; where no mark decides, the last one is called first."""
    manager = pytest.PytestPluginManager()
    for plugin in plugins:
        manager.register(plugin)
    return manager.hook


def test_both_ends_call_the_control_the_same(load: Load) -> None:
    """The conductor and the plugin, which it cannot import, have the same name for the control."""
    assert load().CONTROL == CONTROL == "control"


def test_both_ends_know_the_same_messages() -> None:
    """The plugin says every message of the protocol, each with the fields that it has there, and no other."""
    calls = [
        node
        for node in ast.walk(ast.parse((PLUGIN / "__init__.py").read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "line.say"
    ]
    said = {(ast.literal_eval(call.args[0]), *(str(keyword.arg) for keyword in call.keywords)) for call in calls}

    assert said == {(kind.kind(), *kind.__struct_fields__) for kind in get_args(protocol.Said)}


@pytest.mark.parametrize("cores", [(3, 1), ()])
def test_cores_are_chosen_before_anything_else(
    cores: tuple[int, ...], load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process runs on the cores that are given, or on any if there are none or the system has no such choice."""
    chosen = list[Any]()
    monkeypatch.setattr("os.sched_setaffinity", lambda *arguments: chosen.append(arguments))
    load(cores)
    monkeypatch.delattr("os.sched_setaffinity")
    load(cores)

    assert chosen == ([(0, [3, 1])] if cores else [])


def test_the_line_is_json_a_line(load: Load) -> None:
    """Each message is a JSON object on a line, NumPy's numbers included; what a suite starts inherits no socket."""
    plugin = load()
    values = {"scalar": np.float32(0.5), "one": np.array([7]), "two": np.array([1, 2]), "path": Path("a/ä")}
    plugin.line.say("finished", case="a.py::ä", values=values, flag=np.bool_(True))
    plugin.line.say("passed")
    plugin.conductor.sendall(b'{"go": true}\n{"iterations": 3}\n')

    first, second, rest = plugin.conductor.recv(1 << 16).split(b"\n")
    assert json.loads(first) == {
        "kind": "finished",
        "case": "a.py::ä",
        "values": {"scalar": 0.5, "one": 7, "two": "[1 2]", "path": "a/ä"},
        "flag": True,
    }
    assert (json.loads(second), rest) == ({"kind": "passed"}, b"")
    assert [plugin.line.hear(), plugin.line.hear()] == [{"go": True}, {"iterations": 3}]
    assert not plugin.line.socket.get_inheritable()


def test_what_json_can_hold(load: Load) -> None:
    """A scalar of any library becomes its number, and all else becomes what it prints as."""
    plugin = load()
    sized = SimpleNamespace(item=lambda: 5, size=2)

    assert plugin.telling.plain(SimpleNamespace(item=lambda: 5)) == 5
    assert plugin.telling.plain(sized) == str(sized)
    assert plugin.telling.plain({1}) == "{1}"


class Odd:
    """A value that no text can be made of."""

    def __str__(self) -> str:
        raise RuntimeError


def test_what_a_suite_tells_is_kept_as_far_as_it_can_be_written(load: Load) -> None:
    """A key becomes a word; a value that is odd, nested in itself or too long for a number is left out by itself."""
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    info = {
        "passed": np.bool_(True), ("a", 1): 2, 3: {4: [5]}, None: "x", "odd": Odd(), "loop": round_and_round,
        "inner": {("b",): 1}, "long": 10**5000, "nan": float("nan"), "array": np.zeros(2),
    }  # fmt: skip
    told = load().writable(info)

    assert repr(told.pop("nan")) == "nan"
    assert told == {"passed": True, "('a', 1)": 2, "3": {"4": [5]}, "None": "x", "array": "[0. 0.]"}
    nothing: Any
    for nothing in (None, 7, [("a", 1)], {}):
        assert load().writable(nothing) == {}


def test_a_fork_has_no_part_in_the_conversation(load: Load) -> None:
    """A benchmark's fork has no line: it ends when it speaks, listens, or its test is over, and its parent goes on."""
    plugin = load()
    forked = load()
    forked.line.close()  # as in every child
    for goes_on in (
        lambda: forked.line.say("passed"),
        forked.line.hear,
        lambda: forked.pytest_runtest_logreport(report("failed", "call")),
    ):
        with pytest.raises(Exited) as ended:
            goes_on()
        assert ended.value.args == (70,)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # where another test has started threads
        child = os.fork()
    if not child:
        os.kill(os.getpid(), signal.SIGKILL if plugin.line.file.closed else signal.SIGABRT)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    plugin.line.say("passed")
    assert plugin.conductor.recv(100) == b'{"kind": "passed"}\n'


def test_a_side_that_is_asked_to_end_says_nothing_more(load: Load) -> None:
    """The session ends as after Ctrl-C; where something has caught that, listening ends it again."""
    plugin = load()
    plugin.line.say("begun", case="a")
    with pytest.raises(KeyboardInterrupt):
        plugin.line.end(signal.SIGTERM, None)
    plugin.line.say("passed")
    plugin.conductor.sendall(b"{}\n")
    with pytest.raises(KeyboardInterrupt):
        plugin.line.hear()

    assert plugin.conductor.recv(100) == b'{"kind": "begun", "case": "a"}\n'


def test_a_process_whose_conductor_is_gone_ends(load: Load) -> None:
    """Exit code 70 ends the process when it listens, when it speaks, and when the line was cut with words unread."""
    plugin = load()
    plugin.conductor.close()
    with pytest.raises(Exited) as listening:
        plugin.line.hear()
    with pytest.raises(Exited) as speaking:
        plugin.line.say("passed")
    cut = load()
    cut.line.say("passed")
    cut.conductor.close()  # with words in it that nobody has read
    with pytest.raises(Exited) as listening_to_nothing:
        cut.line.hear()
    fresh, _unused = socket.socketpair()
    with fresh, _unused:  # so that what was written can be flushed
        os.dup2(fresh.fileno(), plugin.line.socket.fileno())
        plugin.line.file.close()

    assert [one.value.args for one in (listening, speaking, listening_to_nothing)] == [(70,)] * 3


@pytest.mark.parametrize("option", ["numprocesses", "benchmark_cprofile"])
def test_options_that_cannot_be_compared_with(option: str, load: Load) -> None:
    """The refusal names the option; one that is not set, or not known, is no hindrance."""
    plugin = load()
    given = SimpleNamespace(maxfail=1)
    missing: Any = SimpleNamespace(getoption=lambda name, default: default, option=given)
    unset: Any = SimpleNamespace(getoption=lambda name, default: 0, option=given)
    asked: Any = SimpleNamespace(getoption=lambda name, default: 2 if name == option else default, option=given)
    plugin.pytest_configure(missing)
    assert given.continue_on_collection_errors
    assert given.maxfail == 0  # a test that fails ends no session, as with -x
    plugin.pytest_configure(unset)

    with pytest.raises(pytest.UsageError) as failure:
        plugin.pytest_configure(asked)

    assert str(failure.value) == f"two commits cannot be compared with {option}: leave it out"


def test_the_conductor_chooses_of_what_is_left_of_the_benchmarks(load: Load) -> None:
    """Benchmarks that no other plugin deselects are offered, and those that the conductor names run in its order."""
    conductor = Conductor([{"run": ["c", "a"], "slower": {"c": 0.25, "control": 0.5}}])
    plugin = load(conductor=conductor)
    plugin.files = lambda offered: {case: [] for case in offered}
    fixtures = {"a": ["benchmark"], "b": ["tmp_path", "benchmark"], "c": ["benchmark"], "d": [], "-k": ["benchmark"]}
    items = [SimpleNamespace(nodeid=name, fixturenames=names) for name, names in fixtures.items()]
    items.insert(2, SimpleNamespace(nodeid="a doctest"))

    class Deselecting:
        """As `-k` does."""

        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items.pop()

    hooks = pytest_with(Deselecting(), plugin)
    hooks.pytest_collection_modifyitems(session=None, config=None, items=items)

    files: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    said = {"cases": ["a", "b", "c"], "strangers": {}, "uncollected": [], "files": files}
    assert conductor.journal == [("collected", said), "hear"]
    assert [item.nodeid for item in items] == ["c", "a"]
    assert plugin.slower == {"c": 0.25, "control": 0.5}


def test_the_control_comes_first(load: Load) -> None:
    """The control runs before the loop over the tests, whose result is handed on, as is the fixture that is changed."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    plugin.run_control = lambda: conductor.journal.append("control")
    made = BenchmarkFixture.__new__(BenchmarkFixture)

    class Loop:
        """As pytest's own."""

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(self) -> int:
            conductor.journal.append("tests")
            return 7

        @pytest.hookimpl(tryfirst=True)
        def pytest_fixture_setup(self) -> Any:
            return made

    manager = pytest_with(plugin, Loop())

    assert manager.pytest_runtestloop(session=None) == 7
    assert conductor.journal == ["control", "tests"]
    assert manager.pytest_fixture_setup(fixturedef=None, request=None) is made
    assert type(made) is plugin.LockedBenchmark


def report(outcome: str, when: str, longrepr: Any = None) -> Any:
    return pytest.TestReport(CASE, ("test_it.py", 3, "test_case"), {}, outcome, longrepr, when)  # type: ignore[arg-type]


def raised(message: str) -> Any:
    """Return what pytest makes of an exception."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return pytest.ExceptionInfo.from_exception(error).getrepr()


@pytest.mark.parametrize(
    ("longrepr", "why"),
    [
        (raised("no such luck\n  and more of it"), "ValueError: no such luck"),
        (raised("\n  late\nlast"), "ValueError:"),
        ("\nheading\n\n  E   ImportError: nowhere  \n \n", "ImportError: nowhere"),
        ("file a.py, line 3\nE       fixture 'x' not found\n>       available: y\n\n/a.py:3", "fixture 'x' not found"),
        ("  only  ", "only"),
        (" \n\n ", "no reason given"),
        (None, "no reason given"),
    ],
)
def test_why_a_report_failed(longrepr: Any, why: str, load: Load) -> None:
    """The reason is the first line of an exception, or the last that pytest marks, or the last that says anything."""
    assert load().reason(report("failed", "call", longrepr)) == why


@pytest.mark.parametrize("lines", [0, 29, 30, 31, 100])
def test_the_end_of_a_report(lines: int, load: Load) -> None:
    """The last thirty lines of what pytest reports are told."""
    text = [f"line {number}" for number in range(lines)]

    assert load().last_lines(report("failed", "call", "\n".join(text) or None)) == text[-30:]


def test_a_failure_in_collecting_is_told_with_what_was_collected(load: Load) -> None:
    """With its file in the place of a case; a file that was collected is not told of, and the session goes on."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    outcome: Any
    for outcome in ("failed", "passed"):
        plugin.pytest_collectreport(pytest.CollectReport("test_it.py", outcome, "one\ntwo", []))

    assert conductor.journal == []
    told = {"kind": "failed", "case": "test_it.py", "why": "two", "output": ["one", "two"]}
    assert plugin.uncollected == [told]
    conductor.answers = [{"run": [], "slower": {}}]
    plugin.pytest_collection_modifyitems([])
    assert conductor.journal[0] == ("collected", {"cases": [], "strangers": {}, "uncollected": [told], "files": {}})


def test_the_beginning_of_each_test_is_told(load: Load) -> None:
    """Before its set-up, which may end the process."""
    conductor = Conductor()
    load(conductor=conductor).pytest_runtest_logstart("a.py::a")

    assert conductor.journal == [("begun", {"case": "a.py::a"})]


@pytest.mark.parametrize("measured", [True, False])
@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
def test_a_failure_is_told_once_its_test_is_over(when: str, measured: bool, load: Load) -> None:
    """In whichever phase, the first failure replaces all times, and the next run of a test knows nothing of it."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    for again in (True, False):
        if measured:
            plugin.measured[CASE] = data()
        phases = ("setup", "call", "teardown")
        for phase in phases[: phases.index(when)]:
            plugin.pytest_runtest_logreport(report("passed", phase))
        plugin.pytest_runtest_logreport(report("failed" if again else "skipped", when, f"more\n{when} is why"))
        if when != "teardown":
            assert len(conductor.journal) == (not again)
            last = "failed" if again else "passed"  # what comes second is not told
            plugin.pytest_runtest_logreport(report(last, "teardown", "later"))

    told = ("failed", {"case": CASE, "why": f"{when} is why", "output": ["more", f"{when} is why"]})
    kind, message = conductor.journal.pop()
    assert conductor.journal == [told]
    assert (kind, message["case"]) == ("finished" if measured and when != "call" else "skipped", CASE)


@pytest.mark.parametrize(
    "phases",
    [
        [("skipped", "setup"), ("passed", "teardown")],  # by a mark
        [("passed", "setup"), ("skipped", "call"), ("passed", "teardown")],  # in the test, be it within a round
        [("passed", "setup"), ("passed", "call"), ("passed", "teardown")],  # which measured nothing
        [("passed", "setup"), ("passed", "call"), ("skipped", "teardown")],
    ],
)
def test_a_case_without_times_is_told_once_its_test_is_over(phases: list[tuple[str, str]], load: Load) -> None:
    """The conductor hears of every case how it ended: one that was skipped, or measured nothing, is skipped."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    for outcome, when in phases[:-1]:
        plugin.pytest_runtest_logreport(report(outcome, when))
    assert conductor.journal == []
    plugin.pytest_runtest_logreport(report(*phases[-1]))

    assert conductor.journal == [("skipped", {"case": CASE})]


def data(**info: Any) -> Any:
    """Return a fixture whose rounds are over."""
    return SimpleNamespace(stats=SimpleNamespace(stats=SimpleNamespace(data=(0.5, 0.25))), extra_info=info)


def test_what_a_case_took_is_told_once_its_test_is_over(load: Load) -> None:
    """The seconds are told after tear-down, and once; those of a test that is skipped after its rounds are not."""
    conductor = Conductor()
    plugin = load(conductor=conductor)
    plugin.measured[CASE] = data(passed=True)
    for when in ("setup", "call"):
        plugin.pytest_runtest_logreport(report("passed", when))
    assert conductor.journal == []
    plugin.pytest_runtest_logreport(report("passed", "teardown"))

    assert conductor.journal == [("finished", {"case": CASE, "seconds": [0.5, 0.25], "extra_info": {"passed": True}})]
    assert plugin.measured == {}
    plugin.measured[CASE] = data()
    plugin.pytest_runtest_logreport(report("skipped", "call"))
    plugin.pytest_runtest_logreport(report("passed", "teardown"))
    assert conductor.journal[1:] == [("skipped", {"case": CASE})]


def test_strangers_are_told_twice(load: Load) -> None:
    """What was imported from where it should not be is told once tests are collected, and again at the end."""
    conductor = Conductor([{"run": [], "slower": {}}])
    plugin = load(conductor=conductor)
    asked = list[Any]()

    def strangers(given: Any) -> dict[str, str]:
        asked.append(given)
        return {"thing": f"/r/{len(asked)}"}

    plugin.strangers = strangers
    plugin.pytest_collection_modifyitems([])
    pytest_with(plugin, SimpleNamespace()).pytest_sessionfinish(session=None, exitstatus=0)

    assert conductor.journal == [
        ("collected", {"cases": [], "strangers": {"thing": "/r/1"}, "uncollected": [], "files": {}}),
        "hear",
        ("ended", {"strangers": {"thing": "/r/2"}}),
    ]
    assert asked == [plugin.GIVEN] * 2
    assert asked[0]["top"].endswith("/elsewhere/scratch/head")
