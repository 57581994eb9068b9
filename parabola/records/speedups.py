"""One device against another: how many times faster, how surely, and from which size on."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from parabola import statistics
from parabola.records.record import Measurement

AXES = {"epoch time": "batch_size", "members": "members"}  # by kind: what a line is drawn over


@dataclass(frozen=True)
class Side:
    """What was measured on one device of one machine.

    Attributes:
        label: its name in tables and pictures.
        device: "cpu", "gpu:0", …
        measurements: a case each.
    """

    label: str
    device: str
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Speedup:
    """One case on two sides.

    Attributes:
        first, second: the measurements.
        ratio: time of the first : time of the second; above 1 the second is faster.
        low, high: its 95 % interval.
    """

    first: Measurement
    second: Measurement
    ratio: float
    low: float
    high: float


def pairs(sides: Sequence[Side]) -> list[tuple[Side, Side]]:
    """Return which sides are held against which: the first CPU against all others, every CPU against every GPU."""
    if len(sides) < 2:
        return []
    cpus = [side for side in sides if side.device.startswith("cpu")]
    first = cpus[0] if cpus else sides[0]
    others = [side for side in sides if side is not first]
    return [(first, side) for side in others] + [(cpu, side) for cpu in cpus[1:] for side in others if side not in cpus]


def speedups(first: Side, second: Side) -> list[Speedup]:
    """Return the cases that both sides have, in the order of the first."""
    there = {_axes(one): one for one in second.measurements}
    both = [(one, there[_axes(one)]) for one in first.measurements if _axes(one) in there]
    return [Speedup(*pair, *statistics.median_ratio_interval(_spread(pair[0]), _spread(pair[1]))) for pair in both]


def crossovers(found: Sequence[Speedup], second: str) -> Iterator[str]:
    """Say from which batch size, or number of members, on the second side is faster: a sentence a line.

    Args:
        found: of two sides.
        second: the second one's label.
    """
    on_lines = sorted((one for one in found if one.first.kind in AXES), key=_line)
    engines = Counter(line[:2] for line in dict.fromkeys(map(_line, on_lines)))
    for line, grouped in groupby(on_lines, key=_line):
        kind, engine, setting = line
        size = "{} members" if kind == "members" else "batch size {}"
        wins = sorted((getattr(one.first, AXES[kind]), one.low > 1) for one in grouped if math.isfinite(one.high))
        what = engine if kind == "epoch time" else f"{engine}, many members (a CPU's on one core)"
        what += f", {setting}" if engines[kind, engine] > 1 else ""
        yield f"{what}: {_crossover(wins, size, second) if wins else 'too few rounds to tell'}"


def _crossover(wins: Sequence[tuple[int, bool]], size: str, second: str) -> str:
    """Say where the second side surely wins, of sizes in order, each with whether it does."""
    smallest, largest = wins[0][0], wins[-1][0]
    measured = size.format(f"{smallest} to {largest}") if smallest < largest else f"{size.format(smallest)} alone"
    winning = [at for at, won in wins if won]
    if not winning:
        return f"{second} is never surely faster in the range measured ({measured})"
    if len(winning) == len(wins):
        return f"{second} is faster in the whole range measured ({measured})"
    if winning == [at for at, _ in wins if at >= winning[0]]:
        before = max(at for at, won in wins if not won)
        return f"{second} is faster from {size.format(winning[0])} on, not yet at {before} (measured: {measured})"
    return f"{second} is faster at {size.format(', '.join(map(str, winning)))} only (measured: {measured})"


def _axes(one: Measurement) -> tuple[object, ...]:
    return one.kind, one.engine, one.batch_size, one.learning_rate, one.samples, one.members, one.epochs


def _line(one: Speedup) -> tuple[str, str, str]:
    """Return what the points of a line have in common: kind, engine, and the rest in words."""
    case = one.first
    batch_size = f", batch size {case.batch_size}" if case.kind == "members" else ""
    epochs = f", {case.epochs} epochs a round" if case.epochs else ""
    return case.kind, case.engine, f"{case.samples} samples, learning rate {case.learning_rate:g}{batch_size}{epochs}"


def _spread(one: Measurement) -> tuple[float, float, float, int]:
    return one.median, one.low_quartile, one.high_quartile, one.rounds
