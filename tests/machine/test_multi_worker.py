"""Processes that TF_CONFIG has train together: the same answer as one, and an end where one is gone."""

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.machine import tf_config
from parabola.training import engines
from parabola.training.experiment import Experiment

ROOT = Path(__file__).parents[2]
TRAIN = [sys.executable, "-m", "parabola", "train", "--strategy", "multi_worker"]

TWO = '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": {"type": "worker", "index": 1}}'
MIRRORED = """
import numpy as np
from parabola.machine import backends, devices
from parabola.machine import tf_config
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


def free_ports(number: int) -> list[int]:
    """Return the numbers of ports on the loopback interface at which no process listens."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def test_the_handbooks_two_processes_are_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line gives each of two processes its number, and the same addresses; the options are those of a run below."""
    (line,) = re.findall(r"^for index in (?:.*)$", (ROOT / "docs/scale.md").read_text(), flags=re.MULTILINE)
    before, _, after = line.partition("TF_CONFIG=")
    text, _, command = after.partition(" parabola train ")

    assert before == "for index in 1 0; do "
    assert command == "--strategy multi_worker --batch-size 111 --epochs 20 & done; wait"
    for index in (0, 1):
        monkeypatch.setenv("TF_CONFIG", text.replace("'$index'", str(index)).strip("'"))
        assert tf_config.index_here() == index


@pytest.fixture
def together() -> Iterator[Callable[..., list["subprocess.Popen[str]"]]]:
    """Give what starts two processes with TF_CONFIG, the first with options of its own; they are ended in the end."""
    started = list["subprocess.Popen[str]"]()

    def start(options: list[str], chief: Sequence[str] = (), **first: Any) -> list["subprocess.Popen[str]"]:
        cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
        for index in range(2):
            task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "TF_CONFIG": json.dumps(task)}
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **({} if index else first)}
            command = [*TRAIN, *options, *(() if index else chief)]
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes))
        return started

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.end_to_end
def test_two_processes_train_as_one(tmp_path: Path, together: Callable[..., list["subprocess.Popen[str]"]]) -> None:
    """The same global batches, the same coefficients within rounding; one report, one picture; a bar on a terminal."""
    master, slave = pty.openpty()
    options = ["--batch-size", "111", "--epochs", "6", "--learning-rate", "0.01", "--json"]
    first, second = together(options, ["--plot", str(tmp_path / "run.svg")], stderr=slave)
    os.close(slave)
    said, deadline = b"", time.monotonic() + 200
    with suppress(OSError):  # once no process has the other end
        while select.select([master], [], [], max(0, deadline - time.monotonic()))[0] and (
            chunk := os.read(master, 4096)
        ):
            said += chunk
    os.close(master)
    out, _ = first.communicate(timeout=max(1, deadline - time.monotonic()))
    others = second.communicate(timeout=60)

    assert (first.returncode, second.returncode) == (0, 0), (said, others)
    assert re.search(rb"[1-6]/6 epochs, .*left", said)
    assert others[0] == ""
    run = json.loads(out)
    built = engines.build(Experiment(engine="native", batch_size=111, epochs=6, learning_rate=0.01))
    weights = built.run(built.reset())[-1]
    np.testing.assert_allclose(run["weights"], weights, rtol=0, atol=1e-5)
    assert (run["engine"], run["strategy"], run["device"]) == ("distributed", "multi_worker", "cpu:0")
    assert np.abs(weights - built.experiment.initial_weights(7)).min() > 1e-3
    assert os.listdir(tmp_path) == ["run.svg"]


def wait_until_training(processes: Sequence["subprocess.Popen[str]"]) -> None:
    """Wait until processes have used more time than importing and compiling takes, which is some three seconds."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        texts = [Path(f"/proc/{process.pid}/stat").read_text() for process in processes]
        busy = [sum(map(int, text.rsplit(")")[-1].split()[11:13])) for text in texts]
        if min(busy) > 5 * os.sysconf("SC_CLK_TCK"):
            return
        time.sleep(0.2)
    raise AssertionError("the processes do not get to train")


@pytest.mark.end_to_end
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux' /proc")
def test_a_process_ends_without_its_peer(together: Callable[..., list["subprocess.Popen[str]"]]) -> None:
    """Exit 7 within a minute, with a line that says what is the matter."""
    first, second = together(["--epochs", "100000"])
    wait_until_training([first, second])
    begun = time.monotonic()
    second.kill()
    out, said = first.communicate(timeout=100)

    assert time.monotonic() - begun < 60
    assert first.returncode == 7
    assert "python -m parabola: a worker is gone, or cannot be reached: " in said
    assert "Traceback" not in said
    assert out == ""


@pytest.mark.parametrize(
    ("options", "configuration", "says"),
    [
        (
            "--strategy multi_worker",
            "",
            "strategy multi_worker needs TF_CONFIG, which says who the other processes are",
        ),
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
    """With what was received, and what would be right."""
    monkeypatch.setenv("TF_CONFIG", configuration)
    answer = CliRunner().invoke(app, ["train", *options.split()])

    assert answer.exit_code == 2
    assert says in answer.stderr
