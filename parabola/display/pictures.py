"""Saving pictures as PNG, SVG or one HTML page that works offline; and the colours and heading that they share."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from parabola import files

FORMATS = (".png", ".svg", ".html")
STEPS = (1, 2, 5)  # labels within a power of ten, where few powers are drawn
FEW_POWERS = 2
CHANGE = "format(100 * datum.value, datum.value ? '+.2~f' : 'd') + ' %'"  # a label of a share that is a change
BLUE, ORANGE, GREY = "#2f6db3", "#e0752d", "#b4b4b4"


class _Unscripted(json.JSONEncoder):
    """Writes JSON that may stand in a script element: no text in it can end the element."""

    def encode(self, o: Any) -> str:
        """Return the JSON of a value, without a "<"."""
        return super().encode(o).replace("<", "\\u003c")


def heading(title: str, subtitle: str | Sequence[str]) -> dict[str, Any]:
    """Return the title above a picture, at its left, with the lines below it, as Altair takes them for a title."""
    sizes = {"fontSize": 16, "subtitleFontSize": 13, "offset": 14}
    return {"text": title, "subtitle": subtitle, "anchor": "start", **sizes}


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


def save(chart: Any, path: Path) -> None:
    """Write a chart as a file, whole or not at all.

    Args:
        chart: an Altair chart.
        path: path of the file; its suffix, one of FORMATS, decides on the format.

    Raises:
        ValueError: if the suffix is another one, or no file can be written there.
    """
    files.check_path(path, FORMATS)
    by_suffix: dict[str, dict[str, Any]] = {
        ".html": {"inline": True, "json_kwds": {"cls": _Unscripted}},
        ".png": {"scale_factor": 2},
    }
    with files.draft(path) as beside:
        chart.save(str(beside), **by_suffix.get(path.suffix.lower(), {}))
