"""The picture of one run."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.training import figure
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Parabola
from tests.charts import BLUE, GREY, ORANGE, TITLE, field, specification, values

Drawn = Callable[..., dict[str, Any]]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Return what draws three epochs, of inputs out of order and with an error that no logarithmic axis can show."""
    monkeypatch.setattr(figure, "sample", lambda *_, **__: (np.array([[0.5], [0.25], [1.0]]), None))
    ended = {"diverged_epoch": None, "verdict": "fail", "coefficient_error": 0.5, "smallest_learning_rate": 0.0125}
    fit = {
        **{"experiment": Experiment(learning_rate=0.5, final_learning_rate=0.0125)},
        **{"coefficients": np.array([[9, 9, 9], [1, 2, 2.5]]), "summary": lambda: ended},
        **{"loss": np.array([4, 1, 0.25]), "coefficient_error": np.array([2, 0, 0.5])},
    }

    def draw(**changes: Any) -> dict[str, Any]:
        shown: Any = SimpleNamespace(**{**fit, **changes})
        return specification(figure.training_figure(shown))

    return draw


def test_the_curves_of_a_training_run(training: Drawn) -> None:
    """The true curve is wide and grey, the learnt one thin and blue with a dot for each input, along x in order."""
    layers = training()["hconcat"][0]["layer"]
    rows = [(0.25, 2.5625, "true"), (0.5, 3.25, "true"), (1.0, 5.0, "true")]
    rows += [(0.25, 3.0625, "learnt"), (0.5, 3.75, "learnt"), (1.0, 5.5, "learnt")]
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


def test_the_history_of_a_training_run(training: Drawn) -> None:
    """Error and loss stand over the epochs on logarithmic axes, with the learning rate as a labelled dashed line."""
    lines, rule, label = training()["hconcat"][1]["layer"]
    error, loss = [(1, 2.0), (3, 0.5)], [(1, 4.0), (2, 1.0), (3, 0.25)]
    colours = {"domain": ["coefficient error", "loss"], "range": [BLUE, ORANGE]}

    assert values(lines) == [
        *({"epoch": epoch, "value": value, "quantity": "coefficient error"} for epoch, value in error),
        *({"epoch": epoch, "value": value, "quantity": "loss"} for epoch, value in loss),
    ]
    round_labels, steps = {"format": "~g", "gridOpacity": 0.5}, [0.1, 0.2, 0.5, 1, 2, 5, 10]
    assert (lines["mark"], lines["title"]) == ({"type": "line", "strokeWidth": 1.5}, "After each epoch")
    assert lines["encoding"] == {
        "x": field("epoch", scale={"type": "log", "nice": False}, axis={**round_labels, "values": [1, 2, 5, 10]}),
        "y": field("value", title=None, scale={"type": "log"}, axis={**round_labels, "values": steps}),
        "color": field("quantity", "nominal", scale=colours, title=None),
        "tooltip": [field("quantity", "nominal"), field("epoch"), field("value", format=".3e")],
    }
    assert values(rule) == values(label) == [{"value": 0.0125, "label": "learning rate 0.0125"}]
    assert rule["mark"] == {"type": "rule", "strokeDash": [5, 4], "color": "#777"}
    assert rule["encoding"] == {"y": field("value")}
    assert label["mark"] == {"type": "text", "align": "left", "dx": 6, "color": "#555"}
    assert label["encoding"] == {"x": {"value": 400}, "y": field("value"), "text": field("label", "nominal")}


def test_the_frame_of_a_training_run(training: Drawn) -> None:
    """Both halves have one size and a legend of their own below; the title stands at the left above both."""
    drawn = training()
    halves = drawn.pop("hconcat")

    assert [(half["width"], half["height"]) for half in halves] == [(400, 300)] * 2
    assert drawn == {
        "title": {
            **{**TITLE, "offset": 14, "text": "two_neuron learns x² + 2x + 2"},
            "subtitle": "fail: coefficient error 0.5 ≥ learning rate 0.0125",
        },
        "spacing": 40,
        "padding": 16,
        "resolve": {"scale": {"color": "independent"}},
        "config": {"legend": {"orient": "bottom", "labelFontSize": 12}},
    }


def test_a_long_history_is_thinned_evenly_on_its_axis(training: Drawn) -> None:
    """Of 5,000 epochs 800 are picked at equal ratios, each once: all early ones, few late ones, the last one."""
    epochs = np.arange(1, 5001)
    rows = values(training(loss=1 / epochs, coefficient_error=2 / epochs)["hconcat"][1]["layer"][0])
    picked = sorted({round(5000 ** (number / 799)) for number in range(800)})

    assert picked[:90] == [*range(1, 91)]
    assert picked[-1] == 5000
    for quantity, factor in (("coefficient error", 2), ("loss", 1)):
        shown = [(row["epoch"], row["value"]) for row in rows if row["quantity"] == quantity]
        assert shown == [(epoch, factor / epoch) for epoch in picked]


def test_the_curves_are_the_runs() -> None:
    """A hundred inputs of their own seed in the run's range, the truth and the last epoch there, and its history."""
    spec = Experiment(
        target=Parabola(2, -4, 5), learning_rate=0.5, final_learning_rate=0.25, low=-1.0, high=3.0, epochs=2
    )
    fit = Fit(spec, "cpu:0", np.array([[1, 1, 1, 1], [1, -1, 2, 3.125]], np.float32), 2.0, 1.0)
    drawn = specification(figure.training_figure(fit))
    curves, (lines, rule, _) = (half["layer"] for half in drawn["hconcat"])
    true, learnt = (
        [(row["x"], row["y"]) for row in values(curves[0]) if row["curve"] == name] for name in ("true", "learnt")
    )
    np.random.seed(43)
    wide = -1 + 4 * np.random.rand(100, 1)
    x = np.sort(wide.astype(np.float32), axis=None).astype(float)

    np.testing.assert_allclose(np.transpose(true), [x, 2 * x**2 - 4 * x + 5], rtol=1e-6)
    np.testing.assert_allclose(np.transpose(learnt), [x, 2 * x**2 - 4 * x + 5.125], rtol=1e-6)
    assert [row["value"] for row in values(lines)] == [6.0, 0.125, *fit.loss]
    assert values(rule) == [{"value": 0.25, "label": "learning rate 0.25"}]
    assert drawn["title"]["text"] == "two_neuron learns 2x² - 4x + 5"
    assert drawn["title"]["subtitle"] == "pass: coefficient error 0.125 < learning rate 0.25"


def test_a_diverged_run_is_drawn_without_a_warning() -> None:
    """Infinity minus infinity is no curve, and the line below the title says when it happened."""
    weights = np.array([[1, 1, 1, 1], [np.inf, -1, 1, 1]], np.float32)
    drawn = specification(figure.training_figure(Fit(Experiment(), "cpu:0", weights, 2.0, 1.0)))
    rows = values(drawn["hconcat"][0]["layer"][0])

    assert {row["curve"] for row in rows} == {"true"}
    assert len(rows) == 100
    assert drawn["title"]["subtitle"] == "diverged: a weight was NaN or infinite after epoch 2"
