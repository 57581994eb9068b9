"""How long does a report over many records take? They are copies of a committed record, at made-up commits."""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.studies.documents.measured import record_paths
from parabola import files
from parabola.display import console

NOISE = 0.03  # standard deviation of the logs of the times
STEP = 1.1  # what the times of the second half of the commits are multiplied by


def main(number: Annotated[int, typer.Option(help="Of records.")] = 10_000) -> None:
    """Write the records into a temporary folder, report on them as page and Markdown, and print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder) / "records"
        records.mkdir()
        write(records, number)
        report = [sys.executable, "-m", "parabola", "report", str(records), "--html", "report.html"]
        start = time.perf_counter()
        subprocess.run([*report, "--markdown", "report.md"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        print(f"{number:,} records: page, Markdown and terminal in {time.perf_counter() - start:.1f} s")


def write(folder: Path, number: int) -> None:
    """Write records of one commit an hour, whose times are noisy and step up in the middle, without their rounds.

    Args:
        folder: the folder to write to, which is there.
        number: number of records.
    """
    content = json.loads(record_paths()[-1].read_text(encoding="utf-8"))
    random, first = np.random.default_rng(0), datetime(2020, 1, 1, tzinfo=UTC)
    usual = [benchmark["stats"]["median"] for benchmark in content["benchmarks"]]
    for benchmark in content["benchmarks"]:
        benchmark["stats"].pop("data", None)
    for commit in console.tracked(range(number), "records"):
        made = (first + timedelta(hours=commit)).isoformat()
        content["commit_info"] |= {"id": f"{commit:040x}", "time": made}
        content["datetime"] = made
        level = STEP if commit >= number // 2 else 1.0
        noises = random.normal(0, NOISE, len(usual))
        for benchmark, median, noise in zip(content["benchmarks"], usual, noises, strict=True):
            seconds = median * level * float(np.exp(noise))
            benchmark["stats"] |= {"median": seconds, "q1": 0.99 * seconds, "q3": 1.01 * seconds}
        files.write_text(json.dumps(content, indent=1), folder / f"{commit:06}.json")


if __name__ == "__main__":
    typer.run(main)
