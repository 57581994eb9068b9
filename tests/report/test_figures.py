"""The pictures of a report: their rows, axes, titles and marks, from the Vega-Lite that Altair makes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from parabola.records.changes import LevelChange
from parabola.records.history import Commit, History, Line, Passes
from parabola.report import figures, marks
from parabola.report.figures import size_row
from tests.made_measurements import measurement

NATIVE = "native-cpu-batch_9-learning_rate_0.001"
COMPILED = "compiled-cpu-batch_9-learning_rate_0.001"

IN_WORDS = "compiled, cpu, batch 9, learning rate 0.001"


def specification(chart: Any) -> dict[str, Any]:
    """Return a chart as Vega-Lite has it."""
    drawn: dict[str, Any] = chart.to_dict(validate=False)
    return drawn


def rows(chart: Any) -> list[dict[str, Any]]:
    """Return the rows that a chart's layers share."""
    drawn = specification(chart)
    found: list[dict[str, Any]] = drawn["datasets"][drawn["data"]["name"]]
    return found


def select(**parameter: Any) -> dict[str, Any]:
    """Return a selection as Vega-Lite has it, without the name of the layer that it is of."""
    return {"name": "pick", "select": {"type": "point", "fields": ["case"]}, "bind": "legend", **parameter}


def parameters(drawn: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the selections of a chart without their layers' names, and the places of these layers."""
    bare = [{key: value for key, value in one.items() if key != "views"} for one in drawn["params"]]
    views = {name for one in drawn["params"] for name in one["views"]}
    return bare, [place for place, layer in enumerate(drawn["layer"]) if layer.get("name") in views]


def test_times_over_a_size_have_a_row_a_point() -> None:
    """A row has the label, size, median, quartiles, learning rate, verdict and rounds, in the order of the points."""
    judged = measurement(median=4.5e-6, low_quartile=4.4e-6, high_quartile=4.7e-6, rounds=11, verdict="fail")
    block = measurement(
        kind="members",
        members=64,
        batch_size=111,
        learning_rate=0.1,
        median=3e-4,
        low_quartile=2e-4,
        high_quartile=5e-4,
        verdict=None,
    )

    assert rows(figures.size_figure([size_row("b", judged)], "t")) == [
        {"line": "b", "size": 9, "seconds": 4.5e-6, "low": 4.4e-6, "high": 4.7e-6, "learning rate": 0.001}
        | {"verdict": "verified; not yet learnt", "rounds": 11}
    ]
    assert rows(figures.size_figure([size_row("a", block)], "t")) == [
        {"line": "a", "size": 64, "seconds": 3e-4, "low": 2e-4, "high": 5e-4, "learning rate": 0.1}
        | {"verdict": "not judged", "rounds": 11}
    ]


def test_times_over_a_size_are_lines_ranges_and_dots_on_logarithmic_axes() -> None:
    """The horizontal axis has exactly the measured sizes; lines have colours and shapes by their first appearance."""
    sizes = {"b": (111, 9), "a": (27, 9), "c": (1,)}
    points = [size_row(label, measurement(batch_size=size)) for label in sizes for size in sizes[label]]
    drawn = specification(figures.size_figure(points, "how many"))
    legend = {"columns": 1, "labelFontSize": 12, "labelLimit": 360, "orient": "bottom", "symbolOpacity": 1}
    colours = {"domain": ["b", "a", "c"], "range": ["#2f8fd8", "#e69f00", "#009e73"]}
    shared = {
        "x": {
            **{"field": "size", "type": "quantitative", "title": "how many"},
            "scale": {"type": "log", "nice": False, "padding": 12},
            "axis": {"values": [1, 9, 27, 111], "format": "d", "grid": False, "labelOverlap": True},
        },
        "color": {"field": "line", "type": "nominal", "title": None, "scale": colours, "legend": legend},
        "opacity": {"condition": {"param": "pick", "value": 1}, "value": 0.15},
        "tooltip": [
            {"field": "line", "type": "nominal", "title": "what"},
            {"field": "size", "type": "quantitative", "title": "how many"},
            {"field": "learning rate", "type": "quantitative", "format": "~g"},
            {"field": "seconds", "type": "quantitative", "title": "median, seconds", "format": ".3~s"},
            {"field": "low", "type": "quantitative", "title": "lower quartile", "format": ".3~s"},
            {"field": "high", "type": "quantitative", "title": "upper quartile", "format": ".3~s"},
            {"field": "rounds", "type": "quantitative"},
            {"field": "verdict", "type": "nominal"},
        ],
    }
    seconds = {
        **{"field": "seconds", "type": "quantitative", "title": "time per epoch", "scale": {"type": "log"}},
        "axis": {
            "labelExpr": "replace(format(datum.value, '.2~s'), regexp('([mµn]?)$'), ' $1s')",
            **{"tickCount": 6, "gridOpacity": 0.3},
        },
    }
    low = {"field": "low", "type": "quantitative", "title": "time per epoch"}
    shape = {"field": "line", "type": "nominal", "scale": {"domain": ["b", "a", "c"]}}

    assert [layer["mark"] for layer in drawn["layer"]] == [
        {"type": "line", "strokeWidth": 2},
        {"type": "rule", "strokeWidth": 2},
        {"type": "point", "filled": True, "size": 70},
    ]
    assert [layer["encoding"] for layer in drawn["layer"]] == [
        {**shared, "y": seconds},
        {**shared, "y": low, "y2": {"field": "high"}},
        {**shared, "y": seconds, "shape": shape},
    ]
    assert (drawn["width"], drawn["height"]) == ("container", 320)
    assert parameters(drawn) == ([select(select={"type": "point", "fields": ["line"]})], [2])


def test_colours_begin_anew_after_eight_lines() -> None:
    """The ninth line has the first colour again."""
    points = [size_row(f"line {number}", measurement()) for number in range(10)]
    drawn = specification(figures.size_figure(points, "t"))

    assert drawn["layer"][0]["encoding"]["color"]["scale"]["range"] == [
        *("#2f8fd8", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a500", "#888888", "#2f8fd8", "#e69f00")
    ]


def line(name: str, at: Sequence[int], seconds: Sequence[float], settled: Sequence[int] = (), **other: Any) -> Line:
    """Return a line over commits; seeds that pass are counted of 40 at its first place and of one less at each next."""
    changes = tuple(other.pop("changes", ()))
    seeds = [40 - place for place, _ in enumerate(settled)]
    passes = Passes(np.array(settled), np.array(seeds)) if settled else None
    return Line(measurement(name, **other), np.array(at), np.array(seconds), passes, changes)


def past(*lines: Line, commits: int = 7) -> History:
    """Return a history whose commits' ids do not rise with their dates; they are made 25 hours apart."""
    first = datetime(2026, 1, 30, 22, 5, tzinfo=UTC)
    made = [
        Commit(f"{5 * place % 7}abcdef01{'2' * 31}", first + timedelta(hours=25 * place)) for place in range(commits)
    ]
    return History((), tuple(made), lines, 0, 0)


def test_times_over_commits_are_drawn_against_each_cases_own_median() -> None:
    """A row has the commit's place from 1 on, the time, its ratio to the median less one, and the commit."""
    change = LevelChange(2, 1, 2, 1.255, 1.1, 1.4)
    chart = figures.history_figure(
        past(
            line(NATIVE, [0, 2, 3, 6], [2e-6, 3e-6, 4e-6, 9e-6], changes=[change]),
            line("other", [1], [1.0], kind="members"),
            line(COMPILED, [4], [5e-6], epochs=3),
        ),
        "epoch time",
    )
    native, compiled = f"bench_epoch_time[{NATIVE}]", f"epoch time: {IN_WORDS}, 3 epochs a round"
    commits = [(1, "0abcdef01", "2026-01-30 22:05"), (3, "3abcdef01", "2026-02-02 00:05")]
    commits += [(4, "1abcdef01", "2026-02-03 01:05"), (7, "2abcdef01", "2026-02-06 04:05")]
    rules = specification(chart)["layer"][2]

    assert rows(chart) == [
        *(
            {"case": native, "commit": place, "seconds": seconds, "against": pytest.approx(against)}
            | {"id": name, "made": made, "of": "one commit"}
            for (place, name, made), seconds, against in zip(
                commits, (2e-6, 3e-6, 4e-6, 9e-6), (2 / 3.5 - 1, 3 / 3.5 - 1, 4 / 3.5 - 1, 9 / 3.5 - 1), strict=True
            )
        ),
        {"case": compiled, "commit": 5, "seconds": 5e-6, "against": 0.0}
        | {"id": "6abcdef01", "made": "2026-02-04 02:05", "of": "one commit"},
    ]
    assert specification(chart)["datasets"][rules["data"]["name"]] == [
        {"case": native, "commit": 3.5, "change": "+25.5 %", "id": "1abcdef01"}
    ]


def test_times_over_commits_have_lines_dots_and_a_rule_where_a_level_changed() -> None:
    """A case is picked from a list, which begins with all; without a change there is no layer of rules."""
    change = LevelChange(1, 1, 1, 0.5, 0.4, 0.6)
    one, other = line(NATIVE, [0, 1], [2e-6, 1e-6], changes=[change]), line(COMPILED, [1], [1e-6])
    drawn = specification(figures.history_figure(past(one, other), "epoch time"))
    calm = specification(figures.history_figure(past(other), "epoch time"))
    names = [f"bench_epoch_time[{NATIVE}]", f"epoch time: {IN_WORDS}"]
    shared = {
        "x": {
            **{"field": "commit", "type": "quantitative", "title": "commit, oldest first"},
            "axis": {"format": "d", "tickMinStep": 1, "grid": False},
        },
        "color": {
            **{"field": "case", "type": "nominal", "legend": None},
            "scale": {"domain": names, "range": ["#2f8fd8", "#e69f00"]},
        },
        "opacity": {"condition": {"param": "pick", "value": 1}, "value": 0.06},
    }
    against = {
        **{"field": "against", "type": "quantitative", "title": "against the case's median"},
        "scale": {"zero": False, "nice": False, "padding": 8},
        "axis": {"format": "+.0%", "gridOpacity": 0.3},
    }
    tooltip = [
        {"field": "case", "type": "nominal"},
        {"field": "seconds", "type": "quantitative", "title": "median, seconds", "format": ".3~s"},
        {"field": "against", "type": "quantitative", "title": "against the case's median", "format": "+.1%"},
        {"field": "id", "type": "nominal", "title": "commit"},
        {"field": "made", "type": "nominal"},
        {"field": "of", "type": "nominal", "title": "point"},
    ]
    words = [{"field": field, "type": "nominal"} for field in ("case", "change", "id")]
    listed = {"input": "select", "options": [None, *names], "labels": ["all", *names], "name": "case "}
    zoomed = {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.shiftKey]"}

    assert [layer["mark"] for layer in drawn["layer"]] == [
        {"type": "line", "strokeWidth": 1.5},
        {"type": "point", "filled": True, "size": 26},
        {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 2},
    ]
    assert [layer["encoding"] for layer in drawn["layer"]] == [
        {**shared, "y": against, "tooltip": tooltip},
        {**shared, "y": against, "tooltip": tooltip},
        {**shared, "tooltip": words},
    ]
    assert parameters(drawn) == (
        [select(bind=listed), {"name": "zoom", "select": zoomed, "bind": "scales"}],
        [1],
    )
    assert [layer["mark"]["type"] for layer in calm["layer"]] == ["line", "point"]


def test_pass_rates_over_commits_have_bands_of_wilsons_interval() -> None:
    """Only cases that count seeds are drawn; a row has the commit's place, the share, its interval and the counts."""
    chart = figures.pass_rate_figure(
        past(line("x", [0], [1.0]), line("b", [2, 5], [1.0, 1.0], settled=[3, 39]), line("a", [1], [1.0], settled=[20]))
    )
    drawn = specification(chart)
    x = {"field": "commit", "type": "quantitative", "title": "commit, oldest first"}
    legend = {"columns": 1, "labelFontSize": 12, "labelLimit": 360, "orient": "bottom", "symbolOpacity": 1}
    colours = {"domain": ["b", "a"], "range": ["#2f8fd8", "#e69f00"]}
    shared = {
        "x": {**x, "axis": {"format": "d", "tickMinStep": 1, "grid": False}},
        "color": {"field": "case", "type": "nominal", "title": None, "scale": colours, "legend": legend},
        "tooltip": [
            {"field": "case", "type": "nominal"},
            {"field": "seeds", "type": "nominal"},
            {"field": "id", "type": "nominal", "title": "commit"},
        ],
    }
    low = {"field": "low", "type": "quantitative", "title": "pass rate"}
    rate = {"field": "rate", "type": "quantitative", "title": "pass rate"}

    assert rows(chart) == [
        {"case": case, "commit": place, "rate": pytest.approx(settled / seeds), "seeds": f"{settled} of {seeds}"}
        | {
            "low": pytest.approx(wilson(settled, seeds)[0]),
            "high": pytest.approx(wilson(settled, seeds)[1]),
            "id": name,
        }
        for case, place, settled, seeds, name in (
            ("b", 3, 3, 40, "3abcdef01"),
            ("b", 6, 39, 39, "4abcdef01"),
            ("a", 2, 20, 40, "5abcdef01"),
        )
    ]
    assert [layer["mark"] for layer in drawn["layer"]] == [
        {"type": "area"},
        {"type": "line", "point": True, "strokeWidth": 2},
    ]
    assert [layer["encoding"] for layer in drawn["layer"]] == [
        {
            **{**shared, "y": low, "y2": {"field": "high"}},
            "opacity": {"condition": {"param": "pick", "value": 0.12}, "value": 0.0},
        },
        {
            **{**shared, "y": {**rate, "scale": {"domain": [0, 1]}, "axis": {"format": ".0%"}}},
            "opacity": {"condition": {"param": "pick", "value": 1}, "value": 0.1},
        },
    ]
    assert parameters(drawn) == ([select()], [1])


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's interval at 95 %, from its formula."""
    z, share = 1.959963984540054, successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5
    return centre - reach, centre + reach


@pytest.mark.parametrize(("number", "sizes"), [(1, {1}), (249, {1}), (250, {1}), (251, {1, 2}), (600, {2, 3})])
def test_up_to_250_points_stand_alone_and_beyond_neighbours_share_one(number: int, sizes: set[int]) -> None:
    """The blocks cover every place once, in order, and differ in size by one at most."""
    blocks = marks.blocks(number)

    assert np.concatenate(blocks).tolist() == list(range(number))
    assert len(blocks) == min(number, 250)
    assert {len(block) for block in blocks} == sizes


def test_neighbours_that_share_a_point_have_their_median_and_their_lowest_pass_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The point stands at the last of its commits for a time, and at the worst of them for a pass rate."""
    monkeypatch.setattr(marks, "MOST_POINTS", 2)
    shared = past(line(NATIVE, [0, 1, 3, 4, 6], [1e-6, 2e-6, 9e-6, 4e-6, 7e-6], settled=[30, 9, 36, 36, 3]))
    times = rows(figures.history_figure(shared, "epoch time"))
    rates = rows(figures.pass_rate_figure(shared))

    assert [(row["commit"], row["seconds"], row["id"], row["of"]) for row in times] == [
        (4, 2e-6, "1abcdef01", "median of 3 commits"),
        (7, 5.5e-6, "2abcdef01", "median of 2 commits"),
    ]
    assert [row["against"] for row in times] == pytest.approx([2 / 4 - 1, 5.5 / 4 - 1])
    assert [(row["commit"], row["seeds"], row["id"]) for row in rates] == [
        (2, "9 of 39", "5abcdef01"),
        (7, "3 of 36", "2abcdef01"),
    ]
