"""The terminal: how wide it is, and what is going on there."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from parabola.display.plain import plain

Item = TypeVar("Item")
PIPE_WIDTH = 200  # columns of a table that nobody watches
BAR_WIDTH, OTHERS_WIDTH = 20, 16  # of a line of progress: the bar, and what stands beside a text: the time left


class Terminal(Console):
    """A console that leaves it to its caller what a closed pipe means; Rich would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Raise the error that writing raised."""
        raise


def wide_console() -> Console:
    """Return where wide tables go: stdout, as wide as the terminal, or wide enough for all where it is none."""
    return Terminal(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def say(console: Console, line: str, style: str = "") -> None:
    """Print a line as it is: what a branch or a benchmark is called says nothing to the terminal, and is not cut.

    On a terminal it is wrapped at words; in a pipe it stays one line.
    """
    console.print(Text(plain(line), style), soft_wrap=not console.is_terminal)


@contextmanager
def progress_bar(form: str, total: float) -> Iterator[Callable[..., None] | None]:
    """Give a function of what is done that shows it in such a form, with a bar and the time left; None in a pipe.

    A form may have {task.fields[text]}: the function takes a text, too.
    """
    if not sys.stderr.isatty():
        yield None
        return
    bar_column = BarColumn(bar_width=BAR_WIDTH)
    columns = bar_column, TextColumn(form, markup=False), TimeRemainingColumn(), TextColumn("left")
    console = Console(stderr=True)
    room = max(1, console.width - BAR_WIDTH - OTHERS_WIDTH)  # else a long text would hide the time left
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, text="")
        yield lambda done, text="": bar.update(task, completed=done, text=_cut(text, room))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def tracked(items: Sequence[Item], name: str) -> Iterator[Item]:
    """Give items one by one, with such a bar, which says how many of them are done; `name` is the plural of one."""
    with progress_bar(f"{{task.completed}} of {{task.total}} {name},", len(items)) as bar:
        for done, item in enumerate(items):
            if bar:
                bar(done)
            yield item
