"""Times per epoch as one table: a row a setting, a column an engine and device."""

from collections.abc import Mapping, Sequence
from typing import Any

from parabola import registry
from parabola.display import tables
from parabola.display.units import duration

DAGGER = "† a right run (as the reference), at whose end the coefficient error is not below the learning rate"


def epoch_times(cases: Sequence[Mapping[str, Any]]) -> tables.Table:
    """Lay out seconds per epoch: a row a (batch size, learning rate), a column an engine and device.

    Args:
        cases: for each measured case "engine", "device", "batch_size", "learning_rate", "samples",
            "seconds_per_epoch" (the median) and "verdict".
    """
    columns = list(dict.fromkeys((case["engine"], case["device"]) for case in cases))
    rows: dict[tuple[Any, ...], dict[tuple[str, str], Mapping[str, Any]]] = {}
    for case in cases:
        row = rows.setdefault((case["samples"], case["learning_rate"], case["batch_size"]), {})
        row[case["engine"], case["device"]] = case
    with_samples = len({samples for samples, _, _ in rows}) > 1
    gpus = sorted((engine, on) for engine, on in columns if on.startswith("gpu") and (engine, "cpu") in columns)
    headings = (
        *(["samples"] if with_samples else []),
        *("batch size", "learning rate"),
        *(f"{engine} {device}" for engine, device in columns),
        *(f"{engine} cpu : {on}" for engine, on in gpus),
    )
    laid_out = []
    for (samples, learning_rate, batch_size), row in sorted(rows.items()):
        limits = [case["seconds_per_epoch"] for (engine, _), case in row.items() if engine == registry.limit()]
        limit = limits[0] if limits else None
        cells = [_cell(row[column], limit) if column in row else "" for column in columns]
        for engine, on in gpus:
            times = [row[engine, side]["seconds_per_epoch"] for side in ("cpu", on) if (engine, side) in row]
            cells.append(f"{times[0] / times[1]:.3g}" if len(times) == 2 else "")
        laid_out.append((*([str(samples)] if with_samples else []), str(batch_size), f"{learning_rate:g}", *cells))
    title = f"Median time per epoch (and how many times {registry.limit()}, the limit)"
    return tables.Table(title, headings, tuple(laid_out))


def _cell(case: Mapping[str, Any], limit: float | None) -> str:
    """Write one time: with its ratio to the limit, and marked where the run did not pass."""
    times = case["seconds_per_epoch"] / limit if limit else 0.0
    ratio = f" ({times:,.0f}×)" if times >= 100 else f" ({times:.2f}×)"
    ratio = ratio if limit and case["engine"] != registry.limit() else ""
    return f"{duration(case['seconds_per_epoch'])}{ratio}{' ' if case['verdict'] == 'pass' else '†'}"
