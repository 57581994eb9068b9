"""Pictures, drawn with Altair from plain arrays; saved as PNG, SVG or one HTML page that works offline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from parabola import files
from parabola.records.reading import short_name

FORMATS = (".png", ".svg", ".html")
BLUE, ORANGE, GREY = "#2f6db3", "#e0752d", "#b4b4b4"
MOST_POINTS = 800  # a line a screen wide shows no more


def save(chart: Any, path: Path) -> None:
    """Write a chart in the format of the path's suffix, whole or not at all."""
    files.check_path(path, FORMATS)
    by_suffix: dict[str, dict[str, Any]] = {".html": {"inline": True}, ".png": {"scale_factor": 2}}
    with files.draft(path) as beside:
        chart.save(str(beside), **by_suffix.get(path.suffix.lower(), {}))


def training_figure(
    *,
    x: npt.ArrayLike,
    true: npt.ArrayLike,
    learnt: npt.ArrayLike,
    loss: npt.ArrayLike,
    coefficient_error: npt.ArrayLike,
    learning_rate: float,
    title: str,
    subtitle: str,
) -> Any:
    """Draw a training run: true and learnt curve, and loss and coefficient error by epoch.

    Args:
        x: shape (n,): the test inputs.
        true: shape (n,): the target there.
        learnt: shape (n,): what was learnt there.
        loss: shape (epochs,): mean squared error over all samples after each epoch.
        coefficient_error: shape (epochs,), after each epoch.
        learning_rate: what the coefficient error has to get below.
        title: one line.
        subtitle: one line.

    Returns:
        An Altair chart.
    """
    import altair as alt

    curves = [
        {"x": float(at), "y": float(value), "curve": name}
        for name, values in (("true", true), ("learnt", learnt))
        for at, value in sorted(zip(np.ravel(x), np.ravel(values), strict=True))
        if np.isfinite(value)
    ]
    epochs = len(np.ravel(loss))
    shown = np.unique(np.geomspace(1, epochs, MOST_POINTS).round().astype(int))
    history = [
        {"epoch": int(epoch), "value": float(value), "quantity": name}
        for name, values in (("coefficient error", coefficient_error), ("loss", loss))
        for epoch, value in zip(shown, np.ravel(values)[shown - 1], strict=True)
        if np.isfinite(value) and value > 0
    ]
    size = {"width": 400, "height": 300}
    curve = alt.Chart(alt.Data(values=curves), title="The 100 test inputs").encode(
        x=alt.X("x:Q", scale=alt.Scale(nice=False)),
        y=alt.Y("y:Q", scale=alt.Scale(zero=False)),
        color=alt.Color("curve:N", scale=alt.Scale(domain=["true", "learnt"], range=[GREY, BLUE]), title=None),
    )
    wide = curve.transform_filter("datum.curve == 'true'").mark_line(strokeWidth=8)
    thin = curve.transform_filter("datum.curve == 'learnt'")
    dots = thin.mark_circle(size=22, opacity=1).encode(
        tooltip=[alt.Tooltip("x:Q"), alt.Tooltip("y:Q", title="learnt y")]
    )
    error = alt.Chart(alt.Data(values=history), title="After each epoch").mark_line(strokeWidth=1.5)
    lines = error.encode(
        x=alt.X("epoch:Q", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(format="d", tickCount=4)),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=6)),
        color=alt.Color(
            "quantity:N",
            scale=alt.Scale(domain=["coefficient error", "loss"], range=[BLUE, ORANGE]),
            title=None,
        ),
        tooltip=["quantity:N", "epoch:Q", alt.Tooltip("value:Q", format=".3e")],
    )
    rule = alt.Chart(alt.Data(values=[{"value": learning_rate, "label": f"learning rate {learning_rate:g}"}]))
    threshold = rule.mark_rule(strokeDash=[5, 4], color="#777").encode(y="value:Q")
    label = rule.mark_text(align="left", dx=4, dy=-7, color="#555").encode(x=alt.value(0), y="value:Q", text="label:N")
    chart = alt.hconcat(
        alt.layer(wide, thin.mark_line(strokeWidth=2), dots).properties(**size),
        alt.layer(lines, threshold, label).properties(**size),
        spacing=40,
        title=alt.TitleParams(
            text=title, subtitle=subtitle, anchor="start", fontSize=16, subtitleFontSize=13, offset=14
        ),
    )
    legend = {"orient": "bottom", "labelFontSize": 12}
    return chart.resolve_scale(color="independent").properties(padding=16).configure_legend(**legend)


