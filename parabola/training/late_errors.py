"""Seeds of one engine, trained one after the other: the coefficient errors after the last epochs of each."""

from collections.abc import Callable

import numpy as np

from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array

LAST_EPOCHS = 100


def late_errors(experiment: Experiment, members: int = 1, workers: int | None = None) -> Callable[..., Array]:
    """Build an engine, and return what trains seeds with it and returns their last errors.

    Args:
        experiment: what all runs have in common; its seed and its learning rate are not used.
        members: not used, as an engine trains one seed at a time.
        workers: not used either.

    Returns:
        A function of seeds, shape (n,), integers; of their learning rates, shape (n,); and of `progress`, which is
        called after each run with the number of runs done. It returns shape (n, 100), float64: the coefficient error
        after each of the last epochs.
    """
    engine = engines.build(experiment)

    def train(seeds: Array, learning_rates: Array, progress: Callable[[int], None] | None = None) -> Array:
        errors = list[Array]()
        for seed, learning_rate in zip(seeds.tolist(), learning_rates.tolist(), strict=True):
            weights = engine.run(engine.reset(seed=seed, learning_rate=learning_rate))
            errors.append(Fit(experiment, engine.device, weights, 0.0, 0.0).coefficient_error[-LAST_EPOCHS:])
            if progress:
                progress(len(errors))
        return np.array(errors)

    return train
