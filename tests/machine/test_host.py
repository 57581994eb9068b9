"""Machine facts, from a made-up machine: what a record carries, and how the head of a report says it."""

import importlib.metadata
import io
import os
import platform
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.machine import host

CPU_INFO = """processor\t: 0
vendor_id\t: GenuineIntel
cpu model name\t: not this line
model name\t: Xeon: Gold 6348 @ 2.60GHz
processor\t: 1
model name\t: the second core's
"""
VERSIONS = {"tensorflow": "2.20.1", "keras": "3.11", "numpy": "2.3.4", "numba": "0.62", "jax": "0.7.1", "torch": "2.9"}


def give_version(name: str) -> str:
    if name not in VERSIONS:
        raise importlib.metadata.PackageNotFoundError(name)
    return VERSIONS[name]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give the process an empty environment, and versions of packages that are no machine's own."""
    made: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", made)
    monkeypatch.setattr(host, "version", give_version)
    return made


def give_driver(monkeypatch: pytest.MonkeyPatch, output: str, code: int = 0) -> list[tuple[list[str], dict[str, Any]]]:
    """Let a driver answer; return the list that its calls go to."""
    calls = []

    def run(command: list[str], **options: Any) -> Any:
        calls.append((command, options))
        return subprocess.CompletedProcess(command, code, stdout=output)

    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "nvidia-smi" else None)
    monkeypatch.setattr(subprocess, "run", run)
    return calls


@pytest.fixture
def made_up(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a machine in this one's place: 12 cores, 5 of them usable, 251 GiB and two GPUs."""
    pages = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 65_929_216}  # 251.5 GiB
    runtime = [SimpleNamespace(name=None, version="0"), SimpleNamespace(name="nvidia-cuda-nvcc-cu12", version="1")]
    runtime += [SimpleNamespace(name="nvidia-cuda-runtime-cu12", version="12.9.79")]
    runtime += [SimpleNamespace(name="nvidia-cuda-runtime-cu11", version="11.8.89")]
    monkeypatch.setattr(host, "open", lambda *_, **__: io.StringIO(CPU_INFO), raising=False)
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/proc/cpuinfo")
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 2, 3, 5, 8} if process == 0 else {0})
    monkeypatch.setattr(os, "sysconf", pages.__getitem__)
    monkeypatch.setattr(host, "cpu_quota", lambda: 1.5)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "release", lambda: "6.8.0-45")
    monkeypatch.setattr(platform, "python_version", lambda: "3.12.7")
    monkeypatch.setattr(host, "distributions", lambda: iter(runtime))
    give_driver(monkeypatch, "NVIDIA H200, 580.65\nNVIDIA A2, 570.1\n")


def test_facts_of_a_made_up_machine(made_up: None, environment: dict[str, str]) -> None:
    """Every fact is where it belongs: the names are those that records and fingerprints have."""
    environment.update(KERAS_BACKEND="jax", XLA_FLAGS="--one --two", TF_ENABLE_ONEDNN_OPTS="0", PATH="/bin")
    environment.update(NUMBA_NUM_THREADS="6", OMP_NUM_THREADS="3")

    assert host.facts(threads=7) == {
        "cpu_model": "Xeon: Gold 6348 @ 2.60GHz",
        "cores": 12,
        "cores_usable": 5,
        "cpu_quota": "1.5",
        "memory_gib": 252,
        "gpu": "NVIDIA H200, driver 580.65; NVIDIA A2, driver 570.1",
        "cuda": "12.9.79",
        "system": "Linux",
        "kernel": "6.8.0-45",
        "python": "3.12.7",
        "backend": "jax 0.7.1",
        "tensorflow": "2.20.1",
        "keras": "3.11",
        "numpy": "2.3.4",
        "numba": "0.62",
        "pytest_benchmark": "none",
        "threads": "--threads=7 OMP_NUM_THREADS=3 NUMBA_NUM_THREADS=6",
        "xla_flags": "--one --two",
        "onednn": "0",
    }


