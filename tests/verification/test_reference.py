"""The reference trains an epoch of an experiment from any state: against an Adam in NumPy with gradients by hand."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parabola import registry
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.training.target import Parabola
from parabola.verification.reference import Reference
from tests import made_adam, toys

KNOBS: dict[str, Any] = {"samples": 37, "epochs": 9, "seed": 3, "learning_rate": 0.01}


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    """Register the toy network."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(registry.NETWORKS, "toy", toys.NETWORK)
        yield


def state_after(experiment: Experiment, epochs: int) -> State:
    """Return where a run in float32 is after so many epochs."""
    engine = made_adam.MadeEngine(experiment)
    engine.run(engine.reset()[:epochs])
    return engine.state()


@pytest.mark.parametrize("network", ["two_neuron", "one_neuron", "toy"])
@pytest.mark.parametrize(("samples", "batch_size"), [(37, 1), (37, 2), (37, 10), (37, 36), (37, 37), (1, 1)])
@pytest.mark.parametrize("epoch", [0, 1, 8])
def test_it_is_adam_in_float64(network: str, samples: int, batch_size: int, epoch: int) -> None:
    """Weights and moments after an epoch are those of an independent Adam, from fresh and from the middle of a run."""
    experiment = Experiment(network=network, batch_size=batch_size, **{**KNOBS, "samples": samples})
    begin = state_after(experiment, epoch)
    window = Reference(experiment).train_on(begin, epoch, 1)

    assert window.epoch == epoch
    np.testing.assert_allclose(window.end, made_adam.epoch(experiment, begin, epoch), rtol=1e-12, atol=1e-18)
    np.testing.assert_array_equal(window.start, [begin.weights, begin.slots["momentum"], begin.slots["velocity"]])
    assert np.abs(window.end[0] - window.start[0]).max() > 3e-4


@pytest.mark.parametrize("changed", [{"seed": 4}, {"learning_rate": 0.0101}, {"batch_size": 11}, {"data_seed": 43}])
def test_each_knob_decides(changed: dict[str, Any]) -> None:
    """From the same state, another seed (which has another order), rate, batch size or other samples end elsewhere."""
    experiment = Experiment(batch_size=10, **KNOBS)
    begin = state_after(experiment, 2)
    window = Reference(experiment).train_on(begin, 2, 4)
    other = Reference(replace(experiment, **changed)).train_on(begin, 2, 4)

    assert (np.abs(other.end[0] - window.end[0]) > 3 * np.abs(window.replicas[:, 0] - window.end[0]).max()).all()


def test_an_epoch_has_its_own_order() -> None:
    """From the same state, each epoch ends elsewhere; in a batch of all samples only rounding is left of that."""
    for batch_size, differs in ((10, True), (37, False)):
        experiment = Experiment(batch_size=batch_size, **KNOBS)
        reference, begin = Reference(experiment), state_after(experiment, 2)
        two, three = (reference.train_on(begin, epoch, 0).end[0] for epoch in (2, 3))
        assert (np.abs(two - three).max() > 1e-7) == differs


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("network", ["two_neuron", "toy"])
def test_a_fresh_run_begins_at_the_weights_of_its_seed(seed: int, network: str) -> None:
    """Its moments are zero and no step was taken."""
    experiment = Experiment(network=network, seed=seed, init="sign-aware")
    fresh = Reference(experiment).fresh()

    np.testing.assert_array_equal(fresh.weights, experiment.initial_weights(seed))
    assert list(fresh.slots) == ["momentum", "velocity"]
    assert not any(values.any() for values in fresh.slots.values())
    assert {values.shape for values in fresh.slots.values()} == {fresh.weights.shape}
    assert fresh.steps == 0


def test_replicas_have_a_sequence_each() -> None:
    """They repeat their bits, differ from each other, and more of them begin with the fewer."""
    experiment = Experiment(batch_size=4, **KNOBS)
    reference, begin = Reference(experiment), state_after(experiment, 3)
    few, again, many = (reference.train_on(begin, 3, number).replicas for number in (5, 5, 16))

    assert few.shape == (5, 3, 4)
    assert few.tobytes() == again.tobytes() == many[:5].tobytes()
    assert len({replica.tobytes() for replica in many}) == 16


@pytest.mark.parametrize(("batch_size", "more"), [(100_000, 2), (99_999, 0)])
def test_large_batches_have_more_replicas(batch_size: int, more: int) -> None:
    """For each four there is one more, from 100,000 samples a batch on."""
    reference = Reference(Experiment(samples=100_000, batch_size=batch_size))

    assert len(reference.train_on(reference.fresh(), 0, 8).replicas) == 8 + more


@pytest.mark.parametrize("batch_size", [1, 9, 37])
def test_replicas_depart_as_float32_does(batch_size: int) -> None:
    """In twenty epochs the departure of an Adam in float32 never is three times the replicas', nor far below it."""
    ratios = []
    for seed in range(20):
        experiment = Experiment(batch_size=batch_size, **{**KNOBS, "seed": seed})
        begin = state_after(experiment, seed % 8)
        window = Reference(experiment).train_on(begin, seed % 8, 16)
        single = made_adam.epoch(experiment, begin, seed % 8, np.float32)
        departures = np.abs(window.replicas[:, 0] - window.end[0])
        ratios.append(np.abs(single[0] - window.end[0]).max() / departures.max())

    assert max(ratios) < 3
    assert np.median(ratios) > 0.05


def test_every_other_replica_rounds_within_the_formula() -> None:
    """From the first on: these depart further where the output is a square of a difference of large terms."""
    target = Parabola(1, -70, 1226)
    experiment = Experiment(target, batch_size=37, low=30.0, high=40.0, **KNOBS)
    solution = np.array([1, -35, 1, 1], np.float32)
    begin = State(solution, {"momentum": 0 * solution, "velocity": 0 * solution + 1}, 1000)
    window = Reference(experiment).train_on(begin, 0, 32)
    departures = np.abs(window.replicas[:, 1] - window.end[1]).max(axis=1)

    assert np.median(departures[::2]) > 50 * np.median(departures[1::2]) > 0


def test_the_largest_gradient_is_of_all_replicas() -> None:
    """It is at least that of the exact run, and the same where rounding hardly matters."""
    experiment = Experiment(batch_size=37, **KNOBS)
    reference = Reference(experiment)
    window = reference.train_on(reference.fresh(), 0, 4)
    gradient = np.abs(made_adam.epoch(experiment, reference.fresh(), 0)[1]).max() / 0.1

    assert gradient <= window.largest_gradient * (1 + 1e-12)
    assert window.largest_gradient == pytest.approx(gradient, rel=1e-5)
