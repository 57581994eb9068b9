"""What the suite prints after pytest-benchmark's own table."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from parabola.display import tables
from parabola.display.units import duration
from parabola.report.epoch_times import DAGGER, epoch_times


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
