"""What is printed on a terminal of one run and of the suite, to the character; units, bars and how Ctrl-C is obeyed."""

import io
import math
import os
import re
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks.harness import summary
from parabola.display import console as display_console
from parabola.display import units
from parabola.report import epoch_times
from parabola.training import text as training_text

RUN: dict[str, Any] = {
    **{"network": "one_neuron", "engine": "compiled", "device": "cpu", "backend": "tensorflow", "init": "glorot"},
    **{"epochs": 32, "samples": 998, "batch_size": 27, "learning_rate": 0.25, "smallest_learning_rate": 0.25},
    **{"seed": 7, "target": (2.0, -3.0, 0.5), "coefficients": (2.125, -3.0, 0.25), "diverged_epoch": None},
    **{"true": "y = 2x² - 3x + 0.5", "learnt": "y = 2.125x² - 3x + 0.25", "verdict": "pass"},
    **{"coefficient_error": 0.24999, "seconds": 0.125, "compile_seconds": 2.046},
}


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def as_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Make standard output and standard error one terminal of 71 columns that knows colours, and return it."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "71", "LINES": "30", "TERM": "xterm", "COLORTERM": ""}.items():
        monkeypatch.setenv(name, value)
    both = Screen()
    monkeypatch.setattr(sys, "stdout", both)
    monkeypatch.setattr(sys, "stderr", both)
    return both


def printed(show: Any, *arguments: Any, width: int = 200) -> str:
    """Return what a function prints on a console, without the spaces at the ends of lines."""
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=width, highlight=False))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_a_terminal_is_as_wide_as_it_is_and_a_pipe_wide_enough_for_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has 200 columns, whatever the environment says; numbers are not coloured."""
    screen = as_screen(monkeypatch)
    console = display_console.wide_console()
    assert console.width == 71
    console.print("12 µs")
    assert screen.getvalue() == "12 µs\n"

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert display_console.wide_console().width == 200


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "pass: coefficient error 0.25 < learning rate 0.25"),
        ({"coefficient_error": 0.25, "verdict": "fail"}, "fail: coefficient error 0.25 ≥ learning rate 0.25"),
        (
            {"coefficient_error": 0.012345, "smallest_learning_rate": 0.0125},
            "pass: coefficient error 0.0123 < learning rate 0.0125",
        ),
        (
            {"coefficient_error": 0.012345, "smallest_learning_rate": 1e-05},
            "pass: coefficient error 0.0123 ≥ learning rate 1e-05",
        ),
        ({"diverged_epoch": 3}, "diverged: a weight was NaN or infinite after epoch 3"),
        ({"diverged_epoch": 0}, "diverged: a weight was NaN or infinite after epoch 0"),
    ],
)
def test_what_became_of_a_run_is_one_line(changed: dict[str, Any], says: str) -> None:
    """The error is held against the smallest learning rate of the run; a diverged run tells the epoch instead."""
    assert training_text.verdict_line({**RUN, **changed}) == says


def test_a_run_is_printed_with_its_parabola_and_its_times(capsys: pytest.CaptureFixture[str]) -> None:
    """The setting comes first, then true and learnt coefficients, the verdict, and the times per run and per epoch."""
    training_text.print_training(RUN)

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "one_neuron, compiled on cpu: 32 epochs of 998 samples, batch size 27, learning rate 0.25, seed 7",
        "",
        "   true  learnt    error",
        "a     2   2.125  1.2e-01",
        "b    -3      -3  0.0e+00",
        "c   0.5    0.25  2.5e-01",
        "",
        "true    y = 2x² - 3x + 0.5",
        "learnt  y = 2.125x² - 3x + 0.25",
        "",
        "pass: coefficient error 0.25 < learning rate 0.25",
        "0.125 s, 3.91e-03 s an epoch; 2 s to build before",
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"backend": "jax 0.7.1"}, "one_neuron, compiled on cpu, jax 0.7.1: 32 epochs of"),
        ({"init": "sign-aware"}, "learning rate 0.25, init sign-aware, seed 7\n"),
        ({"smallest_learning_rate": 0.0625}, "learning rate 0.25 decaying to 0.0625, seed 7\n"),
        ({"smallest_learning_rate": 0.2499999}, "learning rate 0.25 decaying to 0.25, seed 7\n"),
        ({"diverged_epoch": 4}, "learnt  y = 2.125x² - 3x + 0.25 (after epoch 3)\n\ndiverged: a weight was NaN or "),
        ({"seconds": 1234.0, "compile_seconds": 0.01234}, "\n1.23e+03 s, 3.86e+01 s an epoch; 0.012 s to build before"),
        ({"coefficients": (2.12345678, 0, 0)}, "a     2  2.123457  1.2e-01\n"),
    ],
)
def test_what_is_not_usual_in_a_run_is_said(
    changed: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backend, a first choice of weights, a decay and a divergence are each named where they belong."""
    training_text.print_training({**RUN, **changed})

    assert says in capsys.readouterr().out


