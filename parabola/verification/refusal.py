"""What is said of a run that is not right: in one line where it went wrong, and how to see it again."""

from dataclasses import dataclass
from typing import NoReturn

from parabola.machine.backends import backend
from parabola.training.experiment import Experiment


class WrongRun(AssertionError):
    """Raised for a run that is not a right one; the message is one line."""


@dataclass(frozen=True)
class Subject:
    """The run that a refusal is of.

    Attributes:
        name: says what was run: engine, device, backend and settings.
        again: the command that trains it again.
    """

    name: str
    again: str

    def refuse(self, what: str) -> NoReturn:
        """Refuse the run.

        Args:
            what: says what is wrong: after which epoch, which weight, both values and how far they may be apart.

        Raises:
            WrongRun: always.
        """
        raise WrongRun(f"{self.name}: {what}. Repeat: {self.again}")


def subject_of(experiment: Experiment, device: str, label: str = "", again: str = "") -> Subject:
    """Return how a run is named, and trained again.

    Args:
        experiment: says what was run.
        device: where it was run, as "cpu:0".
        label: stands before the rest of the name, as "member 1 of 8: ".
        again: arguments of pytest that train the run again; empty for those of its epoch time.
    """
    spec = experiment
    run = f"{spec.engine} on {device} ({backend()}), batch size {spec.batch_size}, learning rate {spec.learning_rate:g}"
    run += "" if spec.final_learning_rate is None else f" to {spec.final_learning_rate:g}"
    run += "" if spec.init == "glorot" else f", init {spec.init}"
    again = again or (
        f"benchmarks/bench_epoch_time.py --benchmark-only --engine {spec.engine} --backend {backend()} "
        f"--device {spec.device} --batch-size {spec.batch_size} --learning-rate {spec.learning_rate!r} "
        f"--samples {spec.samples} --epochs {spec.epochs} --all"
    )
    return Subject(f"{label}{run}, {spec.samples} samples, seed {spec.seed}", f"pytest {again}")
