"""The networks: what their weights mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from parabola import registry
from parabola.machine import backends
from parabola.training.networks import load_network
from parabola.training.target import Array, Parabola

numbers = st.floats(-10, 10)
TWO, ONE = load_network("two_neuron"), load_network("one_neuron")


def test_published_weights_give_the_published_coefficients() -> None:
    """To the last digit, from the weights as they were printed."""
    weights = np.array([-1.3284513, -1.328055, 0.5667597, 1.0003909])

    assert TWO.coefficients(weights).tolist() == [1.0002078022990382, 1.9998188460235597, 2.000002032736224]


@pytest.mark.parametrize("name", registry.NETWORKS)
def test_coefficients_are_what_keras_computes(name: str) -> None:
    """The stock model's output is the polynomial that is read from its weights."""
    network = load_network(name)
    weights = np.random.default_rng(1).normal(size=network.size)
    backends.start()
    model = network.build()
    assert tuple(weight.shape for weight in model.weights) == network.shapes
    model.set_weights(network.shaped(weights))
    x = np.linspace(-2, 2, 9).reshape(-1, 1)

    expected = np.polyval(network.coefficients(weights), x)
    np.testing.assert_allclose(np.asarray(model(x.astype(np.float32))), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", registry.NETWORKS)
def test_the_closest_weights_are_the_tested_target(name: str) -> None:
    """Each network can represent the target that it is tested on: at the closest weights its formula is that target."""
    network, x = load_network(name), np.linspace(-2, 3, 9)
    target = network.tested_target
    weights = network.closest_weights(target, -2, 3)

    assert network.can_represent(target)
    np.testing.assert_allclose(network.predict(weights.tolist(), x), target(x), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(network.coefficients(weights), target.coefficients, rtol=1e-6, atol=1e-6)
    assert network.initial_weights(5).shape == weights.shape == (network.size,)


@settings(deadline=None)
@given(numbers.filter(lambda a: abs(a) > 1e-2), numbers, numbers)
def test_two_neuron_weights_are_the_inverse(a: float, b: float, c: float) -> None:
    """Any parabola, upwards or downwards, is held exactly."""
    target = Parabola(a, b, c)

    coefficients = TWO.coefficients(TWO.closest_weights(target, 0, 1))
    np.testing.assert_allclose(coefficients, target.coefficients, rtol=1e-6, atol=1e-6 * max(1, b * b / abs(a)))


@settings(deadline=None)
@given(numbers.filter(lambda w: abs(w) > 1e-2), numbers)
def test_one_neuron_holds_perfect_squares(w: float, b: float) -> None:
    """(w x + b)² is representable, and its own closest; a little more is not. (b² must not underflow.)"""
    b = round(b, 9)
    square = Parabola(w * w, 2 * w * b, b * b)

    assert ONE.can_represent(square)
    assert not ONE.can_represent(Parabola(w * w, 2 * w * b, b * b + 1))
    assert not ONE.can_represent(Parabola(-w * w, 2 * w * b, -b * b))
    nearest = ONE.coefficients(ONE.closest_weights(square, 0, 1))
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
    assert distance(ONE.closest_weights(target, low, high)) <= best.fun * (1 + 1e-6) + 1e-9


def test_no_grid_finds_a_closer_square() -> None:
    """For 300 random targets and ranges, the best of a grid of weights, which is then refined, is not closer.

    The closest square is flat for some, with w = 0; for others it is none at all.
    """
    random, nodes = np.random.default_rng(17), np.linspace(0, 1, 9)
    coefficients = random.normal(size=(300, 3)) * 10.0 ** random.integers(-1, 2, (300, 3))
    coefficients[::5, 1] = 0
    low = np.where(np.arange(300) % 2, random.normal(size=300), -1)
    high = np.where(np.arange(300) % 2, low + random.uniform(0.1, 4, 300), 1)
    x = low + (high - low) * nodes[:, None]
    part = integrate.newton_cotes(8)[0] / 8  # exact for each polynomial of degree 9 or less
    true = coefficients[:, 0] * x**2 + coefficients[:, 1] * x + coefficients[:, 2]

    def distances(w: Array, b: Array) -> Array:  # of shape (candidates, targets) each
        return np.asarray(np.einsum("xct,x->ct", ((w * x[:, None] + b) ** 2 - true[:, None]) ** 2, part))

    unit = np.sqrt(np.abs(true).max(axis=0)) / np.array([(high - low) / 2, np.ones(300)])  # (weight, target)
    middle = (low + high) / 2
    grid = np.stack(np.meshgrid(np.linspace(0, 2, 21), np.linspace(-2, 2, 41))).reshape(2, -1, 1)
    slope, height = (
        np.zeros(300),
        np.zeros(300),
    )  # at the middle of the range, where the two hardly depend on each other
    for size in 0.5 ** np.arange(0, 40):
        candidates = slope + grid[0] * size * unit[0], height + grid[1] * size * unit[1]
        found = distances(candidates[0], candidates[1] - candidates[0] * middle)
        best = found.argmin(axis=0), np.arange(300)
        slope, height = candidates[0][best], candidates[1][best]
        grid = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))).reshape(2, -1, 1)
    targets = [Parabola(*row) for row in coefficients.tolist()]
    weights = [ONE.closest_weights(*knobs) for knobs in zip(targets, low.tolist(), high.tolist(), strict=True)]
    ours, zero = distances(*np.array(weights).T[:, None])[0], distances(np.zeros((1, 300)), np.zeros((1, 300)))[0]

    assert ((found[best] - ours) / zero > -1e-13).all()
    assert ((found[best] - ours) / zero < 1e-6).all()  # so near does the grid come
    flat = np.array([w == 0 for w, _ in weights])
    assert (flat & (ours < zero)).sum() > 5
    assert (flat & (ours == zero)).sum() > 50


