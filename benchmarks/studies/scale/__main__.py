"""Have the suite time what grows, and so check every run that is timed: python -m benchmarks.studies.scale"""

from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.studies.compare_backends import time_by_suite
from benchmarks.studies.scale.axes import Point, Session, axes
from benchmarks.studies.scale.growth import growth_table
from benchmarks.studies.scale.picture import draw
from parabola import files
from parabola.display.console import tracked
from parabola.display.pictures import FORMATS, save
from parabola.display.tables import markdown_lines
from parabola.records import reading


def measure(session: Session, path: Path) -> None:
    """Have the suite time what a session asks for, and write its record.

    Raises:
        SystemExit: if it fails.
    """
    beside = path.with_suffix(".part")
    time_by_suite([*session, f"--benchmark-json={beside}"])
    beside.rename(path)


def main(
    folder: Annotated[Path | None, typer.Option(help="Keeps the records; what it has is not measured again.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw it: .png, .svg or .html.")] = None,
    only: Annotated[list[str] | None, typer.Option("--axis", help="Only these; repeatable.")] = None,
) -> None:
    """Print a table an axis: the time at each size, and the slope from the size before."""
    names = [axis.name for axis in axes()]
    if wrong := [name for name in only or () if name not in names]:
        raise SystemExit(f"scale: --axis must be one of {', '.join(names)}. Received: {', '.join(wrong)}")
    if plot:
        try:
            files.check_path(plot, FORMATS)
        except ValueError as error:
            raise SystemExit(f"scale: --plot: {error}") from None
    chosen = [known for known in axes() if not only or known.name in only]
    with TemporaryDirectory() as temporary:
        place = (folder or Path(temporary)).absolute()
        place.mkdir(parents=True, exist_ok=True)
        points = dict[str, list[Point]]()
        sessions = [(known, number) for known in chosen for number in range(len(known.sessions))]
        for axis, number in tracked(sessions, "sessions"):
            session, path = axis.sessions[number], place / f"{axis.name.replace(' ', '_')}_{number}.json"
            if not path.exists():
                measure(session, path)
            found = [axis.points(measurement, session) for measurement in reading.read(path).measurements]
            points.setdefault(axis.name, []).extend(chain.from_iterable(found))
    for axis in chosen:
        print(f"\n{axis.what} over {axis.name}:\n")
        print("\n".join(markdown_lines(growth_table(axis.name, points[axis.name]))))
    if plot:
        save(draw(points, chosen), plot)


if __name__ == "__main__":
    typer.run(main)
