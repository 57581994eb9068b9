"""What the charts of a report share: how lines are told apart, and the choice of one."""

from collections.abc import Sequence
from typing import Any

import altair as alt

# Told apart by people who see no red or no green, too (Okabe and Ito 2008), on white and on black.
COLOURS = ("#2f8fd8", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
DASHES: tuple[list[int], ...] = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3], [12, 4], [5, 2, 1, 2, 1, 2])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
MOST_LINES = len(COLOURS)  # of a chart; more make another chart beside it
HEIGHT = 320
ZOOM = "wheel![event.shiftKey]"  # without Shift the wheel scrolls the page
PICKED = "pick === null || datum.line === pick"  # filters, so that the axis fits what is picked


def chart_of(rows: list[dict[str, Any]], names: Sequence[str], says: str, *layers: Any) -> Any:
    """Return layers as one chart of such rows, in which one line may be picked from a list.

    The rows come last: Altair copies a chart's data with every step.

    Args:
        rows: the points; each has its line's name under "line".
        names: the names of the lines.
        says: what the chart shows, for people who hear it.
        layers: the layers; those that show single lines are filtered by PICKED.
    """
    listed = alt.binding_select(options=[None, *names], labels=["all", *names], name="line ")
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT, description=says)
    chart = chart.add_params(alt.param(name="pick", value=None, bind=listed)) if len(names) > 1 else chart
    chart.data = {"values": rows}
    return chart


def picked(layer: Any, names: Sequence[str]) -> Any:
    """Return a layer that shows only the line that is picked, where there are several lines."""
    return layer.transform_filter(PICKED) if len(names) > 1 else layer


def colour_of(names: Sequence[str]) -> Any:
    """Return the colour channel of the lines; its legend, below the chart, has the points' shapes, too."""
    legend = alt.Legend(orient="bottom", columns=1, labelFontSize=12, labelLimit=0, symbolSize=90, symbolOpacity=1)
    return alt.Color("line:N", title=None, scale=_scale(names, COLOURS), legend=legend)


def dashed(layer: Any, names: Sequence[str]) -> Any:
    """Return a layer of lines of which the i-th has the i-th dashes, so that colour is not all that tells it.

    They go by names of their own, as Vega merges legends of the same names, and would draw dashed symbols.
    """
    scale = _scale([f"dash of {name}" for name in names], DASHES)
    layer = layer.transform_calculate(dash="'dash of ' + datum.line")
    return layer.encode(strokeDash=alt.StrokeDash("dash:N", scale=scale, legend=None))


def shape_of(names: Sequence[str]) -> Any:
    """Return the channel of the points' shapes."""
    return alt.Shape("line:N", title=None, scale=_scale(names, SHAPES))


def _scale(names: Sequence[str], marks: Sequence[Any]) -> Any:
    """Return a scale that gives the i-th name the i-th mark, so a line keeps it in every layer."""
    return alt.Scale(domain=list(names), range=[marks[at % len(marks)] for at, _ in enumerate(names)])
