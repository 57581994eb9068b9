"""Devices are listed, chosen, and proven."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from parabola import devices

SECOND_CPU = """
import numpy as np
from parabola import backends, devices
tf = backends.start(logical_cpus=2, threads=1)
from parabola.experiment import Experiment
from parabola.training import train
assert devices.available() == ["cpu:0", "cpu:1"], devices.available()
assert tf.config.threading.get_intra_op_parallelism_threads() == 1
for engine in ("compiled", "fused_fit", "fit"):
    runs = [train(Experiment(engine=engine, device=device, batch_size=111, epochs=2)) for device in ("cpu", "cpu:1")]
    assert [run.device for run in runs] == ["cpu:0", "cpu:1"], [run.device for run in runs]
    np.testing.assert_array_equal(runs[0].weights, runs[1].weights)
print("proven")
"""


@pytest.mark.end_to_end
def test_logical_devices_stand_in_for_several() -> None:
    """Each engine's weights are on the second CPU device when it is asked for, and learn the same."""
    answer = subprocess.run([sys.executable, "-c", SECOND_CPU], capture_output=True, text=True, timeout=300)

    assert answer.stdout == "proven\n", answer.stderr
    assert answer.stderr == ""  # TensorFlow's informational lines are kept off the terminal


def test_without_a_number_it_is_the_first() -> None:
    """cpu is cpu:0."""
    assert devices.resolve("cpu") == devices.resolve("cpu:0") == "cpu:0"
    assert devices.defaults()[0] == "cpu"


@pytest.mark.parametrize("name", ["tpu", "cpu:", "cpu:x", "GPU", "", "cpu:0:1"])
def test_an_unknown_name_is_refused(name: str) -> None:
    """The message shows how devices are named."""
    with pytest.raises(ValueError, match="devices are named cpu, cpu:1"):
        devices.resolve(name)


def test_a_missing_device_is_refused_naming_those_there() -> None:
    """No machine has a CPU device of that number."""
    with pytest.raises(ValueError, match="cpu:99 is not there; here: cpu:0"):
        devices.resolve("cpu:99")


def test_a_gpu_that_only_the_driver_sees_gets_the_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nvidia-smi is there and TensorFlow has no GPU, the extra is what is missing."""
    if "gpu:0" in devices.available():
        pytest.skip("TensorFlow sees a GPU here")
    fake = tmp_path / "nvidia-smi"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ValueError, match=r"pip install -e '\.\[gpu\]'"):
        devices.resolve("gpu")


def test_a_silent_fall_back_is_an_error() -> None:
    """A variable that is not where it was asked to be is caught."""
    on_cpu = SimpleNamespace(device="/job:localhost/replica:0/task:0/device:CPU:0")

    assert devices.check_placement(on_cpu, "cpu:0") == "cpu:0"
    with pytest.raises(RuntimeError, match="asked to be on gpu:0, but are on cpu:0"):
        devices.check_placement(on_cpu, "gpu:0")


def test_all_of_a_kind() -> None:
    """For what runs on several; elsewhere a name is one device."""
    assert devices.resolve_all("cpu:all") == [name for name in devices.available() if name.startswith("cpu")]
    assert devices.resolve_all("cpu") == ["cpu:0"]
    with pytest.raises(ValueError, match="devices are named"):
        devices.resolve("cpu:all")
