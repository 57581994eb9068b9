"""The one way to train: an Experiment in, a Fit out."""

import time
import warnings
from collections.abc import Callable

import numpy as np

from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit, on_host

REPORT_SECONDS = 0.3  # the time between two reports of progress, each of which costs the engine a call


class NotRepresentableWarning(UserWarning):
    """Warns that the network cannot represent the target, so that no training can bring the coefficients there."""


def train(experiment: Experiment, *, progress: Callable[[int], None] | None = None) -> Fit:
    """Build an engine, train from fresh weights, and return what came out.

    Args:
        experiment: the run to train.
        progress: called about every 0.3 seconds with the number of epochs done. The run is then cut into pieces, with
            the same result; without `progress` it is one call of the engine.

    Returns:
        The Fit. If the run diverges, the Fit holds NaN or inf from then on; that is data, not an error.

    Raises:
        ValueError: if the device is not there.
    """
    if not experiment.net.can_represent(experiment.target):
        message = experiment.net.explain(experiment.target, experiment.low, experiment.high)
        warnings.warn(message, NotRepresentableWarning, stacklevel=2)
    engine = engines.build(experiment)
    rows = engine.reset()
    pieces, done, seconds, piece = [], 0, 0.0, 1 if progress else len(rows)
    while done < len(rows):
        begun = time.perf_counter()
        pieces.append(engine.run(rows[done : done + piece]))
        elapsed = time.perf_counter() - begun
        on_host(pieces[-1])
        seconds, done = seconds + elapsed, done + len(pieces[-1])
        if progress:
            progress(done)
            piece = max(1, min(4 * piece, int(piece * REPORT_SECONDS / elapsed)))
    return Fit(experiment, engine.device, np.concatenate(pieces), seconds, engine.compile_seconds)
