"""Tasks of a cluster: how long they are, who gets them, and what becomes of them when workers come and go; no Dask."""

import logging
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parabola import __version__
from parabola.ensemble import cluster, ensemble
from parabola.ensemble.cluster import Cluster, ClusterError, software, train_task, trainer
from parabola.ensemble.learning_map import outcomes, train_here
from parabola.ensemble.map_file import OUTCOME
from parabola.ensemble.parts import Part, Tasks, Work
from parabola.machine import backends, host
from parabola.training.experiment import Experiment
from parabola.training.target import Array

SPEC = Experiment(epochs=3, batch_size=333)
PART = Part(SPEC, 40, (0.3, 0.1), np.arange(20), 0, 40)
NUMBA = {"numba": "0.65.1"}
HERE = {"parabola": __version__, "tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.6"}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have blocks of four members, and software whose versions are known."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 4)
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(host, "installed", {**HERE, **NUMBA}.__getitem__)
    monkeypatch.setattr(backends, "choose", lambda name: None)


class Future:
    """Stands for a task that was submitted."""

    def __init__(self, sent: Any, workers: list[str]) -> None:
        self.sent, self.workers = sent, workers
        self.status = "pending"
        self.error: Exception | None = None

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        """Keep what is to be called at the end."""
        self.call = call

    def end(self, status: str = "finished") -> None:
        """End it."""
        self.status = status
        self.call(self)

    def cancel(self) -> None:
        """Forget it."""
        self.status = "cancelled"

    def result(self) -> tuple[float, list[Array]]:
        """Return one second, and outcomes whose error is the seed, or raise what ended it."""
        if self.error:
            raise self.error
        outcomes = [np.zeros(len(seeds), OUTCOME) for _, _, seeds, _ in self.sent]
        for own, (_, _, seeds, _) in zip(outcomes, self.sent, strict=True):
            own["error"] = seeds
        return 1.0, outcomes

    def exception(self) -> Exception | None:
        """Return why it failed."""
        return self.error


class Client:
    """Stands for Dask's client: at each look at the workers a script goes on, which sees what was submitted."""

    def __init__(self, there: dict[str, int], script: Callable[["Client", int], None] | None = None) -> None:
        self.there, self.script, self.looks = there, script, 0
        self.status = "running"
        self.software = dict[str, Any]()
        self.packages = list[str]()
        self.submitted = list[Future]()

    def nthreads(self) -> dict[str, int]:
        """Return the workers that are there."""
        self.looks += 1
        if self.script:
            self.script(self, self.looks)
        return dict(self.there)

    def run(self, function: Any, *arguments: Any, workers: list[str], on_error: str) -> dict[str, Any]:
        """Ask workers for their software."""
        assert (function, arguments, on_error) == (software, ("tensorflow", "cpu", *self.packages), "return")
        return {worker: self.software.get(worker, HERE) for worker in workers}

    def submit(self, function: Any, work: Work, sent: Any, *, workers: list[str], pure: bool) -> Future:
        """Take a task; without a script it ends at once."""
        assert (function, work, pure) == (train_task, outcomes, False)
        self.submitted.append(Future(sent, workers))
        return self.submitted[-1]


def end_all(client: Client, look: int) -> None:
    """End what runs."""
    for future in client.submitted:
        if future.status == "pending":
            future.end()


def train(client: Client, wanted: list[Part], said: list[str] | None = None) -> tuple[list[Part], list[str]]:
    """Train; hold that each member has its own outcome; return the parts as they came, and the texts of the bar."""
    texts, found = list[str](), list[Part]()
    there = Cluster(client, "tcp://there:1", "cpu", ([] if said is None else said).append)
    for part, kept in there.train(wanted, lambda part, members, text: texts.append(text)):
        np.testing.assert_array_equal(kept["error"], part.members()[0])
        found.append(part)
    return found, texts


def test_every_member_is_trained_once() -> None:
    """Tasks begin with one block for each place of two ahead, and end with a share of what is left for each thread."""
    client = Client({"a": 1, "b": 1}, end_all)
    found, texts = train(client, [PART])
    counts = np.zeros(40, int)
    for part in found:
        counts[part.first : part.end] += 1

    assert (counts == 1).all()
    assert [len(part) for part in found][:5] == [4, 4, 4, 4, 8]  # 24 are left for four places
    assert all(text.startswith(": 2 workers, ") and text.endswith(" members a second") for text in texts)


