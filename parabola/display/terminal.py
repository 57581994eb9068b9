"""What is printed on a terminal, from plain numbers, and how one ends what runs in it."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from parabola.display import tables

Item = TypeVar("Item")
PIPE_WIDTH = 200  # columns of a table that nobody watches


def wide_console() -> Console:
    """Return where wide tables go: stdout, as wide as the terminal, or wide enough for all where it is none."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def verdict_line(run: Mapping[str, Any]) -> str:
    """Say in one line what became of a run.

    Args:
        run: what Fit.summary() gives.
    """
    if run["diverged_epoch"] is not None:
        return f"diverged: a weight was NaN or infinite after epoch {run['diverged_epoch']}"
    error, learning_rate = run["coefficient_error"], run["smallest_learning_rate"]
    sign = "<" if error < learning_rate else "≥"
    return f"{run['verdict']}: coefficient error {error:.3g} {sign} learning rate {learning_rate:g}"


def print_training(run: Mapping[str, Any]) -> None:
    """Print the learnt parabola beside the true one, the verdict and the times.

    Args:
        run: what Fit.summary() gives.
    """
    console = Console(highlight=False, soft_wrap=True)
    last = run["smallest_learning_rate"]
    decaying = f" decaying to {last:g}" if last < run["learning_rate"] else ""
    init = f"init {run['init']}, " if run["init"] != "glorot" else ""
    backend = "" if run["backend"] == "tensorflow" else f", {run['backend']}"
    console.print(
        f"{run['network']}, {run['engine']} on {run['device']}{backend}: "
        f"{run['epochs']} epochs of {run['samples']} samples, batch size {run['batch_size']}, "
        f"learning rate {run['learning_rate']:g}{decaying}, {init}seed {run['seed']}\n"
    )
    if run["coefficients"] is not None:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "true", "learnt", "error"):
            table.add_column(heading, justify="right")
        for name, true, learnt in zip("abc", run["target"], run["coefficients"], strict=True):
            table.add_row(name, f"{true:g}", f"{learnt:.7g}", f"{abs(learnt - true):.1e}")
        console.print(table)
        before = "" if run["diverged_epoch"] is None else f" (after epoch {run['diverged_epoch'] - 1})"
        console.print(f"\ntrue    {run['true']}\nlearnt  {run['learnt']}{before}\n")
    console.print(verdict_line(run), style="green" if run["verdict"] == "pass" else "red")
    per_epoch = run["seconds"] / run["epochs"]
    console.print(f"{run['seconds']:.3g} s, {per_epoch:.2e} s an epoch; {run['compile_seconds']:.2g} s to build before")


def print_map(cells: Sequence[Mapping[str, Any]], grid: Mapping[str, Any], title: str) -> None:
    """Print pass rates in per cent with their intervals: a row a learning rate, a column a batch size.

    Args:
        cells: what maps.Cell has.
        grid: what learning_map.Grid.identity() gives.
        title: what was trained, in a line or two.
    """
    console = Console(highlight=False)
    table, meaning = _map_table(cells, grid, whole=True), "pass rate in %, with its 95 % interval"
    if Measurement.get(console, console.options.update(max_width=sys.maxsize), table).maximum > console.width:
        table, meaning = _map_table(cells, grid, whole=False), "95 % interval of the pass rate, in %"
    console.print(f"{title}\n{meaning}: a row a learning rate, a column a batch size\n", soft_wrap=True)
    console.print(table)
    diverged = sum(cell["diverged"] for cell in cells)
    if diverged:
        console.print(f"{diverged} of {sum(cell['seeds'] for cell in cells)} runs diverged; they count as not passed")


def _map_table(cells: Sequence[Mapping[str, Any]], grid: Mapping[str, Any], *, whole: bool) -> Table:
    """Lay out the map: in each cell the pass rate and its interval, or the interval alone."""
    digits = 0 if grid["seeds"] < 1000 else 1
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("", *map(str, grid["batch_sizes"])):
        table.add_column(heading, justify="right", no_wrap=True)
    by_cell = {(cell["learning_rate"], cell["batch_size"]): cell for cell in cells}
    for rate in grid["learning_rates"]:
        row = []
        for batch_size in grid["batch_sizes"]:
            cell = by_cell[rate, batch_size]
            share, low, high = (100 * value for value in (cell["passes"] / cell["seeds"], cell["low"], cell["high"]))
            style = f"color({_SHADES[round(share / 100 * (len(_SHADES) - 1))]})"
            interval = f"{low:.{digits}f}–{high:.{digits}f}"
            row.append(Text(f"{share:.{digits}f} ({interval})" if whole else interval, style))
        table.add_row(f"{rate:g}", *row)
    return table


_SHADES = (243, 31, 37, 78, 148, 220)  # from grey through blue and green to yellow, of the 256 terminal colours


def print_suite(measured: Sequence[tuple[Mapping[str, Any], float]], left_out: Sequence[str], console: Console) -> None:
    """Print the summary of a session: epoch times, then times to accuracy.

    Args:
        measured: of each benchmark its extra_info, and its median in seconds.
        left_out: lines that say what was not measured, and why.
        console: where to.
    """
    cases = [{**info, "seconds_per_epoch": median} for info, median in measured if "verdict" in info]
    print_epoch_times(cases, left_out, console)
    print_times_to_accuracy([info for info, _ in measured if "settled_seeds" in info], console)


