"""The compiled Adam against one in NumPy with gradients by hand, in float64 and with random rounding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.training.experiment import Experiment
from parabola.training.networks import load_network
from parabola.training.target import Array
from parabola.verification.kernel import make_kernel
from parabola.verification.reference import Reference
from tests import made_adam

HALF = 2.0**-24
NONE = np.zeros(1, np.uint64)


def kernel(network: str) -> Any:
    return make_kernel(type(load_network(network)).predict)


def exact(network: str, *given: Any) -> tuple[Array, float]:
    """Train without rounding: the arguments are as in `made_adam.train`."""
    (x, y), order, batch_size, rate, begin, steps = given
    ends, largest = kernel(network)(x, y, order, batch_size, rate, *begin, steps, 0.0, 0.0, NONE)
    return ends, largest


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, ...]:
    """Draw a network, some samples in an order, a batch size, a learning rate, and a state to begin with."""
    network = draw(st.sampled_from(("two_neuron", "one_neuron")))
    samples, size = draw(st.integers(1, 12)), load_network(network).size
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    x, y = random.uniform(-1, 2, samples), random.uniform(-3, 5, samples)
    begin = np.stack([random.uniform(-2, 2, size), random.normal(size=size), random.uniform(1e-6, 1, size)])
    batch_size, rate = draw(st.integers(1, samples)), draw(st.sampled_from((1e-6, 0.001, 0.1)))
    return network, (x, y), random.permutation(samples), batch_size, rate, begin, draw(st.integers(0, 10**6))


@given(problems())
@settings(max_examples=60, deadline=None)
def test_without_rounding_it_is_adam_in_float64(problem: tuple[Any, ...]) -> None:
    """Weights and moments are those of an independent Adam, from any state, with any partial last batch."""
    ends, _ = exact(*problem)

    np.testing.assert_allclose(ends, made_adam.train(*problem), rtol=1e-12, atol=1e-15)


def test_a_step_by_hand() -> None:
    """One sample, from fresh: every weight moves by the learning rate, against its gradient, but for Adam's epsilon."""
    data = (np.array([0.5]), np.array([3.0]))
    begin = np.array([[2.0, 1.0, 3.0, -1.0], np.zeros(4), np.zeros(4)])
    ends, largest = exact("two_neuron", data, np.array([0]), 1, 0.25, begin, 0)
    # z = 2, the output is 3 · 4 - 1 = 11 and the error 8: the gradient is 16 (2 · 3 · 2 · 0.5, 2 · 3 · 2, 4, 1).
    gradient = 16 * np.array([6.0, 12.0, 4.0, 1.0])

    np.testing.assert_allclose(ends[0], begin[0] - 0.25 * gradient / (gradient + 1e-7 / np.sqrt(0.001)), rtol=1e-12)
    np.testing.assert_allclose(ends[1], 0.1 * gradient, rtol=1e-12)
    np.testing.assert_allclose(ends[2], 0.001 * gradient**2, rtol=1e-12)
    assert largest == pytest.approx(192, rel=1e-12)


def test_the_largest_gradient_is_of_all_steps_and_signs() -> None:
    """It is that of the step in the middle here, and negative."""
    data = (np.array([0.0, 1.0, 0.0]), np.array([1.0, 1001.0, 1.0]))
    begin = np.array([[0.0, 1.0, 1.0, 0.0], np.zeros(4), np.zeros(4)])
    _, largest = exact("two_neuron", data, np.arange(3), 1, 1e-9, begin, 0)

    assert largest == pytest.approx(4000, rel=1e-6)  # 2 · -1000 · (2, 2, 1, 1)


@pytest.mark.parametrize(
    ("output", "end", "velocity"), [(1.7e38, 1.7e38, np.inf), (-1.7e38, -1.7e38, np.inf), (1.71e38, np.nan, np.inf)]
)
def test_it_overflows_where_float32_does(output: float, end: float, velocity: float) -> None:
    """Float32 ends at 3.40e38: a gradient of twice the output is infinite from there on, and its square long before."""
    data = (np.array([0.0]), np.array([0.0]))
    begin = np.array([[0.0, 1.0, 1.0, output], np.zeros(4), np.zeros(4)])
    found, _ = exact("two_neuron", data, np.array([0]), 1, 0.001, begin, 0)

    np.testing.assert_allclose(found[[0, 2], 3], [end, velocity], rtol=1e-6)


