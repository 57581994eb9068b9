"""Keras' backend: choose it, and start it once with the settings that every run needs."""

import logging
import os
import re
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from typing import Any

GPU_MEMORY = "PARABOLA_GPU_MEMORY_MIB"  # how much TensorFlow and PyTorch take of a GPU; JAX has its own variable
BACKENDS = ("tensorflow", "jax", "torch")  # Keras' names for them; the first is always there
# XLA on the CPU compiles a loop into one function only while it touches less than this many bytes, 1,024 by
# default; above, it dispatches every operation of every step by itself, up to ten times slower. 1 MiB, about
# what a core's cache holds, takes in every loop of the published size; larger ones keep XLA's parallel dispatch.
XLA_FLAG = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576"


def backend() -> str:
    """Return Keras' backend in this process: "tensorflow", "jax" or "torch"."""
    return os.environ.get("KERAS_BACKEND") or BACKENDS[0]


def choose(name: str | None) -> None:
    """Choose Keras' backend for this process and those that it starts.

    Args:
        name: Keras' name of the backend; None leaves the choice to KERAS_BACKEND.

    Raises:
        ValueError: if there is no such backend, if it, Keras or Numba is not installed, or if Keras runs on another one
            already.
    """
    name = name or backend()
    if name not in BACKENDS:
        raise ValueError(f"unknown backend {name!r}; known: {', '.join(BACKENDS)}")
    for package in (name, "keras", "numba"):  # the light installation has none of them
        if find_spec(package) is None:
            project = f"'.[{package}]'" if package in BACKENDS[1:] else "."
            what = f"backend {package}" if package == name else package
            raise ValueError(f"{what} is not installed: pip install -e {project}")
    if "keras" in sys.modules and (running := sys.modules["keras"].backend.backend()) != name:
        raise ValueError(f"backend {name} was chosen, but Keras runs on {running} already; a process has one")
    os.environ["KERAS_BACKEND"] = name


def set_environment() -> None:
    """Set what the backends read from the environment, unless it is set; the caller's XLA flags come last, and win."""
    os.environ.setdefault("KERAS_BACKEND", BACKENDS[0])  # else Keras would look into the user's own settings
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX would take most of a GPU's memory
    flags = os.environ.get("XLA_FLAGS", "")
    if XLA_FLAG not in flags:
        os.environ["XLA_FLAGS"] = f"{XLA_FLAG} {flags}".strip()


def refuse_keras_limits() -> None:
    """Check that the environment lets Keras train as asked.

    Raises:
        ValueError: if a variable of Keras' would silently shorten a run, or KERAS_BACKEND names no backend.
    """
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        if name in os.environ:
            raise ValueError(f"{name}={os.environ[name]} would silently shorten the run: unset it")
    if backend() not in BACKENDS:
        raise ValueError(f"KERAS_BACKEND={backend()} is not supported; known: {', '.join(BACKENDS)}")


def start(*, threads: int | None = None) -> Any:
    """Import the backend with the settings that every run needs, and return its module.

    Args:
        threads: number of threads in its pools; None leaves its default.

    Raises:
        RuntimeError: if threads come after the backend's first use.
        ValueError: if the backend has no such setting, is not installed, or Keras runs on another one already.
    """
    choose(None)
    set_environment()
    framework = _import_quietly(backend())
    _SETTINGS[backend()](framework, threads)
    return framework


def _start_tensorflow(tf: Any, threads: int | None) -> None:
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for gpu in tf.config.list_physical_devices("GPU"):
        if limit := os.environ.get(GPU_MEMORY):
            if not tf.config.get_logical_device_configuration(gpu):
                pieces = [tf.config.LogicalDeviceConfiguration(memory_limit=int(limit))]
                tf.config.set_logical_device_configuration(gpu, pieces)
        elif not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.experimental.enable_tensor_float_32_execution(False)


def _start_jax(jax: Any, threads: int | None) -> None:
    if threads is not None:
        raise ValueError(f"the jax backend has no setting for its threads. Received: {threads}")
    jax.config.update("jax_default_matmul_precision", "highest")  # no TF32


def _start_torch(torch: Any, threads: int | None) -> None:
    if threads is not None:
        torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    if (limit := os.environ.get(GPU_MEMORY)) and torch.cuda.is_available():
        whole = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, int(limit) * 2**20 / whole))
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it warns where there is no GPU


_SETTINGS = {"tensorflow": _start_tensorflow, "jax": _start_jax, "torch": _start_torch}


def _import_quietly(name: str) -> Any:
    """Import a module without the informational lines that TensorFlow writes whatever its log level."""
    if name in sys.modules:
        return sys.modules[name]
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            return import_module(name)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            os.write(2, re.sub(rb"(?m)^(I\d{4} |WARNING: All log messages).*\n?", b"", written.read()))
