"""What the suite prints after pytest-benchmark's own table."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from parabola.display.tables import Column, Table, for_terminal
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
        console.print(for_terminal(epoch_times(cases)))
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
    ordered = sorted(cases, key=lambda case: (case["batch_size"], case["learning_rate"]))
    table = Table(TO_ACCURACY, TO_ACCURACY_COLUMNS, ordered)
    console.print(for_terminal(table, title=table.title))  # Rich sets a plain string in italics
    console.print("Medians over the seeds that get there, with 95 % intervals; the others are in no figure here.")


def _epochs(case: Mapping[str, Any]) -> str:
    return f"{case['epochs_to_accuracy']:.0f} ({case['epochs_low']:.0f}–{case['epochs_high']:.0f}) epochs"


def _seconds(case: Mapping[str, Any]) -> str:
    low, high = duration(case["seconds_low"]), duration(case["seconds_high"])
    return f"{duration(case['seconds_to_accuracy'])} ({low} – {high})"


TO_ACCURACY = (
    "Time to accuracy: until the coefficient error is below the learning rate and stays there, up to epoch 999"
)
TO_ACCURACY_COLUMNS: tuple[Column[Mapping[str, Any]], ...] = (
    Column("batch size", lambda case: str(case["batch_size"])),
    Column("learning rate", lambda case: f"{case['learning_rate']:g}"),
    Column("engine", lambda case: f"{case['engine']} {case['device']}", "left"),
    Column("seeds", lambda case: f"{case['settled_seeds']} of {case['seeds']}"),
    Column("first below after", lambda case: f"{case['epochs_to_first_pass']:.0f}"),
    Column("stays below after", _epochs),
    Column("time to there", _seconds),
)
