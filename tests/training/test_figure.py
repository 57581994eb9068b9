"""The picture of one run."""

from typing import Any

import numpy as np

from parabola.training.figure import training_figure
from tests.charts import BLUE, GREY, ORANGE, TITLE, field, specification, values


def training(**changes: Any) -> dict[str, Any]:
    """Return the picture of three epochs, of inputs out of order and with values that no axis can show."""
    shown: dict[str, Any] = {
        **{"x": np.array([[0.5], [0.25], [1.0]]), "true": np.array([[3], [2], [5]]), "learnt": [3.5, 2.25, np.inf]},
        **{"loss": [4, 1, 0.25], "coefficient_error": [2, 0, 0.5], "learning_rate": 0.0125},
    }
    return specification(training_figure(**{**shown, "title": "A title", "subtitle": "and more", **changes}))


def test_the_curves_of_a_training_run() -> None:
    """The true curve is wide and grey, the learnt one thin and blue with a dot for each input, along x in order."""
    layers = training()["hconcat"][0]["layer"]
    rows = [(0.25, 2.0, "true"), (0.5, 3.0, "true"), (1.0, 5.0, "true"), (0.25, 2.25, "learnt"), (0.5, 3.5, "learnt")]
    encoding = {
        "x": field("x", scale={"nice": False}),
        "y": field("y", scale={"zero": False}),
        "color": field("curve", "nominal", scale={"domain": ["true", "learnt"], "range": [GREY, BLUE]}, title=None),
    }
    tooltip = [field("x"), field("y", title="learnt y")]

    assert [values(layer) for layer in layers] == [[{"x": x, "y": y, "curve": curve} for x, y, curve in rows]] * 3
    assert [(layer["mark"], layer["transform"], layer["encoding"]) for layer in layers] == [
        ({"type": "line", "strokeWidth": 8}, [{"filter": "datum.curve == 'true'"}], encoding),
        ({"type": "line", "strokeWidth": 2}, [{"filter": "datum.curve == 'learnt'"}], encoding),
        (
            {"type": "circle", "size": 22, "opacity": 1},
            [{"filter": "datum.curve == 'learnt'"}],
            {**encoding, "tooltip": tooltip},
        ),
    ]
    assert {layer["title"] for layer in layers} == {"The 100 test inputs"}


def test_the_history_of_a_training_run() -> None:
    """Error and loss stand over the epochs on logarithmic axes, with the learning rate as a labelled dashed line."""
    lines, rule, label = training()["hconcat"][1]["layer"]
    error, loss = [(1, 2.0), (3, 0.5)], [(1, 4.0), (2, 1.0), (3, 0.25)]
    colours = {"domain": ["coefficient error", "loss"], "range": [BLUE, ORANGE]}

    assert values(lines) == [
        *({"epoch": epoch, "value": value, "quantity": "coefficient error"} for epoch, value in error),
        *({"epoch": epoch, "value": value, "quantity": "loss"} for epoch, value in loss),
    ]
    assert (lines["mark"], lines["title"]) == ({"type": "line", "strokeWidth": 1.5}, "After each epoch")
    assert lines["encoding"] == {
        "x": field("epoch", scale={"type": "log", "nice": False}, axis={"format": "d", "tickCount": 4}),
        "y": field("value", title=None, scale={"type": "log"}, axis={"format": ".0e", "tickCount": 6}),
        "color": field("quantity", "nominal", scale=colours, title=None),
        "tooltip": [field("quantity", "nominal"), field("epoch"), field("value", format=".3e")],
    }
    assert values(rule) == values(label) == [{"value": 0.0125, "label": "learning rate 0.0125"}]
    assert rule["mark"] == {"type": "rule", "strokeDash": [5, 4], "color": "#777"}
    assert rule["encoding"] == {"y": field("value")}
    assert label["mark"] == {"type": "text", "align": "left", "dx": 4, "dy": -7, "color": "#555"}
    assert label["encoding"] == {"x": {"value": 0}, "y": field("value"), "text": field("label", "nominal")}


def test_the_frame_of_a_training_run() -> None:
    """Both halves have one size and a legend of their own below; the title stands at the left above both."""
    drawn = training()
    halves = drawn.pop("hconcat")

    assert [(half["width"], half["height"]) for half in halves] == [(400, 300)] * 2
    assert drawn == {
        "title": {**TITLE, "offset": 14},
        "spacing": 40,
        "padding": 16,
        "resolve": {"scale": {"color": "independent"}},
        "config": {"legend": {"orient": "bottom", "labelFontSize": 12}},
    }


def test_a_long_history_is_thinned_evenly_on_its_axis() -> None:
    """Of 5,000 epochs 800 are picked at equal ratios, each once: all early ones, few late ones, the last one."""
    epochs = np.arange(1, 5001)
    rows = values(training(loss=1 / epochs, coefficient_error=2 / epochs)["hconcat"][1]["layer"][0])
    picked = sorted({round(5000 ** (number / 799)) for number in range(800)})

    assert picked[:90] == [*range(1, 91)]
    assert picked[-1] == 5000
    for quantity, factor in (("coefficient error", 2), ("loss", 1)):
        shown = [(row["epoch"], row["value"]) for row in rows if row["quantity"] == quantity]
        assert shown == [(epoch, factor / epoch) for epoch in picked]
