"""Devices are listed, chosen, and proven."""

import os
import re
import shutil
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.machine import devices

SECOND_CPU = """
import numpy as np
from parabola.machine import backends, devices
tf = backends.start(threads=1)
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from parabola.training.experiment import Experiment
from parabola.training.train import train
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


def fake_backend(monkeypatch: pytest.MonkeyPatch, name: str, framework: Any) -> None:
    """Put a stand-in in the place of a backend."""
    monkeypatch.setattr(devices, "backend", lambda: name)
    monkeypatch.setattr(devices, "start", lambda: framework)


def jax_devices(kind: str) -> list[str]:
    """Answer as JAX does where it has one CPU, two devices of a GPU, and nothing else."""
    found = {"cpu": ["the CPU"], "gpu": ["first", "second"]}
    if kind not in found:
        raise RuntimeError(f"Unknown backend {kind}")
    return found[kind]


def jax_without_gpu(kind: str) -> list[str]:
    """Answer as JAX does without a GPU."""
    if kind != "cpu":
        raise RuntimeError(f"Unknown backend {kind}")
    return ["the CPU", "another"]


def jax_without_cpu(kind: str) -> list[str]:
    """Answer as JAX does where JAX_PLATFORMS names the GPU alone."""
    if kind != "gpu":
        raise RuntimeError(f"Unknown backend {kind}")
    return ["a GPU"]


def test_tensorflows_devices_by_our_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logical devices count, in TensorFlow's order, and those that are neither CPU nor GPU are left out."""
    names = ["/device:CPU:0", "/device:CPU:1", "/device:XLA_CPU:0", "/device:GPU:0", "/device:TPU:3", "/device:GPU:1"]
    config = SimpleNamespace(list_logical_devices=lambda: [SimpleNamespace(name=name) for name in names])
    fake_backend(monkeypatch, "tensorflow", SimpleNamespace(config=config))

    assert devices.available() == ["cpu:0", "cpu:1", "gpu:0", "gpu:1"]
    assert devices.defaults() == ["cpu", "gpu:0"]
    assert devices.resolve_all("gpu:all") == ["gpu:0", "gpu:1"]
    assert devices.resolve_all("cpu:all") == ["cpu:0", "cpu:1"]
    assert devices.resolve_all("gpu:1") == ["gpu:1"]
    for name in ("gpu:0:all", "all"):
        with pytest.raises(ValueError, match=f"^unknown device '{name}'; "):
            devices.resolve_all(name)
    assert devices.resolve_all("gpu") == ["gpu:0"]


