"""One training run as a picture."""

from typing import Any

import numpy as np
import numpy.typing as npt

from parabola.display.pictures import BLUE, GREY, ORANGE

MOST_POINTS = 800  # a line as wide as a screen shows no more


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
        true: shape (n,): the target at the test inputs.
        learnt: shape (n,): the learnt parabola at the test inputs.
        loss: shape (epochs,): mean squared error over all samples after each epoch.
        coefficient_error: shape (epochs,): the error after each epoch.
        learning_rate: the bound below which the coefficient error has to get.
        title: the heading, one line.
        subtitle: the line below it.

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
