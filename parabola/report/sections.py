"""What records say: which sections a report has, and what tells machines apart."""

from collections.abc import Sequence
from itertools import combinations

from parabola.display.tables import Table
from parabola.records.fingerprint import differences, in_words
from parabola.records.history import History, histories
from parabola.records.record import Record
from parabola.report.devices import device_sections
from parabola.report.now import now_section
from parabola.report.parts import TEXT_COLUMNS, Section
from parabola.report.past import past_section

MOST_MACHINES = 4  # with parts of their own, unless they have names


class RefusedError(ValueError):
    """Records cannot be reported on as it was asked; the message says why."""


def sections(records: Sequence[Record]) -> list[Section]:
    """Return the parts of a report: for each machine what holds now, then devices, then the past.

    A machine that was updated is another one: of those that have no name, only the last few have parts of their own.

    Args:
        records: one or more.

    Raises:
        RefusedError: if machines with other processors have one name. One that was updated may keep it.
    """
    past = histories(records)
    newest = [_newest(history) for history in past]
    for found, other in combinations((found[0] for found in newest), 2):
        differing = differences(found, other)
        if found.name and found.name == other.name and any(one.startswith(("cpu model:", "gpu:")) for one in differing):
            said = f"Received: {found.name!r} for two, which differ: {'; '.join(differing)}"
            raise RefusedError(f"a name is for one machine. {said}")
    names = _machine_names([found[0] for found in newest])
    every = list(zip(past, newest, names, strict=True))
    shown = [one for at, one in enumerate(every) if at < MOST_MACHINES or one[1][0].name]
    now = [now_section(history, found, records, name) for history, found, name in shown]
    then = [past_section(history, name) for history, _, name in shown]
    devices = device_sections([found for _, found, _ in shown], [record.name for record in records])
    others = [one for one in every if one not in shown]
    return [*now, *devices, *then, *([_others(others)] if others else [])]


def _others(machines: Sequence[tuple[History, list[Record], str]]) -> Section:
    """Name the machines that have no part of their own, so that nothing is left out unsaid."""
    rows = [
        (name, str(len(history.commits)), f"{found[0].measured:%Y-%m-%d %H:%M}", found[0].path)
        for history, found, name in machines
    ]
    headings = ("machine", "commits", "measured last", "newest record")
    said = "Measured longer ago; give them alone, or with a name (NAME=RECORD), and they are reported, too."
    return Section("Earlier machines", (said,), (Table("", headings, tuple(rows), (*TEXT_COLUMNS, *headings)),))


def _newest(history: History) -> list[Record]:
    """Return the records of the commit that was measured last on a machine, newest first."""
    newest = history.records[0]
    if newest.dirty or not newest.commit:
        return [newest]  # nobody knows whether another one is of the same code
    return [one for one in history.records if one.commit == newest.commit and not one.dirty]


def _machine_names(newest: Sequence[Record]) -> list[str]:
    """Return what tells machines apart: the names that were given, else the facts that are not the same for all."""
    facts = [dict(record.fingerprint) for record in newest]
    telling = [name for name in facts[0] if len({one[name] for one in facts}) > 1]
    apart = [", ".join(f"{in_words(name)} {one[name] or 'none'}" for name in telling) for one in facts]
    given = [record.name for record in newest]
    return [
        told if not name else name if given.count(name) == 1 else f"{name}, {told}"
        for name, told in zip(given, apart, strict=True)
    ]
