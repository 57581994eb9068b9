"""Parts of a map on a Dask cluster: seeds and learning rates go out, summaries come back. Dask does the rest."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from parabola import __version__
from parabola.ensemble.learning_map import outcomes, train_here
from parabola.ensemble.parts import Part, Report, Tasks, Trainer, Work
from parabola.machine import backends, devices, ending, host
from parabola.training.experiment import Experiment
from parabola.training.target import Array

AHEAD = 2  # tasks for each thread: one that runs, and one that is there when it ends
POLL_SECONDS, CONNECT_SECONDS = 0.5, 10
BUILDING = threading.Lock()  # the first thread of a worker to build imports the backend; another would find half of it


class ClusterError(RuntimeError):
    """The cluster is gone, or cannot do what it was asked; the message says why."""


def software(backend: str, device: str, *packages: str) -> dict[str, str]:
    """Return, for a process that is to train, the versions that decide its results; every worker is asked for them.

    Args:
        backend: Keras' name of the backend.
        device: the device that will be used; it has to be there.
        packages: names of packages that decide the results, too.

    Raises:
        ValueError: if the backend or the device is not there, or Keras runs on another backend already.
    """
    backends.choose(backend)
    backends.set_environment()
    if device != "cpu":
        devices.resolve(device)
    return {"parabola": __version__, **{name: host.installed(name) for name in (backend, "keras", "numpy", *packages)}}


@lru_cache(maxsize=32)
def _built(work: Work, experiment: Experiment, members: int, thread: int) -> Callable[..., Array]:
    """Return what trains for a worker's thread: programs are slow to compile, and two threads cannot share one."""
    with BUILDING:
        return work(experiment, members, 1)


def train_task(work: Work, task: Sequence[tuple[Experiment, int, Array, Array]]) -> tuple[float, list[Array]]:
    """Train members on a worker; return the seconds that this took, and what is kept of each part.

    Args:
        work: builds what trains the members of a group: a function of this package, as workers import it by its name.
        task: for each part the experiment, the size of its group, and the members' seeds and learning rates.
    """
    begun = time.perf_counter()
    trained = [
        _built(work, experiment, members, threading.get_ident())(seeds, rates)
        for experiment, members, seeds, rates in task
    ]
    return time.perf_counter() - begun, trained


@contextmanager
def trainer(address: str | None, device: str, say: Callable[[str], None], *packages: str) -> Iterator[Trainer]:
    """Yield what trains parts as long as a block runs: a cluster, or this machine.

    Args:
        address: the scheduler's address; None for this machine.
        device: the device that each worker is to use.
        say: called with a line about each worker that is refused.
        packages: names of packages of which workers must have the same version, beside those of every map.

    Raises:
        ValueError: if the device cannot be each worker's, Dask is not installed, or no scheduler answers.
    """
    if address is None:
        yield train_here
        return
    if device.endswith(":all"):
        raise ValueError(f"--cluster needs a device that each worker has, as gpu; a worker a GPU. Received: {device}")
    if find_spec("distributed") is None:
        raise ValueError("--cluster needs Dask, which is not installed: pip install -e '.[cluster]'")
    from distributed import Client
    from distributed.comm import get_address_host_port

    for name in list(logging.root.manager.loggerDict):  # Dask, too, gives some below these a level of their own
        if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what happens is said in our own lines
    try:
        get_address_host_port(address)  # a client that cannot read an address does not end well
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"no scheduler of Dask answers at {address}: {reason}") from None
    try:
        yield Cluster(client, address, device, say, *packages).train
    finally:
        with suppress(OSError):  # of a scheduler that is gone
            client.close(timeout=CONNECT_SECONDS if client.status == "running" else 0)