def test_a_run_that_diverged_at_once_has_no_coefficients(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither table nor formulas are printed where nothing was learnt."""
    training_text.print_training({**RUN, "coefficients": None, "diverged_epoch": 1, "verdict": "fail"})

    assert capsys.readouterr().out.splitlines()[2:] == [
        "diverged: a weight was NaN or infinite after epoch 1",
        "0.125 s, 3.91e-03 s an epoch; 2 s to build before",
    ]


@pytest.mark.parametrize(("verdict", "colour"), [("pass", 32), ("fail", 31)])
def test_a_verdict_is_green_or_red(verdict: str, colour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other line of a run is coloured, and none is wrapped, however narrow the terminal."""
    screen = as_screen(monkeypatch)
    training_text.print_training({**RUN, "verdict": verdict})
    said = screen.getvalue()

    assert f"\x1b[{colour}m{verdict}: coefficient error 0.25 < learning rate 0.25\x1b[0m\n" in said
    assert said.count("\x1b[3") == 1
    assert said.startswith("one_neuron, compiled on cpu: 32 epochs of 998 samples, batch size 27, learning rate 0.25, ")


def case(engine: str, device: str, batch_size: int, seconds: float, verdict: str = "pass", **other: Any) -> Any:
    """Return one measured case as the suite hands it on."""
    values = {"engine": engine, "device": device, "batch_size": batch_size, "learning_rate": 0.001, "samples": 999}
    return {**values, "seconds_per_epoch": seconds, "verdict": verdict, **other}


def test_epoch_times_are_laid_out_a_row_a_setting_and_a_column_an_engine() -> None:
    """Columns keep the order of the cases, rows go by learning rate and then batch size; ratios are to native.

    A ratio has two digits after the point below 100 and none from there on; a run that did not pass has a dagger.
    """
    table = epoch_times.epoch_times(
        [
            case("compiled", "gpu:1", 27, 4e-5),
            case("compiled", "cpu", 27, 6e-5, "fail"),
            case("compiled", "gpu:0", 27, 5e-5),
            case("native", "cpu", 27, 3e-5, "fail"),
            case("fit", "cpu", 9, 0.0125, "fail"),
            case("native", "cpu", 9, 1.25e-4),
            case("fit", "gpu:0", 9, 0.012499),
            case("fit", "cpu", 1, 4.5, learning_rate=0.1),
            case("compiled", "gpu:0", 9, 1e-4, learning_rate=1e-05),
            case("native", "cpu", 111, 2e-6),
            case("fit", "cpu", 111, 0.00246902),
        ]
    )

    assert table.title == "Median time per epoch (and how many times native, the limit)"
    assert table.headings == (
        *("batch size", "learning rate", "compiled gpu:1", "compiled cpu", "compiled gpu:0", "native cpu"),
        *("fit cpu", "fit gpu:0", "compiled cpu : gpu:0", "compiled cpu : gpu:1", "fit cpu : gpu:0"),
    )
    assert table.rows == (
        ("9", "1e-05", "", "", "100 µs ", "", "", "", "", "", ""),
        ("9", "0.001", "", "", "", "125 µs ", "12.5 ms (100×)†", "12.5 ms (99.99×) ", "", "", "1"),
        ("27", "0.001", "40 µs (1.33×) ", "60 µs (2.00×)†", "50 µs (1.67×) ", "30 µs†", "", "", "1.2", "1.5", ""),
        ("111", "0.001", "", "", "", "2 µs ", "2.47 ms (1,235×) ", "", "", "", ""),
        ("1", "0.1", "", "", "", "", "4.5 s ", "", "", "", ""),
    )
    assert table.aligned() == ["right"] * 11


def test_epoch_times_of_several_numbers_of_samples_have_a_column_for_them() -> None:
    """Rows go by samples first; a GPU alone has no ratio to a CPU, and a CPU has none to itself."""
    cases = [
        case("compiled", "gpu:0", 1, 2e-3, samples=1000),
        case("native", "cpu", 9, 3e-3, samples=200),
        case("native", "cpu", 1, 1e-3, samples=1000),
    ]
    table = epoch_times.epoch_times(cases)

    assert table.headings == ("samples", "batch size", "learning rate", "compiled gpu:0", "native cpu")
    assert table.rows == (
        ("200", "9", "0.001", "", "3 ms "),
        ("1000", "1", "0.001", "2 ms (2.00×) ", "1 ms "),
    )


def test_the_dagger_is_explained_only_where_there_is_one() -> None:
    """Lines of what was left out come first; without a case there is no table."""
    passed, failed = (
        [case("fused_fit", "cpu", 9, 0.0125), case("native", "cpu", 9, 3e-5, verdict)] for verdict in ("pass", "fail")
    )
    table = [
        "Median time per epoch (and how many times native, the limit)",
        "",
        "  batch size   learning rate     fused_fit cpu   native cpu",
        " ───────────────────────────────────────────────────────────",
    ]

    assert printed(summary.print_epoch_times, passed, []).splitlines() == [
        *(*table, "           9           0.001    12.5 ms (417×)        30 µs")
    ]
    assert printed(summary.print_epoch_times, failed, ["fit: too slow", "b"]).splitlines() == [
        *("left out: fit: too slow", "left out: b", *table),
        *("           9           0.001    12.5 ms (417×)       30 µs†", ""),
        "† a right run (as the reference), at whose end the coefficient error is not below the learning rate",
    ]
    assert printed(summary.print_epoch_times, [], ["a"]) == "left out: a"


def to_accuracy(engine: str, batch_size: int, learning_rate: float, **changed: Any) -> dict[str, Any]:
    """Return what a benchmark of the time to accuracy leaves."""
    values = {"engine": engine, "device": "cpu", "batch_size": batch_size, "learning_rate": learning_rate}
    values |= {"seeds": 40, "settled_seeds": 36, "epochs_to_first_pass": 200.6}
    values |= {"epochs_to_accuracy": 943.4, "epochs_low": 925.0, "epochs_high": 951.0}
    return {**values, "seconds_to_accuracy": 3.35e-3, "seconds_low": 9.5e-4, "seconds_high": 1.25, **changed}


def test_times_to_accuracy_are_a_row_a_case() -> None:
    """Rows go by batch size, then learning rate; each has its seeds, and epochs and seconds with their intervals."""
    cases = [
        to_accuracy("compiled", 111, 0.1),
        to_accuracy("native", 9, 0.1, device="gpu:0", settled_seeds=4, seeds=5, epochs_low=-math.inf),
        to_accuracy("fit", 9, 1e-05, epochs_to_first_pass=1),
    ]

    assert printed(summary.print_times_to_accuracy, cases).splitlines() == [
        "Time to accuracy: until the coefficient error is below the learning rate and stays there, up to epoch 999",
        "",
        "  batch size   learning rate   engine            seeds   first below after"
        "       stays below after               time to there",
        " " + "─" * 126,
        "           9           1e-05   fit cpu        36 of 40                   1"
        "    943 (925–951) epochs   3.35 ms (950 µs – 1.25 s)",
        "           9             0.1   native gpu:0     4 of 5                 201"
        "   943 (-inf–951) epochs   3.35 ms (950 µs – 1.25 s)",
        "         111             0.1   compiled cpu   36 of 40                 201"
        "    943 (925–951) epochs   3.35 ms (950 µs – 1.25 s)",
        "",
        "Medians over the seeds that get there, with 95 % intervals; the others are in no figure here.",
    ]
    assert printed(summary.print_times_to_accuracy, []) == ""


def test_a_suites_summary_has_epoch_times_and_then_times_to_accuracy() -> None:
    """A benchmark counts as an epoch time if it has a verdict, and for the second table if it counts seeds."""
    epoch_time = {key: value for key, value in case("native", "cpu", 9, 0.0).items() if key != "seconds_per_epoch"}
    measured = [(to_accuracy("fit", 9, 0.1), 7.0), (epoch_time, 3e-5), ({"engine": "x", "device": "cpu"}, 8.0)]
    lines = printed(summary.print_suite, measured, ["a"]).splitlines()

    assert lines[0] == "left out: a"
    assert [" ".join(line.split()) for line in lines if line.endswith((" µs", "s)"))] == [
        "9 0.001 30 µs",
        "9 0.1 fit cpu 36 of 40 201 943 (925–951) epochs 3.35 ms (950 µs – 1.25 s)",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((1.0, "1 s"), (0.9995, "1 s"), (0.99949, "999 ms"), (1234.0, "1.23e+03 s"), (59.96, "60 s")),
        *((1e-3, "1 ms"), (0.00099951, "1 ms"), (0.0009995, "999 µs"), (1.0049e-3, "1 ms"), (1.0151e-3, "1.02 ms")),
        *((1e-6, "1 µs"), (9.9951e-7, "1 µs"), (9.9949e-7, "999 ns"), (1.236e-9, "1.24 ns"), (2e-13, "0.0002 ns")),
    ],
)
def test_a_duration_changes_its_unit_where_three_digits_say_a_thousand(seconds: float, text: str) -> None:
    """What is rounded up to a second is told as one, not as a thousand milliseconds, and so for every unit."""
    assert units.duration(seconds) == text


