"""The picture of a map."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from parabola.ensemble.figure import _labelled, map_figure
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell
from parabola.training.experiment import Experiment
from tests.charts import TITLE, field, specification, values

CELLS = [
    Cell(0.01, 9, 8, 3, 0.1234, 0.789, 5, 2, 2, 0.5, "a8"),
    Cell(0.1, 27, 8, 5, 0.25, 0.96, 8, 5, 0, 0.25, "f8"),
    Cell(0.01, 27, 8, 0, 0.0, 0.32, 0, 0, 8, None, "00"),
]
GRID = Grid(Experiment(), (0.1, 0.01), (9, 111, 27))
PLAIN = ["learning_rate", "batch_size", "median_error", "diverged"]
MAP_AXES = {
    "x": field(
        "learning_rate",
        "ordinal",
        title="learning rate",
        sort=[0.01, 0.1],
        axis={"labelAngle": 0, "labelExpr": "format(datum.value, '~g')", "labelFontSize": 11, "titleFontSize": 13}
        | {"values": [0.01, 0.1]},
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


def learning_map(cells: Sequence[Cell] = CELLS, **others: Any) -> dict[str, Any]:
    """Return the picture of a map."""
    return specification(map_figure(cells, GRID, title="A title", subtitle="and more", **others))


def test_the_rows_of_a_map() -> None:
    """A cell is drawn by its pass rate and says its counts, interval and split, with "none" for none of a sign."""
    fill, text = learning_map()["layer"]
    first, second, third = values(fill)

    assert values(text) == values(fill)
    assert [[row[name] for name in PLAIN] for row in values(fill)] == [
        [getattr(cell, name) for name in PLAIN] for cell in CELLS
    ]
    assert {name: value for name, value in first.items() if name not in PLAIN} == {
        **{"pass_rate": 0.375, "per_cent": "38", "passes": "3 of 8 (37.5 %)", "interval": "12.3 to 78.9 %"},
        **{"positive": "2 of 5 (40.0 %)", "negative": "1 of 3 (33.3 %)"},
    }
    assert {name: value for name, value in second.items() if name not in PLAIN} == {
        **{"pass_rate": 0.625, "per_cent": "63", "passes": "5 of 8 (62.5 %)", "interval": "25.0 to 96.0 %"},
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
    fill, _ = learning_map([replace(CELLS[0], positive_seeds=None, positive_passes=None)])["layer"]

    assert fill["encoding"]["tooltip"] == MAP_TOOLTIP
    assert not {"positive", "negative"} & set(values(fill)[0])


def test_the_framed_cells_of_a_map() -> None:
    """Each cell to frame has an orange frame without a filling, on the map's own axes."""
    _, _, frame = learning_map(framed=[(0.01, 27), (0.1, 9)])["layer"]

    assert values(frame) == [{"learning_rate": 0.01, "batch_size": 27}, {"learning_rate": 0.1, "batch_size": 9}]
    assert frame["mark"] == {"type": "rect", "fillOpacity": 0, "stroke": "#ff7f2a", "strokeWidth": 3}
    assert frame["encoding"] == MAP_AXES


@pytest.mark.parametrize(
    ("rates", "labelled"),
    [
        ((1.0, 0.1, 0.0316, 0.01, 0.00316, 0.001, 0.5, 0.2, 0.05), [0.001, 0.01, 0.1, 1.0]),
        ((1.0, 0.1, 0.0316, 0.01, 0.00316, 0.001, 0.5, 0.2), [0.001, 0.00316, 0.01, 0.0316, 0.1, 0.2, 0.5, 1.0]),
        ((0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0), [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
    ],
)
def test_of_many_learning_rates_the_powers_of_ten_have_labels(rates: tuple[float, ...], labelled: list[float]) -> None:
    """Where there are two powers of ten or more among more than eight rates."""
    assert _labelled(rates) == labelled
