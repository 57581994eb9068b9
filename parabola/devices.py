"""Devices: start TensorFlow once, list what is there, choose, and prove where the weights are."""

import os
import re
import shutil
import subprocess
from typing import Any

# XLA on the CPU compiles a loop into one function only while it touches less than this many bytes (1,024 by
# default); above, every operation of every step is dispatched by itself, up to ten times slower. 1 MiB, about
# what a core's cache holds, takes in every loop here; larger ones keep XLA's parallel dispatch.
XLA_FLAGS = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576"
INSTALL_GPU = "pip install -e '.[gpu]'"


def start(*, threads: int | None = None, logical_cpus: int = 1) -> Any:
    """Import TensorFlow with the settings that every run needs; later calls return the same module.

    Args:
        threads: size of TensorFlow's intra- and inter-operation thread pools; None leaves its default.
        logical_cpus: split the CPU into so many devices: for correctness tests, never for speed.

    Raises:
        RuntimeError: if threads or logical_cpus are asked for after TensorFlow's first use.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if XLA_FLAGS not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{XLA_FLAGS} {os.environ.get('XLA_FLAGS', '')}".strip()
    import tensorflow as tf

    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    if logical_cpus > 1:
        pieces = [tf.config.LogicalDeviceConfiguration()] * logical_cpus
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], pieces)
    for gpu in tf.config.list_physical_devices("GPU"):
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)
    return tf


def available() -> list[str]:
    """Return the devices that TensorFlow has, as users name them: cpu:0, …, gpu:0, …"""
    devices = start().config.list_logical_devices()
    names = [device.name.rsplit("device:", 1)[-1].lower() for device in devices]
    return [name for name in names if name.startswith(("cpu", "gpu"))]


def defaults() -> list[str]:
    """Return what a suite runs on unless told otherwise: the CPU, and the first GPU where one is visible."""
    return ["cpu", *(name for name in available() if name == "gpu:0")]


def resolve(name: str) -> str:
    """Return TensorFlow's name for a device that is there.

    Args:
        name: "cpu", "cpu:1", "gpu", "gpu:0", …; without a number, the first.

    Raises:
        ValueError: if the name is no device's, or no such device is there (naming those that are).
    """
    if not re.fullmatch(r"(cpu|gpu)(:\d+)?", name):
        raise ValueError(f"unknown device {name!r}; devices are named cpu, cpu:1, gpu, gpu:0, …")
    full = name if ":" in name else f"{name}:0"
    here = available()
    if full not in here:
        hint = f"; the driver sees {gpus()[0]}, TensorFlow does not: {INSTALL_GPU}" if full[0] == "g" and gpus() else ""
        raise ValueError(f"device {name} is not there; here: {', '.join(here)}{hint}")
    return f"/{full.upper()}"


def check_placement(variable: Any, wanted: str) -> str:
    """Return where a TensorFlow variable lives.

    Raises:
        RuntimeError: if that is another device than the wanted one: TensorFlow falls back to the CPU silently.
    """
    found = str(variable.device)
    if not found.upper().endswith(f"DEVICE:{wanted.upper().lstrip('/')}"):
        raise RuntimeError(f"weights were asked to be on {wanted}, but are on {found}")
    return found


def gpus() -> list[str]:
    """Return the GPUs that the driver sees, asked without TensorFlow: "NVIDIA H200, driver 580.1", …"""
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    return [line.replace(", ", ", driver ") for line in answer.stdout.splitlines() if answer.returncode == 0]
