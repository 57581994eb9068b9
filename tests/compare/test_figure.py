"""The picture of a comparison."""

import json
from typing import Any

import pytest

from parabola.compare.comparison import ComparedCase, ComparedCommit, ComparedControl
from parabola.compare.figure import ratio_figure
from parabola.display.pictures import CHANGE
from tests.charts import BLUE, GREY, TITLE, field, specification, values
from tests.made_comparisons import made_case, made_comparison, made_control


def drawn_of(*cases: ComparedCase, control: ComparedControl | None = None) -> dict[str, Any]:
    """Return the picture of a comparison with these cases."""
    return specification(
        ratio_figure(
            made_comparison(
                *cases,
                base=ComparedCommit("main", "0123456789abcdef", ""),
                head=ComparedCommit("HEAD~2", "fedcba9876543210", ""),
                confidence=0.975,
                minimum_effect=0.0625,
                control=control or made_control(ratio=1.0, low=0.875, high=1.0625, launches=11),
            )
        )
    )


def make_case(
    name: str,
    ratio: float | None,
    low: float | None,
    high: float | None,
    verdict: str = "inconclusive",
    launches: int = 2,
) -> ComparedCase:
    """Return a case with these figures."""
    return made_case(name, verdict, ratio=ratio, low=low, high=high, launches=launches)


SLOWER = make_case("benchmarks/b.py::bench[z]", 1.5, 1.25, 1.75, verdict="slower", launches=7)
LAST = "control (no change can touch it)"


def test_the_rows_of_a_comparison() -> None:
    """A row a case in the comparison's order and the control last, as changes; what was never measured is left out."""
    unmeasured = make_case("c.py::never", None, None, None, launches=0)
    few = make_case("c.py::a|b[c]", 0.75, 0.0, None)
    _, _, bars, points = drawn_of(SLOWER, unmeasured, few)["layer"]
    rows = [
        ("bench[z]", 0.5, 0.25, 0.75, "slower", 7),
        ("a|b[c]", -0.25, None, None, "inconclusive", 2),
        (LAST, 0.0, -0.125, 0.0625, "same", 11),
    ]
    names = ("case", "change", "low", "high", "verdict", "launches")

    assert values(bars) == values(points) == [dict(zip(names, row, strict=True)) for row in rows]
    assert points["encoding"]["y"]["sort"] == ["bench[z]", "a|b[c]", LAST]


def test_each_case_has_a_row_of_its_own() -> None:
    """Two that would have the same name without their class are told apart by it."""
    cases = [make_case(f"a.py::Test{letter}::run", 1.5, 1.25, 1.75) for letter in "AB"]

    assert [row["case"] for row in values(drawn_of(*cases)["layer"][3])] == ["TestA::run", "TestB::run", LAST]


def test_the_layers_of_a_comparison() -> None:
    """The band, the zero line, the intervals and the points share an axis; each verdict has its colour."""
    drawn = drawn_of(SLOWER)
    band, zero, bars, points = drawn.pop("layer")
    scale = {"domain": [pytest.approx(-0.825), pytest.approx(0.825)], "nice": False}
    title = "change in time from base to head (right: head is slower)"
    x = field("low", title=title, scale=scale, axis={"labelExpr": CHANGE, "titleFontSize": 13})
    colours = {
        "domain": ["slower", "wrong", "faster", "same", "inconclusive", "measures other work", "not measured"],
        "range": ["#c0392b", "#7b241c", "#1e8449", BLUE, GREY, "#b7950b", "#8e44ad"],
    }
    shares = [field(name, format="+.1%") for name in ("change", "low", "high")]
    encoding = {
        "y": field(
            "case",
            "nominal",
            sort=["bench[z]", LAST],
            title=None,
            axis={
                "labelExpr": f'({{"bench[z]": ["bench[z]"], "{LAST}": ["{LAST}"]}})[datum.value]',
                "labelLimit": 0,
                "labelFontSize": 12,
                "minExtent": 7.5 * len(LAST),
            },
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
            "text": "Is head slower than base? Yes: 1 slower",
            "subtitle": [
                "base (before): main (012345678)",
                "head (after): HEAD~2 (fedcba987)",
                "bars: 97.5 % intervals; shaded: ±6.25 %, counts as same",
            ],
            "offset": 14,
        },
        **{"width": 460, "height": {"step": 30}, "padding": 16, "config": {}},
    }


@pytest.mark.parametrize(
    ("verdict", "says"),
    [("slower", "Yes"), ("faster", "No"), ("same", "No"), ("wrong", "Wrong"), ("inconclusive", "Inconclusive")],
)
def test_the_title_asks_and_answers(verdict: str, says: str) -> None:
    """With yes or no where it can be told, and with the number of cases of each verdict."""
    few = make_case("c.py::few", 0.75, 0.0, None)
    figure = ratio_figure(made_comparison(SLOWER, few, few, verdict=verdict))

    assert specification(figure)["title"]["text"] == f"Is head slower than base? {says}: 1 slower, 2 inconclusive"


def test_long_names_are_broken_after_their_signs() -> None:
    """Nothing of a name is left out, a line has 40 characters at most, and a row has room for the most lines of any."""
    name = "bench_epoch_time[compiled-cpu-batch_111-learning_rate_0.001-a_third-line_of_the_name]"
    drawn = drawn_of(make_case(f"b.py::{name}", 1.5, 1.25, 1.75))
    axis = drawn["layer"][3]["encoding"]["y"]["axis"]
    lines = json.loads(axis["labelExpr"].removeprefix("(").removesuffix(")[datum.value]"))[name]

    assert lines == ["bench_epoch_time[compiled-cpu-batch_111-", "learning_rate_0.001-a_third-line_of_", "the_name]"]
    assert drawn["height"] == {"step": 52}
    assert axis["minExtent"] == 300


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
def test_the_axis_of_a_comparison_is_symmetric(case: ComparedCase, reach: float) -> None:
    """It goes a tenth beyond the farthest of all points, ends of intervals, and twice the minimum effect."""
    domain = drawn_of(case)["layer"][3]["encoding"]["x"]["scale"]["domain"]

    assert domain == pytest.approx([-1.1 * reach, 1.1 * reach])


def test_the_axis_of_a_comparison_shows_the_whole_band() -> None:
    """Where all intervals are shorter, the axis goes to twice the minimum effect and a tenth of that beyond."""
    domain = drawn_of(control=made_control(ratio=1.0, low=0.99, high=1.01))["layer"][3]["encoding"]["x"]["scale"][
        "domain"
    ]

    assert domain == pytest.approx([-0.1375, 0.1375])
