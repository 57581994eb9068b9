"""The memory that a program takes at most, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

from parabola.machine import backends

# A small process between: of a child, Linux counts what the process that started it had by then, such as a framework.
STARTER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))
"""


def peak_mebibytes(command: Sequence[str]) -> float:
    """Run a program to its end, and return the largest resident memory of its process, in MiB.

    Args:
        command: the program and its arguments.

    Raises:
        subprocess.CalledProcessError: if the program fails.
    """
    starter = [sys.executable, "-I", "-S", "-c", STARTER, *command]
    return float(subprocess.run(starter, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout)


def device_lines() -> Iterator[str]:
    """Yield for each of JAX's devices the most memory that this process has had there; none where JAX does not say.

    It is of all that the process has run, so it is one case's where the process has timed no other. JAX says nothing of
    a CPU, and other backends are not asked.
    """
    if backends.backend() == "jax" and "jax" in sys.modules:
        for device in sys.modules["jax"].local_devices():
            with suppress(RuntimeError):  # some kinds of devices cannot be asked
                if peak := (device.memory_stats() or {}).get("peak_bytes_in_use"):
                    yield f"most memory on {device.platform}:{device.id} in this process: {peak / 2**20:,.1f} MiB"
