"""What a benchmark says of its case: the one list of fields, which benchmarks fill and readers of records decode."""

from typing import Any

import msgspec

from parabola.records.case import Axes

# The axes without which a case of a kind could stand in no table.
REQUIRED = {
    "epoch time": ("batch_size", "learning_rate", "samples"),
    "members": ("members", "batch_size", "learning_rate", "samples"),
}
VERDICT_WORDS = {"pass": "verified; learnt", "fail": "verified; not yet learnt"}


class Answer(Axes, frozen=True, kw_only=True):
    """What a report reads of a benchmark's `extra_info`: the case's axes, and what was learnt.

    Attributes:
        coefficient_error: largest error of the three coefficients at the end of the last round; None where the
            benchmark has none.
        verdict: what became of that run, as "pass"; None where the benchmark has none.
        seeds: number of seeds that were trained; None where it is a single run.
        settled_seeds: number of these seeds that pass after the last epoch; None where it is a single run.
        arrived_seeds: number of these seeds that pass after any epoch, which are those that are timed; None where it is
            a single run, and in records in which the settled seeds are timed, until they pass and go on passing.
        peak_mebibytes: largest resident memory, in MiB, of a fresh process that did this once; None where the benchmark
            measures none.
    """

    coefficient_error: float | None = None
    verdict: str | None = None
    seeds: int | None = None
    settled_seeds: int | None = None
    arrived_seeds: int | None = None
    peak_mebibytes: float | None = None

    @property
    def seeds_timed(self) -> str:
        """How many of the seeds have a time, as "31 of 40"; empty for a single run."""
        timed = self.settled_seeds if self.arrived_seeds is None else self.arrived_seeds
        return f"{timed} of {self.seeds}" if self.seeds else ""

    @property
    def verdict_words(self) -> str:
        """What became of the run: a time stands for a verified run only, but it may be too short to have learnt."""
        return VERDICT_WORDS.get(self.verdict or "", self.verdict or "")

    def check(self, kind: str, name: str) -> None:
        """Raise ValueError, with the benchmark's name, if an axis is missing or the seeds cannot be so many.

        Args:
            kind: kind of the benchmark, as "epoch time".
            name: full name of the benchmark.
        """
        counts = [self.settled_seeds] if self.arrived_seeds is None else [self.settled_seeds, self.arrived_seeds]
        for count in counts if (self.seeds, *counts) != (None, None) else []:
            if not (self.seeds and count is not None and 0 <= count <= self.seeds):
                raise ValueError(f"{count} of {self.seeds} seeds in {name}")
        for axis in REQUIRED.get(kind, ()):
            if getattr(self, axis) is None:
                raise ValueError(f"no {axis} in {name}")


class ExtraInfo(Answer, frozen=True, kw_only=True):
    """All that a benchmark leaves in its `extra_info`; what an Answer does not have is for other readers.

    Attributes:
        network, optimizer, seed, init: as an Experiment has them.
        epochs: number of epochs of a round.
        compile_seconds: seconds that building took before the rounds.
        check_seconds: seconds that holding a run against the reference took, training it included.
        checked_epochs: number of epochs that were held against the reference.
        telling_epochs: number of these in which a fault would have been seen, as they were not chaotic.
        check_note: what could not be checked, in words.
        passed: whether the verdict is "pass".
        samples_per_second, steps_per_second: of the median round.
        epochs_to_accuracy, epochs_low, epochs_high: median over the seeds that arrived of the epochs until the
            coefficient error is below the learning rate, and its 95 % interval. In records without arrived_seeds: over
            those that settled, until it stays below.
        epochs_to_first_pass: only in records without arrived_seeds: median over the seeds that settled of the epochs
            until the error is below for the first time.
        later_share_below: median over the seeds that arrived of the share of epochs below, from the first on.
        seconds_to_accuracy, seconds_low, seconds_high: as the epochs to accuracy, in seconds.
    """

    network: str | None = None
    optimizer: str | None = None
    epochs: int | None = None
    seed: int | None = None
    init: str | None = None
    compile_seconds: float | None = None
    check_seconds: float | None = None
    checked_epochs: int | None = None
    telling_epochs: int | None = None
    check_note: str | None = None
    passed: bool | None = None
    samples_per_second: float | None = None
    steps_per_second: float | None = None
    epochs_to_accuracy: float | None = None
    epochs_low: float | None = None
    epochs_high: float | None = None
    epochs_to_first_pass: float | None = None
    later_share_below: float | None = None
    seconds_to_accuracy: float | None = None
    seconds_low: float | None = None
    seconds_high: float | None = None

    def known(self) -> dict[str, Any]:
        """Return the fields that have a value, by their keys in a record."""
        return {field: value for field, value in msgspec.structs.asdict(self).items() if value is not None}
