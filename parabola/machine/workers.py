"""Several processes of this machine train together: each is told of the others by TF_CONFIG, and all end with one."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from parabola.machine import ending, host

PROGRESS = "PARABOLA_PROGRESS"  # names the file where the first worker keeps the number of epochs done
PARENT = "PARABOLA_PARENT"  # the process that a worker ends with
POLL_SECONDS = 0.05
GRACE_SECONDS = 2  # for what is told to end, before it is killed


class WorkerError(RuntimeError):
    """A worker did not come to its end; the message says which, and why."""


def train_together(
    arguments: Sequence[str],
    workers: int,
    *,
    chief: Sequence[str] = (),
    gpus: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Run `python -m parabola train` in so many processes on the loopback interface.

    Args:
        arguments: of `train`; `--json` is added.
        workers: 1 or more.
        chief: arguments for the first of them alone.
        gpus: as CUDA_VISIBLE_DEVICES names them, to be dealt out; without any, each process sees what this one does.
        progress: called now and then with the number of epochs that the first worker has done.

    Returns:
        What the first worker, the chief, printed.

    Raises:
        WorkerError: if one of them fails or is killed; the others have been ended.
    """
    ports = free_ports(workers)
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    command = [sys.executable, "-m", "parabola", "train", *arguments, "--json"]
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2 * workers)]
        done = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "epochs"
        said, complaints = files[:workers], files[workers:]
        running = stack.enter_context(_ended())
        for index in range(workers):
            task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            environment = {**os.environ, "TF_CONFIG": json.dumps(task), "GRPC_VERBOSITY": "NONE"}
            environment[PARENT] = str(os.getpid())
            if progress and not index:
                environment[PROGRESS] = str(done)
            if gpus:  # each has one of its own, as far as there are enough
                environment["CUDA_VISIBLE_DEVICES"] = gpus[index % len(gpus)]
            running.append(
                subprocess.Popen(
                    [*command, *(() if index else chief)],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=said[index],
                    stderr=complaints[index],
                    start_new_session=True,  # Ctrl-C is for this process, which ends them
                )
            )
        while any(codes := [worker.poll() for worker in running]) or None in codes:
            failed = [index for index, code in enumerate(codes) if code]
            if failed:
                time.sleep(POLL_SECONDS)  # one that is killed takes others with it: it is the one to be named
                raise WorkerError(_reason([worker.poll() for worker in running], complaints))
            ending.end_if_asked()
            if progress and done.exists() and (text := done.read_text()):
                progress(int(text))
            time.sleep(POLL_SECONDS)
        said[0].seek(0)
        answer: dict[str, Any] = json.loads(said[0].read())
        return answer


@contextmanager
def _ended() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Give a list of processes, and leave none of them running."""
    running = list["subprocess.Popen[bytes]"]()
    try:
        yield running
    finally:
        for worker in running:
            worker.terminate()
        for worker in running:
            try:
                worker.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _reason(codes: Sequence[int | None], complaints: Sequence[Any]) -> str:
    """Say which worker is gone: one that was killed, else the first that failed, with its last words."""
    index, code = min(((index, code) for index, code in enumerate(codes) if code), key=lambda gone: gone[1] > 0)
    if code < 0:
        return f"worker {index} of {len(codes)} was killed by {signal.Signals(-code).name}; the others were ended"
    complaints[index].seek(0)
    lines = complaints[index].read().strip().splitlines() or [f"exit code {code}"]
    return f"worker {index} of {len(codes)} failed; the others were ended. It said: {lines[-1]}"


def report_here() -> Callable[[int], None] | None:
    """Return what tells the process that has started this one of the epochs done; None where it does not ask."""
    if PROGRESS not in os.environ:
        return None
    path = Path(os.environ[PROGRESS])

    def report(done: int) -> None:
        path.write_text(str(done))

    return report


def end_with_parent() -> None:
    """Have this process end within a second of the one that started it: who is killed tells no worker to end."""
    parent = os.environ.get(PARENT)

    def watch() -> None:
        while str(os.getppid()) == parent:
            time.sleep(1)
        os._exit(1)

    if parent is not None:
        threading.Thread(target=watch, daemon=True).start()


def free_ports(number: int) -> list[int]:
    """Return so many ports that nobody listens on, on the loopback interface."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def gpus_here() -> list[str]:
    """Return the GPUs that may be dealt out: CUDA_VISIBLE_DEVICES', else the driver's, if it answers."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [one for one in visible.split(",") if one]
    with suppress(TimeoutError):
        return [number for (number,) in host.ask_driver("index")]
    return []


def index_here() -> int | None:
    """Return which worker of a cluster this process is, as TF_CONFIG says; None where it says nothing.

    Raises:
        ValueError: if TF_CONFIG cannot be read.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        known = json.loads(text)
        index, workers, roles = int(known["task"]["index"]), known["cluster"]["worker"], [*known["cluster"]]
        if not 0 <= index < len(workers) or (known["task"]["type"], roles) != ("worker", ["worker"]):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        asked = 'JSON of a cluster, whose one role is "worker", and a task of type "worker" with an index into it'
        raise ValueError(f"TF_CONFIG needs {asked}. Received: {text}") from None
    return index
