"""python -m parabola report: what records say."""

import json
from pathlib import Path
from typing import Annotated

import typer

from parabola.commands import door, exits
from parabola.exit_codes import ExitCode
from parabola.report.outputs.tracker import Tracker


def report(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=]RECORD…", help="Files, folders or globs; NAME is what to call its machine."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="One page that works offline.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A job's summary.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Tidy rows, one a measurement, for a notebook.")
    ] = None,
    tracker: Annotated[
        Tracker | None, typer.Option("--as", help="Print what another tracker reads, in place of the report.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if the newest commits are slower, or fewer seeds pass.")
    ] = False,
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
    from parabola.report.outputs import gate, tidy, trackers

    try:
        for path, formats in ((html, (".html",)), (markdown, (".md",)), (json_file, (".json",))):
            if path:
                files.check_path(path, formats)
        found = finding.find(sources) if sources else finding.newest(Path(".benchmarks"))
        for path in (html, markdown, json_file):
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
    suspected = gate.suspicions(read) if check else []

    def show() -> None:
        if tracker:
            typer.echo(json.dumps(trackers.for_tracker(read, tracker), indent=1, ensure_ascii=False))
        else:
            text.print_report(sections, console.wide_console())

    door.show_and_write(
        show,
        (html, lambda path: files.write_text(drawn, path)),
        (markdown, lambda path: files.write_text(text.markdown(sections), path)),
        (json_file, lambda path: files.write_text(json.dumps([*tidy.rows(read)], indent=1), path)),
    )
    for line in suspected:
        exits.tell(line)
    if suspected:
        raise typer.Exit(ExitCode.CHECK_FAILED)
