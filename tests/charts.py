"""What tests read of a chart: its Vega-Lite specification."""

from typing import Any

BLUE, ORANGE, GREY = "#2f6db3", "#e0752d", "#b4b4b4"
TITLE = {"text": "A title", "subtitle": "and more", "anchor": "start", "fontSize": 16, "subtitleFontSize": 13}


def specification(chart: Any) -> dict[str, Any]:
    """Return a chart's Vega-Lite without its version, each layer with the data and size that it shares with others."""
    drawn: dict[str, Any] = chart.to_dict()
    del drawn["$schema"]
    drawn["config"].pop("view")
    for part in drawn.get("hconcat", [drawn]):
        shared = {"data": part.pop("data")} if "data" in part else {}
        part["layer"] = [{**shared, **layer} for layer in part["layer"]]
    return drawn


def values(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that a layer draws."""
    rows: list[dict[str, Any]] = layer["data"]["values"]
    return rows


def field(name: str, kind: str = "quantitative", **others: Any) -> dict[str, Any]:
    """Return how Vega-Lite writes a channel that shows a field."""
    return {"field": name, "type": kind, **others}
