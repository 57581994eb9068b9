"""Times per epoch as one table: a row a setting, a column an engine and device."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parabola import registry
from parabola.display.tables import Table, table_of
from parabola.display.units import duration
from parabola.records.case import Setting
from parabola.records.extra_info import Answer

DAGGER = "† a right run (as the reference), at whose end the coefficient error is not below the learning rate"


@dataclass(frozen=True)
class EpochTime:
    """What was measured of a case.

    Attributes:
        answer: the case's axes, and what was learnt at the end of the last round.
        seconds_per_epoch: median over the rounds.
    """

    answer: Answer
    seconds_per_epoch: float


def epoch_times(times: Sequence[EpochTime]) -> Table[Mapping[str, str]]:
    """Lay out seconds per epoch: a row a (batch size, learning rate), a column an engine and device.

    Args:
        times: one for each case; columns are in their order. Rows are in the order of samples, learning rate and batch
            size.
    """
    by_setting = defaultdict[Setting, dict[tuple[str, str], EpochTime]](dict)
    for time in times:
        by_setting[time.answer.setting][time.answer.engine, time.answer.device] = time
    measured = dict.fromkeys((time.answer.engine, time.answer.device) for time in times)
    several = len({setting.samples for setting in by_setting}) > 1
    rows = list[dict[str, str]]()
    for setting, here in sorted(by_setting.items()):
        limit = next((time for (engine, _), time in here.items() if engine == registry.LIMIT), None)
        row = {"samples": str(setting.samples)} if several else {}
        row |= {"batch size": str(setting.batch_size), "learning rate": f"{setting.learning_rate:g}"}
        row |= {f"{engine} {device}": _time(here.get((engine, device)), limit) for engine, device in measured}
        row |= {
            f"{engine} cpu : {device}": _speedup(here.get((engine, "cpu")), here.get((engine, device)))
            for engine, device in sorted(measured)
            if device.startswith("gpu") and (engine, "cpu") in measured
        }
        rows.append(row)
    return table_of(
        f"Median time per epoch (× {registry.LIMIT}, about the fastest possible)",
        rows,
        leading=("samples", "batch size", "learning rate"),
    )


def _time(time: EpochTime | None, limit: EpochTime | None) -> str:
    """Write a time with its ratio to the limit, and with a mark unless the run passed."""
    if not time:
        return ""
    mark = " " if time.answer.verdict == "pass" else "†"
    if not limit or time.answer.engine == registry.LIMIT:
        return f"{duration(time.seconds_per_epoch)}{mark}"
    times = time.seconds_per_epoch / limit.seconds_per_epoch
    ratio = f"{times:,.0f}×" if times >= 100 else f"{times:.2f}×"
    return f"{duration(time.seconds_per_epoch)} ({ratio}){mark}"


def _speedup(cpu: EpochTime | None, other: EpochTime | None) -> str:
    """Write how many times as long the CPU takes as another device."""
    return f"{cpu.seconds_per_epoch / other.seconds_per_epoch:.3g}" if cpu and other else ""
