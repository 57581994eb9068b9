"""Times and pass rates over commits: what is drawn, how it is labelled, and what is said of it."""

from typing import Any

import numpy as np
import pytest

from parabola.records.levels.judging import LevelChange
from parabola.report.charts import points
from parabola.report.charts.commits import history_panels
from parabola.report.charts.pass_rates import pass_rate_panels
from tests.report.charts.drawn import line, past, rows, specification, texts

NATIVE, COMPILED = "native-cpu-batch_9-learning_rate_0.001", "compiled-cpu-batch_9-learning_rate_0.001"
RATES: dict[str, Any] = {"kind": "time to accuracy", "function": "bench_time_to_accuracy"}


def test_times_are_drawn_against_each_lines_own_median() -> None:
    """A point has the commit's place from 1 on, the time, its ratio to the median less one, and the commit."""
    native = line(NATIVE, [0, 2, 3, 6], [2e-6, 3e-6, 4e-6, 9e-6], engine="native")
    (panel,) = history_panels(
        past(native, line("other", [1, 2], [1.0, 1.0], kind="members"), line(COMPILED, [4, 5], [5e-6, 5e-6], epochs=3)),
        "epoch time",
    )
    commits = [(1, "0abcdef01", "2026-01-30 22:05"), (3, "3abcdef01", "2026-02-02 00:05")]
    commits += [(4, "1abcdef01", "2026-02-03 01:05"), (7, "2abcdef01", "2026-02-06 04:05")]
    compiled, native_name = (
        "compiled, cpu, batch 9, learning rate 0.001, 3 epochs a round",
        "native, cpu, batch 9, learning rate 0.001",
    )

    assert rows(panel.chart) == [
        *(
            {"line": compiled, "commit": place, "median": "5 µs", "against": 0.0}
            | {"id": name, "made": made, "of": "one commit"}
            for place, name, made in ((5, "6abcdef01", "2026-02-04 02:05"), (6, "4abcdef01", "2026-02-05 03:05"))
        ),
        *(
            {"line": native_name, "commit": place, "median": written, "against": pytest.approx(against)}
            | {"id": name, "made": made, "of": "one commit"}
            for (place, name, made), written, against in zip(
                commits,
                ("2 µs", "3 µs", "4 µs", "9 µs"),
                (2 / 3.5 - 1, 3 / 3.5 - 1, 4 / 3.5 - 1, 9 / 3.5 - 1),
                strict=True,
            )
        ),
    ]


def test_ticks_are_commits_that_were_drawn_and_every_line_is_in_the_legend() -> None:
    """Ids are short and over their dates; a commit that no line has is no tick."""
    seconds = [1e-6, 2e-6, 3e-6]
    (panel,) = history_panels(past(line(NATIVE, [0, 2, 3], seconds), line(COMPILED, [2, 3, 6], seconds)), "epoch time")
    labels = texts(panel.chart, "axis-label")

    assert labels[:4] == [
        "0abcdef01\n30 Jan 2026",
        "3abcdef01\n2 Feb 2026",
        "1abcdef01\n3 Feb 2026",
        "2abcdef01\n6 Feb 2026",
    ]
    assert all(label.endswith(" %") for label in labels[4:])
    assert texts(panel.chart, "legend-label") == [
        "native-cpu-batch_9-learning_rate_0.001",
        "compiled, cpu, batch 9, learning rate 0.001",
    ]


def test_shares_of_a_per_cent_are_labelled_as_what_they_are() -> None:
    """Times that differ by 0.4 % have labels that differ, too, and the middle has no sign."""
    (panel,) = history_panels(past(line(NATIVE, [0, 1, 2], [0.996e-6, 1e-6, 1.004e-6])), "epoch time")
    labels = texts(panel.chart, "axis-label")[3:]

    assert len(labels) == len(set(labels)) >= 4
    assert {"0 %", "+0.2 %", "−0.2 %"} <= set(labels)


