"""Devices: list what is there, choose, and prove where the weights are."""

import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from parabola.machine.backends import backend, start

MOST_THREADS = 1024


def available() -> list[str]:
    """Return the devices that the backend has, as users name them: cpu:0, …, gpu:0, …"""
    framework = start()
    if backend() == "tensorflow":
        names = [device.name.rpartition("device:")[2].lower() for device in framework.config.list_logical_devices()]
        return [name for name in names if name.startswith(("cpu", "gpu"))]
    if backend() == "torch":
        return ["cpu:0", *(f"gpu:{number}" for number in range(framework.cuda.device_count()))]
    names = list[str]()
    for kind in ("cpu", "gpu"):
        with suppress(RuntimeError):  # none of that kind, or JAX_PLATFORMS leaves it out
            names += [f"{kind}:{number}" for number in range(len(framework.devices(kind)))]
    return names


def defaults() -> list[str]:
    """Return what a suite runs on unless told otherwise: the CPU, and the first GPU where one is visible."""
    return ["cpu", *(name for name in available() if name == "gpu:0")]


def check_name(name: str) -> None:
    """Raise ValueError unless devices have such names, whether it is there or not."""
    if not re.fullmatch(r"(cpu|gpu)(:\d+)?", name):
        raise ValueError(f"unknown device {name!r}; devices are named cpu, cpu:1, gpu, gpu:0, …")


def check_threads(threads: int | None) -> None:
    """Raise ValueError unless a backend's pools can have so many: they never get ready with tens of thousands."""
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise ValueError(f"threads must be a whole number from 1 to {MOST_THREADS}. Received: {threads}")


def resolve(name: str) -> str:
    """Return a device's name with its number: "cpu:0", "gpu:0", …; without a number, it is the first.

    Raises:
        ValueError: if that names no device, or one that is not there (the message names those that are).
    """
    check_name(name)
    full, here = name if ":" in name else f"{name}:0", available()
    if full not in here:
        extra = {"tensorflow": "gpu", "jax": "jax-gpu", "torch": "torch"}[backend()]
        hint = f"; a driver is there, but {backend()} sees no GPU: pip install -e '.[{extra}]'"
        hint = hint if full.startswith("gpu") and "gpu:0" not in here and shutil.which("nvidia-smi") else ""
        raise ValueError(f"device {name} is not there; here: {', '.join(here)}{hint}")
    return full


def resolve_all(name: str) -> list[str]:
    """Return the devices that a name means: "gpu:all" is every GPU; any other name is one device.

    Raises:
        ValueError: as `resolve` does.
    """
    kind, _, which = name.partition(":")
    if which != "all":
        return [resolve(name)]
    resolve(kind)
    return [full for full in available() if full.startswith(kind)]


def jax_device(name: str) -> Any:
    """Return JAX's own object for a device, of a name from `resolve`."""
    kind, _, number = name.partition(":")
    return start().devices(kind)[int(number)]


def scope(name: str) -> Callable[[], AbstractContextManager[Any]]:
    """Return what makes contexts in which tensors are placed on a device, of a name from `resolve`."""
    if backend() == "jax":
        return partial(start().default_device, jax_device(name))
    import keras

    # PyTorch's one CPU has no number: to Keras a variable on "cpu" is not on "cpu:0", and it would move it.
    return partial(keras.device, "cpu" if backend() == "torch" and name == "cpu:0" else name)


def check_placement(tensor: Any, wanted: str) -> str:
    """Return where a tensor of the backend lives, as "cpu:0".

    Raises:
        RuntimeError: if that is not the wanted device: TensorFlow falls back to the CPU without a word.
    """
    if backend() == "jax":
        (device,) = tensor.devices()
        found = f"{device.platform}:{device.id}"
    elif backend() == "torch":
        found = f"{tensor.device.type.replace('cuda', 'gpu')}:{tensor.device.index or 0}"
    else:
        found = str(tensor.device).rpartition("device:")[2].lower()
    if found != wanted:
        raise RuntimeError(f"weights were asked to be on {wanted}, but are on {found}")
    return found
