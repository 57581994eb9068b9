"""The learning map as a picture."""

import math
from collections.abc import Sequence
from typing import Any

from parabola.display.pictures import heading
from parabola.display.units import per_cent
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell

MOST_LABELS = 8  # of the horizontal axis, side by side


def map_figure(
    cells: Sequence[Cell], grid: Grid, *, title: str, subtitle: str, framed: Sequence[tuple[float, int]] = ()
) -> Any:
    """Draw the map: each cell, over learning rate and batch size, shows its pass rate as colour and as a number.

    Args:
        cells: the cells of the grid, in any order.
        grid: the learning rates and batch sizes of the axes.
        title: the heading, one line.
        subtitle: the line below it.
        framed: learning rate and batch size of the cells that get a frame; the subtitle should say why.

    Returns:
        An Altair chart; its tooltips have each cell's interval, its median error and its split by the sign with which
        the second kernel began.
    """
    import altair as alt

    rows = [
        {
            "learning_rate": cell.learning_rate,
            "batch_size": cell.batch_size,
            "median_error": cell.median_error,
            "diverged": cell.diverged,
            "pass_rate": cell.pass_rate,
            "per_cent": per_cent(cell.pass_rate),
            "passes": _share(cell.passes, cell.seeds),
            "interval": f"{per_cent(cell.low, 1)} to {per_cent(cell.high, 1)} %",
            **_split(cell),
        }
        for cell in cells
    ]
    x = alt.X(
        "learning_rate:O",
        title="learning rate",
        sort=sorted(grid.learning_rates),
        axis=alt.Axis(
            values=_labelled(grid.learning_rates),
            labelAngle=0,
            labelExpr="format(datum.value, '~g')",
            labelFontSize=11,
            titleFontSize=13,
        ),
    )
    y = alt.Y(
        "batch_size:O",
        title="batch size",
        sort=sorted(grid.batch_sizes, reverse=True),
        axis=alt.Axis(labelFontSize=12, titleFontSize=13),
    )
    tooltip = [
        alt.Tooltip("learning_rate:Q", title="learning rate", format="~g"),
        alt.Tooltip("batch_size:Q", title="batch size"),
        alt.Tooltip("passes:N", title="seeds that pass"),
        alt.Tooltip("interval:N", title="95 % interval"),
        alt.Tooltip("median_error:Q", title="median coefficient error", format=".2e"),
        alt.Tooltip("diverged:Q", title="diverged"),
    ]
    if any("positive" in row for row in rows):
        tooltip += [alt.Tooltip(f"{sign}:N", title=f"second kernel began {sign}") for sign in ("positive", "negative")]
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    colour = alt.Color(
        "pass_rate:Q",
        title="pass rate",
        scale=alt.Scale(scheme="viridis", domain=[0, 1]),
        legend=alt.Legend(format=".0%", gradientLength=220),
    )
    fill = base.mark_rect().encode(color=colour, tooltip=tooltip)
    text = base.mark_text(fontSize=11).encode(
        text="per_cent:N",
        color=alt.condition("datum.pass_rate > 0.6", alt.value("#1b1b1b"), alt.value("white")),
        tooltip=tooltip,
    )
    frames = [{"learning_rate": rate, "batch_size": size} for rate, size in framed]
    frame = alt.Chart(alt.Data(values=frames)).encode(x=x, y=y)
    frame = frame.mark_rect(fillOpacity=0, stroke="#ff7f2a", strokeWidth=3)
    layers = (fill, text, frame) if frames else (fill, text)
    size = {"width": alt.Step(38), "height": alt.Step(36)}
    return alt.layer(*layers).properties(**size, title=heading(title, subtitle), padding=16)


def _labelled(rates: Sequence[float]) -> list[float]:
    """Return the learning rates that the axis names: the powers of ten where there are many rates, else all."""
    round_ones = [rate for rate in sorted(rates) if rate == float(f"1e{math.floor(math.log10(rate) + 0.5)}")]
    return round_ones if len(rates) > MOST_LABELS and len(round_ones) > 1 else sorted(rates)


def _split(cell: Cell) -> dict[str, str]:
    """Return the pass rates by the sign with which the second kernel began; nothing if there is no second kernel."""
    passes, seeds = cell.positive_passes, cell.positive_seeds
    if passes is None or seeds is None:
        return {}
    return {"positive": _share(passes, seeds), "negative": _share(cell.passes - passes, cell.seeds - seeds)}


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({per_cent(part / whole, 1)} %)" if whole else "none"
