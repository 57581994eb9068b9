"""What goes in is checked; what comes out says what became of it."""

import json
from typing import Any

import numpy as np
import pytest

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


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines are TensorFlow's."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax is not supported"):
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
