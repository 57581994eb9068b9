"""What a reader wants to know first: how fast it is now on a machine, and what changed; and the title of a page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parabola import registry
from parabola.display.units import duration, times
from parabola.records.case import Setting
from parabola.records.history import History
from parabola.records.levels.search import FEWEST
from parabola.records.record import Measurement, Record
from parabola.report.level_changes import changes_of, together_table
from parabola.report.parts import Answer, count_words, current_cases

WORDS = {
    "epoch": "every sample was used once; times are per epoch unless another unit is said",
    "engine": "how a run is executed: fit is Keras' Model.fit; fused_fit is Keras with its own best options; compiled "
    "is the whole run in one program around the same Keras model; native is hand-written",
    "limit": f"the time of {registry.LIMIT}, code written by hand for the same steps: about the fastest possible, and "
    "no bound to be kept. Every other time is divided by it: 2 times the limit takes twice as long, below 1 is faster",
    "case": "one setting that was timed: an engine on a device, with a batch size, a learning rate and so many samples",
    "record": "what one session of benchmarks measured, in a file",
    "verified": "each step of the run was held against a reference; a run that was not right has no time",
    "learnt": "at the end the coefficients were closer to the true ones than the learning rate; a short run may be "
    "right and not have learnt yet",
    "median": "half of the rounds took less; quartiles: the middle half of the rounds lies between them",
    "change of level": "a case takes another time from some commit on, by more than noise explains",
}
GENERAL_WORDS = ("record", "median", "change of level")
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


@dataclass(frozen=True)
class Opening:
    """What a page begins with, but for the answers.

    Attributes:
        title: the question that the records answer.
        about: short sentences on what was measured.
        words: what the words mean that the page uses.
    """

    title: str
    about: tuple[str, ...]
    words: Mapping[str, str]


def opening(records: Sequence[Record]) -> Opening:
    """Return the opening of a page on such records."""
    read = f"{count_words(len(records), 'record')} of pytest-benchmark {'was' if len(records) == 1 else 'were'} read."
    if not any(measurement.case.engine for record in records for measurement in record.measurements):
        projects = dict.fromkeys(record.project for record in records)
        title = f"How fast are the benchmarks of {', '.join(filter(None, projects)) or 'this suite'}?"
        return Opening(title, (read,), {word: WORDS[word] for word in GENERAL_WORDS})
    about = (
        "One small training run was timed: a network of two neurons learns a parabola whose coefficients are known.",
        "So every time comes with an answer that was checked: a verified run, and whether it has learnt.",
        read,
    )
    return Opening("How fast does a network of two neurons train?", about, WORDS)


def answer_of(history: History, name: str) -> Answer:
    """Say in a line what holds now on one machine and how often something changed, and behind it what this is of.

    Args:
        history: everything that was measured on the machine.
        name: what tells the machine from the others of the report; empty where there is one.
    """
    speed, *of = _times(current_cases(history.newest))
    changes, *newest = _changes(history)
    return Answer(_subject(history, name), f"{speed}; {changes}", (*of, *newest))


def _subject(history: History, name: str) -> str:
    """Say what ran where, as "TensorFlow on 2 cores of AMD EPYC"."""
    facts = dict(history.records[0].fingerprint)
    backend, _, version = facts.get("backend", "").partition(" ")
    what = f"{BACKENDS[backend]}{' ' if version else ''}{version} on " if backend in BACKENDS else ""
    cores = facts.get("cores_usable") or facts.get("cores", "")
    processor = f"{cores} core{'' if cores == '1' else 's'} of {facts.get('cpu_model', 'an unknown processor')}"
    gpu = f" and {facts['gpu']}" if facts.get("gpu", "none") not in ("none", "") else ""
    given = f" ({name})" if name else ""
    return f"{what}{processor if cores else facts.get('cpu_model', 'this machine')}{gpu}{given}"


def _times(current: Sequence[Measurement]) -> list[str]:
    """Say how long an epoch takes by each engine at one setting, or between which times benchmarks lie; and of what."""
    epochs = [measurement for measurement in current if measurement.case.kind == "epoch time"]
    if not epochs:
        ordered = sorted(current, key=lambda measurement: measurement.times.median)
        if not ordered:
            return ["nothing was measured"]
        first, last = (f"{one.case.label} ({duration(one.times.median)})" for one in (ordered[0], ordered[-1]))
        return [f"{count_words(len(ordered), 'benchmark')}, from {first} to {last}"]
    by_setting = dict[Setting, list[Measurement]]()
    for epoch in epochs:
        by_setting.setdefault(epoch.case.setting, []).append(epoch)
    setting, here = min(by_setting.items(), key=lambda item: (-len(item[1]), item[0]))
    here.sort(key=lambda epoch: epoch.times.median)
    several = len({epoch.case.device for epoch in epochs}) > 1
    limits = [epoch.times.median for epoch in here if epoch.case.engine == registry.LIMIT]
    others = [epoch for epoch in here if epoch.case.engine != registry.LIMIT]
    names = [f"{one.case.engine} on {one.case.device}" if several else one.case.engine for one in others or here]
    seconds = [epoch.times.median for epoch in others or here]
    compared = [f"{times(time / limits[0])} times" if limits else duration(time) for time in seconds]
    of_limit = [f"{compared[0]} the limit"] if limits and others else []
    said = [f"{names[0]} {duration(seconds[0])} an epoch", *of_limit, *map("{} {}".format, names[1:], compared[1:])]
    least = f"about the fastest possible, by code written by hand ({registry.LIMIT})"
    of = f"{setting.samples:,} samples, in batches of {setting.batch_size}, learning rate {setting.learning_rate:g}"
    return [", ".join(said), *(f"The limit: {duration(limit)}, {least}." for limit in limits[:1]), f"An epoch: {of}."]


def _changes(history: History) -> list[str]:
    """Say how many times over the commits something changed, and what the newest change was."""
    commits, measured = history.commits, history.number_of_commits
    if max((len(line.at) for line in history.lines), default=0) < FEWEST:
        return [f"too early to say what changed: {count_words(measured, 'commit')}, and {FEWEST} are needed"]
    since = f"in {measured:,} commits since {commits[0].made:%Y-%m-%d}"
    together = together_table(history, changes_of(history)).items
    if not together:
        return [f"no change {since}"]
    last = together[0]
    number = last["case"].partition(":")[0]  # "all 15", or "3 of 15" before their names
    cases = f"{number} case" if number == "all 1" else f"{number} cases"
    size = re.sub(r"[+-](?=\d)", "", last["change"])  # the verdict says which way
    newest = f"{last['verdict']} by {size} in {cases}, within commits {last['commits']} ({last['made'][:10]})"
    return [f"{count_words(len(together), 'change')} {since}", f"Newest change: {newest}."]
