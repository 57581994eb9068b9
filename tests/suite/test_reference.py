"""The check of runs by value: faults just inside and just outside of each tolerance, at both ends of each window."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.harness import reference
from parabola import registry
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array


class Prepared:
    """An engine whose weights are made up: what a run returns is given, and what it is asked is kept."""

    device = "cpu:0"

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


def weights_of(errors: list[float]) -> Array:
    """Return weights of (x + 1)² + 1 + error: their coefficients are 1, 2 and 2 + error."""
    return np.array([[1, 1, 1, 1 + error] for error in errors])


def accepts(experiment: Experiment, weights: Array) -> bool:
    try:
        reference.check_run(experiment, weights)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(("samples", "batch_size", "last"), [(999, 9, 17), (999, 1, 1), (999, 32, 61), (2000, 1, 0)])
@pytest.mark.parametrize("learning_rate", [0.001, 0.05])
@pytest.mark.parametrize("weight", [0, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_every_weight_is_held_within_2000_steps(
    samples: int, batch_size: int, last: int, learning_rate: float, weight: int, sign: int, give: Give
) -> None:
    """A weight may differ by a hundredth of the learning rate up to the last epoch within 2,000 steps, then by more."""
    experiment = Experiment(samples=samples, batch_size=batch_size, learning_rate=learning_rate, epochs=2 * last + 9)
    right = weights_of([0.0] * experiment.epochs)
    give(right)
    for epoch, shift, accepted in (
        (0, 0.0099, True),
        (0, 0.0101, False),
        (last, 0.0099, True),
        (last, 0.0101, False),
        (last + 1, 0.0101, True),
        (last + 1, 5.0, True),
    ):
        wrong = right.copy()
        wrong[epoch, weight] += sign * shift * learning_rate
        assert accepts(experiment, wrong) == accepted, (epoch, shift)


def test_an_epoch_of_more_than_2000_steps_is_not_held(give: Give) -> None:
    """With 2,001 steps an epoch no weight is held, but the errors are."""
    experiment = Experiment(samples=2001, batch_size=1, epochs=3)
    right = weights_of([0.0] * 3)
    give(right)
    wrong = right.copy()
    wrong[0] += 1

    assert accepts(experiment, wrong)
    assert not accepts(experiment, wrong[[0, 0, 0]])


MANY_STEPS = Experiment(samples=2001, batch_size=1, epochs=5)  # so that errors alone are held; learning rate 0.001


@pytest.mark.parametrize(
    ("one", "other", "accepted"),
    [
        (0.0005, 0.00149, True),  # within the learning rate, though nearly three times as large
        (0.0005, 0.00151, False),
        (0.01, 0.0199, True),  # within a factor of two, though further than the learning rate
        (0.01, 0.0201, False),
        (0.001, 0.00199, True),  # where both bounds meet
        (0.001, 0.00201, False),
        (0.0, 0.00099, True),
        (0.0, 0.00101, False),
    ],
)
def test_late_errors_are_held(one: float, other: float, accepted: bool, give: Give) -> None:
    """Median errors may differ by a factor of two, or by the learning rate, whichever of the two is the larger."""
    for expected, found in ((one, other), (other, one)):
        give(weights_of([expected] * 5))
        assert accepts(MANY_STEPS, weights_of([found] * 5)) == accepted


@pytest.mark.parametrize(
    ("errors", "accepted"),
    [
        ([9, 9, 0.199, 9, 0], True),  # the median of the last three; of the last two or four, it is far away
        ([9, 9, 0.201, 9, 0], False),
        ([0, 0, 0.051, 9, 0], True),
        ([0, 0, 0.049, 9, 0], False),
        ([0.1, 0.1, 9, 9, 0.1], False),  # as good as the reference in three epochs of five, and at the end
        ([9, 9, 0, 0.199, 0.199], True),
    ],
)
def test_the_second_half_of_the_epochs_is_held(errors: list[float], accepted: bool, give: Give) -> None:
    """Of five epochs the median is that of the last three."""
    give(weights_of([0.1] * 5))

    assert accepts(MANY_STEPS, weights_of(errors)) == accepted


def test_the_references_second_half_is_held(give: Give) -> None:
    """The reference's median is that of its second half, too."""
    give(weights_of([7, 7, 0.1, 7, 0]))

    assert accepts(MANY_STEPS, weights_of([0.199] * 5))
    assert not accepts(MANY_STEPS, weights_of([0.201] * 5))


