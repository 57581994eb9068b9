"""Times over a size: what is drawn, how it is labelled, and what is said of it."""

from parabola.report.charts.sizes import size_panels, size_row
from tests.made_measurements import measurement
from tests.report.charts.drawn import rows, specification, texts


def test_a_point_has_its_line_its_size_and_the_figures_in_the_units_of_tables() -> None:
    """A right run that was short is verified; one that nobody judged is said to be so."""
    judged = measurement(median=4.5e-6, low_quartile=4.4e-6, high_quartile=4.7e-6, rounds=11, verdict="fail")
    block = measurement(
        kind="members", members=64, batch_size=111, learning_rate=0.1, median=0.865, verdict=None, low_quartile=0.8
    )

    assert size_row("b", judged) == (
        {"line": "b", "size": 9, "seconds": 4.5e-6, "low": 4.4e-6, "high": 4.7e-6, "learning rate": 0.001}
        | {"median": "4.5 µs", "quartiles": "4.4 µs – 4.7 µs", "answer": "verified; not yet learnt", "rounds": 11}
    )
    assert size_row("a", block) == (
        {"line": "a", "size": 64, "seconds": 0.865, "low": 0.8, "high": 4.7e-6, "learning rate": 0.1}
        | {"median": "865 ms", "quartiles": "800 ms – 4.7 µs", "answer": "not judged", "rounds": 11}
    )


def test_axes_have_powers_of_ten_and_every_line_is_in_the_legend() -> None:
    """The order of lines is that of their first points."""
    sizes = {"b, cpu": (111, 9), "a, cpu": (27, 9), "c, cpu": (1,)}
    points = [size_row(label, measurement(batch_size=size)) for label in sizes for size in sizes[label]]
    (panel,) = size_panels(points, "how many")

    assert panel.title == ""
    assert texts(panel.chart, "axis-label") == ["1", "10", "100", "1,000", "1 µs", "2 µs", "5 µs", "10 µs"]
    assert texts(panel.chart, "axis-title") == ["how many", "time per epoch"]
    assert texts(panel.chart, "legend-label") == ["b, cpu", "a, cpu", "c, cpu"]
    assert [(row["line"], row["size"]) for row in rows(panel.chart)] == [
        *(("b, cpu", 9), ("b, cpu", 111), ("a, cpu", 9), ("a, cpu", 27), ("c, cpu", 1))
    ]


def test_lines_are_told_apart_by_colour_dashes_and_shape_and_one_may_be_picked() -> None:
    """Ranges between quartiles stand behind the points, which alone are told to people who hear the page."""
    points = [size_row(label, measurement(batch_size=size)) for label in "ba" for size in (1, 9)]
    drawn = specification(size_panels(points, "how many")[0].chart)
    lines, ranges, dots = drawn["layer"]

    assert [layer["mark"]["type"] for layer in drawn["layer"]] == ["line", "rule", "point"]
    assert [layer["mark"].get("aria", True) for layer in drawn["layer"]] == [False, False, True]
    assert lines["encoding"]["color"]["scale"] == {"domain": ["b", "a"], "range": ["#2f8fd8", "#e69f00"]}
    assert lines["encoding"]["strokeDash"]["scale"]["range"] == [[1, 0], [6, 3]]
    assert dots["encoding"]["shape"]["scale"] == {"domain": ["b", "a"], "range": ["circle", "square"]}
    assert (ranges["encoding"]["y"]["field"], ranges["encoding"]["y2"]["field"]) == ("low", "high")
    assert {layer["transform"][0]["filter"] for layer in drawn["layer"]} == {"pick === null || datum.line === pick"}
    listed = {"input": "select", "options": [None, "b", "a"], "labels": ["all", "b", "a"], "name": "line "}
    assert drawn["params"] == [{"name": "pick", "value": None, "bind": listed}]
    assert (drawn["width"], drawn["height"]) == ("container", 320)


def test_a_single_line_needs_no_list() -> None:
    """There is nothing to pick."""
    drawn = specification(size_panels([size_row("b", measurement())], "how many")[0].chart)

    assert "params" not in drawn
    assert "filter" not in str(drawn["layer"])


def test_what_a_chart_shows_is_said() -> None:
    """Each line's times at its smallest and at its largest size; one alone where it has one."""
    points = [size_row("b, cpu", measurement(batch_size=size, median=size * 1e-6)) for size in (111, 9, 27)]
    (panel,) = size_panels([*points, size_row("a, cpu", measurement(batch_size=1, median=2e-3))], "batch size")

    assert specification(panel.chart)["description"] == (
        "Time per epoch over batch size. a, cpu: 2 ms at 1; b, cpu: 9 µs at 9, 111 µs at 111."
    )


def test_many_lines_are_charts_side_by_side() -> None:
    """Each has the axes and the list of its own lines."""
    points = [
        size_row(f"{engine}, cpu, {samples} samples", measurement(batch_size=size))
        for engine in ("fit", "compiled")
        for samples in (10, 20, 30, 40)
        for size in (1, 9)
    ]
    panels = size_panels(points, "batch size")

    assert [panel.title for panel in panels] == ["fit, cpu", "compiled, cpu"]
    assert [len(rows(panel.chart)) for panel in panels] == [8, 8]
    assert texts(panels[1].chart, "legend-label") == [f"{samples} samples" for samples in (10, 20, 30, 40)]
