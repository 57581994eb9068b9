"""Processes that train together: the same answer as one, and none is left when one is gone."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.machine import workers
from parabola.training import engines
from parabola.training.experiment import Experiment

ROOT = Path(__file__).parents[2]
TRAIN = [sys.executable, "-m", "parabola", "train", "--strategy", "multi_worker"]

TWO = '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": {"type": "worker", "index": 1}}'
MIRRORED = """
import numpy as np
from parabola.machine import backends, devices
from parabola.training import engines
from parabola.training.experiment import Experiment
tf = backends.start()
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
for batch_size, samples in ((1, 50), (32, 999), (111, 999)):
    spec = Experiment(batch_size=batch_size, samples=samples, epochs=3)
    knobs = {**vars(spec), "engine": "distributed", "strategy": "mirrored", "device": "cpu:all"}
    built, native = engines.build(Experiment(**knobs)), engines.build(Experiment(**{**vars(spec), "engine": "native"}))
    assert built.device == "cpu:0, cpu:1, cpu:2", built.device
    for seed, rate in ((7, 0.001), (3, 0.01)):
        found = built.run(built.reset(seed=seed, learning_rate=rate))
        expected = native.run(native.reset(seed=seed, learning_rate=rate))
        np.testing.assert_allclose(found, expected, rtol=0, atol=rate / 100)
    assert np.abs(found[-1] - spec.initial_weights(3)).min() > 1e-4
