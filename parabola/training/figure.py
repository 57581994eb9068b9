"""One training run as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from parabola.display.pictures import BLUE, GREY, ORANGE, heading, powers_of_ten
from parabola.training.data import sample
from parabola.training.fit import Fit
from parabola.training.text import verdict_line

TEST_INPUTS, TEST_SEED = 100, 43
MOST_POINTS = 800  # a line as wide as a screen shows no more


def training_figure(fit: Fit) -> Any:
    """Draw a training run: true and learnt curve over the test inputs, and loss and coefficient error by epoch.

    Values that are not finite cannot be drawn, and are left out.

    Returns:
        An Altair chart.
    """
    import altair as alt

    spec, learning_rate = fit.experiment, fit.experiment.smallest_learning_rate
    x, _ = sample(spec.target, TEST_INPUTS, seed=TEST_SEED, low=spec.low, high=spec.high)
    with np.errstate(all="ignore"):
        learnt = np.polyval(fit.coefficients[-1], x.astype(float))
    curves = [
        {"x": float(at), "y": float(value), "curve": name}
        for name, values in (("true", spec.target(x)), ("learnt", learnt))
        for at, value in sorted(zip(x.ravel(), values.ravel(), strict=True))
        if np.isfinite(value)
    ]
    shown = np.unique(np.geomspace(1, len(fit.loss), MOST_POINTS).round().astype(int))
    history = [
        {"epoch": int(epoch), "value": float(value), "quantity": name}
        for name, values in (("coefficient error", fit.coefficient_error), ("loss", fit.loss))
        for epoch, value in zip(shown, values[shown - 1], strict=True)
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
        x=alt.X("epoch:Q", scale=alt.Scale(type="log", nice=False), axis=_round_axis(history, "epoch")),
        y=alt.Y("value:Q", title=None, scale=alt.Scale(type="log"), axis=_round_axis(history, "value")),
        color=alt.Color(
            "quantity:N",
            scale=alt.Scale(domain=["coefficient error", "loss"], range=[BLUE, ORANGE]),
            title=None,
        ),
        tooltip=["quantity:N", "epoch:Q", alt.Tooltip("value:Q", format=".3e")],
    )
    rule = alt.Chart(alt.Data(values=[{"value": learning_rate, "label": f"learning rate {learning_rate:g}"}]))
    threshold = rule.mark_rule(strokeDash=[5, 4], color="#777").encode(y="value:Q")
    label = rule.mark_text(align="left", dx=6, color="#555")  # beside the plot, where no line crosses it
    label = label.encode(x=alt.value(size["width"]), y="value:Q", text="label:N")
    chart = alt.hconcat(
        alt.layer(wide, thin.mark_line(strokeWidth=2), dots).properties(**size),
        alt.layer(lines, threshold, label).properties(**size),
        spacing=40,
        title=heading(f"{spec.network} learns {spec.target}", verdict_line(fit.summary())),
    )
    legend = {"orient": "bottom", "labelFontSize": 12}
    return chart.resolve_scale(color="independent").properties(padding=16).configure_legend(**legend)


def _round_axis(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return the logarithmic axis of a field, with labels at round numbers, as 0.001, 0.01 and 0.1."""
    import altair as alt

    return alt.Axis(values=powers_of_ten([row[name] for row in rows] or [1.0]), format="~g", gridOpacity=0.5)
