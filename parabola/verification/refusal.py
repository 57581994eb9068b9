"""What is said of a run that is not right: in one line where it went wrong, and how to see it again."""

from typing import NoReturn

from parabola.machine.backends import backend
from parabola.training.experiment import Experiment


class WrongRun(AssertionError):
    """Raised for a run that is not a right one; the message is one line."""


def refuse(experiment: Experiment, device: str, what: str) -> NoReturn:
    """Refuse a run.

    Args:
        experiment: says what was run.
        device: where it was run, as "cpu:0".
        what: says what is wrong: after which epoch, which weight, both values and how far they may be apart.

    Raises:
        WrongRun: always.
    """
    spec = experiment
    run = f"{spec.engine} on {device} ({backend()}), batch size {spec.batch_size}, learning rate {spec.learning_rate:g}"
    again = f"pytest benchmarks/bench_epoch_time.py --benchmark-only --engine {spec.engine} --backend {backend()}"
    again += f" --device {spec.device} --batch-size {spec.batch_size} --learning-rate {spec.learning_rate!r}"
    again += f" --samples {spec.samples} --epochs {spec.epochs} --all"
    raise WrongRun(f"{run}, {spec.samples} samples, seed {spec.seed}: {what}. Repeat: {again}")
