"""What the pictures show, from the Vega-Lite specification: data, axes, colours, words and sizes, by value."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parabola.compare.figure import ratio_figure
from parabola.display import pictures
from parabola.ensemble.figure import map_figure
from parabola.training.figure import training_figure

BLUE, ORANGE, GREY = "#2f6db3", "#e0752d", "#b4b4b4"
TITLE = {"text": "A title", "subtitle": "and more", "anchor": "start", "fontSize": 16, "subtitleFontSize": 13}


def specification(chart: Any) -> dict[str, Any]:
    """Return a chart's Vega-Lite without its version, each layer with the data and size that it shares with others."""
    drawn: dict[str, Any] = chart.to_dict()
    del drawn["$schema"]
    drawn["config"].pop("view")
    for part in drawn.get("hconcat", [drawn]):
        shared = {"data": part.pop("data")} if "data" in part else {}
        part["layer"] = [{**shared, **layer} for layer in part["layer"]]
    return drawn


def values(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a layer draws."""
    rows: list[dict[str, Any]] = layer["data"]["values"]
    return rows


def field(name: str, kind: str = "quantitative", **others: Any) -> dict[str, Any]:
    """Return how Vega-Lite writes a channel that shows a field."""
    return {"field": name, "type": kind, **others}


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


CELLS: list[dict[str, Any]] = [
    {
        **{"learning_rate": 0.01, "batch_size": 9, "seeds": 8, "passes": 3, "low": 0.1234, "high": 0.789},
        **{"positive_seeds": 5, "positive_passes": 2, "diverged": 2, "median_error": 0.5, "passed": "a8"},
    },
    {
        **{"learning_rate": 0.1, "batch_size": 27, "seeds": 8, "passes": 5, "low": 0.25, "high": 0.96},
        **{"positive_seeds": 8, "positive_passes": 5, "diverged": 0, "median_error": 0.25, "passed": "f8"},
    },
    {
        **{"learning_rate": 0.01, "batch_size": 27, "seeds": 8, "passes": 0, "low": 0.0, "high": 0.32},
        **{"positive_seeds": 0, "positive_passes": 0, "diverged": 8, "median_error": None, "passed": "00"},
    },
]
GRID = {"learning_rates": [0.1, 0.01], "batch_sizes": [9, 111, 27]}
PLAIN = ["learning_rate", "batch_size", "median_error", "diverged"]
MAP_AXES = {
    "x": field(
        "learning_rate",
        "ordinal",
        title="learning rate",
        sort=[0.01, 0.1],
        axis={"labelAngle": -45, "labelExpr": "format(datum.value, '~g')", "labelFontSize": 11, "titleFontSize": 13},
    ),
    "y": field(
        "batch_size",
        "ordinal",
        title="batch size",
        sort=[111, 27, 9],
        axis={"labelFontSize": 12, "titleFontSize": 13},
    ),
}
MAP_TOOLTIP = [
    field("learning_rate", title="learning rate", format="~g"),
    field("batch_size", title="batch size"),
    field("passes", "nominal", title="seeds that pass"),
    field("interval", "nominal", title="95 % interval"),
    field("median_error", title="median coefficient error", format=".2e"),
    field("diverged", title="diverged"),
]


def learning_map(cells: list[dict[str, Any]] = CELLS, **others: Any) -> dict[str, Any]:
    """Return the picture of a map."""
    return specification(map_figure(cells, GRID, title="A title", subtitle="and more", **others))


def test_the_rows_of_a_map() -> None:
    """A cell is drawn by its pass rate and says its counts, interval and split, with "none" for none of a sign."""
    fill, text = learning_map()["layer"]
    first, second, third = values(fill)

    assert values(text) == values(fill)
    assert [[row[name] for name in PLAIN] for row in values(fill)] == [[cell[name] for name in PLAIN] for cell in CELLS]
    assert {name: value for name, value in first.items() if name not in PLAIN} == {
        **{"pass_rate": 0.375, "per_cent": "38", "passes": "3 of 8 (37.5 %)", "interval": "12.3 to 78.9 %"},
        **{"positive": "2 of 5 (40.0 %)", "negative": "1 of 3 (33.3 %)"},
    }
    assert {name: value for name, value in second.items() if name not in PLAIN} == {
        **{"pass_rate": 0.625, "per_cent": "62", "passes": "5 of 8 (62.5 %)", "interval": "25.0 to 96.0 %"},
        **{"positive": "5 of 8 (62.5 %)", "negative": "none"},
    }
    assert {name: value for name, value in third.items() if name not in PLAIN} == {
        **{"pass_rate": 0.0, "per_cent": "0", "passes": "0 of 8 (0.0 %)", "interval": "0.0 to 32.0 %"},
        **{"positive": "none", "negative": "0 of 8 (0.0 %)"},
    }


def test_the_layers_of_a_map() -> None:
    """Colour goes from 0 to 1 whatever the rates, and the numbers on it are dark where it is light."""
    drawn = learning_map()
    fill, text = drawn.pop("layer")
    tooltip = [
        *MAP_TOOLTIP,
        field("positive", "nominal", title="second kernel began positive"),
        field("negative", "nominal", title="second kernel began negative"),
    ]

    assert (fill["mark"], text["mark"]) == ({"type": "rect"}, {"type": "text", "fontSize": 11})
    assert fill["encoding"] == {
        **MAP_AXES,
        "color": field(
            "pass_rate",
            title="pass rate",
            scale={"scheme": "viridis", "domain": [0, 1]},
            legend={"format": ".0%", "gradientLength": 220},
        ),
        "tooltip": tooltip,
    }
    assert text["encoding"] == {
        **MAP_AXES,
        "text": field("per_cent", "nominal"),
        "color": {"condition": {"test": "datum.pass_rate > 0.6", "value": "#1b1b1b"}, "value": "white"},
        "tooltip": tooltip,
    }
    assert drawn == {
        **{"title": {**TITLE, "offset": 14}, "width": {"step": 38}, "height": {"step": 36}},
        **{"padding": 16, "config": {}},
    }


def test_a_map_without_a_second_kernel_has_no_split() -> None:
    """Neither rows nor tooltips speak of a sign that the network does not have."""
    fill, _ = learning_map([{**CELLS[0], "positive_seeds": None, "positive_passes": None}])["layer"]

    assert fill["encoding"]["tooltip"] == MAP_TOOLTIP
    assert not {"positive", "negative"} & set(values(fill)[0])


def test_the_framed_cells_of_a_map() -> None:
    """Each cell to frame has an orange frame without a filling, on the map's own axes."""
    _, _, frame = learning_map(framed=[(0.01, 27), (0.1, 9)])["layer"]

    assert values(frame) == [{"learning_rate": 0.01, "batch_size": 27}, {"learning_rate": 0.1, "batch_size": 9}]
    assert frame["mark"] == {"type": "rect", "fillOpacity": 0, "stroke": "#ff7f2a", "strokeWidth": 3}
    assert frame["encoding"] == MAP_AXES


def comparison(*cases: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the picture of a comparison's record."""
    base = {"revision": "main", "commit": "0123456789abcdef"}
    head = {"revision": "HEAD~2", "commit": "fedcba9876543210"}
    record = {
        **{"verdict": "slower", "base": base, "head": head, "confidence": 0.975, "minimum_effect": 0.0625},
        "control": make_case("benchmarks/a.py::control", 1.0, 0.875, 1.0625, verdict="same", launches=11),
        "cases": list(cases),
    }
    return specification(ratio_figure({**record, **changes}))


def make_case(name: str, ratio: float | None, low: float | None, high: float | None, **others: Any) -> dict[str, Any]:
    """Return what a record says of a case."""
    return {"case": name, "ratio": ratio, "low": low, "high": high, "verdict": "inconclusive", "launches": 2, **others}


SLOWER = make_case("benchmarks/b.py::bench[z]", 1.5, 1.25, 1.75, verdict="slower", launches=7)
LAST = "control (no change can touch it)"


def test_the_rows_of_a_comparison() -> None:
    """A row a case in the record's order and the control last, as changes; what was never measured is left out."""
    unmeasured = make_case("c.py::never", None, None, None, launches=0)
    few = make_case("c.py::a|b[c]", 0.75, 0.0, None)
    _, _, bars, points = comparison(SLOWER, unmeasured, few)["layer"]
    rows = [
        ("bench[z]", 0.5, 0.25, 0.75, "slower", 7),
        ("a|b[c]", -0.25, None, None, "inconclusive", 2),
        (LAST, 0.0, -0.125, 0.0625, "same", 11),
    ]
    names = ("case", "change", "low", "high", "verdict", "launches")

    assert values(bars) == values(points) == [dict(zip(names, row, strict=True)) for row in rows]
    assert points["encoding"]["y"]["sort"] == ["bench[z]", "a|b[c]", LAST]


def test_the_layers_of_a_comparison() -> None:
    """The band, the zero line, the intervals and the points share an axis; each verdict has its colour."""
    drawn = comparison(SLOWER)
    band, zero, bars, points = drawn.pop("layer")
    scale = {"domain": [pytest.approx(-0.825), pytest.approx(0.825)], "nice": False}
    x = field("low", title="time of head against base", scale=scale, axis={"format": "+.0%", "titleFontSize": 13})
    colours = {
        "domain": ["slower", "wrong", "faster", "same", "inconclusive"],
        "range": ["#c0392b", "#7b241c", "#1e8449", BLUE, GREY],
    }
    shares = [field(name, format="+.1%") for name in ("change", "low", "high")]
    encoding = {
        "y": field(
            "case",
            "nominal",
            sort=["bench[z]", LAST],
            title=None,
            axis={"labelLimit": 520, "labelFontSize": 12},
        ),
        "color": field(
            "verdict", "nominal", title=None, scale=colours, legend={"orient": "bottom", "labelFontSize": 12}
        ),
        "tooltip": [field("case", "nominal"), field("verdict", "nominal"), field("launches"), *shares],
    }

    assert (values(band), values(zero)) == ([{"low": -0.0625, "high": 0.0625}], [{"low": 0}])
    assert (band["mark"], band["encoding"]) == (
        {"type": "rect", "color": "#888", "opacity": 0.15},
        {"x": x, "x2": {"field": "high"}},
    )
    assert (zero["mark"], zero["encoding"]) == ({"type": "rule", "color": "#777", "strokeDash": [4, 4]}, {"x": x})
    assert (bars["mark"], bars["transform"], bars["encoding"]) == (
        {"type": "rule", "strokeWidth": 3},
        [{"filter": "isValid(datum.low)"}],
        {**encoding, "x": x, "x2": {"field": "high"}},
    )
    assert (points["mark"], points["encoding"]) == (
        {"type": "point", "filled": True, "size": 70, "opacity": 1},
        {**encoding, "x": field("change", scale=scale)},
    )
    assert "transform" not in points
    assert drawn == {
        "title": {
            **TITLE,
            "text": "slower: HEAD~2 (fedcba987) against main (012345678)",
            "subtitle": "intervals, together 97.5 %; shaded: ±6.25 %, counts as same",
            "offset": 14,
        },
        **{"width": 460, "height": {"step": 30}, "padding": 16, "config": {}},
    }


@pytest.mark.parametrize(
    ("case", "reach"),
    [
        (make_case("a", 0.5, 0.25, 1.5), 0.75),  # the lower end is the farthest
        (make_case("a", 1.0, 0.9375, 1.5), 0.5),  # the upper one
        (make_case("a", 1.0, 0.9375, 1.03125), 0.125),  # neither is beyond the control's lower end, or twice the effect
        (make_case("a", 1.75, 0.0, None), 0.75),  # a point without an interval, above
        (make_case("a", 0.5, 0.0, None), 0.5),  # and below
    ],
)
def test_the_axis_of_a_comparison_is_symmetric(case: dict[str, Any], reach: float) -> None:
    """It goes a tenth beyond the farthest of all points, ends of intervals, and twice the minimum effect."""
    domain = comparison(case)["layer"][3]["encoding"]["x"]["scale"]["domain"]

    assert domain == pytest.approx([-1.1 * reach, 1.1 * reach])


def test_the_axis_of_a_comparison_shows_the_whole_band() -> None:
    """Where all intervals are shorter, the axis goes to twice the minimum effect and a tenth of that beyond."""
    control = make_case("a", 1.0, 0.99, 1.01)
    domain = comparison(control=control)["layer"][3]["encoding"]["x"]["scale"]["domain"]

    assert domain == pytest.approx([-0.1375, 0.1375])


class Chart:
    """Stands for a chart: it writes with what options it was saved."""

    def save(self, path: str, **options: Any) -> None:
        """Write the options, and the suffix of the file."""
        Path(path).write_text(f"{Path(path).suffix} {options}")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.png", ".png {'scale_factor': 2}"),
        ("a.svg", ".svg {}"),
        ("a b.HTML", ".HTML {'inline': True}"),
        ("ü.PNG", ".PNG {'scale_factor': 2}"),
    ],
)
def test_a_picture_is_saved_as_its_suffix_says(name: str, written: str, tmp_path: Path) -> None:
    """PNG has twice the points, HTML holds its scripts so that it works offline; the suffix may be in capitals."""
    pictures.save(Chart(), tmp_path / name)

    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {name: written}


def test_a_picture_of_an_unknown_format_is_not_written(tmp_path: Path) -> None:
    """The message names the path and the formats that are known."""
    path = tmp_path / "a.pdf"
    with pytest.raises(ValueError, match="unknown format") as caught:
        pictures.save(Chart(), path)

    assert str(caught.value) == f"unknown format '.pdf' of {path}; known: .png, .svg, .html"
    assert list(tmp_path.iterdir()) == []
