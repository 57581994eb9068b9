"""Times per epoch as one table: a row a setting, a column an engine and device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parabola import registry
from parabola.display.tables import Column, Table
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


@dataclass(frozen=True)
class _Row:
    """What was measured at one setting, by engine and device."""

    setting: Setting
    times: Mapping[tuple[str, str], EpochTime]

    def limit(self) -> float | None:
        """Return the limit's seconds per epoch; None where it was not measured."""
        limits = [time for (engine, _), time in self.times.items() if engine == registry.limit()]
        return limits[0].seconds_per_epoch if limits else None


def epoch_times(times: Sequence[EpochTime]) -> Table[_Row]:
    """Lay out seconds per epoch: a row a (batch size, learning rate), a column an engine and device.

    Args:
        times: one for each case; columns are in their order.
    """
    rows = _rows(times)
    measured = list(dict.fromkeys((time.answer.engine, time.answer.device) for time in times))
    columns: list[Column[_Row]] = [
        Column("batch size", lambda row: str(row.setting.batch_size)),
        Column("learning rate", lambda row: f"{row.setting.learning_rate:g}"),
        *(_times_column(engine, device) for engine, device in measured),
        *(
            _speedup_column(engine, device)
            for engine, device in sorted(measured)
            if device.startswith("gpu") and (engine, "cpu") in measured
        ),
    ]
    if len({row.setting.samples for row in rows}) > 1:
        columns.insert(0, Column("samples", lambda row: str(row.setting.samples)))
    return Table(f"Median time per epoch (and how many times {registry.limit()}, the limit)", columns, rows)


def _rows(times: Sequence[EpochTime]) -> list[_Row]:
    """Return the times by setting, in the order of samples, learning rate and batch size."""
    by_setting = dict[Setting, dict[tuple[str, str], EpochTime]]()
    for time in times:
        by_setting.setdefault(time.answer.setting, {})[time.answer.engine, time.answer.device] = time
    return [_Row(setting, by_setting[setting]) for setting in sorted(by_setting)]


def _times_column(engine: str, device: str) -> Column[_Row]:
    """Return the column of an engine's times: each with its ratio to the limit, and marked unless the run passed."""

    def cell(row: _Row) -> str:
        time = row.times.get((engine, device))
        return _time(time, None if engine == registry.limit() else row.limit()) if time else ""

    return Column(f"{engine} {device}", cell)


def _time(time: EpochTime, limit: float | None) -> str:
    mark = " " if time.answer.verdict == "pass" else "†"
    if not limit:
        return f"{duration(time.seconds_per_epoch)}{mark}"
    times = time.seconds_per_epoch / limit
    ratio = f"{times:,.0f}×" if times >= 100 else f"{times:.2f}×"
    return f"{duration(time.seconds_per_epoch)} ({ratio}){mark}"


def _speedup_column(engine: str, device: str) -> Column[_Row]:
    """Return the column of how many times as long the CPU takes as another device."""

    def cell(row: _Row) -> str:
        cpu, other = row.times.get((engine, "cpu")), row.times.get((engine, device))
        return f"{cpu.seconds_per_epoch / other.seconds_per_epoch:.3g}" if cpu and other else ""

    return Column(f"{engine} cpu : {device}", cell)
