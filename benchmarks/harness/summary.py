"""What the suite prints after pytest-benchmark's own table."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from rich.console import Console

from parabola.display import narrow
from parabola.display.tables import Column, Table
from parabola.display.units import duration, per_cent
from parabola.records.extra_info import Answer, ExtraInfo
from parabola.report.epoch_times import DAGGER, EpochTime, epoch_times


def print_suite(measured: Sequence[tuple[Mapping[str, Any], float]], left_out: Sequence[str], console: Console) -> None:
    """Print the summary of a session: checks, epoch times, then times to accuracy.

    Args:
        measured: for each benchmark its extra_info, and its median in seconds.
        left_out: lines that say what was not measured, and why.
        console: the console to print on.
    """
    checks = [msgspec.convert(info, ExtraInfo) for info, _ in measured if "check_seconds" in info]
    print_checks(checks, console)
    answers = [(msgspec.convert(info, Answer), median) for info, median in measured if "verdict" in info]
    print_epoch_times([EpochTime(answer, median) for answer, median in answers], left_out, console)
    learnt = [msgspec.convert(info, ExtraInfo) for info, _ in measured if "arrived_seeds" in info]
    print_times_to_accuracy(learnt, console)


def print_epoch_times(times: Sequence[EpochTime], left_out: Sequence[str], console: Console) -> None:
    """Print seconds per epoch, and what they do not have.

    Args:
        times: the times, one for each case.
        left_out: lines that say what was not measured, and why.
        console: the console to print on.
    """
    for line in left_out:
        console.print(f"left out: {line}")
    if times:
        narrow.show(console, epoch_times(times))
    if any(time.answer.verdict != "pass" for time in times):
        console.print(DAGGER)


def print_checks(checks: Sequence[ExtraInfo], console: Console) -> None:
    """Print how many runs were held against the reference and how long that took, and of which runs it saw little.

    Args:
        checks: what each benchmark that was checked says of its case.
        console: the console to print on.
    """
    if not checks:
        return
    epochs = sum(info.checked_epochs or 0 for info in checks)
    seconds = duration(sum(info.check_seconds or 0.0 for info in checks))
    runs = f"{len(checks)} run{'s' if len(checks) > 1 else ''}"
    console.print(f"verified: {runs}, by {epochs:,} epochs beside the reference, in {seconds}")
    for info in checks:
        if info.check_note:
            console.print(f"{info.id}: {info.check_note}")


def print_times_to_accuracy(learnt: Sequence[ExtraInfo], console: Console) -> None:
    """Print how long it takes to learn: a row a case.

    Args:
        learnt: what each benchmark of the time to accuracy says of its case.
        console: the console to print on.
    """
    if not learnt:
        return
    ordered = sorted(learnt, key=lambda info: (info.batch_size, info.learning_rate, info.final_learning_rate or 0.0))
    table = Table(TO_ACCURACY, TO_ACCURACY_COLUMNS, ordered)
    narrow.show(console, table, title=table.title)  # Rich sets a plain string in italics
    console.print("Medians over the seeds that arrive, with 95 % intervals; the others are in no figure here.")


def _rates(info: ExtraInfo) -> str:
    """Return the learning rate, where it ends if it decays, and the init if it is not Keras' own."""
    ends = "" if info.final_learning_rate is None else f" to {info.final_learning_rate:g}"
    return f"{info.learning_rate:g}{ends}{'' if info.init == 'glorot' else f', {info.init}'}"


def _seconds(info: ExtraInfo) -> str:
    low, high = duration(info.seconds_low or 0.0), duration(info.seconds_high or 0.0)
    return f"{duration(info.seconds_to_accuracy or 0.0)} ({low} – {high})"


TO_ACCURACY = "Time to accuracy: until the coefficient error is below the (last) learning rate, in 999 epochs at most"
TO_ACCURACY_COLUMNS: tuple[Column[ExtraInfo], ...] = (
    Column("batch size", lambda info: str(info.batch_size)),
    Column("learning rate", lambda info: _rates(info)),
    Column("engine", lambda info: f"{info.engine} {info.device}", "left"),
    Column("seeds that arrive", lambda info: info.seeds_timed),
    Column(
        "first below after",
        lambda info: f"{info.epochs_to_accuracy:.0f} ({info.epochs_low:.0f}–{info.epochs_high:.0f}) epochs",
    ),
    Column("then below in", lambda info: f"{per_cent(info.later_share_below or 0.0)} %"),
    Column("time to there", _seconds),
)
