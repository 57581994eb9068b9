"""What tests read of a chart of a report: its rows, its layers, and the texts that Vega draws."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import numpy as np
import vl_convert

from parabola.records.history import Commit, History, Line
from parabola.records.passes import Passes
from tests.made_measurements import measurement


def specification(chart: Any) -> dict[str, Any]:
    """Return a chart as Vega-Lite has it."""
    drawn: dict[str, Any] = chart.to_dict(validate=False)
    return drawn


def rows(chart: Any) -> list[dict[str, Any]]:
    """Return the rows that a chart's layers share."""
    drawn = specification(chart)
    found: list[dict[str, Any]] = drawn["datasets"][drawn["data"]["name"]]
    return found


def texts(chart: Any, role: str) -> list[str]:
    """Return the texts that Vega draws in such a role, as "axis-label", with line feeds between lines."""
    svg = vl_convert.vegalite_to_svg(chart.properties(width=600).to_dict())
    parts = re.split(r'(?=<g class="mark-text role-)', svg)
    inside = [part.partition("</g>")[0] for part in parts if part.startswith(f'<g class="mark-text role-{role}"')]
    drawn = [text for part in inside for text in re.findall(r"<text[^>]*>(.*?)</text>", part)]
    return [unescape(re.sub(r"<[^>]*>", "", re.sub(r"</tspan><tspan[^>]*>", "\n", text))) for text in drawn]


def line(name: str, at: Sequence[int], seconds: Sequence[float], settled: Sequence[int] = (), **other: Any) -> Line:
    """Return a line over commits; seeds that pass are counted of 40 at its first place and of one less at each next."""
    changes = tuple(other.pop("changes", ()))
    seeds = [40 - place for place, _ in enumerate(settled)]
    passes = Passes(np.array(settled), np.array(seeds)) if settled else None
    return Line(measurement(name, **other), np.array(at), np.array(seconds), passes, changes)


def past(*lines: Line, commits: int = 7) -> History:
    """Return a history whose commits' ids do not rise with their dates; they are made 25 hours apart."""
    first = datetime(2026, 1, 30, 22, 5, tzinfo=UTC)
    made = [
        Commit(f"{5 * place % 7}abcdef01{'2' * 31}", first + timedelta(hours=25 * place)) for place in range(commits)
    ]
    return History((), tuple(made), lines, 0, 0)