def test_a_task_takes_about_ten_seconds() -> None:
    """Once it is known how fast workers are: over the borders of groups, as near as blocks allow."""
    tasks = Tasks([replace(PART, end=20), PART, replace(PART, learning_rates=(0.5, 0.2))])
    assert [(part.first, part.end) for part in tasks.draw(1)] == [(0, 4)]
    tasks.learn([replace(PART, end=4)], 2.0)  # two members a second: 20 in ten
    assert [(part.first, part.end) for part in tasks.draw(1)] == [(4, 20), (0, 4)]
    assert [(part.first, part.end) for part in tasks.draw(8)] == [(4, 12)]  # an eighth of 76
    tasks.learn([replace(PART, end=4)], 1.0)  # four: the mean is three
    assert tasks.speed == pytest.approx(3 * PART.cost_of_member)
    assert sum(map(len, tasks.draw(1))) == 28
    tasks.learn([PART], 0.001)
    assert sum(map(len, tasks.draw(1))) == 40
    assert not tasks.left


def test_what_a_dead_worker_had_is_done_elsewhere() -> None:
    """Dask does it again on a worker that was chosen, too; where none of these is there, it is submitted anew."""

    def script(client: Client, look: int) -> None:
        if look == 3:
            client.there = {"b": 1}
        elif look > 3:
            end_all(client, look)

    client = Client({"a": 1}, script)
    found, _ = train(client, [PART])

    assert sorted(place for part in found for place in range(part.first, part.end)) == [*range(40)]
    assert [future.status for future in client.submitted[:2]] == ["cancelled"] * 2
    assert {*map(tuple, (future.workers for future in client.submitted))} == {("a",), ("b",)}


def test_a_worker_that_joins_late_gets_tasks() -> None:
    """As soon as it has told its software; those before it keep theirs. Without any worker it is waited for one."""

    def script(client: Client, look: int) -> None:
        if look == 3:
            assert client.submitted == []
            client.there = {"a": 1}
        elif look == 5:
            client.there = {"a": 1, "late": 2}
        if look > 4:
            end_all(client, look)

    client = Client({}, script)
    train(client, [PART])
    workers = [future.workers for future in client.submitted]

    assert workers[:2] == [["a"], ["a"]]
    assert workers[-1] == ["a", "late"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({**HERE, "parabola": "0.0.1"}, f"it has parabola 0.0.1, not {__version__}"),
        (
            {**HERE, "numpy": "1.26.4", "tensorflow": "2.20.0"},
            "it has tensorflow 2.20.0, not 2.21.0, it has numpy 1.26.4, not 2.4.6",
        ),
        ({"parabola": __version__}, "it has tensorflow None, not 2.21.0, it has keras None"),
        (ValueError("backend tensorflow was chosen, but Keras runs on jax"), "ValueError: backend tensorflow was"),
        (ModuleNotFoundError("No module named 'parabola'"), "ModuleNotFoundError: No module named 'parabola'"),
    ],
)
def test_other_software_is_refused_by_name(answer: Any, reason: str) -> None:
    """Once, in a line with the worker's address; the others do its work. Where there is no other, that is the end."""
    client, said = Client({"bad": 4, "good": 1}, end_all), list[str]()
    client.software["bad"] = answer
    train(client, [PART], said)

    assert len(said) == 1
    assert said[0].startswith(f"worker bad is refused: {reason}")
    assert {tuple(future.workers) for future in client.submitted} == {("good",)}
    client.there = {"bad": 4}
    with pytest.raises(ClusterError, match=r"^no worker can be used: bad$"):
        train(client, [PART])


def test_a_package_that_decides_more_is_asked_for_too() -> None:
    """A study that trains with an engine of its own names what this needs; a map asks for no more than it did."""
    client, said = Client({"bad": 4, "good": 1}, end_all), list[str]()
    client.packages.append("numba")
    client.software = {"bad": {**HERE, "numba": "0.61.0"}, "good": HERE | NUMBA}
    there = Cluster(client, "tcp://there:1", "cpu", said.append, "numba")
    assert sum(len(part) for part, _ in there.train([PART], lambda *_: None)) == 40

    assert said == ["worker bad is refused: it has numba 0.61.0, not 0.65.1"]
    assert {tuple(future.workers) for future in client.submitted} == {("good",)}
    assert software("tensorflow", "cpu", "numba") == client.software["good"]
    assert software("tensorflow", "cpu") == {name: HERE[name] for name in ("parabola", "tensorflow", "keras", "numpy")}


def test_a_worker_that_went_while_it_was_asked_is_not_refused() -> None:
    """It is asked again when it is there the next time."""
    client, said = Client({"a": 1}, end_all), list[str]()
    client.software["a"] = OSError("gone")

    def script(client: Client, look: int) -> None:
        if look == 3:
            del client.software["a"]
        end_all(client, look)

    client.script = script
    train(client, [PART], said)
    assert said == []


