"""Times over a size: batch size, or members that are trained together."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import altair as alt

from parabola.display.units import duration
from parabola.records.record import Measurement
from parabola.report.charts import marks
from parabola.report.charts.axes import log_axis
from parabola.report.charts.panels import Panel, panels_of


def size_row(line: str, measurement: Measurement) -> dict[str, Any]:
    """Return a point of a picture of times over sizes.

    Args:
        line: name of the line that the point is on.
        measurement: what was measured.
    """
    times = measurement.times
    return {
        "line": line,
        "size": measurement.case.size,
        "seconds": times.median,
        "low": times.low_quartile,
        "high": times.high_quartile,
        "learning rate": measurement.case.learning_rate,
        "median": duration(times.median),
        "quartiles": f"{duration(times.low_quartile)} – {duration(times.high_quartile)}",
        "answer": measurement.answer.verdict_words or "not judged",
        "rounds": times.rounds,
    }


def size_panels(rows: Sequence[dict[str, Any]], title: str) -> tuple[Panel, ...]:
    """Draw times over batch size or members, both axes logarithmic, with the range between the quartiles.

    Args:
        rows: the points, as `size_row` makes them, all of one kind.
        title: title of the horizontal axis.
    """
    return panels_of(dict.fromkeys(row["line"] for row in rows), lambda labels: _chart(rows, labels, title))


def _chart(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str], title: str) -> Any:
    names = list(labels.values())
    drawn = [{**row, "line": labels[row["line"]]} for row in rows if row["line"] in labels]
    drawn.sort(key=lambda row: (names.index(row["line"]), row["size"]))  # arrow keys go in this order
    says = f"'{title} ' + datum.size + ', ' + datum.line + ': ' + datum.median + ', ' + datum.answer"
    tooltip: list[Any] = [
        alt.Tooltip("line:N", title="what"),
        alt.Tooltip("size:Q", title=title),
        alt.Tooltip("learning rate:Q", format="~g"),
        "median:N",
        "quartiles:N",
        "rounds:Q",
        "answer:N",
    ]
    base = alt.Chart().encode(
        x=alt.X("size:Q", title=title, **log_axis((row["size"] for row in drawn), in_seconds=False)),
        color=marks.colour_of(names),
        tooltip=tooltip,
    )
    base = marks.picked(base, names)
    times = [row[end] for row in drawn for end in ("low", "seconds", "high")]
    y = alt.Y("seconds:Q", title="time per epoch", **log_axis(times, in_seconds=True))
    lines = marks.dashed(base.mark_line(strokeWidth=2, aria=False).encode(y=y), names)
    ranges = base.mark_rule(strokeWidth=2, aria=False).encode(y=alt.Y("low:Q", title="time per epoch"), y2="high:Q")
    dots = base.transform_calculate(says=says).mark_point(filled=True, size=70, opacity=1)
    dots = dots.encode(y=y, shape=marks.shape_of(names), description="says:N")
    return marks.chart_of(drawn, names, _in_words(drawn, title), lines, ranges, dots)


def _in_words(rows: Sequence[Mapping[str, Any]], title: str) -> str:
    """Say what each line shows at its smallest and at its largest size."""
    said = list[str]()
    for line, group in groupby(sorted(rows, key=itemgetter("line", "size")), key=itemgetter("line")):
        points = list(group)
        first, last = points[0], points[-1]
        ends = f"{first['median']} at {first['size']}"
        said.append(f"{line}: {ends}" + (f", {last['median']} at {last['size']}" if last != first else ""))
    return f"Time per epoch over {title}. {'; '.join(said)}."
