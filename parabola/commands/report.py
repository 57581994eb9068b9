"""python -m parabola report: what records say."""

from pathlib import Path
from typing import Annotated

import typer

from parabola.commands import door, exits
from parabola.exit_codes import ExitCode


def report(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=]RECORD…", help="Files, folders or globs; NAME is what to call its machine."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="One page that works offline.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A job's summary.")] = None,
) -> None:
    """What do records say? Now, one device against another, and over commits.

    Records are what `pytest --benchmark-only` leaves with --benchmark-json, --benchmark-save or --benchmark-autosave.
    Without any, the newest under .benchmarks/ is read. Records of different machines or software are never pooled; give
    two machines names (NAME=RECORD) to hold one against the other.
    """
    from parabola import files
    from parabola.display import console
    from parabola.records import finding, reading, record, schema
    from parabola.report import answer, page, text
    from parabola.report import sections as content

    try:
        for path, formats in ((html, (".html",)), (markdown, (".md",))):
            if path:
                files.check_path(path, formats)
        found = finding.find(sources) if sources else finding.newest(Path(".benchmarks"))
        for path in (html, markdown):
            if path and path.resolve() in [one.resolve() for _, one in found]:
                raise ValueError(f"a record would be overwritten: choose another file than {path}")
    except ValueError as error:
        exits.stop(error)
    read, skipped = list[record.Record](), list[schema.Unreadable]()
    with console.progress_bar("{task.fields[text]},", 3.0) as bar:  # thirds: each takes about as long
        for number, one in enumerate(reading.read_all(found), start=1):
            if isinstance(one, schema.Unreadable):
                skipped.append(one)
            else:
                read.append(one)
            if bar:
                bar(number / len(found), f"{number} of {len(found)} records read")
        if bar:
            bar(1.0, "looking for changes")
        try:
            sections = content.sections(read) if read else []
        except content.RefusedError as error:
            exits.stop(error)
        if bar:
            bar(2.0, "drawing")
        drawn = page.page(sections, answer.opening(read)) if html and read else ""
    for reason in skipped:
        exits.tell(f"skipped {reason}")
    if not read:
        exits.stop(f"none of {len(found)} files is a record that can be read", ExitCode.NO_RECORD)
    door.show_and_write(
        lambda: text.print_report(sections, console.wide_console()),
        (html, lambda path: files.write_text(drawn, path)),
        (markdown, lambda path: files.write_text(text.markdown(sections), path)),
    )