class Cluster:
    """Workers of a Dask scheduler: those with this process' software get tasks, whenever they come and go."""

    def __init__(self, client: Any, address: str, device: str, say: Callable[[str], None], *packages: str) -> None:
        self.client, self.say = client, say
        self.gone = f"the scheduler at {address} is gone"
        self.asked = backends.backend(), device, *packages
        self.software = software(backends.backend(), "cpu", *packages)
        self.usable = dict[str, bool]()  # whether a worker may get tasks, by address, of all that were asked
        self.threads = dict[str, int]()  # of those workers that may get tasks and are there

    def train(self, parts: Sequence[Part], progress: Report, work: Work = outcomes) -> Iterator[tuple[Part, Array]]:
        """Train parts on the workers; yield what is kept of them as it comes, cut as it suits the workers.

        Args:
            parts: parts of a map.
            progress: called with a part, how many of its members are done, and a text for the bar.
            work: builds what trains the members of a group, as for train_task.

        Raises:
            ClusterError: if the scheduler is gone, every worker is refused, or a task ends each worker that tries it.
        """
        tasks, ended = Tasks(parts), queue.SimpleQueue[Any]()
        running = dict[Any, tuple[list[Part], dict[str, int]]]()
        begun, done = time.monotonic(), 0
        while running or tasks.left:
            ending.end_if_asked()
            self._look()
            for future in [future for future, (_, chosen) in running.items() if not chosen.keys() & self.threads]:
                tasks.left.extendleft(running.pop(future)[0])  # all workers that could have done it are gone
                future.cancel()
            room = AHEAD * sum(self.threads.values())
            while tasks.left and len(running) < room:
                task, chosen = tasks.draw(room), self.threads
                sent = [(part.experiment, part.group_size, *part.members()) for part in task]
                with self._reached():
                    future = self.client.submit(train_task, work, sent, workers=[*chosen], pure=False)
                running[future] = task, chosen
                future.add_done_callback(ended.put)
            with suppress(queue.Empty):
                future = ended.get(timeout=POLL_SECONDS)
                if future in running:
                    seconds, kept = self._result(future)
                    task, _ = running.pop(future)
                    tasks.learn(task, seconds)
                    for part, own in zip(task, kept, strict=True):
                        done += len(part)
                        rate = done / (time.monotonic() - begun)
                        progress(part, len(part), f": {len(self.threads)} workers, {rate:,.0f} members a second")
                        yield part, own

    def _look(self) -> None:
        """Find out which workers are there, and ask those that are new for their software."""
        if self.client.status != "running":
            raise ClusterError(self.gone)
        with self._reached():
            there = self.client.nthreads()
            new = sorted(there.keys() - self.usable)
            answers = self.client.run(software, *self.asked, workers=new, on_error="return") if new else {}
        for worker, found in answers.items():
            if not isinstance(found, OSError):  # else it is gone again
                self.usable[worker] = found == self.software
                if not self.usable[worker]:
                    self.say(f"worker {worker} is refused: {self._difference(found)}")
        self.threads = {worker: threads for worker, threads in there.items() if self.usable.get(worker)}
        if there and not any(self.usable.values()) and there.keys() <= self.usable.keys():
            raise ClusterError(f"no worker can be used: {', '.join(there)}")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say that the scheduler is gone where a call to it fails, as one does that it has not answered yet."""
        try:
            yield
        except OSError:
            raise ClusterError(self.gone) from None

    def _difference(self, found: Any) -> str:
        """Return in what the software that a worker has, or the error with which it answered, is not as here."""
        if isinstance(found, Exception):
            return f"{type(found).__name__}: {found}"
        pairs = [(name, found.get(name), here) for name, here in self.software.items()]
        return ", ".join(f"it has {name} {there}, not {here}" for name, there, here in pairs if there != here)

    def _result(self, future: Any) -> Any:
        """Return what a task has returned, or raise what has ended it."""
        if future.status == "finished":
            with self._reached():
                return future.result()
        if future.status != "error":
            raise ClusterError(self.gone)
        if type(future.exception()).__name__ == "KilledWorker":
            raise ClusterError("a task has ended every worker that tried it: have they enough memory?")
        return future.result()
