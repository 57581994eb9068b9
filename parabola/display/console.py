"""The terminal: how wide it is, and what is going on there."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")
PIPE_WIDTH = 200  # columns of a table that nobody watches


def wide_console() -> Console:
    """Return where wide tables go: stdout, as wide as the terminal, or wide enough for all where it is none."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


@contextmanager
def progress_bar(form: str, total: float) -> Iterator[Callable[..., None] | None]:
    """Give a function of what is done that shows it in such a form, with a bar and the time left; None in a pipe.

    A form may have {task.fields[text]}: the function takes a text, too.
    """
    if not sys.stderr.isatty():
        yield None
        return
    columns = BarColumn(), TextColumn(form, markup=False), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, text="")
        yield lambda done, text="": bar.update(task, completed=done, text=text)


def tracked(items: Sequence[Item], name: str) -> Iterator[Item]:
    """Give items one by one, with such a bar, which says how many of them are done; `name` is the plural of one."""
    with progress_bar(f"{{task.completed}} of {{task.total}} {name},", len(items)) as bar:
        for done, item in enumerate(items):
            if bar:
                bar(done)
            yield item
