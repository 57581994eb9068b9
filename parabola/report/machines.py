"""The machines of a report: what is known of each."""

from collections.abc import Sequence

from parabola.display.tables import table_of
from parabola.records.fingerprint import in_words
from parabola.records.history import History
from parabola.report.parts import Section


def machines_section(machines: Sequence[tuple[History, str]]) -> Section:
    """Lay out every fact of each machine: a row a fact that one of them has, a column a machine.

    Args:
        machines: the history of each machine, and what tells it from the others; empty where there is one.
    """
    facts = {
        name or "this machine": {
            **{in_words(fact): value for fact, value in history.records[0].fingerprint if value},
            "measured last": f"{history.records[0].measured:%Y-%m-%d %H:%M} UTC",
            "records": f"{len(history.records):,}",
            "commits": f"{history.number_of_commits:,}",
        }
        for history, name in machines
    }
    known = dict.fromkeys(fact for of_machine in facts.values() for fact in of_machine)
    rows = [
        {"fact": fact, **{name: of_machine.get(fact, "none") for name, of_machine in facts.items()}} for fact in known
    ]
    table = table_of("What is known of each machine, at its newest record", rows, left=("fact", *facts))
    return Section("Machines", "Machines", details=(table,))
