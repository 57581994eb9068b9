"""The ratio to `native` across machines: by value, with how far the machines differ."""

from datetime import UTC, datetime

from parabola.records.record import Record
from parabola.report import sections as report_sections
from tests.made_measurements import measurement, record


def test_ratios_of_two_machines_stand_beside_each_other_and_are_not_pooled() -> None:
    """Of each machine the median over commits, and how far the machines' medians differ; by hand: 6 / 3 and 8 / 2.5."""
    found = []
    for day, compiled in enumerate((6e-6, 9e-6, 3e-6)):
        found.append(_record(day, {}, 3e-6, compiled))
    found.append(_record(3, {"cpu_model": "B"}, 2.5e-6, 8e-6))
    sections = report_sections.sections(found)
    (section,) = (section for section in sections if section.title == "Across machines: the ratio to native")
    (table,), (commits,) = section.tables, section.details
    names = "cpu model B", "cpu model Made-up CPU_7 <2.9 GHz> & Söhne"

    assert table.headings == ("case", *names, "largest : smallest")
    assert table.rows == (("compiled, cpu, batch 9, learning rate 0.001", "3.2 × (of 1)", "2 × (of 3)", "1.6"),)
    assert [row[2] for row in commits.rows] == [names[1]] * 3 + [names[0]]
    assert [row[4] for row in commits.rows] == ["2 ×", "3 ×", "1 ×", "3.2 ×"]


def test_without_native_or_on_one_machine_there_is_no_such_part() -> None:
    """There is nothing to divide by, or nothing to compare with."""
    alone = [_record(0, {}, 3e-6, 6e-6), _record(1, {}, 3e-6, 6e-6)]
    without = [record(measurement()), record(measurement(), machine={"cpu_model": "B"})]

    for found in (alone, without):
        assert not [one for one in report_sections.sections(found) if one.title.startswith("Across")]


def _record(day: int, machine: dict[str, object], native: float, compiled: float) -> Record:
    when = datetime(2026, 3, 1 + day, tzinfo=UTC)
    cases = [
        measurement(engine=engine, median=seconds, low_quartile=seconds, high_quartile=seconds)
        for engine, seconds in (("native", native), ("compiled", compiled))
    ]
    return record(*cases, machine=machine, commit=f"{day}" * 40, committed=when, measured=when, path=f"{day}.json")
