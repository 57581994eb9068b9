"""How often does `compare` cry wolf, and what does it find? Comparisons of a tree with itself, over and over."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pytest_benchmark.utils import parse_compare_fail

from parabola import files, registry, statistics
from parabola.compare.comparison import as_json, make_record
from parabola.compare.outcome import Options
from parabola.compare.session import compare
from parabola.display import console
from parabola.machine import ending
from parabola.records.fingerprint import short_name

FOLDER = Path("trials")


def run(
    comparisons: Annotated[int, typer.Option(min=1, help="In all; what the folder has counts.")] = 60,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="A JSON file a comparison.")] = FOLDER,
    engine: Annotated[str, typer.Option(help="Whose epoch times.")] = registry.DEFAULT_ENGINE,
    budget: Annotated[float, typer.Option(help="Seconds a comparison.")] = 300.0,
    slowdown: Annotated[float, typer.Option(help="Planted in one case of each, in turn: 0.1 is 10 %.")] = 0.0,
    epochs: Annotated[int, typer.Option(help="A round.")] = 100,
    rounds: Annotated[int, typer.Option(help="A launch.")] = 100,
) -> None:
    """Compare the working tree with HEAD, where nothing has changed, and count the verdicts."""
    folder.mkdir(parents=True, exist_ok=True)
    ending.end_as_by_ctrl_c()
    suite = ("-k", "epoch_time", "--engine", engine, "--epochs", str(epochs), "--rounds", str(rounds))
    paths = [folder / f"{number:03}.json" for number in range(comparisons)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    for number in console.tracked(missing, "comparisons"):
        slower = {planted_case(engine, number): slowdown} if slowdown else {}
        options = Options("HEAD", pytest_options=suite, budget_seconds=budget, slower=slower)
        outcome = compare(options, Path.cwd())
        if outcome.ended in ("failed", "interrupted"):
            raise SystemExit(f"comparison {number} {outcome.ended}: {outcome.why}".rstrip(": "))
        files.write_text(as_json(make_record(outcome, options)), paths[number])
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))[:comparisons]]
    print("\n".join(summary(records)))


def planted_case(engine: str, number: int) -> str:
    """Return the case that a slowdown is planted in: another one each time, over the quick grid."""
    axes = ("1", "0.001"), ("9", "0.001"), ("27", "0.001"), ("111", "0.001"), ("999", "0.001"), ("1", "0.1")
    batch_size, learning_rate = axes[number % len(axes)]
    name = f"{engine}-cpu-batch_{batch_size}-learning_rate_{learning_rate}"
    return f"benchmarks/bench_epoch_time.py::bench_epoch_time[{name}]"


def summary(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Count, over comparisons of a tree with itself, what was said of cases with and without a planted slowdown."""
    untouched = [[case for case in record["cases"] if case["case"] not in slower(record)] for record in records]
    planted = [case for record in records for case in record["cases"] if case["case"] in slower(record)]
    every = [case for cases in untouched for case in cases]
    false = sum(any(case["verdict"] in ("slower", "faster") for case in cases) for cases in untouched)
    decided = sum(case["verdict"] != "inconclusive" for case in every)
    seconds = np.median([record["seconds"] for record in records])
    lines = [
        f"{len(records)} comparisons of a tree with itself, {seconds:.0f} s each (median)",
        f"false slower or faster in a case where nothing is planted: {share(false, len(records))} of comparisons",
        f"contaminated: {share(sum(record['verdict'] == 'contaminated' for record in records), len(records))}",
        f"cases decided: {share(decided, len(every))}",
        f"pytest-benchmark's median:5%, the sides of one launch: {share(*cries(records, 0))} of comparisons",
        f"pytest-benchmark's median:5%, base of one launch, head of the next: {share(*cries(records, 1))}",
    ]
    lines += [f"spread between launches, {name}: {100 * spread:.1f} %" for name, spread in spreads(records).items()]
    if planted:
        found = sum(case["verdict"] == "slower" for case in planted)
        lines.append(f"planted slowdowns found: {share(found, len(planted))}")
    return lines


def spreads(records: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the standard deviation of the log ratio over all launches, a case each, where nothing is planted."""
    ratios = dict[str, list[float]]()
    for record in records:
        for launch in record["launches"]:
            for case, sides in launch["seconds"].items():
                if case not in slower(record):
                    ratio = statistics.launch_log_ratio(sides["base"], sides["head"])
                    ratios.setdefault(short_name(case), []).append(ratio)
    return {case: float(np.std(values, ddof=1)) for case, values in ratios.items() if len(values) > 1}


def slower(record: Mapping[str, Any]) -> Mapping[str, float]:
    """Return what was planted."""
    planted: Mapping[str, float] = record["options"]["slower"]
    return planted


def cries(records: Sequence[Mapping[str, Any]], later: int) -> tuple[int, int]:
    """Count the comparisons in which pytest-benchmark's own check fails for a case where nothing is planted.

    Args:
        records: of comparisons.
        later: the head is taken from so many launches after the first on the same cores; 0 for the same launch.
    """
    check = parse_compare_fail("median:5%")
    failed = counted = 0
    for record in records:
        finished = [launch for launch in record["launches"] if launch["finished"]]
        launches = [launch["seconds"] for launch in finished if launch["cores"] == finished[0]["cores"]]
        if len(launches) > later:
            both = [
                case for case in launches[0] if case in launches[later] and case not in (*slower(record), "control")
            ]
            medians = [
                [{"median": float(np.median(launches[at][case][side]))} for at, side in ((later, "head"), (0, "base"))]
                for case in both
            ]
            counted += 1
            failed += any(bool(check.fails(*pair)) for pair in medians)
    return failed, counted


def share(part: int, whole: int) -> str:
    """Write a share with its 95 % interval."""
    if not whole:
        return "none measured"
    low, high = statistics.share_interval(part, whole)
    return f"{part} of {whole}, {100 * part / whole:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


if __name__ == "__main__":
    typer.run(run)
