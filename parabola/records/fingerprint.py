"""The facts of a machine and its software that decide which times may be compared, and how they differ."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parabola.records.record import Record

# What decides whether two times may be compared, in the order in which a difference is said.
FINGERPRINT = (
    *("cpu_model", "gpu", "cuda", "cores", "cores_usable", "memory_gib", "system", "kernel"),
    *("python", "backend", "tensorflow", "keras", "numpy", "numba", "threads", "xla_flags", "onednn"),
)


def in_words(fact: str) -> str:
    """Return the name of a fact as a reader is told it."""
    return fact.replace("_", " ")


def differences(first: "Record", second: "Record") -> list[str]:
    """Say why two records may not be compared, a line a fact; nothing where they may."""
    pairs = zip(first.fingerprint, second.fingerprint, strict=True)
    return [f"{in_words(name)}: {one}, not {other}" for (name, one), (_, other) in pairs if one != other]
