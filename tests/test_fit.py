"""What comes out of a run says what became of it."""

import json
from typing import Any

import numpy as np
import pytest

from parabola.experiment import Experiment
from parabola.fit import Fit
from parabola.target import Array, Parabola

SOLUTION = [1, 1, 1, 1]  # (x + 1)² + 1


def make_fit(weights: Array | list[Any], **knobs: Any) -> Fit:
    return Fit(Experiment(**knobs), "cpu:0", np.array(weights, np.float32), 2.0, 1.0)


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


def test_what_may_still_be_the_devices_is_refused() -> None:
    """Only NumPy's own arrays show that the device was waited for."""

    class Pending(np.ndarray):
        """Looks like an array."""

    with pytest.raises(TypeError, match=r"must wait for the device and return its weights .* Received: .*Pending"):
        Fit(Experiment(), "cpu:0", np.zeros((1, 4), np.float32).view(Pending), 0.0, 0.0)
