"""The share of seeds that pass over commits, with its interval."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np

from parabola.records.history import History, Line
from parabola.report.charts import marks, points
from parabola.report.charts.axes import commit_axis
from parabola.report.charts.panels import Panel, line_panels
from parabola.statistics import share_interval


def pass_rate_panels(history: History) -> tuple[Panel, ...]:
    """Draw pass rates over commits with 95 % intervals: a line a case that counts its seeds."""
    return line_panels((line for line in history.lines if line.passes), lambda shown: _chart(history, shown))


def _chart(history: History, lines: Mapping[str, Line]) -> Any:
    names = list(lines)
    rows = [row for name, line in lines.items() for row in _rows(history, name, line)]
    base = alt.Chart().encode(
        x=commit_axis(history.commits, (row["commit"] for row in rows)),
        color=marks.colour_of(names),
        tooltip=["line:N", "seeds:N", alt.Tooltip("id:N", title="commit")],
    )
    base = marks.picked(base, names)
    axis = alt.Axis(labelExpr="format(100 * datum.value, 'd') + ' %'", tickCount=5)
    y = alt.Y("rate:Q", title="pass rate", scale=alt.Scale(domain=[0, 1]), axis=axis)
    bands = base.mark_area(opacity=0.12, aria=False).encode(y=alt.Y("low:Q", title="pass rate"), y2="high:Q")
    rates = marks.dashed(base.mark_line(strokeWidth=2, aria=False).encode(y=y), names)
    dots = base.transform_calculate(says="'commit ' + datum.id + ', ' + datum.line + ': ' + datum.seeds + ' pass'")
    dots = dots.mark_point(filled=True, size=50, opacity=1)
    dots = dots.encode(y=y, shape=marks.shape_of(names), description="says:N")
    last = [[row for row in rows if row["line"] == name][-1] for name in names]
    newest = "; ".join(f"{row['line']}: {row['seeds']} at {row['id']}" for row in last)
    return marks.chart_of(rows, names, f"Share of seeds that pass over commits. {newest}.", bands, rates, dots)


def _rows(history: History, name: str, line: Line) -> list[dict[str, Any]]:
    """Return the points of a line; where commits are many, the lowest of neighbours stands for them."""
    if line.passes is None:
        return []
    rows = list[dict[str, Any]]()
    keep = [part[int(np.argmin(line.passes.rates[part]))] for part in points.blocks(len(line.at))]
    for place, settled, seeds in zip(line.at[keep], line.passes.settled[keep], line.passes.seeds[keep], strict=True):
        low, high = share_interval(int(settled), int(seeds))
        rows.append(
            {
                "line": name,
                "commit": int(place) + 1,
                "rate": settled / seeds,
                "low": low,
                "high": high,
                "seeds": f"{settled} of {seeds}",
                "id": history.commits[place].id[:9],
            }
        )
    return rows
