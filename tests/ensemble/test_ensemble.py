"""Members trained together equal the single runs with their seeds."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.pinned_seeds import TARGETS
from parabola.ensemble import ensemble
from parabola.ensemble.ensemble import Ensemble, Members, summarise
from parabola.ensemble.members import members_program
from parabola.training import engines
from parabola.training.data import order_bank, order_rows
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array, Parabola

SEEDS = np.array([3, 2**40, 0, 11, 7])
RATES = np.array([0.001, 0.03, 0.003, 0.05, 0.01])


def members_weights(spec: Experiment, rates: Array | None = None) -> Array:
    """Return the weights of all members after every epoch, shape (members, epochs, weights)."""
    rates = np.full(len(SEEDS), spec.learning_rate) if rates is None else rates
    program = members_program(spec, len(rates))
    return np.moveaxis(program.run(program.place(program.reset(SEEDS[: len(rates)], rates))), 2, 0)


def single_weights(spec: Experiment, rates: Array | None = None, **knobs: Any) -> Array:
    """Return the same from single runs of another engine, shape (members, epochs, weights)."""
    rates = np.full(len(SEEDS), spec.learning_rate) if rates is None else rates
    runs, spec, engine = [], replace(spec, **knobs), None
    for seed, rate in zip(SEEDS[: len(rates)], rates, strict=True):
        if engine is None or spec.final_learning_rate is not None:  # a decay is compiled in
            engine = engines.build(replace(spec, learning_rate=float(rate)))
        runs.append(engine.run(engine.reset(seed=int(seed), learning_rate=float(rate))))
    return np.stack(runs)


@pytest.mark.parametrize("batch_size", [1, 32, 999])
@pytest.mark.parametrize("network", TARGETS)
def test_members_are_the_single_runs(network: str, batch_size: int) -> None:
    """Each with its own seed, order and rate has the weights of `native`, within a hundredth of its learning rate."""
    spec = Experiment(network=network, batch_size=batch_size, epochs=2)
    found, expected = members_weights(spec, RATES), single_weights(spec, RATES, engine="native")

    tolerance = RATES[:, None, None] / 100
    assert (np.abs(found - expected) < tolerance).all()
    assert np.abs(found[:, -1] - spec.initial_weights(SEEDS)).max() > 1e-3


def adam_weights(spec: Experiment, seed: int, rate: float) -> Array:
    """Return a run's weights after every epoch, in float64: gradients by hand, and Adam with Keras' epsilon."""
    weights, epsilon = spec.initial_weights(seed).astype(float), 1e-7
    x, y = (values.ravel().astype(float) for values in spec.data)
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    bank, history, step = order_bank(spec.samples), [], 0
    for row in order_rows(spec.samples, seed, spec.epochs):
        for begin in range(0, spec.samples, spec.batch_size):
            batch = bank[row][begin : begin + spec.batch_size]
            step += 1
            w1, b1, w2, b2 = weights
            z = w1 * x[batch] + b1
            slope = 2 * (w2 * z**2 + b2 - y[batch])
            by_sample = [slope * w2 * 2 * z * x[batch], slope * w2 * 2 * z, slope * z**2, slope]
            gradient = np.mean(by_sample, axis=1)
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            scaled = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            weights = weights - scaled * first / (np.sqrt(second) + epsilon)
        history.append(weights)
    return np.array(history)


@pytest.mark.parametrize("samples", [9, 10, 11])
def test_a_partial_batch_is_averaged_over_its_own_samples(samples: int) -> None:
    """Of batches of 4, the last of 1, 2 or 3 samples has its whole gradient: members have Adam's weights in float64."""
    spec = Experiment(samples=samples, batch_size=4, epochs=3)
    expected = [adam_weights(spec, int(seed), rate) for seed, rate in zip(SEEDS, RATES, strict=True)]

    assert (np.abs(members_weights(spec, RATES) - expected) < RATES[:, None, None] / 100).all()


def test_members_are_what_compiled_computes() -> None:
    """The same against the other engine around stock Keras, with a partial batch and another target and range."""
    spec = Experiment(target=Parabola(-2, 1, 3), batch_size=100, epochs=4, low=-1, high=2, samples=333, data_seed=1)

    np.testing.assert_allclose(members_weights(spec), single_weights(spec), rtol=0, atol=1e-5)


def test_a_decaying_rate_is_each_members_own() -> None:
    """Keras' cosine decay, from a rate a member to one for all."""
    spec, rates = Experiment(final_learning_rate=0.001, batch_size=333, epochs=3, learning_rate=0.1), RATES[:2]

    np.testing.assert_allclose(members_weights(spec, rates), single_weights(spec, rates), rtol=0, atol=1e-5)


def test_a_functions_optimizer_has_one_rate() -> None:
    """It may hold a schedule of its own, so a rate a member is refused, and the experiment's is used."""

    def momentum(learning_rate: float) -> Any:
        import keras

        return keras.optimizers.SGD(learning_rate, momentum=0.9)

    spec = Experiment(optimizer=momentum, batch_size=333, epochs=2)
    np.testing.assert_allclose(members_weights(spec), single_weights(spec), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="by its name"):
        Ensemble(spec, 1, workers=1).train(SEEDS[:2], RATES[:2])