def test_cuda_without_a_gpu_is_none(made_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's runtime is installed beside many a framework; where the driver sees no GPU, it is not a fact of a time."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    facts = host.facts()
    assert (facts["gpu"], facts["cuda"]) == ("none", "none")

    def hang(command: list[str], **_: Any) -> Any:
        raise subprocess.TimeoutExpired(command, 30)

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(subprocess, "run", hang)
    facts = host.facts()
    assert (facts["gpu"], facts["cuda"]) == ("unknown: nvidia-smi did not answer", "12.9.79")


def test_facts_where_nothing_is_set(made_up: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings, GPU, CUDA or a count of cores the facts say default, none, nothing and 0."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(host, "distributions", list)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    facts = host.facts()

    assert {name: facts[name] for name in ("threads", "xla_flags", "onednn", "gpu", "cuda", "backend", "cores")} == {
        "threads": "default",
        "xla_flags": "",
        "onednn": "default",
        "gpu": "none",
        "cuda": "none",
        "backend": "tensorflow",
        "cores": 0,
    }


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"])
def test_each_setting_of_threads_is_a_fact(name: str, made_up: None, environment: dict[str, str]) -> None:
    """A setting of threads in the environment is said with its name and value."""
    environment[name] = "11"

    assert host.facts()["threads"] == f"{name}=11"


def test_the_head_of_a_report() -> None:
    """The facts are four lines; on TensorFlow, which is among the packages, the backend is not said again."""
    known: dict[str, Any] = {"cpu_model": "Some CPU", "cores": 12, "cores_usable": 5, "memory_gib": 252}
    known |= {"gpu": "none", "cuda": "12.9", "system": "Linux", "kernel": "6.8", "python": "3.12.7"}
    known |= {"tensorflow": "2.20.1", "keras": "3.11", "numpy": "2.3", "numba": "0.62", "pytest_benchmark": "5.3"}
    known |= {"backend": "tensorflow", "threads": "--threads=7", "xla_flags": "", "onednn": "0"}
    packages = "tensorflow 2.20.1, keras 3.11, numpy 2.3, numba 0.62, pytest-benchmark 5.3"

    assert host.lines(known) == [
        "machine: Some CPU, 5 of 12 cores, 252 GiB",
        "gpu: none; CUDA 12.9",
        f"software: Linux 6.8, Python 3.12.7, {packages}",
        "settings: threads --threads=7; XLA_FLAGS none",
    ]
    other = host.lines({**known, "backend": "jax 0.7.1", "xla_flags": "--one --two"})
    assert other[2] == f"software: Linux 6.8, Python 3.12.7, {packages}; backend jax 0.7.1"
    assert other[3] == "settings: threads --threads=7; XLA_FLAGS --one --two"


def test_the_processor_where_the_kernel_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the kernel's file, or a model in it, the processor's name is Python's, or the architecture."""
    monkeypatch.setattr(host, "open", lambda *_, **__: io.StringIO("processor\t: 0\n"), raising=False)
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    for there in (True, False):
        monkeypatch.setattr(os.path, "exists", lambda path, there=there: there)
        assert host.cpu_model() == "arm"
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert host.cpu_model() == "aarch64"


def test_usable_cores_where_the_system_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no affinity is known every core is usable, and one where even their count is not known."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert host.usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert host.usable_cores() == 1


def test_what_the_driver_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is asked once for all fields, without heading and units, with a limit, and each line is a GPU."""
    calls = give_driver(monkeypatch, "0, GPU-a, 81559\n1, GPU-b, [N/A]\n")

    assert host.ask_driver("index", "uuid", "memory.total") == [["0", "GPU-a", "81559"], ["1", "GPU-b", "[N/A]"]]
    ((command, options),) = calls
    assert command == ["nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"]
    assert options == {"capture_output": True, "text": True, "timeout": 30, "check": False}


def test_a_driver_that_fails_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a driver prints before it fails is not taken for a GPU."""
    give_driver(monkeypatch, "NVIDIA-SMI has failed, because\n", code=9)

    assert host.ask_driver("name") == []
    assert host.gpus() == []


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (None, "tensorflow"),
        ("", "tensorflow"),
        ("tensorflow", "tensorflow"),
        ("torch", "torch 2.9"),
        ("mxnet", "mxnet none"),
    ],
)
def test_the_backend_has_its_version(chosen: str | None, name: str, environment: dict[str, str]) -> None:
    """A backend other than TensorFlow is named with its version, and "none" where it is not installed."""
    if chosen is not None:
        environment["KERAS_BACKEND"] = chosen

    assert host.backend() == name
