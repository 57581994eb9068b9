"""The same training on each backend that is installed: python -m benchmarks.studies.compare_backends"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from parabola import registry
from parabola.display.console import tracked
from parabola.display.tables import Table, markdown_lines, table_of
from parabola.display.units import duration, times
from parabola.machine.backends import BACKENDS
from parabola.records import reading
from parabola.records import record as record_of_records
from parabola.registry import LIMIT

BATCH_SIZES = (1, 27, 999)
ENGINES = tuple(name for name in registry.timings() if name != LIMIT)


def time_by_suite(options: Sequence[str], whose: str = "") -> None:
    """Have the suite time what options ask for; `--benchmark-json` among them says where its record goes.

    Args:
        options: of pytest, beside those that make it time.
        whose: begins the message of a failure, as "backend jax: ".

    Raises:
        SystemExit: if the session fails; the message has its command and all that it said.
    """
    command = [sys.executable, "-m", "pytest", "--benchmark-only", "-q", *options]
    answer = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"{whose}{' '.join(command)} failed:\n{answer.stdout}{answer.stderr}")


def measure(backend: str, path: Path) -> record_of_records.Record:
    """Run the speed suite's epoch times on a backend, and return its record.

    Raises:
        SystemExit: if it fails.
    """
    sizes = [f"--batch-size={size}" for size in BATCH_SIZES]
    options = ["-k", "epoch_time", "--learning-rate=0.001", *sizes, f"--backend={backend}"]
    time_by_suite([*options, f"--benchmark-json={path}", "--device=cpu"], f"backend {backend}: ")
    return reading.read(path)


def lay_out(records: Mapping[str, record_of_records.Record]) -> Table[Mapping[str, str]]:
    """Return one table: a row a backend and engine, with the ratio to the `native` of the same session.

    Args:
        records: the record of each backend, by its name.
    """
    rows, natives = list[dict[str, str]](), dict[int, list[float]]()
    for backend, record in records.items():
        seconds = {
            (measurement.case.engine, measurement.case.batch_size): measurement.times.median
            for measurement in record.measurements
        }
        for size in BATCH_SIZES:
            natives.setdefault(size, []).append(seconds[LIMIT, size])
        for engine in ENGINES:
            if any((engine, size) in seconds for size in BATCH_SIZES):
                row = {"backend": backend, "engine": engine}
                row |= {f"batch {size}": _time(seconds[engine, size], seconds[LIMIT, size]) for size in BATCH_SIZES}
                rows.append(row)
    spans = {f"batch {size}": _span(natives[size]) for size in BATCH_SIZES}
    rows.append({"backend": "none", "engine": LIMIT, **spans})
    return table_of("", rows, left=("backend", "engine"))


def _time(seconds: float, limit: float) -> str:
    return f"{duration(seconds)} ({times(seconds / limit)}×)"


def _span(seconds: Sequence[float]) -> str:
    """Write the range of several times, or the one that there is."""
    return f"{duration(min(seconds))} – {duration(max(seconds))}" if len(seconds) > 1 else duration(seconds[0])


def main(
    backend: Annotated[list[str] | None, typer.Option(help="Only these; repeatable. Else all that are there.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Keeps the records; what it has is not measured again.")] = None,
) -> None:
    """Time an epoch on every backend, by engine and batch size, on the CPU."""
    chosen: Sequence[str] = backend or [name for name in BACKENDS if find_spec(name)]
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        records = dict[str, record_of_records.Record]()
        for name in tracked(chosen, "backends"):
            path = place / f"{name}.json"
            records[name] = reading.read(path) if path.exists() else measure(name, path)
    print("\n".join(markdown_lines(lay_out(records))))
    if left := [name for name in BACKENDS if name not in records]:
        print(f"\nNot measured: {', '.join(left)}.")


if __name__ == "__main__":
    typer.run(main)
