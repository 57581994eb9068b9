"""Devices: list those that are there, choose one, and prove that the weights are on it."""

import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from parabola.machine.backends import backend, start

MOST_THREADS = 1024


def available() -> list[str]:
    """Return the names of the backend's devices, as users give them: cpu:0, …, gpu:0, …"""
    framework = start()
    if backend() == "tensorflow":
        names = [device.name.rpartition("device:")[2].lower() for device in framework.config.list_logical_devices()]
        return [name for name in names if name.startswith(("cpu", "gpu"))]
    if backend() == "torch":
        return ["cpu:0", *(f"gpu:{number}" for number in range(framework.cuda.device_count()))]
    names = list[str]()
    for kind in ("cpu", "gpu"):
        with suppress(RuntimeError):  # there is none of that kind, or JAX_PLATFORMS leaves that kind out
            names += [f"{kind}:{number}" for number in range(len(framework.devices(kind)))]
    return names


def defaults() -> list[str]:
    """Return the names of the devices that the suite runs on by default: the CPU, and the first GPU if there is one."""
    return ["cpu", *(name for name in available() if name == "gpu:0")]


def check_name(name: str) -> None:
    """Raise ValueError unless the name is one that a device may have, whether such a device is there or not."""
    if not re.fullmatch(r"(cpu|gpu)(:\d+)?", name):
        raise ValueError(f"unknown device {name!r}; devices are named cpu, cpu:1, gpu, gpu:0, …")


def check_threads(threads: int | None) -> None:
    """Raise ValueError unless a backend can have so many threads: with tens of thousands its pools never get ready."""
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise ValueError(f"threads must be a whole number from 1 to {MOST_THREADS}. Received: {threads}")


def resolve(name: str) -> str:
    """Return a device's name with its number: "cpu:0", "gpu:0", …

    Args:
        name: the device as users name it; without a number it is the first of its kind.

    Raises:
        ValueError: if no device has such a name, or it is not there; the message names those that are.
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
    """Return the names, with their numbers, of all devices that one name means.

    Args:
        name: "gpu:all" means every GPU; any other name means one device.

    Raises:
        ValueError: if no device has such a name, or it is not there.
    """
    kind, _, which = name.partition(":")
    if which != "all":
        return [resolve(name)]
    resolve(kind)
    return [full for full in available() if full.startswith(kind)]


def jax_device(name: str) -> Any:
    """Return JAX's own object for a device, given the device's name with its number."""
    kind, _, number = name.partition(":")
    return start().devices(kind)[int(number)]


def scope(name: str) -> Callable[[], AbstractContextManager[Any]]:
    """Return a function whose contexts place tensors on a device, given the device's name with its number."""
    if backend() == "jax":
        return partial(start().default_device, jax_device(name))
    import keras

    # PyTorch's one CPU has no number: to Keras a variable on "cpu" is not on "cpu:0", and it would move it.
    return partial(keras.device, "cpu" if backend() == "torch" and name == "cpu:0" else name)


def check_placement(tensor: Any, wanted: str) -> str:
    """Return the name of the device that a tensor is on, as "cpu:0", if it is the wanted one.

    Args:
        tensor: a tensor of the backend that Keras runs on.
        wanted: name of a device with its number.

    Raises:
        RuntimeError: if the tensor is on another device; TensorFlow falls back to the CPU without a word.
    """
    if backend() == "jax":
        (device,) = tensor.devices()
        place = f"{device.platform}:{device.id}"
    elif backend() == "torch":
        place = f"{tensor.device.type.replace('cuda', 'gpu')}:{tensor.device.index or 0}"
    else:
        place = str(tensor.device).rpartition("device:")[2].lower()
    if place != wanted:
        raise RuntimeError(f"weights were asked to be on {wanted}, but are on {place}")
    return place
