"""What goes in is checked."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola.training.experiment import Experiment
from parabola.training.target import Parabola


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


def test_the_defaults_are_the_published_experiment() -> None:
    """Every knob has the value that the README's table is about."""
    assert vars(Experiment()) == {
        "target": Parabola(1.0, 2.0, 2.0),
        "network": "two_neuron",
        "engine": "compiled",
        "strategy": None,
        "device": "cpu",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "final_learning_rate": None,
        "init": "glorot",
        "batch_size": 1,
        "epochs": 999,
        "samples": 999,
        "seed": 7,
        "data_seed": 42,
        "low": 0.0,
        "high": 1.0,
    }


WHOLE = "must be a whole number from"
DECAY = "final_learning_rate must be above 0 and at most learning_rate. Received: "
LARGEST, TINY = "samples must be within float32, up to 3.40282e+38. Received: ", Parabola(1e-40, 0, 0)
NAMED = "final_learning_rate needs an optimizer by its name, and an engine other than native"
KEPT = "engine distributed has a strategy, and no other engine has. Received: "
OPTIMIZERS_KNOWN = "adadelta, adagrad, adam, adamax, adamw, ftrl, lion, nadam, rmsprop, sgd"


def no_name(learning_rate: float) -> Any:
    """Stand in for a function that makes an optimizer."""


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"samples": 0}, f"samples {WHOLE} 1 to 2147483647. Received: 0"),
        ({"samples": 2**31}, f"samples {WHOLE} 1 to 2147483647. Received: 2147483648"),
        ({"samples": 2, "init": "sign-aware"}, f"samples {WHOLE} 3 to 2147483647. Received: 2"),
        ({"epochs": 0}, f"epochs {WHOLE} 1 to 2147483647. Received: 0"),
        ({"epochs": 2**31}, f"epochs {WHOLE} 1 to 2147483647. Received: 2147483648"),
        ({"epochs": 5.0}, f"epochs {WHOLE} 1 to 2147483647. Received: 5.0"),
        ({"seed": -1}, f"seed {WHOLE} 0 to 9223372036854775807. Received: -1"),
        ({"seed": 2**63}, f"seed {WHOLE} 0 to 9223372036854775807. Received: 9223372036854775808"),
        ({"data_seed": -1}, f"data_seed {WHOLE} 0 to 4294967295. Received: -1"),
        ({"data_seed": 2**32}, f"data_seed {WHOLE} 0 to 4294967295. Received: 4294967296"),
        ({"batch_size": 0}, f"batch_size {WHOLE} 1 to 999. Received: 0"),
        ({"samples": 12, "batch_size": 13}, f"batch_size {WHOLE} 1 to 12. Received: 13"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and above 0. Received: 0.0"),
        ({"learning_rate": -5e-324}, "learning_rate must be finite and above 0. Received: -5e-324"),
        ({"learning_rate": float("inf")}, "learning_rate must be finite and above 0. Received: inf"),
        ({"final_learning_rate": 0.0}, DECAY + "0.0"),
        ({"final_learning_rate": -0.0001}, DECAY + "-0.0001"),
        ({"final_learning_rate": float("nan")}, DECAY + "nan"),
        ({"learning_rate": 0.5, "final_learning_rate": float(np.nextafter(0.5, 1))}, DECAY + "0.5000000000000001"),
        ({"final_learning_rate": 0.001, "engine": "native"}, NAMED),
        ({"final_learning_rate": 0.001, "optimizer": no_name}, NAMED),
        ({"low": 1.0, "high": 1.0}, "the range needs finite low < high. Received: [1.0, 1.0)"),
        ({"low": 1.0}, "the range needs finite low < high. Received: [1.0, 1.0)"),
        ({"low": float("-inf")}, "the range needs finite low < high. Received: [-inf, 1.0)"),
        ({"high": float("inf")}, "the range needs finite low < high. Received: [0.0, inf)"),
        ({"low": -1e308}, LARGEST + "x in [-1e+308, 1), y up to inf in size"),
        ({"low": -1e308, "high": 1e308}, LARGEST + "x in [-1e+308, 1e+308), y up to inf in size"),
        ({"target": TINY, "high": 3.41e38}, LARGEST + "x in [0, 3.41e+38), y up to 1.16281e+37 in size"),
        ({"low": 0, "high": 1.9e19}, LARGEST + "x in [0, 1.9e+19), y up to 3.61e+38 in size"),
        ({"low": -1.9e19, "high": 0}, LARGEST + "x in [-1.9e+19, 0), y up to 3.61e+38 in size"),
        ({"target": Parabola(-4e38, 0, 4e38), "low": -1}, LARGEST + "x in [-1, 1), y up to 4e+38 in size"),
        ({"target": Parabola(-4e38, 8e38, -1), "low": 0}, LARGEST + "x in [0, 1), y up to 4e+38 in size"),
        ({"target": Parabola(1e300, 2, 2)}, LARGEST + "x in [0, 1), y up to 1e+300 in size"),
        ({"engine": "native", "optimizer": "sgd"}, "engine native knows adam only. Received: optimizer='sgd'"),
        ({"engine": "native", "device": "cpu:1"}, "engine native runs on cpu only. Received: device='cpu:1'"),
        ({"engine": "native", "strategy": "mirrored"}, KEPT + "engine='native', strategy='mirrored'"),
        ({"engine": "distributed"}, KEPT + "engine='distributed', strategy=None"),
        ({"strategy": "central"}, "unknown strategy 'central'; known: mirrored, multi_worker"),
        ({"engine": "eager"}, "unknown engine 'eager'; known: fit, fused_fit, compiled, native, distributed"),
        ({"network": "three"}, "unknown network 'three'; known: two_neuron, one_neuron"),
        ({"init": "zeros"}, "unknown init 'zeros'; known: glorot, sign-aware"),
        ({"optimizer": "Adam"}, f"unknown optimizer 'Adam'; known: {OPTIMIZERS_KNOWN}"),
    ],
)
def test_the_message_is_this_one(knobs: dict[str, Any], message: str) -> None:
    """A value just outside its bounds is refused, and the message has the knob, its bounds and the value in full."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Experiment(**knobs)


@pytest.mark.parametrize(
    "knobs",
    [
        {"samples": 1},
        {"samples": 2**31 - 1},
        {"samples": 3, "init": "sign-aware"},
        {"epochs": 1},
        {"epochs": 2**31 - 1},
        {"seed": 0},
        {"seed": 2**63 - 1},
        {"data_seed": 0},
        {"data_seed": 2**32 - 1},
        {"samples": 12, "batch_size": 12},
        {"learning_rate": 5e-324},
        {"learning_rate": 1.7e308},
        {"learning_rate": 0.5, "final_learning_rate": 0.5},
        {"final_learning_rate": 5e-324},
        {"low": 1.0, "high": float(np.nextafter(1, 2))},
        {"low": -3.4e38, "high": 3.4e38, "target": TINY},
        {"low": -1.8e19, "high": 1.8e19},
        {"target": Parabola(-4e38, 0, 4e38), "low": 0.9},
        {"target": Parabola(-4e38, 0, 4e38), "low": -1.0, "high": -0.9},
        {"target": Parabola(5e-324, 1, 1)},
        {"engine": "native", "device": "cpu:0", "optimizer": "adam"},
        {"engine": "compiled", "device": "gpu:3", "optimizer": "sgd"},
        {"optimizer": no_name},
        {"engine": "distributed", "strategy": "mirrored", "final_learning_rate": 0.001},
        {"engine": "distributed", "strategy": "multi_worker"},
    ],
)
def test_what_is_just_within_bounds_is_accepted(knobs: dict[str, Any]) -> None:
    """The smallest and the largest value of each knob are kept as they are."""
    experiment = Experiment(**knobs)

    assert {name: getattr(experiment, name) for name in knobs} == knobs


@pytest.mark.parametrize("kind", [int, np.int64, np.float32, np.float64, float])
def test_a_number_of_any_kind_is_a_float(kind: type[Any]) -> None:
    """Keras refuses a learning rate of 1: what is meant as a float is made one, and the experiment is the same."""
    values = {"learning_rate": 3, "final_learning_rate": 2, "low": -2, "high": 5}
    experiment = Experiment(**{name: kind(value) for name, value in values.items()})

    assert {name: type(getattr(experiment, name)) for name in values} == dict.fromkeys(values, float)
    assert experiment == Experiment(learning_rate=3.0, final_learning_rate=2.0, low=-2.0, high=5.0)


@pytest.mark.parametrize(
    ("samples", "batch_size", "steps"),
    [(999, 999, 1), (999, 998, 2), (999, 500, 2), (999, 499, 3), (999, 333, 3), (999, 1, 999), (1, 1, 1)],
)
def test_steps_are_rounded_up(samples: int, batch_size: int, steps: int) -> None:
    """One sample more than the whole batches hold makes one more step."""
    assert Experiment(samples=samples, batch_size=batch_size).steps == steps


def test_the_smallest_learning_rate_is_the_last_of_a_decay() -> None:
    """Without a decay it is the one learning rate."""
    assert Experiment(learning_rate=0.5, final_learning_rate=0.125).smallest_learning_rate == 0.125
    assert Experiment(learning_rate=0.5).smallest_learning_rate == 0.5


def test_samples_are_those_of_the_data_seed_and_range() -> None:
    """Target, number, data seed and both ends of the range reach the draws; the seed does not."""
    knobs: dict[str, Any] = {"target": Parabola(3, -1, 0.5), "samples": 5, "data_seed": 8, "low": -2.0, "high": 4.0}
    x, y = Experiment(seed=3, **knobs).data
    np.random.seed(8)
    wide = -2 + 6 * np.random.rand(5, 1)

    np.testing.assert_array_equal(x, wide.astype(np.float32))
    np.testing.assert_array_equal(y, (3 * wide**2 - wide + 0.5).astype(np.float32))


def test_sign_aware_weights_of_the_recorded_seed() -> None:
    """Seed 2⁶³ - 1 draws a second kernel below 0: it is turned for an upward parabola only, and by this init only."""
    knobs: dict[str, Any] = {"seed": 2**63 - 1, "samples": 9}
    kernels = [
        float(Experiment(target=Parabola(a, 2, 2), init=init, **knobs).initial_weights(2**63 - 1)[2])
        for a, init in ((1, "glorot"), (-1, "glorot"), (1, "sign-aware"), (-1, "sign-aware"))
    ]

    assert kernels == pytest.approx([-1.52310996, -1.52310996, 1.52310996, -1.52310996], rel=1e-7)


@pytest.mark.parametrize("name", ["KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"])
def test_the_environments_limit_is_named_with_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which variable has which value, and asks to unset it; an empty one counts, too."""
    monkeypatch.setenv(name, "")
    with pytest.raises(ValueError, match=f"^{name}= would silently shorten the run: unset it$"):
        Experiment()
