"""The snapshots: `python -m tests.display.snapshots` writes them anew, to be looked at before they are committed."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.studies.documents.measured import RECORDS
from parabola.compare.text import print_comparison
from parabola.records import reading
from parabola.report import sections
from parabola.report.text import print_report
from tests.made_comparisons import made_case, made_comparison

FOLDER = Path(__file__).parent
PIPE = 200  # what a pipe has
WIDTHS = {"80": 80, "140": 140, "pipe": PIPE}
NAME = "benchmarks/bench_epoch_time.py::bench_epoch_time[{}-cpu-batch_{}-learning_rate_0.001]"


def snapshots() -> dict[str, str]:
    """Return what is printed, by the names of the files."""
    records = [reading.read(path) for path in sorted(RECORDS.rglob("000[45]*.json"))]
    report = sections.sections(records)
    cases = [
        made_case(NAME.format("compiled", 27), "slower"),
        made_case(NAME.format("compiled", 111), "same", ratio=1.001, low=0.99, high=1.01),
        made_case(NAME.format("native", 1), "inconclusive", launches_needed=17, suspected=True),
        made_case(NAME.format("fused_fit", 999), "wrong", ratio=None, low=None, high=None),
    ]
    comparison = made_comparison(*cases, verdict="wrong")
    printed = dict[str, str]()
    for name, width in WIDTHS.items():
        shows: dict[str, Callable[[Console], None]] = {
            "report": partial(print_report, report),
            "compare": partial(print_comparison, comparison),
        }
        for what, show in shows.items():
            stream = io.StringIO()
            terminal = name != "pipe"
            show(Console(file=stream, width=width, highlight=False, color_system=None, force_terminal=terminal))
            printed[f"{what}_{name}.txt"] = "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())
    return printed
