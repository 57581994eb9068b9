"""A comparison as a picture: the intervals of all ratios."""

from collections.abc import Mapping
from typing import Any

from parabola.display.pictures import BLUE, GREY
from parabola.records.fingerprint import short_name

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
