"""The facts of a machine and its software that decide which times may be compared, and how they differ."""

from parabola.records.record import Record

# The facts that decide whether two times may be compared, in the order in which differences are reported.
FINGERPRINT = (
    *("cpu_model", "gpu", "cuda", "cores", "cores_usable", "memory_gib", "system", "kernel"),
    *("python", "backend", "tensorflow", "keras", "numpy", "numba", "threads", "xla_flags", "onednn"),
)


def in_words(fact: str) -> str:
    """Return the name of a fact in words, as "cpu model"."""
    return fact.replace("_", " ")


def differences(first: Record, second: Record) -> list[str]:
    """Return why two records may not be compared, a line for each fact that differs; none where they may."""
    pairs = zip(first.fingerprint, second.fingerprint, strict=True)
    return [f"{in_words(fact)}: {value}, not {other}" for (fact, value), (_, other) in pairs if value != other]
