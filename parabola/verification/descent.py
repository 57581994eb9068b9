"""The gradient of an engine, held by plain descent: Adam hardly feels how large a gradient is."""

from dataclasses import replace

import numpy as np

from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array

STEP = 1e-30  # of the complex step that takes a derivative


def descend(experiment: Experiment, order: Array) -> Array:
    """Return the weights after one epoch of plain gradient descent from the experiment's initial ones, in float64.

    The gradient of a batch's mean squared error is taken from the network's formula alone: with a step of i h in a
    weight, the imaginary part of the loss is h times the derivative. h is so small that the error is rounding alone.

    Args:
        experiment: says the network, the samples, the batch size, the seed and the learning rate.
        order: shape (samples,), int: the order in which the samples are trained on.

    Returns:
        Shape (size of the network,), float64.

    Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.
    """
    weights = experiment.initial_weights(experiment.seed).astype(float)
    x, y = (values.ravel()[order].astype(float) for values in experiment.data)
    for first in range(0, len(x), experiment.batch_size):
        batch = slice(first, first + experiment.batch_size)
        stepped = weights[:, None] + 1j * STEP * np.eye(len(weights))  # in column i, weight i has made the step
        predictions = experiment.net.predict(list(stepped[..., None]), x[batch])
        loss = ((predictions - y[batch]) ** 2).mean(axis=1)
        weights -= experiment.learning_rate * loss.imag / STEP
    return weights


def check_gradient(experiment: Experiment) -> None:
    """Hold an engine's gradient against the one from the network's formula: an epoch of plain gradient descent.

    Adam hardly feels the size of a gradient; plain descent does.

    Raises:
        AssertionError: if a weight differs by more than 1e-5.
    """
    experiment = replace(experiment, optimizer="sgd", learning_rate=0.01, epochs=1)
    engine = engines.build(experiment)
    (row,) = engine.reset()
    np.testing.assert_allclose(engine.run(np.array([row]))[0], descend(experiment, engine.bank[row]), rtol=0, atol=1e-5)
