"""The axes of charts: powers of ten with their labels, times in the units of tables, and commits by their ids."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

STEPS = (1, 2, 5)  # labels within a power of ten, where few powers are drawn
FEW_POWERS = 2
COMMIT_LABELS = 7  # at most; a zoomed axis has as many
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


def powers_of_ten(values: Iterable[float]) -> list[float]:
    """Return where a logarithmic axis has labels: at every power of ten around the values, and between if they are few.

    Args:
        values: what is drawn along the axis, one or more, above 0.
    """
    drawn = list(values)
    first, last = math.floor(math.log10(min(drawn))), math.ceil(math.log10(max(drawn)))
    last = max(last, first + 1)
    steps = STEPS if last - first <= FEW_POWERS else (1,)
    return [float(f"{step}e{power}") for power in range(first, last) for step in steps] + [float(f"1e{last}")]


def log_axis(values: Iterable[float], *, in_seconds: bool) -> dict[str, Any]:
    """Return scale and axis of a logarithmic channel that ends at powers of ten.

    Args:
        values: what is drawn along the axis.
        in_seconds: whether the values are times, which have the units of tables; else they are plain numbers.
    """
    label: dict[str, Any] = {"labelExpr": DURATION} if in_seconds else {"format": ",~r"}
    axis = alt.Axis(values=powers_of_ten(values), gridOpacity=0.3, labelOverlap=True, **label)
    return {"scale": alt.Scale(type="log", nice=True), "axis": axis}


def commit_axis(ids: Mapping[int, str]) -> Any:
    """Return the channel of commits, in which every label is the short id of a commit that has a point.

    Args:
        ids: the short ids, by the places of the commits.
    """
    names = "".join(f"'{place}': '{id}', " for place, id in sorted(ids.items()))
    axis = alt.Axis(
        values=sorted(ids), tickCount=COMMIT_LABELS, labelExpr=f"({{{names}}})[datum.value]", grid=False, labelAngle=-30
    )
    scale = alt.Scale(nice=False, zero=False, padding=12)
    return alt.X("commit:Q", title="commit, oldest first", axis=axis, scale=scale)
