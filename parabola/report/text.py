"""A report on a terminal, and in Markdown."""

from collections.abc import Sequence

from rich.console import Console

from parabola.display import narrow, tables
from parabola.display.console import say
from parabola.report.parts import Section


def print_report(sections: Sequence[Section], console: Console) -> None:
    """Print what is compact: headings, sentences and the tables that are not folded away."""
    for section in sections:
        if section.details and not (section.lines or section.tables):
            continue  # all of it is folded away
        say(console, section.title, "bold")
        for line in section.lines:
            say(console, line)
        for table in section.tables:
            narrow.show(console, table)
        console.print()


def markdown(sections: Sequence[Section]) -> str:
    """Return the report for a job's summary: details in folds, pictures left to the page."""
    lines = list[str]()
    for section in sections:
        lines += [f"### {tables.escape(section.title)}", ""]
        lines += [f"- {tables.escape(line)}" for line in section.lines]
        for table in section.tables:
            title = [f"**{tables.escape(table.title)}**", ""] if table.title else []
            lines += ["", *title, *tables.markdown_lines(table)]
        for table in section.details:
            lines += ["", f"<details><summary>{tables.escape(table.title)}</summary>", ""]
            lines += [*tables.markdown_lines(table), "", "</details>"]
        lines.append("")
    return "\n".join(lines)
