"""What the suite prints at its end."""

import math
from typing import Any

from benchmarks.harness import summary
from parabola.records.extra_info import ExtraInfo
from tests.report.test_epoch_times import case
from tests.screens import printed


def test_the_dagger_is_explained_only_where_there_is_one() -> None:
    """Lines of what was left out come first; without a case there is no table."""
    passed, failed = (
        [case("fused_fit", "cpu", 9, 0.0125), case("native", "cpu", 9, 3e-5, verdict)] for verdict in ("pass", "fail")
    )
    table = [
        "Median time per epoch (× native, about the fastest possible)",
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


def to_accuracy(engine: str, batch_size: int, learning_rate: float, **changed: Any) -> ExtraInfo:
    """Return what a benchmark of the time to accuracy says of its case."""
    values: dict[str, Any] = {
        "engine": engine,
        "device": "cpu",
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    values |= {"seeds": 40, "arrived_seeds": 36, "settled_seeds": 30, "later_share_below": 0.9749, "init": "glorot"}
    values |= {"epochs_to_accuracy": 943.4, "epochs_low": 925.0, "epochs_high": 951.0}
    values |= {"seconds_to_accuracy": 3.35e-3, "seconds_low": 9.5e-4, "seconds_high": 1.25}
    return ExtraInfo(**{**values, **changed})


def test_times_to_accuracy_are_a_row_a_case() -> None:
    """Rows go by batch size, then learning rate; each has its seeds, and epochs and seconds with their intervals."""
    cases = [
        to_accuracy("compiled", 111, 0.1),
        to_accuracy("jax", 111, 0.1, final_learning_rate=0.002, init="sign-aware", later_share_below=1.0),
        to_accuracy("native", 9, 0.1, device="gpu:0", arrived_seeds=4, seeds=5, epochs_low=-math.inf),
        to_accuracy("fit", 9, 1e-05, later_share_below=0.0),
    ]

    cases.append(to_accuracy("native", 111, 0.1))

    assert printed(summary.print_times_to_accuracy, cases).splitlines() == [
        "Time to accuracy: until the coefficient error is below the (last) learning rate, in 999 epochs at most",
        "",
        "  batch size              learning rate   engine         seeds that arrive"
        "       first below after   then below in               time to there",
        " " + "─" * 142,
        "           9                      1e-05   fit cpu                 36 of 40"
        "    943 (925–951) epochs             0 %   3.35 ms (950 µs – 1.25 s)",
        "           9                        0.1   native gpu:0              4 of 5"
        "   943 (-inf–951) epochs            97 %   3.35 ms (950 µs – 1.25 s)",
        "         111                        0.1   compiled cpu            36 of 40"
        "    943 (925–951) epochs            97 %   3.35 ms (950 µs – 1.25 s)",
        "         111                        0.1   native cpu              36 of 40"
        "    943 (925–951) epochs            97 %   3.35 ms (950 µs – 1.25 s)",
        "         111   0.1 to 0.002, sign-aware   jax cpu                 36 of 40"
        "    943 (925–951) epochs           100 %   3.35 ms (950 µs – 1.25 s)",
        "",
        "Medians over the seeds that arrive, with 95 % intervals; the others are in no figure here.",
    ]
    assert printed(summary.print_times_to_accuracy, []) == ""


def test_times_of_older_records_are_in_no_such_table() -> None:
    """They are until the error stays below to the last epoch, and count no seeds that arrive."""
    older = {**to_accuracy("fit", 9, 0.1).known(), "epochs_to_first_pass": 35.0}
    del older["arrived_seeds"]

    assert printed(summary.print_suite, [(older, 7.0)], []) == ""


def checked(engine: str, seconds: float, epochs: int, note: str | None = None) -> ExtraInfo:
    """Return what a benchmark that was checked says of its case."""
    case: dict[str, Any] = {"engine": engine, "device": "cpu", "batch_size": 9, "learning_rate": 0.1, "samples": 999}
    return ExtraInfo(**case, check_seconds=seconds, checked_epochs=epochs, telling_epochs=0, check_note=note)


def test_checks_are_a_line_and_one_for_each_note() -> None:
    """Runs are counted, epochs and seconds are added up, and a case of which something is to be said is named."""
    chaotic = checked("fit", 0.25, 1, "chaotic: only this and that was checked")

    assert printed(summary.print_checks, [checked("native", 1.0, 1230), chaotic]).splitlines() == [
        "verified: 2 runs, by 1,231 epochs beside the reference, in 1.25 s",
        "fit-cpu-batch_9-learning_rate_0.1: chaotic: only this and that was checked",
    ]
    assert printed(summary.print_checks, []) == ""


def test_checks_come_first_in_a_summary() -> None:
    """They are of all benchmarks that say how long their check took, whether or not there is a table for these."""
    measured: list[Any] = [(checked("native", 0.5, 7).known(), 7.0), ({"engine": "x", "device": "cpu"}, 8.0), ({}, 9.0)]

    assert printed(summary.print_suite, measured, ["a"]).splitlines() == [
        "verified: 1 run, by 7 epochs beside the reference, in 500 ms",
        "left out: a",
    ]


def test_a_suites_summary_has_epoch_times_and_then_times_to_accuracy() -> None:
    """A benchmark counts as an epoch time if it has a verdict, and for the second table if it counts seeds."""
    epoch_time = {"engine": "native", "device": "cpu", "batch_size": 9, "learning_rate": 0.001, "samples": 999}
    epoch_time |= {"verdict": "pass", "passed": True, "network": "two_neuron"}
    foreign = {"engine": "x", "device": "cpu"}
    measured = [(to_accuracy("fit", 9, 0.1).known(), 7.0), (epoch_time, 3e-5), (foreign, 8.0), ({}, 9.0)]
    lines = printed(summary.print_suite, measured, ["a"]).splitlines()

    assert lines[0] == "left out: a"
    assert [" ".join(line.split()) for line in lines if line.endswith((" µs", "s)"))] == [
        "9 0.001 30 µs",
        "9 0.1 fit cpu 36 of 40 943 (925–951) epochs 97 % 3.35 ms (950 µs – 1.25 s)",
    ]
