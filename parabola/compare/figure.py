"""A comparison as a picture: the intervals of all ratios."""

import json
from typing import Any

from parabola.compare.comparison import Comparison, shown_names
from parabola.compare.verdicts import Verdict, counted
from parabola.display import pictures
from parabola.display.narrow import wrapped

ANSWERS = {Verdict.SLOWER: "Yes", Verdict.FASTER: "No", Verdict.SAME: "No"}  # to the question in the title
ENDS = ("change", "low", "high")
LONGEST = 40  # characters of a line of a name, which is broken where a terminal breaks it
CHARACTER = 7.5  # pixels of one in the widest usual font: a reader's may be wider than that which made the picture
LINE = 14  # pixels


def ratio_figure(comparison: Comparison) -> Any:
    """Draw the intervals of all ratios of a comparison: a row a case, the control last.

    Args:
        comparison: what is drawn.

    Returns:
        An Altair chart; the shaded band is the minimum effect. A case with too few launches has a point alone.
    """
    import altair as alt

    names = shown_names(comparison)
    named = [(names[case.case], case) for case in comparison.cases]
    rows: list[dict[str, Any]] = [
        {
            "case": name,
            "change": case.ratio - 1,
            "low": None if case.low is None or case.high is None else case.low - 1,
            "high": None if case.high is None else case.high - 1,
            "verdict": case.verdict.value,  # of a metric, too, so that colours mean one thing
            "launches": case.launches,
        }
        for name, case in [*named, ("control (no change can touch it)", comparison.control)]
        if case.ratio is not None
    ]
    order = [row["case"] for row in rows]
    effect = comparison.minimum_effect
    colours = {verdict.value: verdict.colour for verdict in Verdict if verdict.colour}
    widest = max([abs(row[end]) for row in rows for end in ENDS if row[end] is not None] + [2 * effect])
    scale = alt.Scale(domain=[-1.1 * widest, 1.1 * widest], nice=False)
    lines = {name: [line.strip() for line in wrapped(name, LONGEST)] for name in order}
    wide = max((len(line) for name in order for line in lines[name]), default=0)
    names_axis = alt.Axis(
        labelExpr=f"({json.dumps(lines)})[datum.value]", labelLimit=0, labelFontSize=12, minExtent=CHARACTER * wide
    )
    y = alt.Y("case:N", sort=order, title=None, axis=names_axis)
    changed, more = ("change", "slower or larger") if comparison.options.metrics else ("change in time", "slower")
    base = alt.Chart(alt.Data(values=rows)).encode(
        y=y,
        color=alt.Color(
            "verdict:N",
            title=None,
            scale=alt.Scale(domain=list(colours), range=list(colours.values())),
            legend=alt.Legend(orient="bottom", labelFontSize=12),
        ),
        tooltip=["case:N", "verdict:N", "launches:Q", *(alt.Tooltip(f"{end}:Q", format="+.1%") for end in ENDS)],
    )
    read_right = f"{changed} from base to head (right: head is {more})"
    x = alt.X("low:Q", scale=scale, title=read_right, axis=alt.Axis(labelExpr=pictures.CHANGE, titleFontSize=13))
    bars = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("change:Q", scale=scale))
    band = alt.Chart(alt.Data(values=[{"low": -effect, "high": effect}])).mark_rect(color="#888", opacity=0.15)
    zero = alt.Chart(alt.Data(values=[{"low": 0}])).mark_rule(color="#777", strokeDash=[4, 4]).encode(x=x)
    sides = zip(("base (before)", "head (after)"), (comparison.base, comparison.head), strict=True)
    compared = [f"{side}: {commit.revision} ({commit.commit[:9]})" for side, commit in sides]
    metrics = "".join(f", {name} within ±{100 * share:g} %" for name, share in comparison.options.metrics.items())
    read = f"bars: {100 * comparison.confidence:g} % intervals; shaded: ±{100 * effect:g} %, counts as same{metrics}"
    counts = counted((case.verdict, case.metric) for case in comparison.cases)
    answer = ANSWERS.get(comparison.verdict, comparison.verdict.capitalize())
    layers = alt.layer(band.encode(x=x, x2="high:Q"), zero, bars, points)
    return layers.properties(
        width=460,
        height=alt.Step(max([30, *(LINE * len(name) + 10 for name in lines.values())])),
        title=pictures.heading(f"Is head {more} than base? {answer}: {counts}", [*compared, read]),
        padding=16,
    )
