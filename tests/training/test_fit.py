"""What comes out of a run says what became of it."""

import json
import re
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

from parabola.training.experiment import Experiment
from parabola.training.fit import Fit, on_host
from parabola.training.networks import load_network
from parabola.training.target import Array, Parabola, mean_squared_error

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


def test_an_error_of_exactly_the_learning_rate_is_no_pass() -> None:
    """Below is meant without equality: the error of 0.5 passes at the next larger learning rate only."""
    weights = [[1, 1, 1, 1.5]]

    assert make_fit(weights, learning_rate=0.5).verdict == "fail"
    assert make_fit(weights, learning_rate=float(np.nextafter(0.5, 1))).verdict == "pass"
    assert make_fit(weights, learning_rate=0.75, final_learning_rate=0.5).verdict == "fail"


def test_the_last_epoch_decides() -> None:
    """A run that was below in between fails if it ends above, and the other way round; each epoch is told apart."""
    right, wrong = SOLUTION, [1, 1, 1, 2]

    assert make_fit([wrong, right, wrong]).verdict == "fail"
    assert make_fit([right, wrong, right]).verdict == "pass"
    assert make_fit([right, wrong, right]).below.tolist() == [True, False, True]


@pytest.mark.parametrize(("bad", "epoch"), [([], None), ([0], 1), ([1, 3], 2), ([3], 4)])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_the_first_epoch_with_any_bad_weight_is_named(bad: list[int], epoch: int | None, place: int) -> None:
    """One weight of four that is not finite is enough, and the first such epoch counts, from 1."""
    weights = np.array([SOLUTION] * 4, np.float32)
    weights[bad, place] = [np.nan, -np.inf][: len(bad)]
    fit = make_fit(weights)

    assert fit.diverged_epoch == epoch
    assert fit.verdict == ("pass" if epoch is None else "diverged")


def test_divergence_comes_before_representability() -> None:
    """A run of a network that cannot hold the target is called diverged if it diverged."""
    assert make_fit([[np.nan, 1]], network="one_neuron").verdict == "diverged"


KNOBS: dict[str, Any] = {
    "target": Parabola(2, -4, 5),
    "engine": "fit",
    "device": "gpu",
    "optimizer": "sgd",
    "learning_rate": 0.5,
    "final_learning_rate": 0.25,
    "init": "sign-aware",
    "batch_size": 2,
    "epochs": 3,
    "samples": 4,
    "seed": 11,
    "data_seed": 5,
    "low": -1.0,
    "high": 2.0,
}
SAID = KNOBS | {
    "target": [2.0, -4.0, 5.0],
    "true": "2x² - 4x + 5",
    "network": "two_neuron",
    "device": "gpu:0",
    "smallest_learning_rate": 0.25,
    "backend": "tensorflow",
    "seconds": 2.5,
    "compile_seconds": 1.25,
}


def test_summary_holds_all_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that was asked for and that came out is there by name, with its value after the last epoch."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    weights = np.array([[1, 1, 1, 1], [1, 1, 1, 2], [1, -1, 2, 3.125 + 2.0**-19]], np.float32)
    summary = Fit(Experiment(**KNOBS), "gpu:0", weights, 2.5, 1.25).summary()
    assert summary.pop("loss") == pytest.approx((0.125 + 2.0**-19) ** 2)

    assert summary == SAID | {
        "learnt": "2x² - 4x + 5.1250019",
        "coefficients": [2.0, -4.0, 5.125 + 2.0**-19],
        "coefficient_error": 0.125 + 2.0**-19,
        "weights": [1.0, -1.0, 2.0, 3.125 + 2.0**-19],
        "verdict": "pass",
        "diverged_epoch": None,
    }


def test_summary_of_a_diverged_run_ends_with_what_was_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers are those after the epoch before it diverged; where that was the first, each of them is None."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    weights = np.array([[1, 1, 1, 1], [1, 0, 2, np.nan], [1, -1, 2, 3.125]], np.float32)
    second = Fit(Experiment(**KNOBS), "gpu:0", weights, 2.5, 1.25).summary()
    first = Fit(Experiment(**KNOBS), "gpu:0", weights[1:], 2.5, 1.25).summary()
    loss = mean_squared_error(np.array([1, 2, 2]), Parabola(2, -4, 5), Experiment(**KNOBS).data[0])
    assert second.pop("loss") == pytest.approx(float(loss))

    assert second == SAID | {
        "backend": "torch",
        "learnt": "x² + 2x + 2",
        "coefficients": [1.0, 2.0, 2.0],
        "coefficient_error": 6.0,
        "weights": [1.0, 1.0, 1.0, 1.0],
        "verdict": "diverged",
        "diverged_epoch": 2,
    }
    nothing = dict.fromkeys(("learnt", "coefficients", "coefficient_error", "loss", "weights"))
    assert first == SAID | {"backend": "torch", "verdict": "diverged", "diverged_epoch": 1} | nothing


def test_summary_leaves_out_what_was_not_asked_for() -> None:
    """Without a decay, a strategy, and with an optimizer that has no name, there is no such key."""
    summary = make_fit([SOLUTION], optimizer=lambda rate: rate).summary()

    assert {"final_learning_rate", "strategy", "optimizer"} & summary.keys() == set()
    assert summary["smallest_learning_rate"] == 0.001
    assert "strategy" in make_fit([SOLUTION], engine="distributed", strategy="mirrored").summary()


def test_what_is_no_array_is_named() -> None:
    """The message has the type in full, with its module; an array is given back as it is."""
    weights = np.zeros((1, 4))
    message = "a run must wait for the device and return its weights as a NumPy array. Received: builtins.list"

    assert on_host(weights) is weights
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        on_host([[0, 0, 0, 0]])  # type: ignore[arg-type]


@pytest.mark.parametrize("record", [Parabola(), Experiment(), make_fit([SOLUTION]), load_network("one_neuron")])
def test_what_describes_a_run_cannot_be_changed(record: Any) -> None:
    """A target, an experiment, its network and its outcome stay what they were checked to be."""
    with pytest.raises(FrozenInstanceError):
        record.a = record.epochs = record.name = 5


def test_infinity_times_zero_is_no_warning() -> None:
    """The coefficients of a diverged run are NaN where they have no value, without a word on the terminal."""
    fit = make_fit([SOLUTION, [np.inf, 0, 1, 1]])

    assert fit.verdict == "diverged"
    assert np.isnan(fit.coefficients[1, 1])
    assert fit.coefficients[0].tolist() == [1, 2, 2]
