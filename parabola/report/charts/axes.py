"""The axes of charts: powers of ten with their labels, times in the units of tables, and commits by ids and dates."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from parabola.display.pictures import powers_of_ten
from parabola.records.history import Commit

COMMIT_LABELS = 7  # at most; a zoomed axis has as many
APART: dict[str, Any] = {"labelFlush": False, "labelSeparation": 6, "labelPadding": 6}  # below their ticks, alone
# A time in seconds as `duration` writes it, in Vega's expressions: 865 ms.
DURATION = " : ".join(
    [
        *(
            f"datum.value >= {least} ? format(datum.value * {factor}, '.3~r') + ' {unit}'"
            for unit, least, factor in (("s", 0.9995, "1"), ("ms", 0.0009995, "1e3"), ("µs", 9.995e-07, "1e6"))
        ),
        "format(datum.value * 1e9, '.3~r') + ' ns'",
    ]
)


def log_axis(values: Iterable[float], *, in_seconds: bool) -> dict[str, Any]:
    """Return scale and axis of a logarithmic channel that ends at powers of ten.

    Args:
        values: what is drawn along the axis.
        in_seconds: whether the values are times, which have the units of tables; else they are plain numbers.
    """
    label: dict[str, Any] = {"labelExpr": DURATION} if in_seconds else {"format": ",~r"}
    axis = alt.Axis(values=powers_of_ten(values), gridOpacity=0.3, labelOverlap=True, **label)
    return {"scale": alt.Scale(type="log", nice=True), "axis": axis}


def commit_axis(commits: Sequence[Commit], places: Iterable[int]) -> Any:
    """Return the channel of commits, in which every label is the short id of a commit that has a point, over its date.

    Args:
        commits: those of the history, the oldest first.
        places: where points lie; the oldest commit is at 1.
    """
    drawn = {place: commits[place - 1] for place in sorted(set(places))}
    labels = {place: [commit.id[:9], f"{commit.made:%d %b %Y}".lstrip("0")] for place, commit in drawn.items()}
    said = f"({json.dumps(labels)})[datum.value]"
    axis = alt.Axis(values=[*labels], tickCount=COMMIT_LABELS, labelExpr=said, grid=False, **APART)
    scale = alt.Scale(nice=False, zero=False, padding=12)
    return alt.X("commit:Q", title="commit, oldest first", axis=axis, scale=scale)
