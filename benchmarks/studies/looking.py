"""May `compare` look after every launch? How often it errs, and what it takes: python -m benchmarks.studies.looking.

Simulates comparisons of cases whose truth is known, cell by cell; a folder keeps the cells, and what it has is not
simulated again.
"""

import json
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from parabola import files, statistics
from parabola.compare import betting
from parabola.compare.referee import MINIMUM_EFFECT, Referee
from parabola.compare.verdicts import Verdict
from parabola.display import console
from parabola.display.tables import Column, Table, markdown_lines

# How much slower each case is, in minimum effects.
TRUTHS = {
    "12 cases, nothing changed": (0.0,) * 12,
    "12 cases, all but one twice the minimum effect slower": (2.0,) * 11 + (0.0,),
    "12 cases, one slower by exactly the minimum effect": (1.0,) + (0.0,) * 11,
    "12 cases, all slower by exactly the minimum effect": (1.0,) * 12,
    "1 case, nothing changed": (0.0,),
    "1 case, slower by exactly the minimum effect": (1.0,),
}
# Launches are normal; or a tenth of them is off by ten times the spread, to either side alike; or they have two modes.
NOISES = ("normal", "a tenth bad", "two modes")
SPREADS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
BUDGETS = (10, 30, 100, 300, 1000, 2000)
BOUND = float(np.log1p(MINIMUM_EFFECT))
VERDICTS = (Verdict.INCONCLUSIVE, Verdict.SAME, Verdict.SLOWER, Verdict.FASTER)
Course = tuple[Any, Any, Any]


def draw(generator: np.random.Generator, number: int, noise: str, spread: float) -> Any:
    """Return the noise of so many log ratios, shape (number,)."""
    if noise == "two modes":
        return spread * generator.choice((-1.0, 1.0), number)
    bad = (generator.random(number) < 0.1) * (noise == "a tenth bad")
    return generator.normal(0, spread, number) + bad * generator.normal(0, 10 * spread, number)


def simulate(centres: Any, noise: str, spread: float, comparisons: int, generator: np.random.Generator) -> Course:
    """Simulate comparisons by the referee's rule, all at once, each case until it is decided.

    Args:
        centres: shape (cases,), the true log ratio of each case.
        noise, spread: what launches add to it.
        comparisons: their number.
        generator: draws the noise.

    Returns:
        Three arrays of the shape (comparisons, cases): after how many launches each case was decided, 0 if it was not;
        the place of its verdict in VERDICTS; and whether the interval that is printed at the end holds the truth.
    """
    wanted, shape = Referee(()).wanted, (comparisons, len(centres))
    decided_after, verdicts, covered = np.zeros(shape, int), np.zeros(shape, int), np.ones(shape, bool)
    claims = betting.Claims(*np.zeros((3, *shape)))
    rows, cases = np.indices(shape).reshape(2, -1)  # of what is not decided
    sums = np.zeros((len(rows), 6, len(betting.BETS)))  # the referee's bets, and on either side of the truth
    for launch in range(1, max(BUDGETS) + 1):
        off = draw(generator, len(rows), noise, spread)
        bets = np.column_stack((betting.deviations(centres[cases] + off, BOUND), off, -off))
        sums += betting.log_factors(bets, BOUND)
        covered[rows, cases] = (betting.log_winnings(sums[:, 4:]) < np.log(wanted)).all(axis=-1)
        for known, new in zip(claims, betting.claims(sums[:, :4]), strict=True):
            known[rows, cases] = new
        same, changed = (betting.convincing(won.T, wanted).T for won in (claims.same, claims.changed))
        found = np.where(same, 1, np.where(changed, np.where(claims.slower > claims.faster, 2, 3), 0))[rows, cases]
        verdicts[rows, cases], decided_after[rows, cases] = found, launch * (found > 0)
        if found.any():
            rows, cases, sums = rows[found == 0], cases[found == 0], sums[found == 0]
        if not len(rows):
            break
    return decided_after, verdicts, covered


def row(centres: Any, course: Course) -> dict[str, str]:
    """Write, by the heading of its column, how often comparisons were wrong, and the launches that they took."""
    decided_after, verdicts, covered = course
    slower, faster = (verdicts == 2) & (centres <= 0), (verdicts == 3) & (centres >= 0)
    wrong = (verdicts == 1) & (centres >= BOUND) | slower | faster
    by_budget = [int((wrong & (decided_after <= budget)).any(axis=1).sum()) for budget in BUDGETS]
    taken = np.where(decided_after == 0, max(BUDGETS), decided_after)
    return {
        "comparisons": f"{len(wrong):,}",
        "wrong by 10 / 30 / 100 / 300 / 1000 / 2000 launches": " / ".join(map(str, by_budget)),
        "wrong in all": at_most(by_budget[-1], len(wrong)),
        "intervals that miss": at_most(int((~covered).sum()), covered.size),
        "cases decided": f"{100 * (decided_after > 0).mean():.1f} %",
        "launches a case": f"{taken.mean():.1f}",
        "until the last is decided": f"{taken.max(axis=1).mean():.1f}",
    }


def at_most(part: int, whole: int) -> str:
    """Write a number of failures, and the upper end of the 95 % interval of their share."""
    return f"{part:,} (≤ {100 * statistics.share_interval(part, whole)[1]:.2f} %)"


def main(
    folder: Annotated[Path, typer.Option(help="Keeps the cells, a JSON file each.")] = Path(".benchmarks/looking"),
    comparisons: Annotated[int, typer.Option(min=1, help="In each cell.")] = 3000,
    spread: Annotated[list[float] | None, typer.Option(help="Only these, of the log ratios; repeatable.")] = None,
) -> None:
    """Print a Markdown table: wrong verdicts by truth, noise and spread, and the launches taken."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = [(truth, noise, share) for share in spread or SPREADS for truth in TRUTHS for noise in NOISES]
    done = []
    for truth, noise, share in console.tracked(cells, "cells"):
        seed = [*TRUTHS].index(truth), NOISES.index(noise), round(1e6 * share)
        path = folder / "truth_{}-noise_{}-spread_{}e-6.json".format(*seed)
        if not path.exists():
            centres = BOUND * np.array(TRUTHS[truth])
            course = simulate(centres, noise, share, comparisons, np.random.default_rng(seed))
            cell = {"truth": truth, "spread": f"{100 * share:g} %", "noise": noise, **row(centres, course)}
            files.write_text(json.dumps(cell), path)
        done.append(json.loads(path.read_text(encoding="utf-8")))
    columns = [
        Column[Any](name, itemgetter(name), "left" if name in ("truth", "noise") else "right") for name in done[0]
    ]
    print("\n".join(markdown_lines(Table("", columns, done))))


if __name__ == "__main__":
    typer.run(main)
