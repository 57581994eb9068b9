"""Pictures: charts of few lines each side by side, with a title and a sentence that says how to read them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from parabola.records.case import Case, Setting
from parabola.records.history import Line
from parabola.report.charts.marks import MOST_LINES


@dataclass(frozen=True)
class Panel:
    """One chart of a picture.

    Attributes:
        title: what its lines have in common; empty for nothing, or where the picture has one chart.
        chart: an Altair chart.
    """

    title: str
    chart: Any


@dataclass(frozen=True)
class Picture:
    """One or more charts with axes of the same kind, their title, and the sentence below that says how to read them."""

    title: str
    panels: tuple[Panel, ...]
    caption: str


def by_name(lines: Iterable[Line]) -> dict[str, Line]:
    """Return the lines of cases by their names: the case in words, or all of its name where words are not enough.

    A case that one commit alone has measured makes no line. Sizes come in their order.
    """
    every = sorted((line for line in lines if len(line.at) > 1), key=lambda line: _order(line.measurement.case))
    times = Counter(line.measurement.case.words for line in every)
    names = [line.measurement.case for line in every]
    words = [case.words if times[case.words] == 1 else case.name for case in names]
    return dict(zip(words, every, strict=True))


def _order(case: Case) -> tuple[str, str, int, Setting]:
    return case.engine, case.device, case.members or 0, case.setting


def panels_of(names: Iterable[str], draw: Callable[[Mapping[str, str]], Any]) -> tuple[Panel, ...]:
    """Return the charts of a picture, which have titles where there are several.

    Args:
        names: the names of the lines, in words with ", " between them.
        draw: draws one chart, from the labels of its lines by the lines' names.
    """
    charts = split(list(names))
    return tuple(Panel(title if len(charts) > 1 else "", draw(labels)) for title, labels in charts)


def line_panels(lines: Iterable[Line], draw: Callable[[Mapping[str, Line]], Any]) -> tuple[Panel, ...]:
    """Return the charts of lines over commits.

    Args:
        lines: the lines, of which `by_name` leaves some out.
        draw: draws one chart, from its lines by their labels.
    """
    named = by_name(lines)
    return panels_of(named, lambda labels: draw({label: named[name] for name, label in labels.items()}))


def split(names: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
    """Share lines out to charts of few lines each, which have their first words in common where they can.

    Args:
        names: the names of the lines, in words with ", " between them.

    Returns:
        For each chart its title, and the label of each of its lines by the line's name.
    """
    charts = _parted([name.split(", ") for name in names], 0)
    return [_labelled(lines, number, charts) for number, lines in enumerate(charts)]


def _parted(lines: list[list[str]], place: int) -> list[list[list[str]]]:
    """Return lines in groups by the word at a place, and large groups again by the words behind it."""
    if len(lines) <= MOST_LINES:
        return [lines] if lines else []
    groups = dict[str, list[list[str]]]()
    for words in lines:
        groups.setdefault("".join(words[place : place + 1]), []).append(words)
    if place >= max(map(len, lines)) or len(groups) > len(lines) / 2:
        size = ceil(len(lines) / ceil(len(lines) / MOST_LINES))
        return [lines[at : at + size] for at in range(0, len(lines), size)]
    return [part for group in groups.values() for part in _parted(group, place + 1)]


def _labelled(lines: list[list[str]], number: int, charts: list[list[list[str]]]) -> tuple[str, Mapping[str, str]]:
    """Return a chart's title and labels: each label lacks the words that all have in common, which are the title."""
    common = 0
    while all(len(words) > common + 1 and words[common] == lines[0][common] for words in lines):
        common += 1
    title = ", ".join(lines[0][:common])
    if len(charts) > 1 and [words[:common] for chart in charts for words in chart[:1]].count(lines[0][:common]) > 1:
        title = f"{title}{', ' if title else ''}part {number + 1} of {len(charts)}"
    return title, {", ".join(words): ", ".join(words[common:]) for words in lines}
