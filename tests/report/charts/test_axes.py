"""The axes of charts: labels at powers of ten, in the units of tables, and commits by their ids."""

from typing import Any

import altair as alt
import pytest

from parabola.display.units import duration
from parabola.report.charts import axes
from tests.report.charts.drawn import texts


def test_times_are_labelled_as_tables_write_them() -> None:
    """Vega writes at every power of ten from a nanosecond to 1,000 seconds what `duration` does."""
    powers = [float(f"1e{power}") for power in range(-9, 4)]
    chart = alt.Chart({"values": [{"t": power} for power in powers]}).mark_point()
    labels = texts(chart.encode(y=alt.Y("t:Q", **axes.log_axis(powers, in_seconds=True))), "axis-label")

    assert labels == [*(duration(power) for power in powers[:-1]), "1000 s"]
    assert labels[:4] == ["1 ns", "10 ns", "100 ns", "1 µs"]


@pytest.mark.parametrize("seconds", [0.865, 0.0009996, 9.996e-7, 1.236e-9, 0.99949, 59.96, 0.000146])
def test_any_time_is_labelled_as_tables_write_it(seconds: float) -> None:
    """Also where rounding changes the unit: never "865m"."""
    axis = alt.Axis(values=[seconds], labelExpr=axes.DURATION)
    chart = alt.Chart({"values": [{"t": seconds}]}).mark_point().encode(y=alt.Y("t:Q", axis=axis))

    assert texts(chart, "axis-label") == [duration(seconds)]


@pytest.mark.parametrize(("places", "most"), [(range(1, 5), 4), ([1, 2, 4, 9, 12], 5), (range(1, 251), 8)])
def test_every_label_of_commits_is_the_id_of_one_that_has_a_point(places: Any, most: int) -> None:
    """Where there are too many, some are left out; none is made up."""
    ids = {place: f"{place:02x}c0ffee'"[:9].replace("'", "") for place in places}
    rows = [{"commit": place, "y": 1} for place in places]
    labels = texts(alt.Chart({"values": rows}).mark_point().encode(x=axes.commit_axis(ids), y="y:Q"), "axis-label")
    told = [label for label in labels if label in ids.values()]

    assert 2 <= len(told) <= most
    assert told == sorted(told, key=list(ids.values()).index)
    assert len(told) == len([label for label in labels if not label.replace(".", "").isdigit()])
