"""The pictures of a report: times over a size, times over commits, pass rates over commits."""

from statistics import median  # of few values far faster than NumPy's
from typing import Any

import altair as alt
import numpy as np

from parabola.records.history import History
from parabola.records.record import Measurement
from parabola.report.marks import ZOOM, blocks, chart_of, colour_of, colours_of
from parabola.statistics import share_interval

WITH_UNIT = "replace(format(datum.value, '.2~s'), regexp('([mµn]?)$'), ' $1s')"  # of a label in seconds: 20 µs


def size_row(line: str, measurement: Measurement) -> dict[str, Any]:
    """Return a point of a picture of times over sizes.

    Args:
        line: label of the line that the point is on.
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
        "verdict": measurement.answer.verdict_words or "not judged",
        "rounds": times.rounds,
    }


def size_figure(rows: list[dict[str, Any]], title: str) -> Any:
    """Draw times over batch size or members, both axes logarithmic: a line a label.

    Args:
        rows: the points, as `size_row` makes them, all of one kind.
        title: title of the horizontal axis.

    Returns:
        An Altair chart: medians, with the range between the quartiles.
    """
    labels = list(dict.fromkeys(row["line"] for row in rows))
    exact = alt.Axis(values=sorted({row["size"] for row in rows}), format="d", grid=False, labelOverlap=True)
    picked = alt.selection_point(fields=["line"], bind="legend", name="pick")
    base = alt.Chart().encode(
        x=alt.X("size:Q", title=title, scale=alt.Scale(type="log", nice=False, padding=12), axis=exact),
        color=colour_of("line", labels),
        opacity=alt.condition(picked, alt.value(1), alt.value(0.15)),
        tooltip=[
            alt.Tooltip("line:N", title="what"),
            alt.Tooltip("size:Q", title=title),
            alt.Tooltip("learning rate:Q", format="~g"),
            alt.Tooltip("seconds:Q", title="median, seconds", format=".3~s"),
            alt.Tooltip("low:Q", title="lower quartile", format=".3~s"),
            alt.Tooltip("high:Q", title="upper quartile", format=".3~s"),
            "rounds:Q",
            "verdict:N",
        ],
    )
    with_unit = alt.Axis(labelExpr=WITH_UNIT, tickCount=6, gridOpacity=0.3)
    y = alt.Y("seconds:Q", title="time per epoch", scale=alt.Scale(type="log"), axis=with_unit)
    lines = base.mark_line(strokeWidth=2).encode(y=y)
    ranges = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title="time per epoch"), y2="high:Q")
    dots = base.mark_point(filled=True, size=70).encode(y=y, shape=alt.Shape("line:N", scale=alt.Scale(domain=labels)))
    return chart_of(rows, lines, ranges, dots.add_params(picked))


def history_figure(history: History, kind: str) -> Any:
    """Draw times over commits: a line a case, a rule where one changed its level; one case is picked from a list.

    Each line is drawn against its own median, so that a change looks the same in a fast case and in a slow one.

    Args:
        history: the history of one machine and its software.
        kind: which benchmarks.

    Returns:
        An Altair chart.
    """
    rows, rules, names = list[dict[str, Any]](), list[dict[str, Any]](), list[str]()
    for line in history.lines:
        if line.measurement.case.kind != kind:
            continue
        name = line.measurement.case.label
        names.append(name)
        usual = float(np.median(line.seconds))
        for part in blocks(len(line.at)):
            commits = [history.commits[place] for place in line.at[part]]
            seconds = median(line.seconds[part].tolist())
            rows.append(
                {
                    "case": name,
                    "commit": int(line.at[part[-1]]) + 1,
                    "seconds": seconds,
                    "against": seconds / usual - 1,
                    "id": commits[-1].id[:9],
                    "made": f"{commits[-1].made:%Y-%m-%d %H:%M}",
                    "of": f"median of {len(part)} commits" if len(part) > 1 else "one commit",
                }
            )
        for change in line.changes:
            rules.append(
                {
                    "case": name,
                    "commit": int(line.at[change.at]) + 0.5,
                    "change": f"{100 * (change.ratio - 1):+.1f} %",
                    "id": history.commits[line.at[change.at]].id[:9],
                }
            )
    listed = alt.binding_select(options=[None, *names], labels=["all", *names], name="case ")
    picked = alt.selection_point(fields=["case"], bind=listed, name="pick")
    moved = alt.selection_interval(bind="scales", encodings=["x"], zoom=ZOOM, name="zoom")
    shown = alt.condition(picked, alt.value(1), alt.value(0.06))
    x = alt.X("commit:Q", title="commit, oldest first", axis=alt.Axis(format="d", tickMinStep=1, grid=False))
    axis = alt.Axis(format="+.0%", gridOpacity=0.3)
    y = alt.Y(
        "against:Q", title="against the case's median", scale=alt.Scale(zero=False, nice=False, padding=8), axis=axis
    )
    colour = alt.Color("case:N", scale=colours_of(names), legend=None)
    tooltip = [
        alt.Tooltip("case:N"),
        alt.Tooltip("seconds:Q", title="median, seconds", format=".3~s"),
        alt.Tooltip("against:Q", title="against the case's median", format="+.1%"),
        alt.Tooltip("id:N", title="commit"),
        alt.Tooltip("made:N"),
        alt.Tooltip("of:N", title="point"),
    ]
    base = alt.Chart().encode(x=x, y=y, color=colour, opacity=shown, tooltip=tooltip)
    rule = alt.Chart({"values": rules}).mark_rule(strokeDash=[5, 4], strokeWidth=2)
    rule = rule.encode(x=x, color=colour, opacity=shown, tooltip=["case:N", "change:N", "id:N"])
    layers = [base.mark_line(strokeWidth=1.5), base.mark_point(filled=True, size=26).add_params(picked, moved)]
    return chart_of(rows, *layers, *([rule] if rules else []))


def pass_rate_figure(history: History) -> Any:
    """Draw the share of seeds that pass over commits, with its 95 % interval: a line a case that counts them."""
    rows, names = list[dict[str, Any]](), list[str]()
    for line in history.lines:
        if line.passes is None:
            continue
        names.append(line.measurement.case.words)
        keep = [part[int(np.argmin(line.passes.rates[part]))] for part in blocks(len(line.at))]
        for place, settled, seeds in zip(
            line.at[keep], line.passes.settled[keep], line.passes.seeds[keep], strict=True
        ):
            low, high = share_interval(int(settled), int(seeds))
            commit = history.commits[place]
            rows.append(
                {
                    "case": names[-1],
                    "commit": int(place) + 1,
                    "rate": settled / seeds,
                    "low": low,
                    "high": high,
                    "seeds": f"{settled} of {seeds}",
                    "id": commit.id[:9],
                }
            )
    picked = alt.selection_point(fields=["case"], bind="legend", name="pick")
    base = alt.Chart().encode(
        x=alt.X("commit:Q", title="commit, oldest first", axis=alt.Axis(format="d", tickMinStep=1, grid=False)),
        color=colour_of("case", names),
        tooltip=["case:N", "seeds:N", alt.Tooltip("id:N", title="commit")],
    )
    y = alt.Y("rate:Q", title="pass rate", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%"))
    bands = base.mark_area().encode(
        y=alt.Y("low:Q", title="pass rate"),
        y2="high:Q",
        opacity=alt.condition(picked, alt.value(0.12), alt.value(0.0)),
    )
    shown = alt.condition(picked, alt.value(1), alt.value(0.1))
    lines = base.mark_line(point=True, strokeWidth=2).encode(y=y, opacity=shown)
    return chart_of(rows, bands, lines.add_params(picked))
