"""Would the tests notice? Small changes planted in the project's files, one at a time: python -m tests.mutation.

Cosmic Ray makes the mutants; each is tried by those everyday tests (`pytest -n auto`) that run the function it is in.
"""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from parabola.display import console
from tests.mutation import mutants, running, score
from tests.mutation.covering import Covering, measure

ROOT = Path(__file__).parents[2]
FOLDERS = ("parabola", "benchmarks")
LEFT_OUT = "studies"  # commands that made a figure: run by hand, and nobody measures with them


def project_files() -> list[Path]:
    """Return the files that are studied: the package, the suite and its helpers, from the project's folder."""
    found = [ROOT / "conftest.py", *(path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py")))]
    kept = [path for path in found if LEFT_OUT not in path.parts and not path.name.startswith("test_")]
    return [path.relative_to(ROOT) for path in kept]


def changed_files(since: str) -> list[Path]:
    """Return the files of the study that differ from a revision. Exits with git's words where there is none such."""
    command = ["git", "diff", "--name-only", since]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    return [path for path in project_files() if str(path) in done.stdout.splitlines()]


def main(
    files: Annotated[list[Path] | None, typer.Argument(help="Only these, from the project's folder.")] = None,
    draw: Annotated[int, typer.Option(min=1, help="Places to change, drawn at random.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides the draw.")] = 1,
    since: Annotated[str | None, typer.Option(metavar="REVISION", help="Only files that a change touches.")] = None,
    end_to_end: Annotated[bool, typer.Option("--end-to-end", help="Then what survives, by the other tests.")] = False,
    folder: Annotated[Path, typer.Option(help="Where results and copies are; gone on with.")] = Path(".mutation"),
    processes: Annotated[int, typer.Option(min=1, help="Mutants tried side by side.")] = os.cpu_count() or 1,
) -> None:
    """Plant small changes, and print which of them the tests notice: a table by file, and what survives."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    session = folder / "session.sqlite"
    studied = project_files()
    if unknown := [path for path in files or [] if path not in studied]:
        raise SystemExit(f"not a file of the study: {unknown[0]}")
    studied = files or (changed_files(since) if since else studied)
    if not studied:
        raise SystemExit(f"no file of the study differs from {since}")
    copies = [running.copy_project(ROOT, folder / f"copy{number}") for number in range(processes)]
    if not session.exists():
        os.chdir(ROOT)
        drawn = mutants.draw(mutants.all_mutants(studied, folder / "all.sqlite"), draw, seed)
        measure(copies[0], folder, processes)
        mutants.keep(drawn, session)
    covering = Covering(copies[0], folder)
    pending = score.pending(session)
    running.hold_unchanged(pending, covering, copies[0])
    with console.progress_bar("{task.completed:.0f} of {task.total:.0f} mutants,", len(pending)) as bar:
        for number, (mutant, result) in enumerate(running.try_all(pending, covering, ROOT, copies), start=1):
            score.note(session, mutant, result)
            if bar:
                bar(number)
    caught = set[str]()
    if end_to_end:
        survivors = score.survivors(session)
        for mutant in console.tracked(survivors, "survivors"):
            if running.caught_end_to_end(mutant, ROOT, copies[0], 3600):
                caught.add(mutant.job_id)
    print("\n".join(score.lines(session, caught)))


if __name__ == "__main__":
    typer.run(main)
