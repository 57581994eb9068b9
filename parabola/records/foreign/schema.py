"""The JSON of any suite's record, as pytest-benchmark 3, 4 and 5 write it, and the facts and parameters in it."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from parabola.records.fingerprint import FINGERPRINT
from parabola.records.foreign.case import Params
from parabola.records.record import Fingerprint
from parabola.records.schema import CommitJson, Times

NO_JSON = "UNSERIALIZABLE["  # how pytest-benchmark begins what stands for a value that JSON does not have
LONGEST = 40  # characters of a parameter that is shown


class BenchmarkJson(msgspec.Struct, frozen=True, gc=False):
    """One benchmark; a parameter may have any value, and what is in `extra_info` is the suite's own affair."""

    fullname: str
    stats: Times
    group: str | None = None
    params: dict[str, Any] | None = None


class FileJson(msgspec.Struct, frozen=True, gc=False):
    """What is read of a file."""

    machine_info: dict[str, Any]
    benchmarks: list[BenchmarkJson]
    datetime: str
    commit_info: CommitJson | None = None


DECODER = msgspec.json.Decoder(FileJson)


def decode(text: bytes) -> FileJson:
    """Return the content of a file.

    Python's NaN and Infinity, which JSON does not have, are read: pytest-benchmark writes them for parameters.

    Raises:
        msgspec.DecodeError: if the text is not JSON.
        msgspec.ValidationError: if it is no record.
    """
    try:
        return DECODER.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        try:
            content = json.loads(text)
        except ValueError:
            raise error from None
        return msgspec.convert(content, FileJson)


def fingerprint(machine: Mapping[str, Any]) -> Fingerprint:
    """Return the facts that a record of ours has; those that pytest-benchmark does not know are empty.

    Args:
        machine: the record's `machine_info`. Its `cpu` is py-cpuinfo's, whose keys differ from release to release and
            from system to system.
    """
    cpu = machine.get("cpu")
    cpu = cpu if isinstance(cpu, dict) else {}
    models = (cpu.get("brand_raw"), cpu.get("brand"), machine.get("processor"), machine.get("machine"))
    python = machine.get("python_version", "")
    implementation = machine.get("python_implementation") or "CPython"
    facts = {
        "cpu_model": next((model for model in models if model), "unknown"),
        "cores": cpu.get("count", ""),
        "system": machine.get("system", ""),
        "kernel": machine.get("release", ""),
        "python": python if implementation == "CPython" else f"{implementation} {python}",
    }
    return tuple((fact, str(facts.get(fact, ""))) for fact in FINGERPRINT)


def plain_params(params: Mapping[str, Any] | None) -> Params:
    """Return the parameters whose values are short words or numbers, which a table can show, in their order."""
    return tuple((name, value) for name, value in (params or {}).items() if _is_plain(value))


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= LONGEST and not value.startswith(NO_JSON)
    return isinstance(value, int | float)
