"""What goes in is checked; what comes out says what became of it."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.experiment import Experiment, Fit
from parabola.target import Array, Parabola

SOLUTION = [1, 1, 1, 1]  # (x + 1)² + 1


def make_fit(weights: Array | list[Any], **knobs: Any) -> Fit:
    return Fit(Experiment(**knobs), "/device:CPU:0", np.array(weights, np.float32), 2.0, 1.0)


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


def test_fit_reads_error_and_loss_from_the_weights() -> None:
    """The exact solution has neither; with b2 off by a half, both follow by hand."""
    fit = make_fit([[1, 1, 1, 1.5], SOLUTION])

    np.testing.assert_allclose(fit.coefficient_error, [0.5, 0])
    np.testing.assert_allclose(fit.loss, [0.25, 0], atol=1e-15)
    assert fit.verdict == "pass"


@pytest.mark.parametrize(("bias", "verdict"), [(1.0009, "pass"), (1.0011, "fail")])
def test_pass_means_error_below_learning_rate(bias: float, verdict: str) -> None:
    """On one side of 0.001 and on the other."""
    assert make_fit([[1, 1, 1, bias]]).verdict == verdict


def test_not_representable_is_neither_pass_nor_fail() -> None:
    """One neuron on x² + 2x + 2."""
    assert make_fit([[1, 1]], network="one_neuron").verdict == "not representable"
    assert make_fit([[1, 1]], network="one_neuron", target=Parabola(1, 2, 1)).verdict == "pass"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_divergence_is_data(bad: float) -> None:
    """The first epoch that went wrong is named, and what came before is kept, also in JSON."""
    fit = make_fit([[1, 1, 1, 2], SOLUTION, [bad, 1, 1, 1], [bad] * 4])
    summary = json.loads(json.dumps(fit.summary(), allow_nan=False))

    assert fit.verdict == summary["verdict"] == "diverged"
    assert fit.diverged_epoch == summary["diverged_epoch"] == 3
    assert summary["coefficients"] == [1, 2, 2]
    assert make_fit([[bad] * 4]).summary()["coefficients"] is None


def test_under_a_decay_a_pass_is_judged_by_the_smallest_rate() -> None:
    """An error between the last learning rate and the first is no pass; without the decay it is."""
    weights = np.array([[1, 1, 1, 1.005]], np.float32)
    verdicts = [
        Fit(Experiment(learning_rate=0.01, final_learning_rate=final), "", weights, 0.0, 0.0).verdict
        for final in (None, 0.01, 0.001)
    ]

    assert verdicts == ["pass", "pass", "fail"]


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
