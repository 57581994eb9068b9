"""What the pictures of a report share: colours, sizes, scales, and how many points a line has."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

# Told apart by people who see no red or no green, too (Okabe and Ito 2008), on white and on black.
COLOURS = ("#2f8fd8", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a500", "#888888")
HEIGHT = 320
MOST_POINTS = 250  # of a line over commits; beyond, neighbouring commits share a point
ZOOM = "wheel![event.shiftKey]"  # without Shift the wheel scrolls the page


def chart_of(rows: list[dict[str, Any]], *layers: Any) -> Any:
    """Return layers as one chart of such rows, which come last: Altair copies a chart's data with every step."""
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    chart.data = {"values": rows}
    return chart


def blocks(number: int) -> list[npt.NDArray[np.int_]]:
    """Return the indices of so many values in blocks of neighbours, one value each where they are few."""
    return np.array_split(np.arange(number), min(number, MOST_POINTS))


def colour_of(field: str, names: Sequence[str]) -> Any:
    """Return the colour channel of a field, with a legend below the chart."""
    legend = alt.Legend(orient="bottom", columns=1, labelFontSize=12, labelLimit=360, symbolOpacity=1)
    return alt.Color(f"{field}:N", title=None, scale=colours_of(names), legend=legend)


def colours_of(names: Sequence[str]) -> Any:
    """Return a scale that gives the i-th name the i-th colour, so a case keeps its colour in every layer."""
    return alt.Scale(domain=list(names), range=[COLOURS[at % len(COLOURS)] for at, _ in enumerate(names)])
