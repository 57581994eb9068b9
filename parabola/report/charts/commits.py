"""Times over commits: a line a case, and a rule where one changed its level."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median  # of few values far faster than NumPy's
from typing import Any

import altair as alt
import numpy as np

from parabola.display.pictures import CHANGE
from parabola.display.units import duration
from parabola.records.history import History, Line
from parabola.report.charts import marks, points
from parabola.report.charts.axes import commit_axis
from parabola.report.charts.panels import Panel, line_panels
from parabola.report.charts.updates import update_marks
from parabola.report.hardware.updates import update_sentence

# The size of a change stands behind its rule, or before it where there is no room for it, in Vega's expressions.
HAS_ROOM = "width - scale('x', datum.commit) > 130"
BESIDE = (("align", "'left'", "'right'"), ("dx", 4, -4))


def history_panels(history: History, kind: str) -> tuple[Panel, ...]:
    """Draw times over commits, each line against its own median: a change looks alike in a fast and in a slow case.

    Args:
        history: the history of one machine.
        kind: which benchmarks.
    """
    lines = (line for line in history.lines if line.measurement.case.kind == kind)
    return line_panels(lines, lambda shown: _chart(history, shown))


def _chart(history: History, lines: Mapping[str, Line]) -> Any:
    names = list(lines)
    rows = [row for name, line in lines.items() for row in _rows(history, name, line)]
    x = commit_axis(history.commits, (row["commit"] for row in rows))
    y = alt.Y(
        "against:Q",
        title="against the line's median (up: slower)",
        scale=alt.Scale(zero=False, nice=False, padding=18),  # room for the sizes of changes above all lines
        axis=alt.Axis(labelExpr=CHANGE, gridOpacity=0.3, tickCount=6),
    )
    says = "'commit ' + datum.id + ', ' + datum.line + ': ' + datum.median + ', ' + format(datum.against, '+.1%')"
    tooltip: list[Any] = [
        *("line:N", "median:N", alt.Tooltip("against:Q", title="against its median", format="+.1%")),
        *(alt.Tooltip("id:N", title="commit"), "made:N", alt.Tooltip("of:N", title="point")),
    ]
    base = marks.picked(alt.Chart().encode(x=x, color=marks.colour_of(names), tooltip=tooltip), names)
    moved = alt.selection_interval(bind="scales", encodings=["x"], zoom=marks.ZOOM, name="zoom")
    times = marks.dashed(base.mark_line(strokeWidth=1.5, aria=False).encode(y=y), names)
    dots = base.transform_calculate(says=says).mark_point(filled=True, size=30, opacity=1)
    dots = dots.encode(y=y, shape=marks.shape_of(names), description="says:N").add_params(moved)
    rules = _rules(history, lines)
    layers = [times, dots, *(_changes(rules, names) if rules else ()), *update_marks(history)]
    said = " ".join(filter(None, (_in_words(rows, rules), update_sentence(history))))
    return marks.chart_of(rows, names, said, *layers)


def _rows(history: History, name: str, line: Line) -> list[dict[str, Any]]:
    """Return the points of a line; where commits are many, neighbours share one."""
    usual, rows = float(np.median(line.seconds)), list[dict[str, Any]]()
    for part in points.blocks(len(line.at)):
        commits = [history.commits[place] for place in line.at[part]]
        seconds = median(line.seconds[part].tolist())
        rows.append(
            {
                "line": name,
                "commit": int(line.at[part[-1]]) + 1,
                "median": duration(seconds),
                "against": seconds / usual - 1,
                "id": commits[-1].id[:9],
                "made": f"{commits[-1].made:%Y-%m-%d %H:%M}",
                "of": f"median of {len(part)} commits" if len(part) > 1 else "one commit",
            }
        )
    return rows


def _rules(history: History, lines: Mapping[str, Line]) -> list[dict[str, Any]]:
    """Return where a line changed its level: a rule before the first commit that surely has the new one."""
    return [
        {
            "line": name,
            "commit": int(line.at[change.at]) + 0.5,
            "change": f"{100 * (change.ratio - 1):+.1f} %",
            "id": history.commits[line.at[change.at]].id[:9],
        }
        for name, line in lines.items()
        for change in line.changes
    ]


def _changes(rules: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Any]:
    """Draw a rule for each change, and above them how large the changes of one place are."""
    sizes = defaultdict[float, list[str]](list)
    for each in rules:
        sizes[each["commit"]].append(each["change"])
    ranges = {place: sorted(changes, key=lambda text: float(text.split()[0])) for place, changes in sizes.items()}
    told = [
        {"commit": place, "text": ends[0] if ends[0] == ends[-1] else f"{ends[0][:-2]} to {ends[-1]}"}
        for place, ends in ranges.items()
    ]
    x, colour = alt.X("commit:Q"), alt.Color("line:N", title=None)
    rule = alt.Chart(alt.Data(values=list(rules))).encode(x=x, color=colour, tooltip=["line:N", "change:N", "id:N"])
    side: dict[str, Any] = {part: alt.ExprRef(f"{HAS_ROOM} ? {behind} : {before}") for part, behind, before in BESIDE}
    label = alt.Chart(alt.Data(values=told)).mark_text(baseline="top", color="currentColor", **side)
    return [
        marks.picked(rule.mark_rule(strokeDash=[5, 4], strokeWidth=2), names),
        label.encode(x=x, y=alt.value(2), text="text:N"),
    ]


def _in_words(rows: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]]) -> str:
    """Say what each line shows at its first and at its last commit, and where it changed its level."""
    said = list[str]()
    for name in dict.fromkeys(row["line"] for row in rows):
        points = [row for row in rows if row["line"] == name]
        ends = [f"{point['median']} at {point['id']}" for point in (points[0], *points[1:][-1:])]
        changes = [f"a change of {rule['change']} at {rule['id']}" for rule in rules if rule["line"] == name]
        said.append(f"{name}: {', '.join([*ends, *changes])}")
    return f"Times over commits. {'; '.join(said)}."
