"""The verified answer: a run is held against the native engine, which shares no code with the others."""

from dataclasses import replace

import numpy as np

from parabola import engines
from parabola.experiment import Experiment, Fit
from parabola.target import Array

EXACT_STEPS = 2000  # within which two right runs agree weight by weight even at learning rate 0.1, batch size 1


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
