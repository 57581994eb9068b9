"""The picture of growth: a panel an axis, both its scales logarithmic."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.studies.scale.axes import Axis, Point
from benchmarks.studies.scale.growth import lines_of
from parabola.display.pictures import BLUE, ORANGE, heading
from parabola.registry import LIMIT
from parabola.report.charts.axes import log_axis

WIDTH, HEIGHT, A_ROW = 330, 240, 2


def draw(points: Mapping[str, Sequence[Point]], axes: Sequence[Axis]) -> Any:
    """Return an Altair chart of all axes but threads, which have too few points.

    Args:
        points: the points of each axis, by its name.
        axes: the axes, in the order of the panels.
    """
    import altair as alt

    panels = [_panel(axis, points[axis.name]) for axis in axes if axis.name != "threads"]
    rows = [_apart(alt.hconcat(*panels[first : first + A_ROW])) for first in range(0, len(panels), A_ROW)]
    title = heading("How times grow", "both scales are logarithmic; the limit, native, is orange")
    return _apart(alt.vconcat(*rows)).properties(title=alt.TitleParams(**title))


def _apart(panels: Any) -> Any:
    """Give each panel its own lines and legend."""
    return panels.resolve_scale(color="independent", shape="independent", strokeDash="independent")


def _panel(axis: Axis, points: Sequence[Point]) -> Any:
    import altair as alt

    lines = list(lines_of(points))
    colours = [ORANGE if line.startswith(LIMIT) else BLUE for line in lines]
    engines = [line.partition(",")[0] for line in lines]
    second = [engine in engines[:place] for place, engine in enumerate(engines)]
    rows = [{"line": point.line, "size": point.size, "seconds": point.seconds} for point in points]
    legend = alt.Legend(orient="top", columns=2, labelLimit=300, symbolSize=60, symbolStrokeWidth=0)
    shapes = alt.Scale(domain=lines, range=["square" if is_second else "circle" for is_second in second])
    hues = alt.Scale(domain=lines, range=colours)
    dashes = alt.Scale(domain=lines, range=[[4, 3] if is_second else [1, 0] for is_second in second])
    chart = alt.Chart({"values": rows}).mark_line(strokeWidth=1.5, point={"filled": True, "size": 45})
    return chart.encode(
        x=alt.X("size:Q", title=axis.name, **log_axis((point.size for point in points), in_seconds=False)),
        y=alt.Y("seconds:Q", title=axis.what, **log_axis((point.seconds for point in points), in_seconds=True)),
        color=alt.Color("line:N", title=None, scale=hues, legend=legend),
        shape=alt.Shape("line:N", title=None, scale=shapes, legend=legend),
        strokeDash=alt.StrokeDash("line:N", title=None, scale=dashes, legend=legend),
    ).properties(width=WIDTH, height=HEIGHT)
