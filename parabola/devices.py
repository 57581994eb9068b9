"""Devices: start TensorFlow once, list what is there, choose, and prove where the weights are."""

import os
import re
import shutil
import sys
import tempfile
from importlib import import_module
from typing import Any

# XLA on the CPU compiles a loop into one function only while it touches less than this many bytes, 1,024 by
# default; above, it dispatches every operation of every step by itself, up to ten times slower. 1 MiB, about
# what a core's cache holds, takes in every loop of the published size; larger ones keep XLA's parallel dispatch.
XLA_FLAG = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576"


def set_environment() -> None:
    """Set what TensorFlow reads from the environment; XLA flags of the caller's come after ours, and win."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    flags = os.environ.get("XLA_FLAGS", "")
    if XLA_FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{XLA_FLAG} {flags}".strip()


def refuse_keras_limits() -> None:
    """Raise ValueError where Keras' environment would silently shorten a run, or take another backend."""
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        if name in os.environ:
            raise ValueError(f"{name}={os.environ[name]} would silently shorten the run: unset it")
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        raise ValueError(f"KERAS_BACKEND={os.environ['KERAS_BACKEND']} is not supported: unset it, or use tensorflow")


def start(*, threads: int | None = None, logical_cpus: int = 1) -> Any:
    """Return TensorFlow, imported with the settings that every run needs.

    Args:
        threads: size of its intra- and inter-operation thread pools; None leaves its default.
        logical_cpus: split the CPU into so many devices: for correctness tests, never for speed.

    Raises:
        RuntimeError: if threads or logical_cpus come after TensorFlow's first use.
    """
    set_environment()
    tf = _import_quietly("tensorflow")
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


def _import_quietly(name: str) -> Any:
    """Import a module without the informational lines that TensorFlow writes whatever its log level."""
    if name in sys.modules:
        return sys.modules[name]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            return import_module(name)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            said.seek(0)
            lines = said.read().splitlines(keepends=True)
            os.write(2, b"".join(line for line in lines if not re.match(rb"I\d{4} |WARNING: All log messages", line)))


def available() -> list[str]:
    """Return the devices that TensorFlow has, as users name them: cpu:0, …, gpu:0, …"""
    names = [device.name.rpartition("device:")[2].lower() for device in start().config.list_logical_devices()]
    return [name for name in names if name.startswith(("cpu", "gpu"))]


def defaults() -> list[str]:
    """Return what a suite runs on unless told otherwise: the CPU, and the first GPU where one is visible."""
    return ["cpu", *(name for name in available() if name == "gpu:0")]


def resolve(name: str) -> str:
    """Return TensorFlow's name for a device: "cpu", "cpu:1", "gpu", "gpu:0", …; without a number, the first.

    Raises:
        ValueError: if that names no device, or one that is not there (the message names those that are).
    """
    if not re.fullmatch(r"(cpu|gpu)(:\d+)?", name):
        raise ValueError(f"unknown device {name!r}; devices are named cpu, cpu:1, gpu, gpu:0, …")
    full, here = name if ":" in name else f"{name}:0", available()
    if full not in here:
        hint = "; a driver is there, but TensorFlow sees no GPU: pip install -e '.[gpu]'"
        hint = hint if full.startswith("gpu") and "gpu:0" not in here and shutil.which("nvidia-smi") else ""
        raise ValueError(f"device {name} is not there; here: {', '.join(here)}{hint}")
    return f"/{full.upper()}"


def check_placement(variable: Any, wanted: str) -> str:
    """Return where a TensorFlow variable lives.

    Raises:
        RuntimeError: if that is not the wanted device: TensorFlow falls back to the CPU without a word.
    """
    found = str(variable.device)
    if not found.upper().endswith(f"DEVICE:{wanted.lstrip('/')}"):
        raise RuntimeError(f"weights were asked to be on {wanted}, but are on {found}")
    return found
