"""Across machines: how many times as long as `native`, which is what carries over, as far as it does."""

from collections.abc import Sequence

from parabola.display.tables import Column, Table
from parabola.display.units import times
from parabola.records.history import History
from parabola.records.machines.relative import Ratio, RelativeLine, relative_lines
from parabola.report.parts import Section

LINES = (
    "Times of two machines are never pooled; how many times as long as native, in the same session, is another series.",
    "How far it carries over is in the last column: the largest of the machines' medians, divided by the smallest.",
)


def relative_sections(histories: Sequence[History], names: Sequence[str]) -> list[Section]:
    """Lay out the ratios to `native` of the cases that several machines have; no section where there are none.

    Args:
        histories: those of the machines that have parts of their own, of one project's suite.
        names: what tells them apart.
    """
    lines = relative_lines(histories)
    if not lines:
        return []
    machines = sorted({ratio.machine for line in lines for ratio in line.ratios})
    by_commit = [(line, ratio) for line in lines for ratio in line.ratios]
    by_commit.sort(key=lambda pair: (pair[1].commit.made, pair[1].machine))
    return [
        Section(
            title="Across machines: the ratio to native",
            chapter="Machines",
            lines=LINES,
            tables=(Table("Median over commits of time : native's time", _columns(machines, names), lines),),
            details=(Table("Time : native's time, by commit", _commit_columns(names), by_commit),),
        )
    ]


def _columns(machines: Sequence[int], names: Sequence[str]) -> list[Column[RelativeLine]]:
    return [
        Column("case", lambda line: line.case.words, "left"),
        *(_machine_column(machine, names[machine]) for machine in machines),
        Column("largest : smallest", lambda line: times(max(line.medians().values()) / min(line.medians().values()))),
    ]


def _machine_column(machine: int, name: str) -> Column[RelativeLine]:
    """Return the column of one machine: the median ratio, and of how many commits it is."""

    def cell(line: RelativeLine) -> str:
        number = sum(ratio.machine == machine for ratio in line.ratios)
        return f"{times(line.medians()[machine])} × (of {number:,})" if number else "–"

    return Column(name, cell)


def _commit_columns(names: Sequence[str]) -> list[Column[tuple[RelativeLine, Ratio]]]:
    return [
        Column("commit", lambda pair: pair[1].commit.id[:9], "left"),
        Column("made", lambda pair: f"{pair[1].commit.made:%Y-%m-%d %H:%M}", "left"),
        Column("machine", lambda pair: names[pair[1].machine], "left"),
        Column("case", lambda pair: pair[0].case.words, "left"),
        Column("ratio", lambda pair: f"{times(pair[1].ratio)} ×"),
    ]
