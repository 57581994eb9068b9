"""The verified answer: a run is held against the limit, an engine that shares no code with the others."""

from dataclasses import replace

import numpy as np

from parabola import registry
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array

STEP = 1e-30  # of the complex step that takes a derivative
EXACT_STEPS = 2000  # within which two right runs agree weight by weight even at learning rate 0.1, batch size 1


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


def check_run(experiment: Experiment, weights: Array) -> Fit:
    """Hold the weights of a run against the reference, and return it as a Fit.

    Over the first 2,000 steps every weight must agree within a hundredth of the learning rate, where an epoch ends
    within them. After that rounding may lead two right runs apart while they wander about the same solution, so over
    the second half of the epochs the median coefficient errors must agree within a factor of two, or within the
    learning rate, which is about how far they wander.

    Args:
        experiment: what was run.
        weights: shape (epochs, weights): the weights after each epoch.

    Returns:
        The run as a Fit, without times.

    Raises:
        AssertionError: if the run is not a right one.
    """
    reference = engines.build(replace(experiment, engine=registry.limit(), device="cpu", optimizer="adam"))
    expected = Fit(experiment, reference.device, reference.run(reference.reset()), 0.0, 0.0)
    found = Fit(experiment, reference.device, weights, 0.0, 0.0)
    tolerance = experiment.learning_rate / 100
    exact = EXACT_STEPS // experiment.steps
    np.testing.assert_allclose(found.weights[:exact], expected.weights[:exact], rtol=0, atol=tolerance)
    half = len(weights) // 2
    medians = [float(np.median(fit.coefficient_error[half:])) for fit in (found, expected)]
    assert max(medians) <= max(2 * min(medians), min(medians) + experiment.learning_rate), (
        f"median coefficient errors {medians}"
    )
    return found