@pytest.mark.parametrize("network", ["two_neuron", "one_neuron"])
@pytest.mark.parametrize("learning_rate", [1e-3, 1.0, 1e19, 1e25, 1e30, 1e38])
@pytest.mark.parametrize("batch_size", [1, 4, 9])
def test_runs_diverge_as_in_float32(network: str, learning_rate: float, batch_size: int) -> None:
    """Weights are finite or not as those of an Adam in float32: with rates up to 1, and with so large ones."""
    random = np.random.default_rng(0)
    data, size = (random.uniform(0, 1, 9), random.uniform(1, 5, 9)), load_network(network).size
    begin = np.stack([np.full(size, 0.5), np.zeros(size), np.zeros(size)])
    problem = (network, data, np.arange(9), batch_size, learning_rate, begin, 0)
    for _ in range(3):
        ends, _ = exact(*problem)
        expected = made_adam.train(*problem, np.float32)
        assert np.isfinite(ends[0]).all() == np.isfinite(expected[0]).all()
        problem = (*problem[:5], expected.astype(float), problem[6] - (-9 // batch_size))


def repeated(spread: float, forward: float, number: int, network: str = "two_neuron") -> Array:
    """Train some epochs' worth of samples with random rounding so many times, each with a sequence of its own."""
    random = np.random.default_rng(5)
    x, y = random.uniform(0, 1, 40), random.uniform(1, 5, 40)
    begin = np.stack([np.full(4, 0.5), np.full(4, 0.1), np.full(4, 0.2)])
    seeds = [np.random.SeedSequence(seed).generate_state(1, np.uint64) for seed in range(number)]
    runs = [kernel(network)(x, y, np.arange(40), 4, 0.01, *begin, 90, spread, forward, seed) for seed in seeds]
    return np.array([ends for ends, _ in runs])


def test_rounded_values_are_those_of_float32() -> None:
    """Every weight and moment is a float32 value, and without rounding none of the weights is."""
    rounded, unrounded = repeated(HALF, HALF, 1)[0], repeated(0.0, 0.0, 1)[0]

    np.testing.assert_array_equal(rounded, rounded.astype(np.float32))
    assert not (unrounded[0] == unrounded[0].astype(np.float32)).any()


def test_rounding_moves_values_by_so_much() -> None:
    """Departures are about as large as those of an Adam in float32, have either sign, and shrink with the spread."""
    random = np.random.default_rng(5)
    data = (random.uniform(0, 1, 40), random.uniform(1, 5, 40))
    begin = np.stack([np.full(4, 0.5), np.full(4, 0.1), np.full(4, 0.2)])
    truth = repeated(0.0, 0.0, 1)[0, 0]
    single = made_adam.train("two_neuron", data, np.arange(40), 4, 0.01, begin, 90, np.float32)[0]
    departures = repeated(HALF, HALF, 64)[:, 0] - truth
    typical = np.sqrt((departures**2).mean(axis=0))

    assert (np.abs(single - truth) < 4 * typical).all()
    assert (typical < 100 * HALF * np.abs(truth)).all()
    assert (np.abs(departures.mean(axis=0)) < typical).all()
    assert (departures.max(axis=0) > 0).all()
    assert (departures.min(axis=0) < 0).all()
    assert (np.sqrt(((repeated(64 * HALF, 64 * HALF, 64)[:, 0] - truth) ** 2).mean(axis=0)) > 10 * typical).all()


def test_within_the_formula_the_weights_are_moved() -> None:
    """With `forward` alone the departures are those of weights that are off by half a unit; without it, others."""
    both, update = repeated(HALF, HALF, 4), repeated(HALF, 0.0, 4)

    assert (both != update).any(axis=(1, 2)).all()
    assert np.abs(both - update)[:, 0].max() < 1e-5


def test_the_same_sequence_repeats_the_bits() -> None:
    """And each sequence gives other bits."""
    first, again = repeated(HALF, HALF, 8), repeated(HALF, HALF, 8)

    assert first.tobytes() == again.tobytes()
    assert len({ends.tobytes() for ends in first}) == 8


def test_a_formula_is_compiled_once() -> None:
    """A second call for a network returns the same function, and another network has another."""
    assert kernel("two_neuron") is kernel("two_neuron")
    assert kernel("two_neuron") is not kernel("one_neuron")


@given(samples=st.integers(1, 300), units=st.floats(1, 2, width=32), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_in_units_a_batch_is_summed_as_float32_sums(samples: int, units: float, seed: int) -> None:
    """Momentum has the bits of NumPy's sum in sequence, in float32, of the same terms in such units."""
    random = np.random.default_rng(seed)
    x, y = random.uniform(0, 1, samples), random.uniform(1, 5, samples)
    begin = np.stack([np.array([0.5, 0.25, -1.5, 0.75]), np.zeros(4), np.zeros(4)])
    tiny = 2.0**-60  # moves no value, so that all are rounded to the nearest
    ends, _ = kernel("two_neuron")(
        *(x, y, np.arange(samples), samples, 0.01, *begin, 0, tiny, 0.0, NONE + np.uint64(1), 1.0, 0, units)
    )
    single = np.float32
    factor = single(2 / samples * units) * (0.75 - 1.5 * (0.5 * x + 0.25) ** 2 - y).astype(single)
    terms = [-3 * (0.5 * x + 0.25) * x, -3 * (0.5 * x + 0.25), (0.5 * x + 0.25) ** 2, np.ones(samples)]
    sums = [np.cumsum((factor * term.astype(single)).astype(single), dtype=single)[-1] for term in terms]
    part = single(1 - 0.9)

    np.testing.assert_allclose(ends[1], [single(single(total / units) * part) for total in sums], rtol=3e-7)


def test_rounding_to_the_nearest_leads_further_than_random_rounding() -> None:
    """Of a batch of 300,000 samples, the last replicas' gradient is off by as much as that of a sum in float32."""
    experiment = Experiment(samples=300_000, batch_size=300_000)
    reference = Reference(experiment)
    window = reference.train_on(reference.fresh(), 0, 8)
    off = np.abs(window.replicas[:, 1] / window.end[1] - 1).max(axis=1)
    x, y = (values.ravel()[reference.bank[reference.rows[0]]] for values in experiment.data)
    w, single = experiment.initial_weights(experiment.seed), np.float32
    z = w[0] * x + w[1]
    terms = single(2 / 300_000) * (w[2] * z * z + w[3] - y) * 2 * w[2] * z * x
    plain = abs(np.cumsum(terms, dtype=single)[-1] / terms.sum(dtype=float) - 1)

    assert len(off) == 8 + 2
    assert off[8:].min() > 2 * off[:8].max()
    assert off[8:] == pytest.approx(plain, rel=0.5)