def test_a_change_of_level_has_a_rule_and_its_size_above() -> None:
    """Changes of one place share a text, which has their range; the rule of a line is its own."""
    changes = [LevelChange(2, 1, 2, 1.255, 1.1, 1.4)], [LevelChange(2, 1, 2, 1.1, 1.1, 1.4)]
    lines = [line(name, [0, 2, 3, 6], [1.0] * 4, changes=change) for name, change in zip("ab", changes, strict=True)]
    (panel,) = history_panels(past(*lines), "epoch time")
    drawn = specification(panel.chart)
    times, dots, rules, told = drawn["layer"]

    assert [layer["mark"]["type"] for layer in (times, dots, rules, told)] == ["line", "point", "rule", "text"]
    assert rules["data"]["values"] == [
        {"line": "a", "commit": 3.5, "change": "+25.5 %", "id": "1abcdef01"},
        {"line": "b", "commit": 3.5, "change": "+10.0 %", "id": "1abcdef01"},
    ]
    assert told["data"]["values"] == [{"commit": 3.5, "text": "+10.0 to +25.5 %"}]
    assert told["mark"]["align"] == {"expr": "width - scale('x', datum.commit) > 130 ? 'left' : 'right'"}
    assert told["mark"]["dx"] == {"expr": "width - scale('x', datum.commit) > 130 ? 4 : -4"}
    assert rules["transform"] == [{"filter": "pick === null || datum.line === pick"}]
    assert next(one for one in drawn["params"] if one["name"] == "zoom")["bind"] == "scales"
    assert drawn["description"] == (
        "Times over commits. a: 1 s at 0abcdef01, 1 s at 2abcdef01, a change of +25.5 % at 1abcdef01; "
        "b: 1 s at 0abcdef01, 1 s at 2abcdef01, a change of +10.0 % at 1abcdef01."
    )
    calm = history_panels(past(line("a", [0, 1], [1.0, 1.0])), "epoch time")[0].chart
    assert [layer["mark"]["type"] for layer in specification(calm)["layer"]] == ["line", "point"]


def test_a_case_that_one_commit_has_measured_makes_no_line() -> None:
    """Without another there is no picture at all."""
    alone = line(NATIVE, [4], [1.0])

    assert history_panels(past(alone), "epoch time") == ()
    assert len(history_panels(past(alone, line(COMPILED, [1, 2], [1.0, 1.0])), "epoch time")) == 1


def test_pass_rates_have_bands_of_wilsons_interval() -> None:
    """Only cases that count seeds are drawn; a point has the commit's place, the share, its interval and the counts."""
    counting = line("b", [2, 5], [1.0, 1.0], settled=[3, 39], **RATES)
    (panel,) = pass_rate_panels(past(line("x", [0, 1], [1.0, 1.0]), counting))
    drawn = specification(panel.chart)
    bands, lines, dots = drawn["layer"]

    assert rows(panel.chart) == [
        {"line": "b", "commit": place, "rate": pytest.approx(settled / seeds), "seeds": f"{settled} of {seeds}"}
        | {
            "low": pytest.approx(wilson(settled, seeds)[0]),
            "high": pytest.approx(wilson(settled, seeds)[1]),
            "id": name,
        }
        for place, settled, seeds, name in ((3, 3, 40, "3abcdef01"), (6, 39, 39, "4abcdef01"))
    ]
    assert [layer["mark"]["type"] for layer in (bands, lines, dots)] == ["area", "line", "point"]
    assert (bands["encoding"]["y"]["field"], bands["encoding"]["y2"]["field"]) == ("low", "high")
    assert lines["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    assert texts(panel.chart, "axis-label") == [
        "3abcdef01\n2 Feb 2026",
        "4abcdef01\n5 Feb 2026",
        "0 %",
        "20 %",
        "40 %",
        "60 %",
        "80 %",
        "100 %",
    ]
    assert drawn["description"] == "Share of seeds that pass over commits. b: 39 of 39 at 4abcdef01."


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's interval at 95 %, from its formula."""
    z, share = 1.959963984540054, successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5
    return centre - reach, centre + reach


@pytest.mark.parametrize(("number", "sizes"), [(1, {1}), (249, {1}), (250, {1}), (251, {1, 2}), (600, {2, 3})])
def test_up_to_250_points_stand_alone_and_beyond_neighbours_share_one(number: int, sizes: set[int]) -> None:
    """The blocks cover every place once, in order, and differ in size by one at most."""
    blocks = points.blocks(number)

    assert np.concatenate(blocks).tolist() == list(range(number))
    assert len(blocks) == min(number, 250)
    assert {len(block) for block in blocks} == sizes


def test_neighbours_that_share_a_point_have_their_median_and_their_lowest_pass_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The point stands at the last of its commits for a time, and at the worst of them for a pass rate."""
    monkeypatch.setattr(points, "MOST_POINTS", 2)
    shared = past(line(NATIVE, [0, 1, 3, 4, 6], [1e-6, 2e-6, 9e-6, 4e-6, 7e-6], settled=[30, 9, 36, 36, 3]))
    times = rows(history_panels(shared, "epoch time")[0].chart)
    rates = rows(pass_rate_panels(shared)[0].chart)

    assert [(row["commit"], row["median"], row["id"], row["of"]) for row in times] == [
        (4, "2 µs", "1abcdef01", "median of 3 commits"),
        (7, "5.5 µs", "2abcdef01", "median of 2 commits"),
    ]
    assert [row["against"] for row in times] == pytest.approx([2 / 4 - 1, 5.5 / 4 - 1])
    assert [(row["commit"], row["seeds"], row["id"]) for row in rates] == [
        (2, "9 of 39", "5abcdef01"),
        (7, "3 of 36", "2abcdef01"),
    ]
