"""One device against another: how many times faster, how surely, and from which size on."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from parabola.records.record import Measurement
from parabola.records.schema import Times
from parabola.statistics import CONFIDENCE


@dataclass(frozen=True)
class DeviceTimes:
    """What was measured on one device of one machine.

    Attributes:
        label: the device's name in tables and pictures.
        device: "cpu", "gpu:0", …
        measurements: a measurement for each case.
    """

    label: str
    device: str
    measurements: tuple[Measurement, ...]


@dataclass(frozen=True)
class Speedup:
    """One case on two devices.

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


def pairs(devices: Sequence[DeviceTimes]) -> list[tuple[DeviceTimes, DeviceTimes]]:
    """Return what is held against what: the first CPU against all other devices, every CPU against every GPU."""
    if len(devices) < 2:
        return []
    cpus = [times for times in devices if times.device.startswith("cpu")]
    first = cpus[0] if cpus else devices[0]
    others = [times for times in devices if times is not first]
    against_all = [(first, other) for other in others]
    return against_all + [(cpu, other) for cpu in cpus[1:] for other in others if other not in cpus]


def speedups(first: DeviceTimes, second: DeviceTimes) -> list[Speedup]:
    """Return the cases that both devices have, in one unit, in the order of the first."""
    on_second = {(measurement.case.on_any_device, measurement.unit): measurement for measurement in second.measurements}
    found = list[Speedup]()
    for measurement in first.measurements:
        partner = on_second.get((measurement.case.on_any_device, measurement.unit))
        if partner:
            found.append(Speedup(measurement, partner, *median_ratio_interval(measurement.times, partner.times)))
    return found


def median_ratio_interval(first: Times, second: Times) -> tuple[float, float, float]:
    """Return first median : second median and its 95 % interval, from quartiles alone; infinite below three rounds.

    The standard error of a median's log is 0.929 (q3 - q1) / (median √rounds): of a normal sample 1.2533 σ / √n, with
    σ the distance of the quartiles over 1.349. It knows of the rounds of one process, not of another process's luck.

    Args:
        first: the times whose median is divided.
        second: the times by whose median it is divided.

    Source: McGill, Tukey and Larsen, "Variations of box plots", The American Statistician 1978.
    """
    from scipy.special import stdtrit

    ratio, freedom = first.median / second.median, first.rounds + second.rounds - 2
    if min(first.rounds, second.rounds) < 3:
        return ratio, 0.0, math.inf
    errors = [
        0.929 * (times.high_quartile - times.low_quartile) / (times.median * math.sqrt(times.rounds))
        for times in (first, second)
    ]
    reach = math.exp(math.hypot(*errors) * -stdtrit(freedom, (1 - CONFIDENCE) / 2))
    return ratio, ratio / reach, ratio * reach


def crossovers(found: Sequence[Speedup], second: str) -> Iterator[str]:
    """Say from which batch size, or number of members, on the second device is faster: a sentence a line over sizes.

    Args:
        found: the speed-ups of two devices.
        second: the second one's label.
    """
    on_lines = defaultdict[tuple[str, str, str], list[Speedup]](list)
    for speedup in found:
        if speedup.first.case.size is not None:
            on_lines[speedup.first.case.line].append(speedup)
    lines_of_engine = Counter((kind, engine) for kind, engine, _ in on_lines)
    for (kind, engine, setting), speedups_of_line in sorted(on_lines.items(), key=itemgetter(0)):
        wins = _wins(speedups_of_line)
        size = "{} members" if kind == "members" else "batch size {}"
        what = f"{engine}, many members (a CPU's on one core)" if kind == "members" else engine
        what += f", {setting}" if lines_of_engine[kind, engine] > 1 else ""
        yield f"{what}: {_crossover(wins, size, second) if wins else 'too few rounds to tell'}"


def _wins(line: Sequence[Speedup]) -> list[tuple[int, bool]]:
    """Return the sizes of a line in order, each with whether the second device is surely faster there.

    Sizes with too few rounds are left out.
    """
    return sorted((speedup.first.case.size or 0, speedup.low > 1) for speedup in line if math.isfinite(speedup.high))


def _crossover(wins: Sequence[tuple[int, bool]], form: str, second: str) -> str:
    """Say where the second device surely wins.

    Args:
        wins: one or more sizes, in order, each with whether it is surely faster there.
        form: how a size is written, as "batch size {}".
        second: the second device's label.
    """
    winning = [size for size, won in wins if won]
    smallest, largest = wins[0][0], wins[-1][0]
    measured = form.format(f"{smallest} to {largest}") if smallest < largest else f"{form.format(smallest)} alone"
    if not winning:
        return f"{second} is never surely faster in the range measured ({measured})"
    if len(winning) == len(wins):
        return f"{second} is faster in the whole range measured ({measured})"
    if winning == [size for size, _ in wins if size >= winning[0]]:
        before = max(size for size, won in wins if not won)
        return f"{second} is faster from {form.format(winning[0])} on, not yet at {before} (measured: {measured})"
    return f"{second} is faster at {form.format(', '.join(map(str, winning)))} only (measured: {measured})"
