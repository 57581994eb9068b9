"""What a report says of a session in which the machine was disturbed: a sentence, and a mark on every table of it."""

from collections.abc import Iterable
from dataclasses import replace

from parabola.display.units import duration
from parabola.records.record import Record
from parabola.report.parts import Section


def marked(section: Section, records: Iterable[Record]) -> Section:
    """Return a section with a sentence for each disturbed record that it is made of, and with a mark on its tables.

    Args:
        section: a part of a report.
        records: the records that its tables are made of; where none was disturbed, the section stays as it is.
    """
    found = [*records]
    disturbed = [record for record in found if record.disturbed]
    if not disturbed:
        return section
    mark = "disturbed" if len(found) == 1 else f"{len(disturbed):,} of {len(found):,} records disturbed"
    return replace(
        section,
        lines=(*section.lines, _sentence(disturbed[0], len(disturbed) - 1)),
        tables=tuple(replace(table, title=f"{table.title} ({mark})".strip()) for table in section.tables),
        details=tuple(replace(table, title=f"{table.title} ({mark})".strip()) for table in section.details),
    )


def _sentence(record: Record, others: int) -> str:
    """Say of one record how much slower or faster `native` was after the session, and how many others there are."""
    first, last = record.native_first or 0.0, record.native_last or 0.0
    times = f"native took {duration(first)} an epoch before the first test and {duration(last)} after the last one"
    more = f" {others:,} more record{'s were' if others > 1 else ' was'} disturbed, too." if others else ""
    return f"{record.path} was disturbed: {times}.{more}"
