"""Asks the machine for its facts (CPU, GPU, memory, versions), which a record carries."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Any

from parabola.machine.cores import cpu_quota

PACKAGES = ("tensorflow", "keras", "numpy", "numba", "pytest-benchmark")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NUMBA_NUM_THREADS")
NO_GPU = "none"


def facts(threads: int | None = None) -> dict[str, Any]:
    """Return what is known of the machine and its software, without loading a framework.

    Args:
        threads: number of threads that the backend's pools were set to; None where they have their default.

    Returns:
        Numbers and strings by name. None of them names the host or changes from run to run.
    """
    settings = [f"{name}={os.environ[name]}" for name in THREAD_SETTINGS if name in os.environ]
    if threads is not None:
        settings.insert(0, f"--threads={threads}")
    gpu = "; ".join(gpus()) or NO_GPU
    return {
        "cpu_model": cpu_model(),
        "cores": os.cpu_count() or 0,
        "cores_usable": usable_cores(),
        "cpu_quota": "none" if (quota := cpu_quota()) is None else f"{quota:g}",
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "gpu": gpu,
        "cuda": "none" if gpu == NO_GPU else cuda_version(),
        "system": platform.system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "backend": backend(),
        **{name.replace("-", "_"): installed(name) for name in PACKAGES},
        "threads": " ".join(settings) or "default",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def lines(known: dict[str, Any]) -> list[str]:
    """Return the facts as a few lines for the head of a session.

    Args:
        known: what `facts` has returned.
    """
    packages = ", ".join(f"{name} {known[name.replace('-', '_')]}" for name in PACKAGES)
    packages += "" if known["backend"] == "tensorflow" else f"; backend {known['backend']}"
    return [
        f"machine: {known['cpu_model']}, {known['cores_usable']} of {known['cores']} cores, {known['memory_gib']} GiB",
        f"gpu: {known['gpu']}; CUDA {known['cuda']}",
        f"software: {known['system']} {known['kernel']}, Python {known['python']}, {packages}",
        f"settings: threads {known['threads']}; XLA_FLAGS {known['xla_flags'] or 'none'}",
    ]


def cpu_model() -> str:
    """Return the processor's name as the kernel gives it, or else as Python does."""
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def free_bytes() -> int:
    """Return how much memory a process may still take, in bytes; all there is where the system does not say."""
    if os.path.exists("/proc/meminfo"):
        with open("/proc/meminfo", encoding="ascii") as info:
            for line in info:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ask_driver(*fields: str) -> list[list[str]]:
    """Return what NVIDIA's driver says of each GPU.

    Args:
        fields: names of nvidia-smi's fields, as "memory.total".

    Returns:
        A list for each GPU: the fields' values as text, without units. Empty without a driver, or where it fails.

    Raises:
        TimeoutError: if the driver does not answer.
    """
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError("nvidia-smi did not answer") from None
    return [line.split(", ") for line in answer.stdout.splitlines() if answer.returncode == 0]


def gpus() -> list[str]:
    """Return the name and the driver's version of each GPU that the driver sees: "NVIDIA H200, driver 580.1", …"""
    try:
        return [", driver ".join(row) for row in ask_driver("name", "driver_version")]
    except TimeoutError as error:
        return [f"unknown: {error}"]


def cuda_version() -> str:
    """Return the version of the CUDA runtime that is installed beside TensorFlow, or "none"."""
    found = (dist for dist in distributions() if (dist.name or "").startswith("nvidia-cuda-runtime"))
    return next((dist.version for dist in found), "none")


def backend() -> str:
    """Return the backend's name, with its version unless it is TensorFlow, whose version is a fact of its own."""
    name = os.environ.get("KERAS_BACKEND") or "tensorflow"
    return name if name == "tensorflow" else f"{name} {installed(name)}"


def installed(name: str) -> str:
    """Return the version of an installed package, or "none"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
