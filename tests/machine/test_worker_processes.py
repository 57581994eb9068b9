"""What workers are started with, and how their end is told, without any process: a stand-in is in Popen's place."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.machine import ending, host, workers


class Machine:
    """Stands in for a machine: its processes do at each look what a script says, and sleeping takes no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, look: Callable[["Machine"], None]) -> None:
        self.started: list[Worker] = []
        self.slept: list[float] = []
        self.looks, self.look = 0, look
        monkeypatch.setattr(subprocess, "Popen", self.start)
        monkeypatch.setattr(time, "sleep", self.slept.append)

    def start(self, command: list[str], **options: Any) -> "Worker":
        """Start a worker."""
        self.started.append(Worker(self, command, options))
        return self.started[-1]

    def answer(self, index: int, text: str) -> None:
        """Have a worker print."""
        self.started[index].options["stdout"].write(text)
        self.started[index].options["stdout"].flush()

    def complain(self, index: int, text: str) -> None:
        """Have a worker print on stderr."""
        self.started[index].options["stderr"].write(text)
        self.started[index].options["stderr"].flush()


class Worker:
    """Stands in for a process."""

    def __init__(self, machine: Machine, command: list[str], options: dict[str, Any]) -> None:
        self.machine, self.command, self.options = machine, command, options
        self.code: int | None = None
        self.stubborn, self.heard = False, list[str]()

    def poll(self) -> int | None:
        """Return the exit code; the look at the first worker is one at all of them."""
        if self is self.machine.started[0]:
            self.machine.looks += 1
            self.machine.look(self.machine)
        return self.code

    def terminate(self) -> None:
        """Ask it to end."""
        self.heard.append("terminate")

    def kill(self) -> None:
        """End it."""
        self.heard.append("kill")
        self.stubborn = False

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        self.heard.append(f"wait {timeout}")
        if self.stubborn:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)


def finish(machine: Machine) -> None:
    """Have all workers end well at the first look, each with an answer of its own."""
    for index, worker in enumerate(machine.started):
        machine.answer(index, json.dumps({"worker": index}))
        worker.code = 0


