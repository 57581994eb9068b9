"""The axes of charts: labels at powers of ten, in the units of tables, and commits by ids and dates."""

from datetime import UTC, datetime, timedelta
from typing import Any

import altair as alt
import pytest

from parabola.display.units import duration
from parabola.records.history import Commit
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
def test_every_label_of_commits_is_the_id_of_one_that_has_a_point_over_its_date(places: Any, most: int) -> None:
    """Where there are too many, some are left out; none is made up. The oldest commit is at 1."""
    first = datetime(2026, 2, 27, 23, 30, tzinfo=UTC)
    commits = [Commit(f"{at:02x}c0ffee'{'5' * 31}", first + timedelta(days=5 * at)) for at in range(max(places))]
    rows = [{"commit": place, "y": 1} for place in places]
    chart = alt.Chart({"values": rows}).mark_point().encode(x=axes.commit_axis(commits, places), y="y:Q")
    labels = [label for label in texts(chart, "axis-label") if "\n" in label]
    right = [f"{commits[place - 1].id[:9]}\n{first + timedelta(days=5 * (place - 1)):%-d %b %Y}" for place in places]

    assert 2 <= len(labels) <= most
    assert labels == [label for label in right if label in labels]
    assert labels[0] == right[0]
    assert labels[0].split("\n") == ["00c0ffee'", "27 Feb 2026"]
    if len(places) == 4:
        assert labels == [*right[:1], "01c0ffee'\n4 Mar 2026", "02c0ffee'\n9 Mar 2026", "03c0ffee'\n14 Mar 2026"]