def map_figure(
    cells: Sequence[Mapping[str, Any]],
    grid: Mapping[str, Any],
    *,
    title: str,
    subtitle: str,
    framed: Sequence[tuple[float, int]] = (),
) -> Any:
    """Draw the map: pass rate as colour over learning rate and batch size, and in figures in each cell.

    Args:
        cells: what maps.Cell has.
        grid: what learning_map.Grid.identity() gives.
        title: one line.
        subtitle: one line.
        framed: learning rate and batch size of cells to frame; the subtitle should say why.

    Returns:
        An Altair chart; its tooltips have each cell's interval, median error and split by the second kernel's sign.
    """
    import altair as alt

    rows = [
        {
            **{name: cell[name] for name in ("learning_rate", "batch_size", "median_error", "diverged")},
            "pass_rate": cell["passes"] / cell["seeds"],
            "per_cent": f"{100 * cell['passes'] / cell['seeds']:.0f}",
            "passes": _share(cell["passes"], cell["seeds"]),
            "interval": f"{100 * cell['low']:.1f} to {100 * cell['high']:.1f} %",
            **_split(cell),
        }
        for cell in cells
    ]
    x = alt.X(
        "learning_rate:O",
        title="learning rate",
        sort=sorted(grid["learning_rates"]),
        axis=alt.Axis(labelAngle=-45, labelExpr="format(datum.value, '~g')", labelFontSize=11, titleFontSize=13),
    )
    y = alt.Y(
        "batch_size:O",
        title="batch size",
        sort=sorted(grid["batch_sizes"], reverse=True),
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
    head = alt.TitleParams(text=title, subtitle=subtitle, anchor="start", fontSize=16, subtitleFontSize=13, offset=14)
    return alt.layer(*layers).properties(**size, title=head, padding=16)


VERDICT_COLOURS = {"slower": "#c0392b", "wrong": "#7b241c", "faster": "#1e8449", "same": BLUE, "inconclusive": GREY}


def ratio_figure(record: Mapping[str, Any]) -> Any:
    """Draw the intervals of all ratios of a comparison: a row a case, the control last.

    Args:
        record: what comparison_record.make_record gives.

    Returns:
        An Altair chart; the shaded band is the minimum effect. A case with too few launches has a point alone.
    """
    import altair as alt

    control = {**record["control"], "case": "control (no change can touch it)"}
    rows = [
        {
            "case": short_name(case["case"]),
            "change": case["ratio"] - 1,
            "low": None if case["high"] is None else case["low"] - 1,
            "high": None if case["high"] is None else case["high"] - 1,
            "verdict": case["verdict"],
            "launches": case["launches"],
        }
        for case in [*record["cases"], control]
        if case["ratio"] is not None
    ]
    order = [row["case"] for row in rows]
    effect = record["minimum_effect"]
    widest = max([abs(row[end]) for row in rows for end in ENDS if row[end] is not None] + [2 * effect])
    scale = alt.Scale(domain=[-1.1 * widest, 1.1 * widest], nice=False)
    y = alt.Y("case:N", sort=order, title=None, axis=alt.Axis(labelLimit=520, labelFontSize=12))
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y,
        color=alt.Color(
            "verdict:N",
            title=None,
            scale=alt.Scale(domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values())),
            legend=alt.Legend(orient="bottom", labelFontSize=12),
        ),
        tooltip=["case:N", "verdict:N", "launches:Q", *(alt.Tooltip(f"{end}:Q", format="+.1%") for end in ENDS)],
    )
    x = alt.X("low:Q", scale=scale, title="time of head against base", axis=alt.Axis(format="+.0%", titleFontSize=13))
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("change:Q", scale=scale))
    band = alt.Chart(alt.Data(values=[{"low": -effect, "high": effect}])).mark_rect(color="#888", opacity=0.15)
    zero = alt.Chart(alt.Data(values=[{"low": 0}])).mark_rule(color="#777", strokeDash=[4, 4]).encode(x=x)
    sides = [f"{record[side]['revision']} ({record[side]['commit'][:9]})" for side in ("base", "head")]
    head = alt.TitleParams(
        text=f"{record['verdict']}: {sides[1]} against {sides[0]}",
        subtitle=f"intervals, together {100 * record['confidence']:g} %; shaded: ±{100 * effect:g} %, counts as same",
        anchor="start",
        fontSize=16,
        subtitleFontSize=13,
        offset=14,
    )
    layers = alt.layer(band.encode(x=x, x2="high:Q"), zero, bars, points)
    return layers.properties(width=460, height=alt.Step(30), title=head, padding=16)


ENDS = ("change", "low", "high")


def _split(cell: Mapping[str, Any]) -> dict[str, str]:
    """Return the shares by the second kernel's first sign; nothing where there is no second kernel."""
    passes, seeds = cell["positive_passes"], cell["positive_seeds"]
    if seeds is None:
        return {}
    return {"positive": _share(passes, seeds), "negative": _share(cell["passes"] - passes, cell["seeds"] - seeds)}


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / whole:.1f} %)" if whole else "none"
