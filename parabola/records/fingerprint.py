"""The facts that decide which times may be compared: those of a machine's hardware, and those of its software."""

import math
import re
from functools import cache

from parabola.records.record import Fingerprint, Record

# The facts of a record, in the order in which differences are reported.
FINGERPRINT = (
    *("cpu_model", "gpu", "cuda", "cores", "cores_usable", "cpu_quota", "memory_gib", "system", "kernel"),
    *("python", "backend", "tensorflow", "keras", "numpy", "numba", "threads", "xla_flags", "onednn"),
)
HARDWARE = ("cpu_model", "gpu", "cores", "cores_usable", "cpu_quota", "memory_gib")  # the rest is software
DRIVER = re.compile(r", driver ([^;]*)")
MAY_BE_EMPTY = ("xla_flags",)  # another fact that is empty is unknown: pytest-benchmark alone does not tell it


def in_words(fact: str) -> str:
    """Return the name of a fact in words, as "cpu model"."""
    return fact.replace("_", " ")


def differences(first: Record, second: Record) -> list[str]:
    """Return why two records may not be compared, a line for each fact that differs; none where they may.

    A fact that one of them does not know is no difference.
    """
    pairs = zip(first.fingerprint, second.fingerprint, strict=True)
    return [
        f"{in_words(fact)}: {value}, not {other}"
        for (fact, value), (_, other) in pairs
        if value != other and ((value and other) or fact in MAY_BE_EMPTY)
    ]


@cache
def hardware(fingerprint: Fingerprint) -> Fingerprint:
    """Return the facts of the hardware: processor, GPU, cores and what may be used of them, and the class of memory.

    Args:
        fingerprint: all facts. Of a GPU the driver is software; of the memory a kernel keeps some to itself, so that
            sizes of one class are one: 15 and 16 GiB, but not 16 and 24.
    """
    facts = {**dict.fromkeys(HARDWARE, ""), **dict(fingerprint)}
    facts |= {"gpu": DRIVER.sub("", facts["gpu"]), "memory_gib": _memory_class(facts["memory_gib"])}
    return tuple((fact, facts[fact]) for fact in HARDWARE)


@cache
def software(fingerprint: Fingerprint) -> Fingerprint:
    """Return the facts of the software, in their order, and the GPU's driver."""
    drivers = "; ".join(DRIVER.findall(dict(fingerprint).get("gpu", "")))
    return (*((fact, value) for fact, value in fingerprint if fact not in HARDWARE), ("gpu_driver", drivers))


def _memory_class(gibibytes: str) -> str:
    """Return the nearest of 1, 1.5, 2, 3, 4, 6, … GiB, in the measure of ratios; what is no number as it is."""
    if not gibibytes.isdigit() or gibibytes == "0":
        return gibibytes
    size = int(gibibytes)
    power = 2.0 ** math.floor(math.log2(size))
    return f"{min((power, 1.5 * power, 2 * power), key=lambda known: abs(math.log(known / size))):g}"
