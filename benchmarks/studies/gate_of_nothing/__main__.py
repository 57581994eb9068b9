"""How often does the gate `report --check` suspect a commit where nothing has changed, of one and of 100 commits?"""

from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.studies.reports_of_nothing import CASES, KINDS, made
from parabola.display.console import tracked
from parabola.display.tables import markdown_lines, table_of
from parabola.records.history import Commit, History, Line, with_changes
from parabola.records.levels.search import FEWEST
from parabola.records.levels.together import family_of
from parabola.report.outputs.gate import newly_slower


def is_red(logs: Any) -> bool:
    """Return whether the gate ends with 1 after the newest commit, of logarithms of times of shape (cases, commits)."""
    cases, commits = logs.shape
    measured = tuple(Commit(f"{place:040}", datetime(2026, 1, 1, tzinfo=UTC)) for place in range(commits))
    nothing: Any = None  # no name of a case matters here
    lines = tuple(Line(nothing, np.arange(commits), np.exp(of_case), None) for of_case in logs)
    return bool(newly_slower(with_changes(History((), measured, lines, 0, 0), family_of([commits] * cases))))


def alarms(kind: str, histories: int, commits: int) -> tuple[float, float, float]:
    """Return how often a gate is red that is asked after each commit of growing histories in which nothing changes.

    Args:
        kind: noise of the 35 cases, one of KINDS.
        histories: number of histories, each made anew.
        commits: length to which they grow; from 10 commits on there is something to ask.

    Returns:
        Of all gates the share that are red, of the gates at the full length that share, and the share of histories with
        any red gate.
    """
    random = np.random.default_rng([*map(ord, kind), histories, commits])
    every = [made(random, CASES, commits, KINDS[kind]) for _ in range(histories)]
    red = np.array([[is_red(logs[:, :length]) for length in range(FEWEST, commits + 1)] for logs in every])
    return float(red.mean()), float(red[:, -1].mean()), float(red.any(axis=1).mean())


def main(
    histories: Annotated[int, typer.Option(help="Growing histories of each kind of noise.")] = 200,
    commits: Annotated[int, typer.Option(help="To how many commits they grow.")] = 100,
) -> None:
    """Print the handbook's table of the gate."""
    what = ("of all gates", f"of gates at {commits} commits", f"of histories, once or more in {commits} commits")
    rows = [
        {"noise of 35 unchanged cases": kind}
        | {name: f"{100 * share:.1f} %" for name, share in zip(what, alarms(kind, histories, commits), strict=True)}
        for kind in tracked([*KINDS], "kinds")
    ]
    print(*markdown_lines(table_of("", rows, left=(next(iter(rows[0])),))), sep="\n")


if __name__ == "__main__":
    typer.run(main)
