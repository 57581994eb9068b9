"""The verified answer: a run is held against the native engine, which shares no code with the others."""

from dataclasses import replace

import numpy as np

from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array

EXACT_STEPS = 2000  # within which two right runs agree weight by weight even at learning rate 0.1, batch size 1


def descend(experiment: Experiment, order: Array) -> Array:
    """Return the weights after one epoch of plain gradient descent from the experiment's initial ones, in float64.

    With z = w1 x + b1, the loss is the batch's mean of (w2 z² + b2 - y)²; of one neuron, w2 is 1 and b2 is 0.

    Args:
        experiment: whose network, samples, batch size, seed and learning rate; its optimizer is "sgd".
        order: shape (samples,), int: of the samples.
    """
    weights = experiment.initial_weights(experiment.seed).astype(float)
    x, y = (values.ravel()[order].astype(float) for values in experiment.data)
    for first in range(0, len(x), experiment.batch_size):
        batch = slice(first, first + experiment.batch_size)
        w1, b1, w2, b2 = [*weights, 1.0, 0.0][:4]
        z = w1 * x[batch] + b1
        residual = 2 * (w2 * z**2 + b2 - y[batch])
        gradient = np.mean([2 * residual * w2 * z * x[batch], 2 * residual * w2 * z, residual * z**2, residual], axis=1)
        weights -= experiment.learning_rate * gradient[: len(weights)]
    return weights


def check_gradient(experiment: Experiment) -> None:
    """Hold an engine's gradient against the one that was derived by hand: an epoch of plain gradient descent.

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
    reference = engines.build(replace(experiment, engine="native", device="cpu", optimizer="adam"))
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
