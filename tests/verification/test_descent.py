"""Plain gradient descent against a gradient by hand, and the check that holds an engine against it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from parabola import registry
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification import descent
from tests.made_adam import slopes


class Prepared:
    """An engine whose weights are made up: what a run returns is given, and what it is asked is kept."""

    def __init__(self, weights: Array) -> None:
        self.weights = np.asarray(weights, float)
        self.bank = np.array([[2, 0, 1], [1, 0, 2]])
        self.ran = list[list[int]]()

    def reset(self) -> Array:
        return np.arange(len(self.weights))

    def run(self, rows: Array) -> Array:
        self.ran.append(rows.tolist())
        return self.weights[: len(rows)]


Give = Callable[[Array], tuple[Prepared, list[Experiment]]]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Return what has the check build an engine of made-up weights, and keep the experiments that it builds."""

    def given(weights: Array) -> tuple[Prepared, list[Experiment]]:
        prepared, asked = Prepared(weights), list[Experiment]()

        def build(experiment: Experiment) -> Prepared:
            asked.append(experiment)
            return prepared

        monkeypatch.setattr(engines, "build", build)
        return prepared, asked

    return given


@pytest.mark.parametrize("weight", [0, 1, 2, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_gradient_is_held_to_a_hundred_thousandth(weight: int, sign: int, give: Give) -> None:
    """After an epoch of plain descent each weight may differ by 1e-5 from what was derived by hand."""
    experiment = Experiment(engine="fused_fit", samples=3, batch_size=2, epochs=7, seed=3, learning_rate=0.5)
    descended = replace(experiment, optimizer="sgd", learning_rate=0.01, epochs=1)
    right = descent.descend(descended, np.array([2, 0, 1]))
    for shift, accepted in ((0.0, True), (0.99e-5, True), (1.01e-5, False)):
        wrong = right.copy()
        wrong[weight] += sign * shift
        prepared, asked = give(wrong[None])
        if accepted:
            descent.check_gradient(experiment)
        else:
            with pytest.raises(AssertionError, match="Not equal to tolerance"):
                descent.check_gradient(experiment)
        assert asked == [descended]
        assert prepared.ran == [[0]]


@pytest.mark.parametrize("network", registry.NETWORKS)
@pytest.mark.parametrize(("batch_size", "learning_rate", "seed"), [(1, 0.02, 3), (4, 0.1, 0), (11, 0.3, 7)])
def test_plain_descent(network: str, batch_size: int, learning_rate: float, seed: int) -> None:
    """An epoch of plain descent follows the derivative of each batch's loss, the partial last batch's too."""
    experiment = Experiment(network=network, samples=11, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    order = np.array([7, 2, 9, 0, 10, 4, 3, 1, 8, 6, 5])
    weights = experiment.initial_weights(seed).astype(float)
    x, y = (values.ravel().astype(float) for values in experiment.data)
    for first in range(0, 11, batch_size):
        batch = order[first : first + batch_size]
        outputs, derivatives = slopes(network, weights, x[batch])
        weights = weights - learning_rate * (2 * (outputs - y[batch]) * derivatives).mean(axis=1)

    np.testing.assert_allclose(descent.descend(experiment, order), weights, rtol=1e-12)
