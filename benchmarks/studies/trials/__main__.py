"""Compare a tree with itself, over and over, and count the verdicts: python -m benchmarks.studies.trials"""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.studies.trials.resampling import MOST_LAUNCHES, pools, resample
from benchmarks.studies.trials.styles import Style, suite_of
from benchmarks.studies.trials.summary import share, summary
from parabola import files, registry
from parabola.compare.comparison import NoComparison, as_json, read
from parabola.compare.conclusion import conclude
from parabola.compare.outcome import Options
from parabola.compare.referee import MINIMUM_EFFECT
from parabola.compare.session import compare
from parabola.display import console
from parabola.machine import ending

FOLDER = Path("trials")


def run(
    comparisons: Annotated[int, typer.Option(min=1, help="In all; what the folder has counts.")] = 60,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="A JSON file a comparison.")] = FOLDER,
    style: Annotated[Style, typer.Option(help="Whose suite: this one, or another's, made in FOLDER.")] = Style.PARABOLA,
    engine: Annotated[str, typer.Option(help="Whose epoch times, of this suite.")] = registry.DEFAULT_ENGINE,
    budget: Annotated[float, typer.Option(help="Seconds a comparison.")] = 300.0,
    slowdown: Annotated[float, typer.Option(help="Planted in one case of each, in turn: 0.1 is 10 %.")] = 0.0,
    minimum_effect: Annotated[float, typer.Option(help="What is called the same: 0.05 is 5 %.")] = MINIMUM_EFFECT,
    epochs: Annotated[int, typer.Option(help="A round, of this suite.")] = 100,
    rounds: Annotated[int, typer.Option(help="A launch, of this suite.")] = 100,
    resampled: Annotated[int, typer.Option(help="Comparisons that are simulated from the launches recorded.")] = 0,
) -> None:
    """Compare the working tree with HEAD, where nothing has changed, and count the verdicts."""
    folder.mkdir(parents=True, exist_ok=True)
    ending.end_as_by_ctrl_c()
    suite = suite_of(style, folder / style, engine, epochs, rounds)
    paths = [folder / f"{number:03}.json" for number in range(comparisons)]
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    for number in console.tracked(missing, "comparisons"):
        slower = {suite.cases[number % len(suite.cases)]: slowdown} if slowdown else {}
        options = Options("HEAD", None, suite.pytest_options, budget, minimum_effect, slower=slower)
        outcome = compare(options, suite.folder)
        if outcome.ended in ("failed", "interrupted"):
            raise SystemExit(f"comparison {number} {outcome.ended}: {outcome.why}".rstrip(": "))
        files.write_text(as_json(conclude(outcome, options)), paths[number])
    try:
        done = [read(path) for path in sorted(folder.glob("*.json"))[:comparisons]]
    except NoComparison as reason:
        raise SystemExit(str(reason)) from None
    print("\n".join(summary(done)))
    if resampled:
        ratios = pools(done)
        false, decided = resample(ratios, resampled, minimum_effect=minimum_effect)
        print(f"drawn from these launches, at most {MOST_LAUNCHES} a comparison:")
        print(f"false slower or faster: {share(false, resampled)} of comparisons")
        print(f"cases decided: {share(decided, resampled * len(ratios))}")


if __name__ == "__main__":
    typer.run(run)
