"""The networks: what their weights mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from parabola import backends
from parabola.networks import NETWORKS, one_neuron_weights, two_neuron_coefficients, two_neuron_weights
from parabola.target import Array, Parabola

numbers = st.floats(-10, 10)


def test_published_weights_give_the_published_coefficients() -> None:
    """To the last digit, from the weights as they were printed."""
    weights = np.array([-1.3284513, -1.328055, 0.5667597, 1.0003909])

    assert two_neuron_coefficients(weights).tolist() == [1.0002078022990382, 1.9998188460235597, 2.000002032736224]


@pytest.mark.parametrize("name", NETWORKS)
def test_coefficients_are_what_keras_computes(name: str) -> None:
    """The stock model's output is the polynomial that is read from its weights."""
    network = NETWORKS[name]
    weights = np.random.default_rng(1).normal(size=sum(int(np.prod(shape)) for shape in network.shapes))
    backends.start()
    model = network.build()
    assert tuple(weight.shape for weight in model.weights) == network.shapes
    pieces = np.split(weights, np.cumsum([int(np.prod(shape)) for shape in network.shapes])[:-1])
    model.set_weights([piece.reshape(shape) for piece, shape in zip(pieces, network.shapes, strict=True)])
    x = np.linspace(-2, 2, 9).reshape(-1, 1)

    expected = np.polyval(network.coefficients(weights), x)
    np.testing.assert_allclose(np.asarray(model(x.astype(np.float32))), expected, rtol=1e-4, atol=1e-5)


@settings(deadline=None)
@given(numbers.filter(lambda a: abs(a) > 1e-2), numbers, numbers)
def test_two_neuron_weights_are_the_inverse(a: float, b: float, c: float) -> None:
    """Any parabola, upwards or downwards, is held exactly."""
    target = Parabola(a, b, c)

    coefficients = two_neuron_coefficients(two_neuron_weights(target))
    np.testing.assert_allclose(coefficients, target.coefficients, rtol=1e-6, atol=1e-6 * max(1, b * b / abs(a)))


@settings(deadline=None)
@given(numbers.filter(lambda w: abs(w) > 1e-2), numbers)
def test_one_neuron_holds_perfect_squares(w: float, b: float) -> None:
    """(w x + b)² is representable, and its own closest; a little more is not. (b² must not underflow.)"""
    b = round(b, 9)
    square, one_neuron = Parabola(w * w, 2 * w * b, b * b), NETWORKS["one_neuron"]

    assert one_neuron.can_represent(square)
    assert not one_neuron.can_represent(Parabola(w * w, 2 * w * b, b * b + 1))
    assert not one_neuron.can_represent(Parabola(-w * w, 2 * w * b, -b * b))
    nearest = one_neuron.coefficients(one_neuron_weights(square))
    x = np.linspace(0, 1, 20)
    np.testing.assert_allclose(np.polyval(nearest, x), square(x), atol=1e-4 * max(1, square(x).max()))


@pytest.mark.parametrize(
    ("target", "low", "high"), [(Parabola(), 0, 1), (Parabola(-1, 1, 3), -2, 2), (Parabola(3, -5, 1), -1, 4)]
)
def test_closest_square_is_a_global_minimum(target: Parabola, low: float, high: float) -> None:
    """No better one is found by SciPy's differential evolution on the integral itself."""

    def distance(weights: Array) -> float:
        return float(integrate.quad(lambda x: ((weights[0] * x + weights[1]) ** 2 - target(x)) ** 2, low, high)[0])

    best = optimize.differential_evolution(distance, [(-6, 6), (-6, 6)], seed=1, tol=1e-10)
    assert distance(one_neuron_weights(target, low, high)) <= best.fun * (1 + 1e-6) + 1e-9


def test_initial_weights_are_glorot_uniform_and_vectorised() -> None:
    """Kernels uniform on ±√3, biases 0, each seed's own; many at once are the same as one by one."""
    network = NETWORKS["two_neuron"]
    many = network.initial_weights(np.arange(20_000))

    assert many.shape == (20_000, 4)
    assert many.dtype == np.float32
    assert not many[:, [1, 3]].any()
    for column in (0, 2):
        assert stats.kstest(many[:, column], stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(many[:, 0], many[:, 2])[0, 1]) < 0.03
    np.testing.assert_array_equal(network.initial_weights(17), many[17])
