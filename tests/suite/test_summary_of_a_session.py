"""The suite's closing table, on a made session."""

import io

from rich.console import Console

from benchmarks.harness import summary
from tests.report.test_epoch_times import case


def test_summary_has_ratios_to_native_and_cpu_to_gpu() -> None:
    """A row a batch size and learning rate; what did not pass is marked; what was left out is said."""
    cases = [
        case("native", "cpu", 1, 2e-5),
        case("compiled", "cpu", 1, 3e-5),
        case("compiled", "gpu:0", 1, 6e-3, "fail"),
        case("compiled", "cpu", 9, 1e-5),
    ]
    console = Console(file=io.StringIO(), width=160)
    summary.print_epoch_times(cases, ["x: predicted 99 s"], console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [line.split() for line in text.splitlines() if line.split()[1:2] == ["0.001"]]

    assert rows[0] == ["1", "0.001", "20", "µs", "30", "µs", "(1.50×)", "6", "ms", "(300×)†", "0.005"]
    assert rows[1] == ["9", "0.001", "10", "µs"]
    assert "† a right run" in text
    assert "left out: x: predicted 99 s" in text