def test_torchs_devices_by_our_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """One CPU, and as many GPUs as CUDA counts."""
    count = {"now": 2}
    framework = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: count["now"]))
    fake_backend(monkeypatch, "torch", framework)

    assert devices.available() == ["cpu:0", "gpu:0", "gpu:1"]
    count["now"] = 0
    assert devices.available() == ["cpu:0"]
    assert devices.defaults() == ["cpu"]


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (jax_devices, ["cpu:0", "gpu:0", "gpu:1"]),
        (jax_without_gpu, ["cpu:0", "cpu:1"]),
        (jax_without_cpu, ["gpu:0"]),
    ],
)
def test_jaxs_devices_by_our_names(answer: Any, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that JAX does not have is left out, whichever it is."""
    fake_backend(monkeypatch, "jax", SimpleNamespace(devices=answer))

    assert devices.available() == names


def test_jaxs_own_object_has_kind_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of "gpu:1" it is the second GPU; a scope makes contexts of JAX's own on it."""
    fake_backend(monkeypatch, "jax", SimpleNamespace(devices=jax_devices, default_device=nullcontext))

    assert devices.jax_device("gpu:1") == "second"
    assert devices.jax_device("cpu:0") == "the CPU"
    with devices.scope("gpu:1")() as placed:
        assert placed == "second"


@pytest.mark.parametrize(
    ("backend", "name", "asked"),
    [
        ("tensorflow", "cpu:0", "cpu:0"),
        ("tensorflow", "gpu:1", "gpu:1"),
        ("torch", "cpu:0", "cpu"),
        ("torch", "gpu:0", "gpu:0"),
    ],
)
def test_keras_is_asked_for_the_device(backend: str, name: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By our name, but for PyTorch's one CPU, which has no number there."""
    monkeypatch.setattr(devices, "backend", lambda: backend)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(device=nullcontext))

    with devices.scope(name)() as placed:
        assert placed == asked


@pytest.mark.parametrize(
    ("backend", "tensor", "found", "wanted"),
    [
        ("tensorflow", SimpleNamespace(device="/job:localhost/replica:0/task:0/device:GPU:1"), "gpu:1", "gpu:0"),
        ("torch", SimpleNamespace(device=SimpleNamespace(type="cuda", index=1)), "gpu:1", "cpu:0"),
        ("torch", SimpleNamespace(device=SimpleNamespace(type="cpu", index=None)), "cpu:0", "gpu:0"),
        ("jax", SimpleNamespace(devices=lambda: [SimpleNamespace(platform="gpu", id=2)]), "gpu:2", "gpu:0"),
    ],
)
def test_the_place_of_a_tensor_is_read_on_each_backend(
    backend: str, tensor: Any, found: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back by our name; where another was wanted, the message has both."""
    monkeypatch.setattr(devices, "backend", lambda: backend)

    assert devices.check_placement(tensor, found) == found
    with pytest.raises(RuntimeError, match=f"^weights were asked to be on {wanted}, but are on {found}$"):
        devices.check_placement(tensor, wanted)


def test_names_of_devices_have_at_most_a_number() -> None:
    """Any number is a name, whether it is there or not; the message quotes what is none."""
    for name in ("cpu", "gpu", "cpu:0", "gpu:12"):
        devices.check_name(name)
    for name in ("xcpu", "cpu:0x", "cpu:-1", "gpu:all"):
        message = f"unknown device {name!r}; devices are named cpu, cpu:1, gpu, gpu:0, …"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            devices.check_name(name)


@pytest.mark.parametrize("threads", [None, 1, 2, 1023, 1024])
def test_threads_within_bounds_are_accepted(threads: int | None) -> None:
    """From 1 to 1,024, and None, which is the backend's own choice."""
    devices.check_threads(threads)


@pytest.mark.parametrize("threads", [-1, 0, 1025])
def test_threads_out_of_bounds_are_refused(threads: int) -> None:
    """The message has the bounds, and what was received."""
    with pytest.raises(ValueError, match=rf"^threads must be a whole number from 1 to 1024\. Received: {threads}$"):
        devices.check_threads(threads)


@pytest.mark.parametrize(
    ("backend", "here", "driver", "name", "message"),
    [
        ("tensorflow", ["cpu:0", "cpu:1"], True, "cpu:2", "device cpu:2 is not there; here: cpu:0, cpu:1"),
        ("tensorflow", ["cpu:0"], False, "gpu", "device gpu is not there; here: cpu:0"),
        ("tensorflow", ["cpu:0", "gpu:0"], True, "gpu:1", "device gpu:1 is not there; here: cpu:0, gpu:0"),
        (
            *("tensorflow", ["cpu:0"], True, "gpu"),
            "device gpu is not there; here: cpu:0; a driver is there, but tensorflow sees no GPU: "
            "pip install -e '.[gpu]'",
        ),
        (
            *("jax", ["cpu:0"], True, "gpu:1"),
            "device gpu:1 is not there; here: cpu:0; a driver is there, but jax sees no GPU: "
            "pip install -e '.[jax-gpu]'",
        ),
        (
            *("torch", ["cpu:0"], True, "gpu:0"),
            "device gpu:0 is not there; here: cpu:0; a driver is there, but torch sees no GPU: "
            "pip install -e '.[torch]'",
        ),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_what_helps(
    backend: str, here: list[str], driver: bool, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line to install is given for a GPU alone, where none is seen although the driver is there."""
    monkeypatch.setattr(devices, "backend", lambda: backend)
    monkeypatch.setattr(devices, "available", lambda: here)
    monkeypatch.setattr(shutil, "which", lambda program: "/bin/x" if driver and program == "nvidia-smi" else None)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        devices.resolve(name)
    if ":" not in name:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            devices.resolve_all(f"{name}:all")
