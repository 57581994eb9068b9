"""Several processes of this machine train together: TF_CONFIG tells each of the others, and if one ends, all do."""

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

PROGRESS = "PARABOLA_PROGRESS"  # path of the file in which the first worker keeps the number of epochs that are done
PARENT = "PARABOLA_PARENT"  # number of the process that has started a worker; the worker ends when it does
POLL_SECONDS = 0.05
GRACE_SECONDS = 2  # how long a worker that was told to end may take before it is killed


class WorkerError(RuntimeError):
    """A worker failed or was killed; the message says which, and why."""


def train_together(
    arguments: Sequence[str],
    workers: int,
    *,
    chief: Sequence[str] = (),
    gpus: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Run `python -m parabola train` in several processes, which talk over the loopback interface.

    Args:
        arguments: the arguments of `train` for every process; `--json` is added.
        workers: number of processes, 1 or more.
        chief: more arguments, for the first process alone.
        gpus: names of GPUs, as CUDA_VISIBLE_DEVICES has them. Each process gets one, in turn; without any, each process
            sees the GPUs that this one does.
        progress: called now and then with the number of epochs that the first process has done.

    Returns:
        The JSON that the first process, the chief, has printed.

    Raises:
        WorkerError: if a process fails or is killed; the others have been ended.
    """
    ports = free_ports(workers)
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    command = [sys.executable, "-m", "parabola", "train", *arguments, "--json"]
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(2 * workers)]
        done = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "epochs"
        answers, complaints = files[:workers], files[workers:]
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
                    stdout=answers[index],
                    stderr=complaints[index],
                    start_new_session=True,  # Ctrl-C is for this process, which ends them
                )
            )
        while set(codes := [worker.poll() for worker in running]) != {0}:
            if any(codes):
                time.sleep(POLL_SECONDS)  # a worker that is killed makes others fail, and is the one to be named
                raise WorkerError(_reason([worker.poll() for worker in running], complaints))
            ending.end_if_asked()
            if progress and done.exists() and (text := done.read_text()):
                progress(int(text))
            time.sleep(POLL_SECONDS)
        answers[0].seek(0)
        answer: dict[str, Any] = json.loads(answers[0].read())
        return answer


@contextmanager
def _ended() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Yield an empty list for processes, and end those that were put into it when the block ends."""
    running = list["subprocess.Popen[bytes]"]()
    try:
        yield running
    finally:
        with ending.uninterrupted():  # else a signal that came before could end this process amid its waiting
            for worker in running:
                worker.terminate()
            for worker in running:
                try:
                    worker.wait(GRACE_SECONDS)
                except subprocess.TimeoutExpired:
                    worker.kill()
                    worker.wait()


def _reason(codes: Sequence[int | None], complaints: Sequence[Any]) -> str:
    """Return a sentence about the worker that ended first: one that was killed, else the first one that failed.

    Args:
        codes: exit code of each worker, below 0 for the signal that killed it; None or 0 where it did not fail.
        complaints: file with the error output of each worker, whose last line is quoted.
    """
    index, code = min(((index, code) for index, code in enumerate(codes) if code), key=lambda gone: gone[1] > 0)
    if code < 0:
        return f"worker {index} of {len(codes)} was killed by {signal.Signals(-code).name}; the others were ended"
    complaints[index].seek(0)
    lines = complaints[index].read().strip().splitlines() or [f"exit code {code}"]
    return f"worker {index} of {len(codes)} failed; the others were ended. It said: {lines[-1]}"


def report_here() -> Callable[[int], None] | None:
    """Return a function that reports the number of epochs done to the process that has started this one.

    Returns:
        None where that process has not asked for it.
    """
    if PROGRESS not in os.environ:
        return None
    path = Path(os.environ[PROGRESS])

    def report(done: int) -> None:
        path.write_text(str(done))

    return report


def end_with_parent() -> None:
    """Have this process end within a second of the process that started it.

    A parent that is killed cannot tell its workers to end, so each worker watches for it.
    """
    parent = os.environ.get(PARENT)

    def watch() -> None:
        while str(os.getppid()) == parent:
            time.sleep(1)
        os._exit(1)

    if parent is not None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it has nothing to clear up, and may be in a long call
        threading.Thread(target=watch, daemon=True).start()


def free_ports(number: int) -> list[int]:
    """Return the numbers of ports on the loopback interface at which no process listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def gpus_here() -> list[str]:
    """Return the names of the GPUs that workers may get: those in CUDA_VISIBLE_DEVICES, or else all of the driver's."""
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in visible.split(",") if name]
    with suppress(TimeoutError):
        return [number for (number,) in host.ask_driver("index")]
    return []


def index_here() -> int | None:
    """Return the number of this process among a cluster's workers, from 0, as TF_CONFIG has it.

    Returns:
        None where TF_CONFIG is not set.

    Raises:
        ValueError: if TF_CONFIG is not what a cluster of workers needs; the message has all of it.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        known = json.loads(text)
        index, workers, roles = int(known["task"]["index"]), known["cluster"]["worker"], [*known["cluster"]]
        if not 0 <= index < len(workers) or (known["task"]["type"], roles) != ("worker", ["worker"]):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        asked = 'JSON of a cluster, whose one role is "worker", and a task of type "worker" with an index into it'
        raise ValueError(f"TF_CONFIG needs {asked}. Received: {text}") from None
    return index
