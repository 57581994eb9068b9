"""Records as the suite leaves them, with times that are made up: for what takes hundreds of commits, or a GPU.

They are irregular on purpose, so that a test notices what goes by the wrong thing: ids of commits do not rise with
their dates, gaps between commits and their time zones differ, commits are not measured in their order, cases come in
no order, and rounds, quartiles, seeds and answers are unlike each other.
"""

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

MACHINE: dict[str, Any] = {
    **{"cpu_model": "Made-up CPU_7 <2.9 GHz> & Söhne", "gpu": "none", "cuda": "none", "cores": 12, "cores_usable": 10},
    **{"cpu_quota": "none"},
    **{"memory_gib": 31, "system": "Linux", "kernel": "6.1", "python": "3.13.1", "backend": "tensorflow"},
    **{"tensorflow": "2.21.0", "keras": "3.15.1", "numpy": "2.4.0", "numba": "0.68.0", "pytest_benchmark": "5.3.1"},
    **{"threads": "default", "xla_flags": "", "onednn": "off"},
}
FIRST_COMMIT = datetime(2026, 1, 1, tzinfo=UTC)
AFTER = (0, 4.5, 1, 4.25, 0.25, 3, 4.9)  # hours of a commit after every fifth hour, in turn: gaps of 6 minutes to 9.5 h
ZONES = (5.5, -8, 0, 13, -3.5)  # hours by which the commits' clocks are ahead of UTC, in turn
UNTIL_MEASURED = (5, 1200, 61)  # minutes from a commit to the end of its session, in turn: the third overtakes
BATCH_SIZES, MEMBERS = (1, 9, 27, 111, 999), (1, 8, 64, 512)
ERRORS = {1: 2e-4, 9: 3.1e-4, 27: 1.7e-4, 111: 9e-5, 999: 5.3e-4}


def commit_id(commit: int) -> str:
    """Return the id of a commit; in no order."""
    return _digest(f"commit {commit}")


def committed(commit: int) -> datetime:
    """Return when a commit was made, by the clock of who made it."""
    made = FIRST_COMMIT + timedelta(hours=5 * commit + AFTER[commit % len(AFTER)])
    return made.astimezone(timezone(timedelta(hours=ZONES[commit % len(ZONES)])))


def numbers(revisions: str, most: int = 1000) -> list[int]:
    """Return the numbers of commits from the first nine digits of their ids, as "one..other" or "one to other"."""
    known = {commit_id(commit)[:9]: commit for commit in range(most)}
    return [known[id] for id in revisions.replace(" to ", "..").split("..")]


