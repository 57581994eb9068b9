"""python -m parabola keep: a record is added to a branch of its own."""

from pathlib import Path
from typing import Annotated

import typer

from parabola.commands import exits


def keep(
    record: Annotated[Path, typer.Argument(help="What --benchmark-json has written.", show_default=False)],
    branch: Annotated[str, typer.Argument(help="A branch for records alone; made where there is none.")] = "records",
    remote: Annotated[str, typer.Option(help="Where the branch is pushed to.")] = "origin",
    folder: Annotated[
        Path | None, typer.Option(metavar="DIRECTORY", help="Also write all records of the branch into this folder.")
    ] = None,
) -> None:
    """Keep a record on a branch of its own, where a history grows.

    The record is pushed under its commit's date and id, and its own hash. What the branch holds is never changed, and
    your working tree, index and other branches stay as they are. Two that push at once lose nothing.
    """
    from parabola import files
    from parabola.machine import processes
    from parabola.records import keeping

    try:
        if folder:
            files.check_folder(folder, own=False)
        with processes.none_left():
            kept = keeping.keep(record, branch, remote, Path.cwd())
            try:
                print(f"{kept.name} {'is now kept' if kept.added else 'was kept already'} on {branch}", flush=True)
            finally:  # though nobody can read that
                number = keeping.extract(branch, remote, Path.cwd(), folder) if folder else None
    except ValueError as error:
        exits.stop(error)
    if folder:
        print(f"{folder} holds the {number} records of {branch}")