@pytest.fixture(scope="module")
def trained() -> Members:
    """23 members in blocks of 4, two at a time, the last block not full."""
    spec = Experiment(batch_size=111, epochs=150)
    ensemble = Ensemble(spec, 8, workers=2)
    assert ensemble.block_members == 4
    return ensemble.train(np.arange(23), np.linspace(0.01, 0.1, 23))


def test_a_summary_is_the_single_runs(trained: Members) -> None:
    """Final values and the verdict are those of the member's own run."""
    for member in (0, 7, 22):
        rate = float(trained.learning_rates[member])
        spec = Experiment(batch_size=111, epochs=150, learning_rate=rate, engine="native")
        engine = engines.build(spec)
        fit = Fit(spec, engine.device, engine.run(engine.reset(seed=member)), 0.0, 0.0)

        np.testing.assert_allclose(trained.coefficients[member], fit.coefficients[-1], atol=1e-4)
        np.testing.assert_allclose(trained.coefficient_error[member], fit.coefficient_error[-1], atol=1e-4)
        assert trained.passed[member] == (fit.verdict == "pass")
        assert trained.diverged_epoch[member] == 0


def test_blocks_do_not_show(trained: Members) -> None:
    """The same members in larger blocks have the same results, in the order of their seeds."""
    whole = Ensemble(trained.experiment, 40, workers=1).train(trained.seeds, trained.learning_rates)

    np.testing.assert_allclose(whole.weights, trained.weights, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(whole.passed, trained.passed)


def test_summary_by_hand() -> None:
    """Three members over four epochs: one that passes and wanders; one that never does; one that diverges."""
    right, wrong = [1, 1, 1, 1], [1, 1, 1, 9]
    gone = [np.nan] * 4
    by_epoch = [[right, wrong, right], [wrong, wrong, right], [right, wrong, gone], [right, wrong, wrong]]
    history = np.moveaxis(np.array(by_epoch, np.float32), 2, 1)  # to (epochs, weights, members)
    _, _, error, passed, diverged = summarise(Experiment(epochs=4), np.full(3, 0.01), history)

    assert passed.tolist() == [True, False, False]
    assert diverged.tolist() == [0, 0, 3]
    assert error.tolist() == [0, 8, 8]


def test_divergence_is_data() -> None:
    """A member that goes to NaN says at which epoch, and does not touch its neighbours."""
    spec = Experiment(optimizer="sgd", batch_size=333, epochs=30)
    alone = Ensemble(spec, 1, workers=1).train(np.array([1]), np.array([0.01]))
    beside = Ensemble(spec, 2, workers=1).train(np.array([0, 1]), np.array([5.0, 0.01]))

    assert beside.diverged_epoch[0] > 0
    assert not beside.passed[0]
    assert beside.diverged_epoch[1] == 0
    np.testing.assert_array_equal(alone.weights[0], beside.weights[1])


def test_nothing_compiles_again() -> None:
    """New seeds and learning rates go into what was compiled: they take a fraction of the time of the first call."""
    ensemble = Ensemble(Experiment(batch_size=333, epochs=2), 4, workers=1)
    seconds = []
    for seed, rate in ((0, 0.1), (4, 0.001), (9, 0.5), (2, 0.01)):
        begun = time.perf_counter()
        ensemble.train(np.arange(seed, seed + 4), np.full(4, rate))
        seconds.append(time.perf_counter() - begun)

    assert np.median(seconds[1:]) < seconds[0] / 5  # XLA does not say when it compiles, but takes its time


def test_blocks_do_not_hang_on_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding hangs on a block's size, so a run on another machine, or beside other tests, has the same."""
    monkeypatch.setattr(ensemble, "members_program", lambda *_: None)
    spec = Experiment()

    assert [Ensemble(spec, 1200, workers=workers).block_members for workers in (1, 2, 3, 8)] == [300] * 4
    assert [len(Ensemble(spec, 1200, workers=workers).programs) for workers in (1, 2, 3, 8)] == [1, 2, 3, 4]
    assert [Ensemble(spec, members).block_members for members in (1, 2, 3, 1000)] == [1, 1, 2, 500]


@pytest.mark.parametrize(("samples", "epochs", "members"), [(999, 999, 10**6), (10**6, 1, 10**4), (10, 10**6, 10**4)])
def test_blocks_are_bounded(samples: int, epochs: int, members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many members, samples or epochs, a block's samples and its weights over all epochs stay within bounds."""
    monkeypatch.setattr(ensemble, "members_program", lambda *_: None)
    spec = Experiment(samples=samples, epochs=epochs)
    size = Ensemble(spec, members, workers=2).block_members

    assert 1 <= size <= ensemble.BLOCK_MEMBERS
    assert size == 1 or size * max(samples, 4 * epochs) <= ensemble.BLOCK_VALUES