@given(st.floats(1e-9, 999.4))
def test_a_duration_is_told_to_three_digits(seconds: float) -> None:
    """The number before the unit lies between 1 and 999, and is right to half of its third digit."""
    number, unit = units.duration(seconds).split(" ")
    size = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]

    assert 1 <= float(number) <= 999
    assert float(number) * size == pytest.approx(seconds, rel=0.00501)


def test_sigterm_and_a_closed_terminal_end_a_process_as_ctrl_c_does() -> None:
    """Both signals raise KeyboardInterrupt."""
    before = {ending: signal.getsignal(ending) for ending in (signal.SIGTERM, signal.SIGHUP)}
    try:
        display_console.end_as_by_ctrl_c()
        for ending in before:
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), ending)
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)


def test_a_pipe_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, the function is None, and every item still comes."""
    with display_console.progress_bar("{task.completed}", 3.0) as bar:
        assert bar is None
    assert list(display_console.tracked("abc", "letters")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_what_is_done_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form may have the text; the bar is drawn on standard error alone and is wiped out at the end."""
    screen, other = as_screen(monkeypatch), io.StringIO()
    monkeypatch.setattr(sys, "stdout", other)
    with display_console.progress_bar("{task.completed} of {task.total}, [b] {task.fields[text]}!", 4.0) as bar:
        assert bar is not None
        bar(1.0, "reading")
        bar(3.0)
        bar(2.5, "writing")
    said = screen.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)

    assert re.search(r"━ 2\.5 of 4\.0, \[b\] writing! [-:\d]+ left", plain)
    assert said.rstrip("\n").endswith("\x1b[2K")
    assert other.getvalue() == ""


def test_a_bar_over_items_counts_those_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an item is worked on, the items before it are done."""
    screen, told = as_screen(monkeypatch), list[Any]()
    with_bar = display_console.progress_bar

    def listening(form: str, total: float) -> Any:
        told.append((form, total))
        return with_bar(form, total)

    monkeypatch.setattr(display_console, "progress_bar", listening)
    items: Iterator[str] = display_console.tracked(["a", "b", "c"], "letters")

    assert list(items) == ["a", "b", "c"]
    assert told == [("{task.completed} of {task.total} letters,", 3)]
    assert "2 of 3 letters," in screen.getvalue()
