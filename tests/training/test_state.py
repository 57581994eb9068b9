"""What an engine says of itself between two epochs: all that decides how it goes on."""

import numpy as np
import pytest

from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.state import State
from tests.toys import ToyEngine


def trained(experiment: Experiment, epochs: int) -> tuple[State, np.ndarray]:
    """Return the state of an engine after some epochs, and the weights that it returned."""
    engine = engines.build(experiment)
    rows = engine.reset()
    weights = engine.run(rows[:epochs])
    return engine.state(), weights


@pytest.mark.parametrize("network", ["two_neuron", "one_neuron"])
@pytest.mark.parametrize("engine", ["native", "compiled", "fit"])
def test_a_state_has_weights_moments_and_steps(engine: str, network: str) -> None:
    """They are those of an Adam in float64, weight by weight, after two epochs with a partial batch."""
    if engines.missing(engine):
        pytest.skip(engines.missing(engine))
    experiment = Experiment(engine=engine, network=network, batch_size=200, epochs=2)
    state, weights = trained(experiment, 2)
    adam = ToyEngine(experiment)
    adam.run(adam.reset())

    assert state.steps == 10
    assert state.weights.tolist() == weights[-1].tolist()
    assert state.weights.dtype == np.float32
    assert list(state.slots) == ["momentum", "velocity"]
    np.testing.assert_allclose(state.weights, adam.weights, rtol=1e-5)
    np.testing.assert_allclose(state.slots["momentum"], adam.first, rtol=1e-4)
    np.testing.assert_allclose(state.slots["velocity"], adam.second, rtol=1e-4)


def test_a_fresh_state_is_that_of_the_seed() -> None:
    """Before the first epoch the optimizer has no past, whatever was trained before."""
    experiment = Experiment(engine="native", epochs=1, seed=11)
    engine = engines.build(experiment)
    engine.run(engine.reset())
    engine.reset()
    state = engine.state()

    assert state.steps == 0
    assert state.weights.tolist() == experiment.initial_weights(11).tolist()
    assert {name: values.tolist() for name, values in state.slots.items()} == {
        "momentum": [0, 0, 0, 0],
        "velocity": [0, 0, 0, 0],
    }


@pytest.mark.parametrize("engine", ["native", "compiled"])
def test_a_run_in_parts_has_the_bits_of_a_whole_one(engine: str) -> None:
    """Asking for the state between the parts changes nothing, and what was told stays when training goes on."""
    if engines.missing(engine):
        pytest.skip(engines.missing(engine))
    built = engines.build(Experiment(engine=engine, batch_size=111, epochs=5))
    whole = built.run(built.reset())
    rows = built.reset()
    parts = [built.run(rows[:2])]
    between = built.state()
    kept = between.weights.copy()
    parts.append(built.run(rows[2:]))

    assert np.concatenate(parts).tobytes() == whole.tobytes()
    assert (between.weights.tobytes(), between.steps) == (kept.tobytes(), 18)