print("proven")
"""


@pytest.mark.end_to_end
def test_mirrored_devices_train_as_one() -> None:
    """Three devices share each batch, of 1, 32 or 111 samples, and have the weights of one after every epoch."""
    answer = subprocess.run([sys.executable, "-c", MIRRORED], cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert answer.stdout == "proven\n", answer.stderr


@pytest.mark.end_to_end
@pytest.mark.parametrize(("batch_size", "number"), [(32, 2), (111, 3)])
def test_workers_train_as_one_process(batch_size: int, number: int, tmp_path: Path) -> None:
    """The same global batches, the same coefficients within rounding; one report, one picture; a bar on a terminal."""
    options = ["--batch-size", str(batch_size), "--epochs", "6", "--learning-rate", "0.01"]
    picture = tmp_path / "run.svg"
    master, slave = pty.openpty()
    command = [*TRAIN, "--workers", str(number), *options, "--json", "--plot", str(picture)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=slave, text=True)
    os.close(slave)
    said, deadline = b"", time.monotonic() + 200
    try:
        with suppress(OSError):  # once no process has the other end
            while select.select([master], [], [], max(0, deadline - time.monotonic()))[0] and (
                chunk := os.read(master, 4096)
            ):
                said += chunk
        out, _ = process.communicate(timeout=max(1, deadline - time.monotonic()))
    finally:
        process.terminate()
        os.close(master)
    assert process.returncode == 0, said
    assert re.search(rb"[1-6]/6 epochs, .*left", said)
    run = json.loads(out)
    built = engines.build(Experiment(engine="native", batch_size=batch_size, epochs=6, learning_rate=0.01))
    weights = built.run(built.reset())[-1]

    np.testing.assert_allclose(run["weights"], weights, rtol=0, atol=1e-5)
    assert (run["engine"], run["strategy"], run["device"]) == ("distributed", "multi_worker", "cpu:0")
    assert np.abs(weights - built.experiment.initial_weights(7)).min() > 1e-3
    assert os.listdir(tmp_path) == ["run.svg"]


def processes_of(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def wait_until_training(found: int | list[int]) -> list[int]:
    """Return workers, or those of a process, once they have used more time than importing and compiling takes."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        pids = processes_of(found) if isinstance(found, int) else found
        busy = [sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[11:13])) for pid in pids]
        if len(pids) == 2 and min(busy) > 8 * os.sysconf("SC_CLK_TCK"):
            return pids
        time.sleep(0.2)
    raise AssertionError("the workers do not get to train")


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux' /proc")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_worker_that_is_killed_ends_the_run(ending: signal.Signals) -> None:
    """Within a minute, with a line that names it and exit 7, nothing left running; and so does Ctrl-C, with 130."""
    process = subprocess.Popen(
        [*TRAIN, "--epochs", "100000"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        pids = wait_until_training(process.pid)
        begun = time.monotonic()
        os.kill(pids[1] if ending == signal.SIGKILL else process.pid, ending)
        out, said = process.communicate(timeout=100)
    finally:
        process.terminate()

    assert time.monotonic() - begun < 60
    assert out.strip() in ("", "Aborted!")
    if ending == signal.SIGKILL:
        assert said == "python -m parabola: worker 1 of 2 was killed by SIGKILL; the others were ended\n"
        assert process.returncode == 7
    else:
        assert "Traceback" not in said
        assert process.returncode == 130
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux' /proc")
def test_workers_do_not_outlive_what_started_them() -> None:
    """Even where it is killed, and can end nobody: all are gone within some seconds."""
    process = subprocess.Popen([*TRAIN, "--epochs", "100000"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        pids = wait_until_training(process.pid)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux' /proc")
def test_processes_that_were_started_by_hand_end_without_their_peer() -> None:
    """As on many machines, where nobody watches: exit 7 within a minute, with a line that says what is the matter."""
    addresses = [f"127.0.0.1:{port}" for port in workers.free_ports(2)]
    started = []
    for index in range(2):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        command = [*TRAIN, "--epochs", "100000"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes))
    try:
        wait_until_training([process.pid for process in started])
        begun = time.monotonic()
        started[1].kill()
        out, said = started[0].communicate(timeout=100)
    finally:
        for process in started:
            process.kill()
            process.communicate()

    assert time.monotonic() - begun < 60
    assert started[0].returncode == 7
    assert "python -m parabola: a worker is gone, or cannot be reached: " in said
    assert "Traceback" not in said
    assert out == ""


@pytest.mark.end_to_end
def test_a_worker_that_fails_is_named_with_its_last_words() -> None:
    """What it said last is what is passed on."""
    said = r"worker \d of 2 failed; the others were ended. It said: .*Received: 0"
    with pytest.raises(workers.WorkerError, match=said):
        workers.train_together(["--epochs=0"], 2)


@pytest.mark.parametrize(
    ("options", "configuration", "says"),
    [
        ("--workers 2", "", "--workers needs --strategy multi_worker, and no TF_CONFIG. Received: 2"),
        ("--strategy mirrored --workers 2", "", "--workers needs --strategy multi_worker"),
        ("--strategy multi_worker", "nonsense", "with an index into it. Received: nonsense"),
        ("--strategy multi_worker", '{"task": {"type": "worker", "index": 0}}', "TF_CONFIG needs JSON of a cluster"),
        ("--strategy multi_worker", TWO.replace("1}", "2}"), "TF_CONFIG needs JSON of a cluster"),
        ("--strategy multi_worker", TWO.replace('"worker": [', '"chief": [], "worker": ['), "whose one role is"),
        ("--strategy multi_worker --device cpu:1", "", "takes cpu or gpu, without a number. Received: cpu:1"),
        ("--strategy central", "", "unknown strategy 'central'; known: mirrored, multi_worker"),
        ("--strategy mirrored --engine fit", "", "engine distributed has a strategy, and no other engine has"),
        ("--engine distributed", "", "engine='distributed', strategy=None"),
        ("--strategy mirrored --device gpu:all", "", "device gpu is not there"),
        ("--strategy multi_worker --device tpu", "", "unknown device 'tpu'"),
        ("--strategy multi_worker --threads 0", "", "threads must be a whole number from 1 to 1024. Received: 0"),
    ],
)
def test_bad_input_is_one_line(options: str, configuration: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any process is started."""
    monkeypatch.setenv("TF_CONFIG", configuration)
    monkeypatch.setattr(workers, "train_together", lambda *_, **__: pytest.fail("a process was started"))
    answer = CliRunner().invoke(app, ["train", *options.split()])

    assert answer.exit_code == 2
    assert says in answer.stderr


def test_free_ports_are_not_given_twice() -> None:
    """Of one call, each is another."""
    ports = workers.free_ports(20)

    assert len(set(ports)) == 20
    assert all(1024 <= port < 65536 for port in ports)
