"""How much memory a run needs, and whether the machine has it: said before the run, not by the system amid it."""

from parabola.machine import host
from parabola.training.experiment import Experiment

# Measured as the largest resident size of `parabola train --engine native`: of 2,000,000 epochs against 1,000,000, and
# of 20,000,000 samples in one batch against 10,000,000. Other engines need more.
BYTES_PER_EPOCH, BYTES_PER_SAMPLE = 148, 88


# Counted: the arrays that a block of members works on have, of each sample, its place in the order and two coordinates,
# and of each epoch the number of the order and the weights after it. All are of four bytes. On TensorFlow a block needs
# less of each sample where its batches can be cut into pieces.
BYTES_PER_VALUE, VALUES_PER_SAMPLE = 4, 3


def needed_bytes(experiment: Experiment, members: int = 0) -> int:
    """Return how many bytes a run needs at least.

    Args:
        experiment: the run's, or what members have in common.
        members: how many are trained together in one program; 0 for a run by itself.
    """
    if not members:
        return experiment.samples * BYTES_PER_SAMPLE + experiment.epochs * BYTES_PER_EPOCH
    values = experiment.samples * VALUES_PER_SAMPLE + experiment.epochs * (1 + experiment.net.size)
    return members * values * BYTES_PER_VALUE


def too_large(experiment: Experiment, members: int = 0) -> str:
    """Return why a run, or a block of members, cannot fit into the memory that is free; empty if it may."""
    needed, free = needed_bytes(experiment, members), host.free_bytes()
    if needed <= free:
        return ""
    many = f"{members:,} members, " if members else ""
    gib = f"about {needed / 2**30:,.0f} GiB, and {free / 2**30:.0f} GiB are free"
    return f"{many}{experiment.epochs:,} epochs of {experiment.samples:,} samples need {gib}: ask for fewer"