def named(benchmarks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the one benchmark of such a name, which may go without what stands before the brackets."""
    (found,) = [one for one in benchmarks if name in (one["name"], one["param"])]
    return found


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def benchmark(kind: str, name: str, seconds: float, **info: Any) -> dict[str, Any]:
    """Return one benchmark, of 7 to 13 rounds from 2 % below to 5 % above such a median time."""
    side = np.linspace(-1, 1, 7 + int(_digest(name)[0], 16) % 7)
    rounds = 1 + np.where(side < 0, 0.02, 0.05) * side
    rounds *= seconds / np.median(rounds)
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
            **{"min": float(rounds[0]), "max": float(rounds[-1]), "mean": float(np.mean(rounds))},
            **{
                "stddev": float(np.std(rounds, ddof=1)),
                "rounds": len(rounds),
                "median": median,
                "iqr": high - low,
                "q1": low,
                "q3": high,
                "iqr_outliers": 0,
            },
            **{"stddev_outliers": 0, "outliers": "0;0", "ld15iqr": float(rounds[0]), "hd15iqr": float(rounds[-1])},
            **{
                "ops": 1 / float(np.mean(rounds)),
                "total": float(rounds.sum()),
                "iterations": 999,
                "data": rounds.tolist(),
            },
        },
    }


def suite(device: str = "cpu", slower: float = 1.0, faster_when_large: bool = False) -> list[dict[str, Any]]:
    """Return the quick grid's benchmarks on a device, in no order, with times such as they take."""
    made = []
    for engine in ("compiled", "native") if device == "cpu" else ("compiled",):
        for batch_size in BATCH_SIZES:
            seconds = slower * (2e-6 + 25e-6 / batch_size) * (1 if engine == "compiled" else 0.7)
            if faster_when_large:
                seconds = 4e-6 + 3e-4 / batch_size
            info = {"engine": engine, "device": device, "batch_size": batch_size, "learning_rate": 0.001}
            answer = {"coefficient_error": ERRORS[batch_size], "verdict": "pass", "passed": True, "samples": 999}
            name = f"{engine}-{device}-batch_{batch_size}-learning_rate_0.001"
            made.append(benchmark("epoch time", name, seconds, **info, **answer))
    for members in MEMBERS:
        seconds = slower * (1e-5 + 4e-6 * members) if not faster_when_large else 2e-4 + 2e-8 * members
        info = {"engine": "compiled", "device": device, "batch_size": 111, "learning_rate": 0.1, "members": members}
        made.append(benchmark("members", f"{device}-members_{members}", seconds, **info, samples=999))
    info = {"engine": "compiled", "device": device, "batch_size": 111, "learning_rate": 0.1, "samples": 999}
    name = f"compiled-{device}-111-0.1"
    seeds = {"seeds": 41, "settled_seeds": 36} if device == "cpu" else {"seeds": 38, "settled_seeds": 31}
    made.append(benchmark("time to accuracy", name, 6e-3 * slower, **info, **seeds))
    return sorted(made, key=lambda one: _digest(one["name"]))


def record(
    benchmarks: list[dict[str, Any]] | None = None,
    commit: int = 0,
    machine: dict[str, Any] | None = None,
    **changed: Any,
) -> dict[str, Any]:
    """Return a record of a commit, whose session had two tests without a time besides.

    Args:
        benchmarks: of it; the suite on a CPU unless given.
        commit: its number, from the first one made on.
        machine: facts that are other than MACHINE's.
        changed: keys of the record that are other.
    """
    benchmarks = suite() if benchmarks is None else benchmarks
    made = committed(commit)
    written = made - timedelta(days=commit * 3 % 11, minutes=7)
    info = {"id": commit_id(commit), "time": made.isoformat(), "author_time": written.isoformat()}
    measured = made.astimezone(UTC) + timedelta(minutes=UNTIL_MEASURED[commit % len(UNTIL_MEASURED)])
    session = {"planned": len(benchmarks) + 2, "over": len(benchmarks) + 2, "failed": []}
    return {
        "machine_info": {**MACHINE, **(machine or {})},
        "commit_info": {**info, "dirty": False, "project": "made up", "branch": "main"},
        "benchmarks": copy.deepcopy(benchmarks),
        "datetime": measured.isoformat(),
        "version": "5.3.1",
        "parabola": {"version": 2, "session": session, "grid": {"epochs": None}, "left_out": ["x: predicted 99 s"]},
        **changed,
    }


def write(folder: Path, *records: dict[str, Any]) -> list[Path]:
    """Put records on disk, numbered as pytest-benchmark numbers them."""
    paths = [folder / f"{number:04}_made.json" for number, _ in enumerate(records, start=1)]
    for path, content in zip(paths, records, strict=True):
        path.write_text(json.dumps(content))
    return paths


def noisy_history(commits: int, steps: dict[int, float], seed: int = 0) -> list[dict[str, Any]]:
    """Return a record a commit, of times that wander by 3 %; from each commit in steps on so many times longer.

    The seeds and how many of them pass differ from commit to commit.
    """
    random, records, level = np.random.default_rng(seed), list[dict[str, Any]](), 1.0
    for commit in range(commits):
        level *= steps.get(commit, 1.0)
        made = record(commit=commit)
        for one in made["benchmarks"]:
            times = level * random.lognormal(0, 0.03)
            stats = one["stats"]
            one["stats"] |= {key: stats[key] * times for key in ("min", "max", "mean", "median", "q1", "q3", "iqr")}
            del one["stats"]["data"]
            if "seeds" in one["extra_info"]:
                one["extra_info"] |= {"seeds": 39 + commit * 2 % 5, "settled_seeds": 28 + commit * 7 % 11}
        records.append(made)
    return records
