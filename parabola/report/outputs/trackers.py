"""What holds now, in the formats of other trackers: medians, with names in words and the right unit."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from parabola.records.foreign.naming import told_apart
from parabola.records.history import histories
from parabola.records.record import Measurement, Record
from parabola.report.outputs.tracker import Tracker
from parabola.report.parts import current_cases


def for_tracker(records: Sequence[Record], tracker: Tracker) -> list[dict[str, Any]] | dict[str, Any]:
    """Return what was measured at each history's newest commit, as JSON that a tracker reads.

    Args:
        records: one or more.
        tracker: the format.

    Source: https://github.com/benchmark-action/github-action-benchmark and
    https://bencher.dev/docs/reference/bencher-metric-format, whose measure `latency` is in nanoseconds.
    """
    named = _named(records)
    if tracker is Tracker.BMF:
        return {name: {"latency": _in_nanoseconds(measurement)} for name, measurement in named.items()}
    return [
        {
            "name": name,
            "unit": measurement.unit,
            "value": measurement.times.median,
            "range": f"± {(measurement.times.high_quartile - measurement.times.low_quartile) / 2:.3g}",
            "extra": f"median of {measurement.times.rounds} rounds; range: half the distance of the quartiles",
        }
        for name, measurement in named.items()
    ]


def _in_nanoseconds(measurement: Measurement) -> dict[str, float]:
    times = measurement.times
    ends = {"value": times.median, "lower_value": times.low_quartile, "upper_value": times.high_quartile}
    return {key: 1e9 * seconds for key, seconds in ends.items()}


def _named(records: Sequence[Record]) -> dict[str, Measurement]:
    """Return the newest measurements by their names, with the processor where there are several histories."""
    found = histories(told_apart(records))
    pairs = [(history, measurement) for history in found for measurement in current_cases(history.newest)]
    labels = Counter((id(history), measurement.case.label) for history, measurement in pairs)
    named = dict[str, Measurement]()
    for history, measurement in pairs:
        alone = labels[id(history), measurement.case.label] == 1
        name = measurement.case.label if alone else measurement.case.name
        newest = history.records[0]
        where = f", on {newest.name or dict(newest.fingerprint)['cpu_model']}" if len(found) > 1 else ""
        named.setdefault(name + where, measurement)
    return named
