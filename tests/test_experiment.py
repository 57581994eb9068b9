"""What goes in is checked."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.experiment import Experiment
from parabola.target import Parabola


@pytest.mark.parametrize(
    ("knobs", "received"),
    [
        ({"learning_rate": 0.0}, "Received: 0.0"),
        ({"learning_rate": -1.0}, "Received: -1.0"),
        ({"learning_rate": float("nan")}, "Received: nan"),
        ({"learning_rate": float("inf")}, "Received: inf"),
        ({"batch_size": 0}, "Received: 0"),
        ({"batch_size": 1000}, "from 1 to 999. Received: 1000"),
        ({"epochs": 0}, "Received: 0"),
        ({"samples": 0}, "Received: 0"),
        ({"samples": 10.5}, "Received: 10.5"),
        ({"seed": -1}, "Received: -1"),
        ({"data_seed": 2**32}, "Received: 4294967296"),
        ({"low": 1.0, "high": 1.0}, r"\[1.0, 1.0\)"),
        ({"engine": "eager"}, "unknown engine 'eager'; known: fit, fused_fit, compiled, native"),
        ({"engine": "distributed"}, "engine='distributed', strategy=None"),
        ({"strategy": "mirrored"}, "engine='compiled', strategy='mirrored'"),
        ({"engine": "distributed", "strategy": "central"}, "unknown strategy 'central'; known: mirrored, multi_worker"),
        ({"network": "three"}, "unknown network 'three'; known: two_neuron, one_neuron"),
        ({"optimizer": "muon"}, "unknown optimizer 'muon'; known: .*adam"),
        ({"init": "zeros"}, "unknown init 'zeros'; known: glorot, sign-aware"),
        ({"final_learning_rate": 0.002}, "above 0 and at most learning_rate. Received: 0.002"),
        ({"final_learning_rate": 0.0}, "Received: 0.0"),
        ({"final_learning_rate": 0.001, "engine": "native"}, "an engine other than native"),
        ({"engine": "native", "optimizer": "sgd"}, "native knows adam only"),
        ({"engine": "native", "device": "gpu"}, "native runs on cpu only. Received: device='gpu'"),
    ],
)
def test_what_is_out_of_bounds_is_refused_by_name(knobs: dict[str, Any], received: str) -> None:
    """The message names the knob, and what it was."""
    with pytest.raises(ValueError, match=received):
        Experiment(**knobs)


@pytest.mark.parametrize("name", ["KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"])
def test_what_would_shorten_a_run_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras would stop early without a word."""
    monkeypatch.setenv(name, "3")
    with pytest.raises(ValueError, match=f"{name}=3 would silently shorten"):
        Experiment()


def test_an_unknown_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines are TensorFlow's, JAX's and PyTorch's."""
    monkeypatch.setenv("KERAS_BACKEND", "openvino")
    with pytest.raises(ValueError, match="KERAS_BACKEND=openvino is not supported; known: tensorflow, jax, torch"):
        Experiment()


def test_steps_count_the_partial_batch() -> None:
    """999 samples in batches of 32 are 31 whole ones and one of 7."""
    assert Experiment(batch_size=32).steps == 32
    assert Experiment(batch_size=999).steps == 1


@settings(deadline=None)
@given(st.floats(0.05, 9) | st.floats(-9, -0.05), st.floats(-9, 9), st.floats(-9, 9), st.integers(3, 99))
def test_sign_aware_weights_bend_as_the_samples_do(a: float, b: float, c: float, samples: int) -> None:
    """The second kernel has the sign of a, whatever the seed; all else, and one neuron, is as Glorot has it."""
    knobs: dict[str, Any] = {"target": Parabola(a, b, c), "samples": samples}
    aware, glorot = (Experiment(init=init, **knobs).initial_weights(np.arange(20)) for init in ("sign-aware", "glorot"))
    alone = Experiment(network="one_neuron", init="sign-aware", **knobs).initial_weights(np.arange(20))

    assert (np.sign(aware[:, 2]) == np.sign(a)).all()
    np.testing.assert_array_equal(np.abs(aware), np.abs(glorot))
    np.testing.assert_array_equal(aware[:, [0, 1, 3]], glorot[:, [0, 1, 3]])
    np.testing.assert_array_equal(alone, Experiment(network="one_neuron", **knobs).initial_weights(np.arange(20)))