def test_each_worker_is_told_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster is one list of addresses for all, the index is each one's own, and the first answers for all."""
    monkeypatch.setenv("KEPT", "of the caller")
    for name in (workers.PROGRESS, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    machine = Machine(monkeypatch, finish)
    monkeypatch.setattr(workers, "free_ports", lambda number: [4001, 4003, 4002][:number])
    answer = workers.train_together(["--epochs=3"], 3, chief=["--plot=a.png"])

    assert answer == {"worker": 0}
    addresses = ["127.0.0.1:4001", "127.0.0.1:4003", "127.0.0.1:4002"]
    for index, worker in enumerate(machine.started):
        environment = worker.options["env"]
        plot = [] if index else ["--plot=a.png"]
        assert worker.command == [sys.executable, "-m", "parabola", "train", "--epochs=3", "--json", *plot]
        assert json.loads(environment["TF_CONFIG"]) == {
            "cluster": {"worker": addresses},
            "task": {"type": "worker", "index": index},
        }
        changed = {name: value for name, value in environment.items() if os.environ.get(name) != value}
        assert changed.keys() == {"TF_CONFIG", "GRPC_VERBOSITY", "PARABOLA_PARENT"}
        assert changed["GRPC_VERBOSITY"] == "NONE"
        assert changed["PARABOLA_PARENT"] == str(os.getpid())
        assert environment["KEPT"] == "of the caller"
        assert worker.options["stdin"] == subprocess.DEVNULL
        assert worker.options["start_new_session"] is True
    files = [worker.options[name] for worker in machine.started for name in ("stdout", "stderr")]
    assert len({id(file) for file in files}) == 6
    assert len(machine.started) == 3


def test_gpus_are_dealt_out_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GPUs among three workers: the third shares the first's; the names are those that CUDA has."""
    machine = Machine(monkeypatch, finish)
    workers.train_together([], 3, gpus=["2", "GPU-f00"])

    assert [worker.options["env"]["CUDA_VISIBLE_DEVICES"] for worker in machine.started] == ["2", "GPU-f00", "2"]


def test_the_first_worker_tells_of_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """It alone is given a file, which is read at every look once something is in it, every 50 ms; it is gone later."""
    told, paths = list[int](), list[Path]()

    def work(machine: Machine) -> None:
        paths.append(Path(machine.started[0].options["env"][workers.PROGRESS]))
        if machine.looks == 2:
            paths[0].write_text("")
        elif machine.looks in (3, 4):
            paths[0].write_text(str(10 * machine.looks))
        if machine.looks == 4:
            machine.started[0].code = 0
        if machine.looks == 5:
            finish(machine)

    monkeypatch.delenv(workers.PROGRESS, raising=False)
    machine = Machine(monkeypatch, work)
    workers.train_together([], 2, progress=told.append)

    assert told == [30, 40]
    assert machine.slept == [0.05] * 4
    assert workers.PROGRESS not in machine.started[1].options["env"]
    assert not paths[0].parent.exists()


def test_a_worker_that_ends_first_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with the last of the workers, whichever ends before."""

    def work(machine: Machine) -> None:
        machine.started[machine.looks % 3].code = 0
        if machine.looks == 2:
            machine.answer(0, '{"epochs": 5}')

    machine = Machine(monkeypatch, work)

    assert workers.train_together([], 3) == {"epochs": 5}
    assert machine.looks == 3
    assert len(machine.slept) == 2


def test_a_ctrl_c_that_python_dropped_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked of the process is looked at as often as the workers are."""
    asked = list[int]()

    def drop(machine: Machine) -> None:
        asked.extend([signal.SIGTERM] if machine.looks == 2 else [])

    monkeypatch.setattr(ending, "_asked", asked)
    machine = Machine(monkeypatch, drop)
    with pytest.raises(KeyboardInterrupt):
        workers.train_together([], 2)

    assert machine.looks == 2
    assert [worker.heard for worker in machine.started] == [["terminate", "wait 2"]] * 2


def test_one_failure_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are asked to end before any is waited for, who does not within 2 s is killed, and the killed one is named."""

    def fail(machine: Machine) -> None:
        if machine.looks == 2:
            machine.started[1].code = 1
            machine.complain(1, "a peer is gone\n")
            machine.started[0].stubborn = True
        if machine.looks == 3:
            machine.started[2].code = -9

    machine = Machine(monkeypatch, fail)
    with pytest.raises(workers.WorkerError, match=r"^worker 2 of 3 was killed by SIGKILL; the others were ended$"):
        workers.train_together([], 3)

    assert machine.slept == [0.05, 0.05]
    assert machine.started[0].heard == ["terminate", "wait 2", "kill", "wait None"]
    assert machine.started[1].heard == machine.started[2].heard == ["terminate", "wait 2"]


def test_processes_are_told_to_end_before_any_is_waited_for() -> None:
    """Two that take their time take it together."""
    order = list[str]()

    def process(name: str) -> Any:
        return SimpleNamespace(
            terminate=lambda: order.append(f"end {name}"), wait=lambda timeout: order.append(f"wait for {name}")
        )

    with workers._ended() as running:
        running.extend([process("a"), process("b")])

    assert order == ["end a", "end b", "wait for a", "wait for b"]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([None, 1, 2], "worker 1 of 3 failed; the others were ended. It said: last of 1"),
        ([0, None, 3], "worker 2 of 3 failed; the others were ended. It said: last of 2"),
        ([2, None, 1], "worker 0 of 3 failed; the others were ended. It said: last of 0"),
        ([1, -15, -9], "worker 1 of 3 was killed by SIGTERM; the others were ended"),
        ([-11, 1, -9], "worker 0 of 3 was killed by SIGSEGV; the others were ended"),
        ([1, 1, -9], "worker 2 of 3 was killed by SIGKILL; the others were ended"),
    ],
)
def test_the_one_that_was_killed_is_named_first(codes: list[int | None], said: str) -> None:
    """A signal explains more than a failure; of several of a kind it is the first, with its last line."""
    complaints = [StringIO(text) for text in ("last of 0", "first\nlast of 1\n\n", "\nfirst\nlast of 2\n")]
    complaints[0].read()  # as after writing: reading begins at the front all the same

    assert workers._reason(codes, complaints) == said


def test_a_worker_that_says_nothing_has_its_exit_code() -> None:
    """Of several it is the number of the one that failed."""
    said = "worker 1 of 2 failed; the others were ended. It said: exit code 3"
    assert workers._reason([0, 3], [StringIO("words"), StringIO("\n ")]) == said


def test_progress_is_written_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file holds the last number; without the variable there is nothing to call."""
    monkeypatch.delenv("PARABOLA_PROGRESS", raising=False)
    assert workers.report_here() is None
    monkeypatch.setenv("PARABOLA_PROGRESS", str(tmp_path / "epochs"))
    report = workers.report_here()
    assert report is not None
    report(9)
    report(123)

    assert (tmp_path / "epochs").read_text() == "123"


class Ended(Exception):
    """Stands in for the end of the process."""


@pytest.mark.parametrize("parents", [[77, 77, 1], [1], [77, 770]])
def test_a_worker_ends_with_its_parent(parents: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that holds nobody up looks every second, and ends the process with 1 once its parent is another."""
    threads, slept = list[Any](), list[float]()

    def exit_at_once(code: int) -> None:
        raise Ended(code)

    def thread(**options: Any) -> Any:
        threads.append(options)
        return SimpleNamespace(start=lambda: threads.append("started"))

    monkeypatch.setattr(threading, "Thread", thread)
    monkeypatch.setattr(os, "getppid", iter(parents).__next__)
    monkeypatch.setattr(os, "_exit", exit_at_once)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setenv("PARABOLA_PARENT", "77")
    workers.end_with_parent()
    (options, started) = threads

    assert started == "started"
    assert options["daemon"] is True
    with pytest.raises(Ended) as ended:
        options["target"]()
    assert ended.value.args == (1,)
    assert slept == [1] * (len(parents) - 1)


def test_who_was_started_by_nobody_watches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable there is no thread."""
    monkeypatch.delenv("PARABOLA_PARENT", raising=False)
    monkeypatch.setattr(threading, "Thread", lambda **_: pytest.fail("a thread was started"))
    workers.end_with_parent()


def test_ports_are_free_on_the_loopback_interface() -> None:
    """As many as asked for, and each can be listened on at once; none for none."""
    ports = workers.free_ports(3)

    assert len(ports) == 3
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))
    assert workers.free_ports(0) == []


