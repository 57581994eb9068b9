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
from parabola.display.tables import Table, markdown_lines
from parabola.display.units import duration
from parabola.machine.backends import BACKENDS
from parabola.records import reading
from parabola.records import record as record_of_records

BATCH_SIZES = (1, 27, 999)
NATIVE = registry.limit()
ENGINES = tuple(name for name in registry.timings() if name != NATIVE)


def measure(backend: str, path: Path) -> record_of_records.Record:
    """Run the speed suite's epoch times on a backend, and return its record.

    Raises:
        SystemExit: if it fails.
    """
    sizes = [f"--batch-size={size}" for size in BATCH_SIZES]
    command = [sys.executable, "-m", "pytest", "--benchmark-only", "-q", "-k", "epoch_time", "--learning-rate=0.001"]
    command += [*sizes, f"--backend={backend}", f"--benchmark-json={path}", "--device=cpu"]
    answer = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"backend {backend}: {' '.join(command)} failed:\n{answer.stdout}{answer.stderr}")
    return reading.read(path)


def lay_out(found: Mapping[str, record_of_records.Record]) -> Table:
    """Return one table: a row a backend and engine, with the ratio to the `native` of the same session.

    Args:
        found: a record a backend.
    """
    rows, natives = list[tuple[str, ...]](), dict[int, list[float]]()
    for backend, record in found.items():
        times = {(one.engine, one.batch_size): one.median for one in record.measurements}
        for size in BATCH_SIZES:
            natives.setdefault(size, []).append(times[NATIVE, size])
        for engine in ENGINES:
            if any((engine, size) in times for size in BATCH_SIZES):
                ratios = {size: times[engine, size] / times[NATIVE, size] for size in BATCH_SIZES}
                cells = [f"{duration(times[engine, size])} ({_times(ratios[size])})" for size in BATCH_SIZES]
                rows.append((backend, engine, *cells))
    spans = [f"{duration(min(natives[size]))} – {duration(max(natives[size]))}" for size in BATCH_SIZES]
    rows.append(("none", NATIVE, *(spans if len(found) > 1 else [span.partition(" – ")[0] for span in spans])))
    headings = ("backend", "engine", *(f"batch {size}" for size in BATCH_SIZES))
    return Table("", headings, tuple(rows), ("backend", "engine"))


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}×" if ratio >= 100 else f"{ratio:.3g}×"


def main(
    backend: Annotated[list[str] | None, typer.Option(help="Only these; repeatable. Else all that are there.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Keeps the records; what it has is not measured again.")] = None,
) -> None:
    """Time an epoch on every backend, by engine and batch size, on the CPU."""
    chosen: Sequence[str] = backend or [name for name in BACKENDS if find_spec(name)]
    with TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        found = dict[str, record_of_records.Record]()
        for name in tracked(chosen, "backends"):
            path = place / f"{name}.json"
            found[name] = reading.read(path) if path.exists() else measure(name, path)
    print("\n".join(markdown_lines(lay_out(found))))
    if left := [name for name in BACKENDS if name not in found]:
        print(f"\nNot measured: {', '.join(left)}.")


if __name__ == "__main__":
    typer.run(main)