def print_epoch_times(cases: Sequence[Mapping[str, Any]], left_out: Sequence[str], console: Console) -> None:
    """Print seconds per epoch, and what they do not have.

    Args:
        cases: as for epoch_times.
        left_out: lines that say what was not measured, and why.
        console: where to.
    """
    for line in left_out:
        console.print(f"left out: {line}")
    if cases:
        console.print(tables.for_terminal(epoch_times(cases)))
    if any(case["verdict"] != "pass" for case in cases):
        console.print(DAGGER)


DAGGER = "† a right run (as the reference), at whose end the coefficient error is not below the learning rate"


def epoch_times(cases: Sequence[Mapping[str, Any]]) -> tables.Table:
    """Lay out seconds per epoch: a row a (batch size, learning rate), a column an engine and device.

    Args:
        cases: for each measured case "engine", "device", "batch_size", "learning_rate", "samples",
            "seconds_per_epoch" (the median) and "verdict".
    """
    columns = list(dict.fromkeys((case["engine"], case["device"]) for case in cases))
    rows: dict[tuple[Any, ...], dict[tuple[str, str], Mapping[str, Any]]] = {}
    for case in cases:
        row = rows.setdefault((case["samples"], case["learning_rate"], case["batch_size"]), {})
        row[case["engine"], case["device"]] = case
    with_samples = len({samples for samples, _, _ in rows}) > 1
    gpus = sorted((engine, on) for engine, on in columns if on.startswith("gpu") and (engine, "cpu") in columns)
    headings = (
        *(["samples"] if with_samples else []),
        *("batch size", "learning rate"),
        *(f"{engine} {device}" for engine, device in columns),
        *(f"{engine} cpu : {on}" for engine, on in gpus),
    )
    laid_out = []
    for (samples, learning_rate, batch_size), row in sorted(rows.items()):
        limit = next((case["seconds_per_epoch"] for (engine, _), case in row.items() if engine == "native"), None)
        cells = [_cell(row[column], limit) if column in row else "" for column in columns]
        for engine, on in gpus:
            times = [row[engine, side]["seconds_per_epoch"] for side in ("cpu", on) if (engine, side) in row]
            cells.append(f"{times[0] / times[1]:.3g}" if len(times) == 2 else "")
        laid_out.append((*([str(samples)] if with_samples else []), str(batch_size), f"{learning_rate:g}", *cells))
    return tables.Table("Median time per epoch (and how many times native, the limit)", headings, tuple(laid_out))


def print_times_to_accuracy(cases: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print how long it takes to learn: a row a case.

    Args:
        cases: for each "engine", "device", "batch_size", "learning_rate", "seeds", "settled_seeds", and of these the
            median and its interval, "epochs_to_accuracy", "epochs_low", "epochs_high" and the same of "seconds";
            and the median of "epochs_to_first_pass".
        console: where to.
    """
    if not cases:
        return
    title = "Time to accuracy: until the coefficient error is below the learning rate and stays there, up to epoch 999"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    headings = "batch size, learning rate, engine, seeds, first below after, stays below after, time to there"
    for heading in headings.split(", "):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for case in sorted(cases, key=lambda case: (case["batch_size"], case["learning_rate"])):
        epochs, seconds = (
            [case[f"{unit}_{end}"] for end in ("to_accuracy", "low", "high")] for unit in ("epochs", "seconds")
        )
        table.add_row(
            str(case["batch_size"]),
            f"{case['learning_rate']:g}",
            f"{case['engine']} {case['device']}",
            f"{case['settled_seeds']} of {case['seeds']}",
            f"{case['epochs_to_first_pass']:.0f}",
            "{:.0f} ({:.0f}–{:.0f}) epochs".format(*epochs),
            "{} ({} – {})".format(*map(duration, seconds)),
        )
    console.print(table)
    console.print("Medians over the seeds that get there, with 95 % intervals; the others are in no figure here.")


def _cell(case: Mapping[str, Any], limit: float | None) -> str:
    """Write one time: with its ratio to the limit, and marked where the run did not pass."""
    times = case["seconds_per_epoch"] / limit if limit else 0.0
    ratio = f" ({times:,.0f}×)" if times >= 100 else f" ({times:.2f}×)"
    ratio = ratio if limit and case["engine"] != "native" else ""
    return f"{duration(case['seconds_per_epoch'])}{ratio}{' ' if case['verdict'] == 'pass' else '†'}"


def duration(seconds: float) -> str:
    """Write a time in the unit that suits it, to three digits: 31.2 µs."""
    rounded = float(f"{seconds:.3g}")  # first: 0.9999 s is a second, not a thousand milliseconds
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if rounded >= size:
            return f"{rounded / size:.3g} {unit}"
    return f"{rounded / 1e-9:.3g} ns"


def end_as_by_ctrl_c() -> None:
    """Have SIGTERM and a closed terminal end this process as Ctrl-C does: with what it has started."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)


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
