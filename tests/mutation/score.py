"""What a study has found: a score by file, and what survived."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import WorkItem, WorkResult

from parabola import statistics
from parabola.display.tables import Column, Table, markdown_lines
from tests.mutation import equivalent

FATES = ("mutants", "equivalent", "everyday", "end to end")  # all, and what became of them


@dataclass(frozen=True)
class _Score:
    """How many mutants a file has, and how many had each fate."""

    file: str
    counts: Mapping[str, int]


COLUMNS: tuple[Column[_Score], ...] = (
    Column("file", lambda score: score.file, "left"),
    Column("mutants", lambda score: str(score.counts["mutants"])),
    Column("equivalent", lambda score: str(score.counts["equivalent"])),
    Column("caught everyday", lambda score: str(score.counts["everyday"])),
    Column("only end to end", lambda score: str(score.counts["end to end"])),
)


def pending(session: Path) -> list[WorkItem]:
    """Return the mutants that have no result yet, in the order of their names."""
    with use_db(session) as database:
        return sorted(database.pending_work_items, key=lambda mutant: mutant.job_id)


def note(session: Path, mutant: WorkItem, result: WorkResult) -> None:
    """Keep a result."""
    with use_db(session) as database:
        database.set_result(mutant.job_id, result)


def survivors(session: Path) -> list[WorkItem]:
    """Return the mutants that no everyday test noticed and that are not on the list of equivalent ones."""
    known = equivalent.read()
    with use_db(session) as database:
        return [
            mutant
            for mutant, result in database.completed_work_items
            if not result.is_killed and not equivalent.reason(known, _file(mutant), result.diff or "")
        ]


def lines(session: Path, caught_later: Collection[str] = ()) -> list[str]:
    """Return the score in Markdown, and what survived, a diff each.

    Args:
        session: of Cosmic Ray.
        caught_later: names of the mutants that the end-to-end tests caught.
    """
    known, counts = equivalent.read(), Counter[tuple[str, str]]()
    surviving = list[str]()
    with use_db(session) as database:
        completed = sorted(database.completed_work_items, key=lambda pair: _file(pair[0]))
    for mutant, result in completed:
        file, diff = _file(mutant), result.diff or ""
        counts[file, "mutants"] += 1
        if result.is_killed:
            counts[file, "everyday"] += 1
        elif reason := equivalent.reason(known, file, diff):
            counts[file, "equivalent"] += 1
            surviving += [f"\nequivalent, {reason}", diff]
        else:
            counts[file, "end to end"] += mutant.job_id in caught_later
            state = "caught end to end only" if mutant.job_id in caught_later else "survived"
            surviving += [f"\n{state} ({mutant.mutations[0].operator_name})", diff]
    files = sorted({file for file, _ in counts})
    scores = [_Score(file, {fate: counts[file, fate] for fate in FATES}) for file in files]
    whole = {fate: sum(score.counts[fate] for score in scores) for fate in FATES}
    table = Table("", COLUMNS, [*scores, _Score("in all", whole)])
    meant = whole["mutants"] - whole["equivalent"]
    sentences = [_share("caught by the everyday tests", whole["everyday"], meant)]
    if caught_later:
        caught = whole["everyday"] + whole["end to end"]
        sentences.append(_share("caught by these or the end-to-end tests", caught, meant))
    return [*markdown_lines(table), "", *sentences, *surviving]


def _share(what: str, part: int, whole: int) -> str:
    if not whole:
        return f"{what}: none to catch"
    low, high = statistics.share_interval(part, whole)
    return f"{what}: {part} of {whole}, {100 * part / whole:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def _file(mutant: WorkItem) -> str:
    return str(mutant.mutations[0].module_path)
