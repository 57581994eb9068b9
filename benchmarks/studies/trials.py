"""How often does `compare` cry wolf, and what does it find? Comparisons of a tree with itself, over and over."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pytest_benchmark.utils import parse_compare_fail

from parabola import files, registry, statistics
from parabola.compare.comparison import Comparison, NoComparison, as_json, read
from parabola.compare.conclusion import conclude
from parabola.compare.outcome import Options
from parabola.compare.session import compare
from parabola.compare.sides.launch import CONTROL
from parabola.compare.sides.log_ratio import launch_log_ratio
from parabola.compare.verdicts import Verdict
from parabola.display import console
from parabola.machine import ending
from parabola.records.case import short_name

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
        files.write_text(as_json(conclude(outcome, options)), paths[number])
    try:
        done = [read(path) for path in sorted(folder.glob("*.json"))[:comparisons]]
    except NoComparison as reason:
        raise SystemExit(str(reason)) from None
    print("\n".join(summary(done)))


def planted_case(engine: str, number: int) -> str:
    """Return the case that a slowdown is planted in: another one each time, over the quick grid."""
    axes = ("1", "0.001"), ("9", "0.001"), ("27", "0.001"), ("111", "0.001"), ("999", "0.001"), ("1", "0.1")
    batch_size, learning_rate = axes[number % len(axes)]
    name = f"{engine}-cpu-batch_{batch_size}-learning_rate_{learning_rate}"
    return f"benchmarks/bench_epoch_time.py::bench_epoch_time[{name}]"


def summary(comparisons: Sequence[Comparison]) -> list[str]:
    """Count, over comparisons of a tree with itself, what was said of cases with and without a planted slowdown."""
    untouched = [
        [case for case in comparison.cases if case.case not in comparison.options.slower] for comparison in comparisons
    ]
    planted = [
        case for comparison in comparisons for case in comparison.cases if case.case in comparison.options.slower
    ]
    every = [case for cases in untouched for case in cases]
    false = sum(any(case.verdict in (Verdict.SLOWER, Verdict.FASTER) for case in cases) for cases in untouched)
    decided = sum(case.verdict != Verdict.INCONCLUSIVE for case in every)
    contaminated = sum(comparison.verdict == Verdict.CONTAMINATED for comparison in comparisons)
    seconds = np.median([comparison.seconds for comparison in comparisons])
    whole = len(comparisons)
    lines = [
        f"{whole} comparisons of a tree with itself, {seconds:.0f} s each (median)",
        f"false slower or faster in a case where nothing is planted: {share(false, whole)} of comparisons",
        f"contaminated: {share(contaminated, whole)}",
        f"cases decided: {share(decided, len(every))}",
        f"pytest-benchmark's median:5%, the sides of one launch: {share(*cries(comparisons, 0))} of comparisons",
        f"pytest-benchmark's median:5%, base of one launch, head of the next: {share(*cries(comparisons, 1))}",
    ]
    lines += [f"spread between launches, {name}: {100 * spread:.1f} %" for name, spread in spreads(comparisons).items()]
    if planted:
        found = sum(case.verdict == Verdict.SLOWER for case in planted)
        lines.append(f"planted slowdowns found: {share(found, len(planted))}")
    return lines


def spreads(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """Return the standard deviation of the log ratio over all launches, a case each, where nothing is planted."""
    ratios = dict[str, list[float]]()
    for comparison in comparisons:
        for launch in comparison.launches:
            for case, seconds in launch.seconds.items():
                if case not in comparison.options.slower:
                    ratio = launch_log_ratio(seconds.base, seconds.head)
                    ratios.setdefault(short_name(case), []).append(ratio)
    return {case: float(np.std(values, ddof=1)) for case, values in ratios.items() if len(values) > 1}


def cries(comparisons: Sequence[Comparison], later: int) -> tuple[int, int]:
    """Count the comparisons in which pytest-benchmark's own check fails for a case where nothing is planted.

    Args:
        comparisons: the comparisons of a tree with itself.
        later: the head is taken from so many launches after the first on the same cores; 0 for the same launch.

    Returns:
        How many comparisons fail, and how many have launches enough to be counted.
    """
    check = parse_compare_fail("median:5%")
    failed = counted = 0
    for comparison in comparisons:
        finished = [launch for launch in comparison.launches if launch.finished]
        launches = [launch.seconds for launch in finished if launch.cores == finished[0].cores]
        if len(launches) > later:
            left_out = (*comparison.options.slower, CONTROL)
            both = [case for case in launches[0] if case in launches[later] and case not in left_out]
            pairs = [(launches[later][case].head, launches[0][case].base) for case in both]
            counted += 1
            failed += any(check.fails(*({"median": float(np.median(rounds))} for rounds in pair)) for pair in pairs)
    return failed, counted


def share(part: int, whole: int) -> str:
    """Write a share with its 95 % interval."""
    if not whole:
        return "none measured"
    low, high = statistics.share_interval(part, whole)
    return f"{part} of {whole}, {100 * part / whole:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


if __name__ == "__main__":
    typer.run(run)
