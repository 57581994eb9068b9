"""What `compare` tells before it is done: which large files it takes in, how it goes on, and a budget too short."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from parabola.commands import exits


def watching(bar: Any, budget_seconds: float) -> Callable[[Any], None]:
    """Return what shows on a bar, if there is one, how a comparison goes on, and tells of a budget that is too short.

    That is told once, as soon as the first launch is known to take longer than the budget.
    """
    told = list[str]()

    def watch(now: Any) -> None:
        if bar:
            bar(now.seconds, str(now))
        seconds = now.first_launch_seconds or 0.0
        if seconds > budget_seconds and not told:
            told.append(f"the first launch takes about {seconds:.0f} s, more than the budget of {budget_seconds:.0f} s")
            exits.tell(f"{told[0]}, and a case needs nine: a longer --budget, --case NAME, or files after --")

    return watch


def tell_large_files() -> None:
    """Tell which large files a commit of the working tree takes in, before it is made."""
    from parabola.compare.sides.checkouts import Repository
    from parabola.compare.sides.working_tree import large_files

    with suppress(ValueError):  # in no repository, which is told later
        for path, size in large_files(Repository.find(Path.cwd()).top):
            exits.tell(f"{path} is untracked: its {size / 1e6:,.0f} MB go into .git unless .gitignore names it")
