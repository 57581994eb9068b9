"""A report from records: which sections it has, one a machine, and how machines are called that differ."""

from collections.abc import Sequence
from itertools import combinations

from parabola.display.tables import table_of
from parabola.records.fingerprint import MAY_BE_EMPTY, differences, hardware, in_words, software
from parabola.records.foreign.naming import told_apart
from parabola.records.history import History, histories
from parabola.records.record import Fingerprint, Record
from parabola.report.devices import device_sections, no_device_sections
from parabola.report.hardware.disturbed import marked
from parabola.report.hardware.relative import relative_sections
from parabola.report.machines import machines_section
from parabola.report.now import now_section
from parabola.report.parts import Section
from parabola.report.past import past_section

MOST_MACHINES = 4  # with parts of their own, unless they have names


class RefusedError(ValueError):
    """Records cannot be reported on as it was asked; the message says why."""


def sections(records: Sequence[Record]) -> list[Section]:
    """Return the parts of a report: for each machine what holds now, then devices, then the past.

    Of machines that have no name, only those that were measured last have parts of their own.

    Args:
        records: one or more.

    Raises:
        RefusedError: if machines with other processors have one name.
    """
    records = told_apart(records)
    machines = histories(records)
    newest = [machine.records[0] for machine in machines]
    _refuse_one_name_for_two(newest)
    named = [*zip(machines, _machine_names(newest), strict=True)]
    shown = [one for at, one in enumerate(named) if at < MOST_MACHINES or newest[at].name]
    others = [one for at, one in enumerate(named) if at >= MOST_MACHINES and not newest[at].name]
    compared = device_sections([machine.newest for machine, _ in shown], [record.name for record in records])
    return [
        *(marked(now_section(machine, records, name), machine.newest) for machine, name in shown),
        *compared,
        *(marked(past_section(machine, name), machine.measured) for machine, name in shown),
        *relative_sections(*zip(*shown, strict=True)),
        *([] if compared else no_device_sections([machine.newest for machine, _ in shown])),
        machines_section(shown),
        *([_others(others)] if others else []),
    ]


def _refuse_one_name_for_two(newest: Sequence[Record]) -> None:
    """Raise RefusedError if machines with other processors have one name."""
    for record, other in combinations(newest, 2):
        processors, others = (dict(hardware(one.fingerprint)) for one in (record, other))
        differ = any(processors[fact] != others[fact] for fact in ("cpu_model", "gpu"))
        if record.name and record.name == other.name and differ:
            differing = "; ".join(differences(record, other))
            received = f"Received: {record.name!r} for two, which differ: {differing}"
            raise RefusedError(f"a name is for one machine. {received}")


def _others(machines: Sequence[tuple[History, str]]) -> Section:
    """Name the machines that have no part of their own, so that a reader knows what the report leaves out."""
    line = "Measured longer ago; give them alone, or with a name (NAME=RECORD), and they are reported, too."
    rows = [
        {
            "machine": name,
            "commits": str(len(machine.commits)),
            "measured last": f"{machine.records[0].measured:%Y-%m-%d %H:%M}",
            "newest record": machine.records[0].path,
        }
        for machine, name in machines
    ]
    return Section("Earlier machines", "Machines", lines=(line,), tables=(table_of("", rows, left=tuple(rows[0])),))


def _machine_names(newest: Sequence[Record]) -> list[str]:
    """Return what tells machines apart: the names that were given, else the facts that are not the same for all.

    These are facts of the hardware; two histories of one hardware are told apart by project and software besides.
    """
    facts = [(("project", record.project), *hardware(record.fingerprint)) for record in newest]
    in_facts = _told_by(facts)
    if len(set(in_facts)) < len(newest):
        in_facts = _told_by(
            [(*here, *software(record.fingerprint)) for here, record in zip(facts, newest, strict=True)]
        )
    given = [record.name for record in newest]
    return [_machine_name(name, words, given.count(name)) for name, words in zip(given, in_facts, strict=True)]


def _told_by(machines: Sequence[Fingerprint]) -> list[str]:
    """Return for each machine those of its facts, in words, that are not the same for all and that it knows."""
    differing = {same[0][0] for same in zip(*machines, strict=True) if len(set(same)) > 1}
    return [
        ", ".join(
            f"{in_words(fact)} {value or 'none'}"
            for fact, value in facts
            if fact in differing and (value or fact in MAY_BE_EMPTY)
        )
        for facts in machines
    ]


def _machine_name(given: str, facts: str, number: int) -> str:
    """Return the name of a machine: the given one if no other machine has it, else with the facts; or these alone."""
    if not given:
        return facts
    return given if number == 1 else f"{given}, {facts}"
