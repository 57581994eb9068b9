"""The memory that a program takes at most, in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence

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
