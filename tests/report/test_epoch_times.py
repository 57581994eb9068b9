"""Times per epoch as one table."""

from typing import Any

from parabola.records.extra_info import Answer
from parabola.report import epoch_times
from tests.made_tables import alignment


def case(
    engine: str, device: str, batch_size: int, seconds: float, verdict: str = "pass", **other: Any
) -> epoch_times.EpochTime:
    """Return one measured case as the suite hands it on."""
    values = {"engine": engine, "device": device, "batch_size": batch_size, "learning_rate": 0.001, "samples": 999}
    return epoch_times.EpochTime(Answer(**{**values, "verdict": verdict, **other}), seconds)


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

    assert table.title == "Median time per epoch (× native, about the fastest possible)"
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
    assert alignment(table) == ["right"] * 11


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
