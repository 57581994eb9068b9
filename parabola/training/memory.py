"""How much memory a run needs, and whether the machine has it: said before the run, not by the system amid it."""

from parabola.machine import host
from parabola.training.experiment import Experiment

# Measured as the largest resident size of `parabola train --engine native`: of 2,000,000 epochs against 1,000,000, and
# of 20,000,000 samples in one batch against 10,000,000. Other engines need more.
BYTES_PER_EPOCH, BYTES_PER_SAMPLE = 148, 88


def needed_bytes(experiment: Experiment) -> int:
    """Return how many bytes a run needs at least."""
    return experiment.samples * BYTES_PER_SAMPLE + experiment.epochs * BYTES_PER_EPOCH


def too_large(experiment: Experiment) -> str:
    """Return why a run cannot fit into the memory that is free, in words; empty if it may."""
    needed, free = needed_bytes(experiment), host.free_bytes()
    if needed <= free:
        return ""
    gib = f"about {needed / 2**30:,.0f} GiB, and {free / 2**30:.0f} GiB are free"
    return f"{experiment.epochs:,} epochs of {experiment.samples:,} samples need {gib}: ask for fewer"