@pytest.mark.parametrize(
    ("visible", "gpus"), [("", []), ("3", ["3"]), ("2,0", ["2", "0"]), ("1,,GPU-f00,", ["1", "GPU-f00"])]
)
def test_visible_gpus_are_those_that_cuda_is_told(
    visible: str, gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its order, also where it is told of none; the driver is not asked."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(host, "ask_driver", lambda *_: pytest.fail("the driver was asked"))

    assert workers.gpus_here() == gpus


def test_else_the_driver_is_asked_for_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that does not answer has none."""

    def silent(*fields: str) -> list[list[str]]:
        raise TimeoutError

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(host, "ask_driver", lambda *fields: [["0"], ["2"]] if fields == ("index",) else [])
    assert workers.gpus_here() == ["0", "2"]
    monkeypatch.setattr(host, "ask_driver", silent)
    assert workers.gpus_here() == []


def configuration(index: Any = 1, kind: str = "worker", cluster: Any = None) -> str:
    """Write a TF_CONFIG of two workers, or of another cluster."""
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]} if cluster is None else cluster
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(("text", "index"), [("", None), (configuration(0), 0), (configuration(1), 1)])
def test_a_worker_reads_its_index(text: str, index: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first to the last of the cluster; an empty variable is none."""
    monkeypatch.setenv("TF_CONFIG", text)
    assert workers.index_here() == index
    monkeypatch.delenv("TF_CONFIG")
    assert workers.index_here() is None


@pytest.mark.parametrize(
    "text",
    [
        configuration(-1),
        configuration(2),
        configuration("first"),
        configuration(None),
        configuration(kind="chief"),
        configuration(cluster={"worker": ["a:1", "a:2"], "ps": ["a:3"]}),
        configuration(cluster={"chief": ["a:1"], "worker": ["a:2", "a:3"]}),
        configuration(cluster={"worker": []}),
        configuration(cluster={"chief": ["a:1", "a:2"]}),
        configuration(cluster=[]),
        '{"cluster": {"worker": ["a:1", "a:2"]}, "task": {"index": 1}}',
        '{"cluster": {"worker": ["a:1", "a:2"]}}',
        "[]",
        "{",
        "[" * 100_000,
        '{"cluster":' * 10_000 + "1" + "}" * 10_000,
    ],
)
def test_a_configuration_that_cannot_be_meant_is_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is needed, and has the whole of what came."""
    monkeypatch.setenv("TF_CONFIG", text)
    needs = 'JSON of a cluster, whose one role is "worker", and a task of type "worker" with an index into it'
    with pytest.raises(ValueError, match=f"^{re.escape(f'TF_CONFIG needs {needs}. Received: {text}')}$"):
        workers.index_here()
