"""Records as the suite leaves them, with times that are made up: for what takes hundreds of commits, or a GPU."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

MACHINE: dict[str, Any] = {
    **{"cpu_model": "Made-up CPU", "gpu": "none", "cuda": "none", "cores": 8, "cores_usable": 8, "memory_gib": 32},
    **{
        "system": "Linux",
        "kernel": "6.1",
        "python": "3.13.1",
        "backend": "tensorflow",
        "tensorflow": "2.21.0",
        "keras": "3.15.1",
    },
    **{"numpy": "2.4.0", "numba": "0.68.0", "pytest_benchmark": "5.3.1", "threads": "default", "xla_flags": ""},
    **{"onednn": "default", "backend": "tensorflow"},
}
FIRST_COMMIT = datetime(2026, 1, 1, tzinfo=UTC)
BATCH_SIZES, MEMBERS = (1, 9, 27, 111, 999), (1, 8, 64, 512)


def benchmark(kind: str, name: str, seconds: float, **info: Any) -> dict[str, Any]:
    """Return one benchmark, with ten rounds within 2 % of such a time."""
    rounds = seconds * np.linspace(0.98, 1.02, 10)
    low, median, high = np.quantile(rounds, (0.25, 0.5, 0.75)).tolist()
    unit = {"members": "seconds per epoch of all", "time to accuracy": "seconds per run"}.get(kind, "seconds per epoch")
    function = f"bench_{kind.replace(' ', '_')}"
    return {
        "group": f"{kind}: {unit}",
        "name": f"{function}[{name}]",
        "fullname": f"benchmarks/{function}.py::{function}[{name}]",
        "params": {},
        "param": name,
        "extra_info": info,
        "options": {},
        "stats": {
            **{"min": float(rounds[0]), "max": float(rounds[-1]), "mean": median, "stddev": float(np.std(rounds))},
            **{"rounds": 10, "median": median, "iqr": high - low, "q1": low, "q3": high, "iqr_outliers": 0},
            **{"stddev_outliers": 0, "outliers": "0;0", "ld15iqr": float(rounds[0]), "hd15iqr": float(rounds[-1])},
            **{"ops": 1 / median, "total": float(rounds.sum()), "iterations": 999, "data": rounds.tolist()},
        },
    }


def suite(device: str = "cpu", slower: float = 1.0, faster_when_large: bool = False) -> list[dict[str, Any]]:
    """Return the quick grid's benchmarks on a device, with times such as they take."""
    made = []
    for engine in ("compiled", "native") if device == "cpu" else ("compiled",):
        for batch_size in BATCH_SIZES:
            seconds = slower * (2e-6 + 25e-6 / batch_size) * (1 if engine == "compiled" else 0.7)
            if faster_when_large:
                seconds = 4e-6 + 3e-4 / batch_size
            info = {"engine": engine, "device": device, "batch_size": batch_size, "learning_rate": 0.001}
            answer = {"coefficient_error": 2e-4, "verdict": "pass", "passed": True, "samples": 999}
            name = f"{engine}-{device}-batch_{batch_size}-learning_rate_0.001"
            made.append(benchmark("epoch time", name, seconds, **info, **answer))
    for members in MEMBERS:
        seconds = slower * (1e-5 + 4e-6 * members) if not faster_when_large else 2e-4 + 2e-8 * members
        info = {"engine": "compiled", "device": device, "batch_size": 111, "learning_rate": 0.1, "members": members}
        made.append(benchmark("members", f"{device}-members_{members}", seconds, **info, samples=999))
    info = {"engine": "compiled", "device": device, "batch_size": 111, "learning_rate": 0.1, "samples": 999}
    name = f"compiled-{device}-111-0.1"
    made.append(benchmark("time to accuracy", name, 6e-3 * slower, **info, seeds=40, settled_seeds=36))
    return made


def record(
    benchmarks: list[dict[str, Any]] | None = None,
    commit: int = 0,
    machine: dict[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """Return a record of a commit, made so many hours after the first.

    Args:
        benchmarks: of it; the suite on a CPU unless given.
        commit: its number.
        machine: facts that are other than MACHINE's.
        changed: keys of the record that are other.
    """
    benchmarks = suite() if benchmarks is None else benchmarks
    made = FIRST_COMMIT + timedelta(hours=commit)
    info = {"id": f"{commit:09x}" + "0" * 31, "time": made.isoformat(), "author_time": made.isoformat()}
    session = {"planned": len(benchmarks), "over": len(benchmarks), "failed": []}
    return {
        "machine_info": {**MACHINE, **(machine or {})},
        "commit_info": {**info, "dirty": False, "project": "made up", "branch": "main"},
        "benchmarks": copy.deepcopy(benchmarks),
        "datetime": (made + timedelta(minutes=5)).isoformat(),
        "version": "5.3.1",
        "parabola": {"version": 2, "session": session, "grid": {}, "left_out": []},
        **changed,
    }


def write(folder: Path, *records: dict[str, Any]) -> list[Path]:
    """Put records on disk, numbered as pytest-benchmark numbers them."""
    paths = [folder / f"{number:04}_made.json" for number, _ in enumerate(records, start=1)]
    for path, content in zip(paths, records, strict=True):
        path.write_text(json.dumps(content))
    return paths


def noisy_history(commits: int, steps: dict[int, float], seed: int = 0) -> list[dict[str, Any]]:
    """Return a record a commit, of times that wander by 3 %; from each commit in steps on so many times longer."""
    random, records, level = np.random.default_rng(seed), list[dict[str, Any]](), 1.0
    for commit in range(commits):
        level *= steps.get(commit, 1.0)
        made = record(commit=commit)
        for one in made["benchmarks"]:
            times = level * random.lognormal(0, 0.03)
            stats = one["stats"]
            one["stats"] |= {key: stats[key] * times for key in ("min", "max", "mean", "median", "q1", "q3", "iqr")}
            del one["stats"]["data"]
        records.append(made)
    return records