def test_a_run_that_diverges_late_is_not_right(give: Give) -> None:
    """NaN in the second half is not accepted where the reference has numbers."""
    give(weights_of([0.1] * 5))

    assert not accepts(MANY_STEPS, weights_of([0.1, 0.1, 0.1, np.nan, np.nan]))


def test_both_medians_are_said(give: Give) -> None:
    """The message has the median error of the run first, and then that of the reference."""
    give(weights_of([0.25] * 5))
    with pytest.raises(AssertionError) as raised:
        reference.check_run(MANY_STEPS, weights_of([0.75] * 5))

    assert str(raised.value).splitlines()[0] == "median coefficient errors [0.75, 0.25]"


def test_what_comes_out_of_the_check(give: Give) -> None:
    """The reference is `native` with Adam on the CPU, and all else as in the run, which comes back as a Fit."""
    experiment = Experiment(engine="fit", device="gpu:1", optimizer="sgd", batch_size=111, epochs=3, seed=5)
    weights = weights_of([0.5, 0.25, 0.125])
    prepared, asked = give(weights + 1e-6)
    fit = reference.check_run(experiment, weights)

    assert asked == [replace(experiment, engine="native", device="cpu", optimizer="adam")]
    assert prepared.ran == [[0, 1, 2]]
    assert fit.experiment == experiment
    assert fit.weights is weights
    np.testing.assert_allclose(fit.coefficient_error, [0.5, 0.25, 0.125], rtol=0, atol=1e-12)
    assert (fit.device, fit.seconds, fit.compile_seconds) == ("cpu:0", 0.0, 0.0)


@pytest.mark.parametrize("weight", [0, 1, 2, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_gradient_is_held_to_a_hundred_thousandth(weight: int, sign: int, give: Give) -> None:
    """After an epoch of plain descent each weight may differ by 1e-5 from what was derived by hand."""
    experiment = Experiment(engine="fused_fit", samples=3, batch_size=2, epochs=7, seed=3, learning_rate=0.5)
    descended = replace(experiment, optimizer="sgd", learning_rate=0.01, epochs=1)
    right = reference.descend(descended, np.array([2, 0, 1]))
    for shift, accepted in ((0.0, True), (0.99e-5, True), (1.01e-5, False)):
        wrong = right.copy()
        wrong[weight] += sign * shift
        prepared, asked = give(wrong[None])
        if accepted:
            reference.check_gradient(experiment)
        else:
            with pytest.raises(AssertionError, match="Not equal to tolerance"):
                reference.check_gradient(experiment)
        assert asked == [descended]
        assert prepared.ran == [[0]]


def gradient(network: str, weights: Array, x: Array, y: Array) -> Array:
    """Return the gradient of a batch's mean of (w2 z² + b2 - y)², z = w1 x + b1, as the chain rule gives it by hand.

    One neuron has w2 = 1 and b2 = 0, which are not trained.
    """
    w1, b1 = weights[:2]
    w2, b2 = weights[2:] if network == "two_neuron" else (1.0, 0.0)
    z = w1 * x + b1
    slope = 2 * (w2 * z**2 + b2 - y)
    by_sample = [slope * w2 * 2 * z * x, slope * w2 * 2 * z, slope * z**2, slope]
    return np.asarray(np.mean(by_sample, axis=1)[: len(weights)])


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
        weights = weights - learning_rate * gradient(network, weights, x[batch], y[batch])

    np.testing.assert_allclose(reference.descend(experiment, order), weights, rtol=1e-12)
