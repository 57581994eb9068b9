"""The software of a machine over time: which updates go on with a history, and what each update changed."""

from collections import defaultdict
from collections.abc import Iterable

from parabola.records.fingerprint import in_words, software
from parabola.records.record import Fingerprint, Record

NAMES = {
    **{"cuda": "CUDA", "python": "Python", "tensorflow": "TensorFlow", "keras": "Keras", "numpy": "NumPy"},
    **{"numba": "Numba", "xla_flags": "XLA flags", "onednn": "oneDNN", "gpu_driver": "GPU driver"},
}


def lineages(records: Iterable[Record]) -> list[list[Record]]:
    """Return the records of one machine in groups, in each of which one software follows another.

    An update goes on with the history. Two kinds of software that measured half of the commits of either, as two jobs
    of CI with two Pythons do, are not one after the other: each has a history of its own. A new software joins that
    one whose last software it differs from in the fewest facts.

    Args:
        records: all of one machine, the first measured first; in the groups they keep this order.
    """
    by_software = defaultdict[Fingerprint, list[Record]](list)
    for record in records:
        by_software[software(record.fingerprint)].append(record)
    beside = _side_by_side(by_software)
    lines = list[list[Fingerprint]]()
    for here in by_software:
        free = [line for line in lines if beside[here].isdisjoint(line)]
        if free:
            min(free, key=lambda line: len(update(line[-1], here))).append(here)
        else:
            lines.append([here])
    line_of = {of_line: number for number, line in enumerate(lines) for of_line in line}
    groups: list[list[Record]] = [[] for _ in lines]
    for found in by_software.values():
        groups[line_of[software(found[0].fingerprint)]] += found
    return [sorted(group, key=lambda record: record.measured) for group in groups]


def _side_by_side(by_software: dict[Fingerprint, list[Record]]) -> dict[Fingerprint, set[Fingerprint]]:
    """Return, for each software, those that measured at least half of its commits, or of which it measured half."""
    commits = {here: {record.commit for record in found if record.commit} for here, found in by_software.items()}
    of_commit = defaultdict[str, list[Fingerprint]](list)
    for here, ids in commits.items():
        for id in ids:
            of_commit[id].append(here)
    shared = defaultdict[tuple[Fingerprint, Fingerprint], int](int)
    for together in of_commit.values():
        for here in together if len(together) > 1 else ():
            for other in together:
                shared[here, other] += here != other
    beside: dict[Fingerprint, set[Fingerprint]] = {here: set() for here in by_software}
    for (here, other), number in shared.items():
        if number and 2 * number >= min(len(commits[here]), len(commits[other])):
            beside[here].add(other)
    return beside


def update(before: Fingerprint, after: Fingerprint) -> list[str]:
    """Return what changed from one software to another, a line a fact, as "TensorFlow 2.20.0 → 2.21.0".

    Args:
        before, after: facts of the software, as `software` returns them.
    """
    pairs = zip(before, after, strict=True)
    return [
        f"{NAMES.get(fact, in_words(fact))} {old or 'none'} → {new or 'none'}"
        for (fact, old), (_, new) in pairs
        if old != new
    ]
