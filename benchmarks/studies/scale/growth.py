"""What points say of growth: the slope on the logarithm, as a table of one axis."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter

from benchmarks.studies.scale.axes import Point
from parabola.display.tables import Table, table_of
from parabola.display.units import duration


def slope(before: Point, after: Point) -> float:
    """Return the slope between two points of a line on logarithmic axes: 1 where time grows as the size does.

    Args:
        before: the point of the smaller size.
        after: the point of the larger size.
    """
    return math.log(after.seconds / before.seconds) / math.log(after.size / before.size)


def lines_of(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of each line by its name, the smallest size first."""
    ordered = sorted(points, key=attrgetter("line", "size"))
    return {line: list(group) for line, group in groupby(ordered, key=attrgetter("line"))}


def growth_table(axis: str, points: Sequence[Point]) -> Table[Mapping[str, str]]:
    """Return a row a size, with each line's time, and in brackets the slope from the size before.

    Args:
        axis: what grows.
        points: the points of all lines.
    """
    rows = {size: {axis: f"{size:,}"} for size in sorted({point.size for point in points})}
    for line, own in lines_of(points).items():
        rows[own[0].size][line] = duration(own[0].seconds)
        for before, after in pairwise(own):
            rows[after.size][line] = f"{duration(after.seconds)} ({slope(before, after):.2f})"
    return table_of("", list(rows.values()), leading=(axis,))
