"""Changes of a machine's software over commits: a sentence and a table."""

from collections.abc import Mapping

from parabola.display.tables import Table, table_of
from parabola.records.history import History


def update_sentence(history: History) -> str:
    """Say how often the software changed, and how it did last; empty where it did not."""
    if not history.updates:
        return ""
    last, number = history.updates[-1], len(history.updates)
    times = "once" if number == 1 else f"{number:,} times, last"
    return f"The machine's software changed {times} at {history.commits[last.at].id[:9]}: {last.words}."


def update_table(history: History) -> Table[Mapping[str, str]]:
    """Lay out every change of software, the newest first: from which commit on, and what changed."""
    rows = [
        {
            "from commit": history.commits[update.at].id[:9],
            "made": f"{history.commits[update.at].made:%Y-%m-%d %H:%M}",
            "changed": update.words,
        }
        for update in reversed(history.updates)
    ]
    return table_of("Changes of the machine's software, newest first", rows, left=("from commit", "made", "changed"))