@pytest.mark.parametrize("target", [(5e-324, 0, 0), (1, 1e-320, -1), (1, -1e-29, 1), (-1, 3, -4), (1e300, -1e300, 0)])
def test_the_closest_square_of_extremes_is_finite(target: tuple[float, ...]) -> None:
    """Numbers that vanish beside others, and targets that are below 0, have a closest square, too."""
    assert np.isfinite(ONE.closest_weights(Parabola(*target), 0, 1)).all()
    assert ONE.closest_weights(Parabola(-1, 3, -4), 0, 1).tolist() == [0, 0]


def test_initial_weights_are_glorot_uniform_and_vectorised() -> None:
    """Kernels uniform on ±√3, biases 0, each seed's own; many at once are the same as one by one."""
    many = TWO.initial_weights(np.arange(20_000))

    assert many.shape == (20_000, 4)
    assert many.dtype == np.float32
    assert not many[:, [1, 3]].any()
    for column in (0, 2):
        assert stats.kstest(many[:, column], stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(many[:, 0], many[:, 2])[0, 1]) < 0.03
    np.testing.assert_array_equal(TWO.initial_weights(17), many[17])


@pytest.mark.parametrize(("target", "weights"), [((-4, 8, 3), [2, -2, -1, 7]), ((9, -6, 0.5), [3, -1, 1, -0.5])])
def test_two_neuron_weights_by_hand(target: tuple[float, ...], weights: list[float]) -> None:
    """The first kernel is √|a|, the second has the sign of a, and completing the square gives the biases."""
    assert TWO.closest_weights(Parabola(*target), -3, 9).tolist() == weights
    assert TWO.coefficients(np.array(weights)).tolist() == list(target)


def test_forward_passes_and_coefficients_by_hand() -> None:
    """Each network at unequal weights, at x = -2 and 3, and its coefficients, many at once, in float64."""
    x = np.array([-2.0, 3.0])

    assert TWO.predict([2, 5, -3, 7], x).tolist() == [4, -356]
    assert ONE.predict([2, 5], x).tolist() == [1, 121]
    assert TWO.coefficients(np.array([[2, 5, -3, 7], [1, 0, 2, -1]], np.float32)).tolist() == [
        [-12, -60, -68],
        [2, 0, -1],
    ]
    assert ONE.coefficients(np.array([[2, 5], [-1, 3]], np.float32)).tolist() == [[4, 20, 25], [1, -6, 9]]
    assert ONE.coefficients(np.array([1, 1], np.float32)).dtype == np.float64


def test_networks_are_what_tables_call_them() -> None:
    """Names, the shapes of the weights in Keras' order, and where the second kernel stands."""
    assert list(registry.NETWORKS) == ["two_neuron", "one_neuron"]
    assert [TWO.name, ONE.name] == ["two_neuron", "one_neuron"]
    assert [TWO.size, ONE.size] == [4, 2]
    assert TWO.shapes == ((1, 1), (1,), (1, 1), (1,))
    assert ONE.shapes == ((1, 1), (1,))
    assert TWO.output_kernel == slice(2, 3)
    assert ONE.output_kernel is None


@pytest.mark.parametrize(
    ("seed", "first", "second"),
    [
        (0, -1.3891649490281461, 0.35335667053806724),
        (7, 0.5705875106768342, 0.4772860748273317),
        (2**63 - 1, 1.5947986023758787, -1.5231099597581472),
    ],
)
def test_initial_weights_are_the_recorded_ones(seed: int, first: float, second: float) -> None:
    """The kernels are √3 (2u - 1), u the upper 53 bits of the hash of (2, seed, place): worked out in whole numbers."""
    expected = np.array([first, 0, second, 0]).astype(np.float32)

    assert TWO.initial_weights(seed).tolist() == expected.tolist()
    assert ONE.initial_weights(seed).tolist() == expected[:2].tolist()
    assert TWO.initial_weights(np.array([[3], [seed]])).shape == (2, 1, 4)


@pytest.mark.parametrize(
    ("target", "can"),
    [
        ((1, 2, 1 + 0.9e-9), True),
        ((1, 2, 1 + 1.1e-9), False),
        ((1, 2, 1 - 0.9e-9), True),
        ((1, 2, 1 - 1.1e-9), False),
        ((1e-6, 1e-6, 1e-6), False),  # the difference is tiny, but not in relation
        ((1e-6, -2e-6, 1e-6), True),
        ((-1, 2, -1), False),  # b² = 4ac, but downwards
        ((4, 0, 0), True),
    ],
)
def test_one_neuron_can_hold_perfect_squares_to_a_billionth(target: tuple[float, ...], can: bool) -> None:
    """b² and 4ac may differ by a billionth of them, and a is above 0; two neurons hold any parabola."""
    assert ONE.can_represent(Parabola(*target)) is can
    assert TWO.can_represent(Parabola(*target)) is True


def test_the_explanation_names_target_range_and_closest() -> None:
    """The line has all three, with the closest square to five digits, which depends on the range."""
    beginning = "one_neuron cannot represent x² + 2x + 2: it holds perfect squares (w x + b)² only; the closest over "
    explain = ONE.explain

    assert explain(Parabola(), 0.0, 1.0) == beginning + "[0, 1) is 0.69136x² + 2.3183x + 1.9434"
    assert explain(Parabola(), -0.5, 2.0) == beginning + "[-0.5, 2) is 0.75288x² + 2.4189x + 1.9429"