@pytest.mark.parametrize("how", ["status", "error", "lost", "submit", "result"])
def test_a_scheduler_that_is_gone_is_said(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the connection is known to be lost, a question fails, or a task is lost or cannot be sent or got."""

    def fail(*given: Any, **knobs: Any) -> Any:
        raise OSError("closed")

    if how in ("submit", "result"):
        monkeypatch.setattr(Client if how == "submit" else Future, how, fail)

    def script(client: Client, look: int) -> None:
        if look == 2:
            client.status = "connecting" if how == "status" else "running"
        if look == 3 and how == "error":
            raise OSError("closed")
        if look == 3:
            client.submitted[0].end("finished" if how == "result" else "cancelled")

    with pytest.raises(ClusterError, match=r"^the scheduler at tcp://there:1 is gone$"):
        train(Client({"a": 1}, script), [PART])


def test_a_task_that_fails_is_said() -> None:
    """An error comes out as it is; a task that killed its workers, as they have too little memory mostly, as a line."""

    class KilledWorker(Exception):
        """Dask's own."""

    for error, says in ((KilledWorker(), "a task has ended every worker that tried it"), (MemoryError("full"), "full")):

        def script(client: Client, look: int, error: Exception = error) -> None:
            for future in client.submitted:
                future.error = error
                future.end("error")

        kind: Any = ClusterError if isinstance(error, KilledWorker) else MemoryError
        with pytest.raises(kind, match=says):
            train(Client({"a": 1}, script), [PART])


def test_a_task_has_the_outcomes_of_a_local_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, part by part, with the seconds it took; a thread compiles a program once."""
    monkeypatch.undo()
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 4)
    part = Part(replace(SPEC, epochs=40), 12, (0.3, 0.1), np.arange(6), 0, 12)
    ((_, expected),) = train_here([part], lambda *_: None, workers=1)
    cluster._built.cache_clear()
    cut = [replace(part, first=8), replace(part, end=8)]
    seconds, (last, first) = train_task(outcomes, [(one.experiment, one.group_size, *one.members()) for one in cut])

    assert np.concatenate([first, last]).tobytes() == expected.tobytes()
    assert seconds > 0
    assert cluster._built.cache_info().misses == 1


def test_threads_of_a_worker_build_one_after_the_other() -> None:
    """Each builds its own, but none begins before another's is done: it would find a backend that is half imported."""
    building, most, here = list[int](), list[int](), threading.Barrier(3)

    def work(experiment: Experiment, members: int, workers: int | None) -> Any:
        building.append(threading.get_ident())
        most.append(len(building))
        time.sleep(0.02)
        building.remove(threading.get_ident())
        return lambda seeds, rates: seeds

    def train_first(thread: int) -> None:
        here.wait()
        train_task(work, [(SPEC, 4, *PART.members())])

    with ThreadPoolExecutor(3) as threads:
        assert [*threads.map(train_first, range(3))] == [None] * 3
    assert most == [1, 1, 1]


@pytest.mark.parametrize(
    ("dask", "address", "device", "says"),
    [
        (
            True,
            "tcp://there:1",
            "gpu:all",
            "--cluster needs a device that each worker has, as gpu",
        ),
        (False, "tcp://there:1", "cpu", "--cluster needs Dask, which is not installed: pip install -e '.[cluster]'"),
        (True, "nonsense", "cpu", "no scheduler of Dask answers at nonsense: missing port number"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(
    dask: bool, address: str, device: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line: devices of one machine, a machine without Dask, and what is no address."""
    if dask and address == "nonsense":
        pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "find_spec", lambda name: name if dask else None)
    with pytest.raises(ValueError, match=f"^{re.escape(says)}"), trainer(address, device, print):
        pass


def test_dasks_own_log_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dask gives the logs of some modules a level of their own, and logs tracebacks where a scheduler is gone."""
    pytest.importorskip("distributed")
    loud = [logging.getLogger("distributed.client"), logging.getLogger("distributed.made_up.by_a_setting")]
    for log in loud:
        monkeypatch.setattr(log, "level", logging.WARNING)
    with pytest.raises(ValueError, match="no scheduler"), trainer("nonsense", "cpu", print):
        pass
    for log in loud:
        assert not log.isEnabledFor(logging.ERROR)
        assert log.isEnabledFor(logging.CRITICAL)


def test_without_an_address_it_is_this_machine() -> None:
    """As it was, without Dask."""
    with trainer(None, "cpu", print) as train_parts:
        assert train_parts is train_here


def test_nothing_to_train_asks_nobody() -> None:
    """A finished map needs no worker."""
    client = Client({})
    assert train(client, []) == ([], [])
    assert client.looks == 0
