"""A new network is one class and its line in the registry: a toy is trained, mapped and printed without another."""

import runpy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import pass_rates, pinned_seeds
from parabola import registry
from parabola.ensemble.ensemble import Ensemble
from parabola.machine import backends
from parabola.training import engines, text
from parabola.training.experiment import Experiment
from parabola.training.networks import load_network
from parabola.training.target import Parabola
from parabola.training.train import train
from parabola.verification.check import check_run
from parabola.verification.descent import check_gradient
from parabola.verification.refusal import WrongRun
from tests import toys
from tests.made_ensemble import cell_of

KNOBS: dict[str, Any] = {"network": "toy", "target": Parabola(2, -1, 3), "batch_size": 500, "epochs": 3}


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the toys, the engine as what the weights of others are held against."""
    monkeypatch.setitem(registry.NETWORKS, "toy", toys.NETWORK)
    monkeypatch.setitem(registry.ENGINES, "toy", toys.ENGINE)


class Wrong(toys.ToyNetwork):
    """The toy with a formula in which one bias has the other's place."""

    def predict(self, weights: Sequence[Any], x: Any) -> Any:
        """Return the sum of both squares, and c."""
        k1, k2, b1, b2, v1, v2, c = weights
        first, second = k1 * x + b2, k2 * x + b1
        return v1 * (first * first) + v2 * (second * second) + c


def test_its_weights_are_scalars() -> None:
    """Seven of them in four Keras weights, whose model computes the formula and the polynomial; each is drawn anew."""
    network = load_network("toy")
    weights: Any = np.array([1, -2, 0.5, 3, 2, -1, 4.0])
    backends.start()
    model = network.build()
    model.set_weights(network.shaped(weights))
    x: Any = np.linspace(-2, 2, 9)

    assert network.size == 7
    assert tuple(weight.shape for weight in model.weights) == network.shapes
    np.testing.assert_allclose(network.predict(weights, x), np.polyval(network.coefficients(weights), x), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(model(x[:, None]))[:, 0], network.predict(weights, x), rtol=1e-5, atol=1e-5)
    for target in (Parabola(), Parabola(-3, 0, 1), network.tested_target):
        nearest = network.coefficients(network.closest_weights(target, 0, 1))
        np.testing.assert_allclose(nearest, target.coefficients, rtol=1e-12, atol=1e-12)
        assert network.can_represent(target)


def test_its_kernels_are_drawn_by_their_fans() -> None:
    """Every element is uniform on ±√(6 / 3) and has a draw of its own; biases are zero."""
    drawn = load_network("toy").initial_weights(np.arange(2000))

    assert drawn.shape == (2000, 7)
    assert not drawn[:, [2, 3, 6]].any()
    kernels = drawn[:, [0, 1, 4, 5]]
    assert np.abs(kernels).max(axis=0) == pytest.approx([np.sqrt(2)] * 4, rel=2e-3)
    assert np.abs(np.corrcoef(kernels.T) - np.eye(4)).max() < 0.1


def test_an_init_turns_the_whole_output_kernel() -> None:
    """Both of its elements get the sign to which the samples bend, and all else stays."""
    aware, glorot = (
        Experiment(init=init, **{**KNOBS, "target": Parabola(-2, 1, 0)}).initial_weights(np.arange(20))
        for init in ("sign-aware", "glorot")
    )

    assert (aware[:, 4:6] < 0).all()
    np.testing.assert_array_equal(np.abs(aware), np.abs(glorot))
    np.testing.assert_array_equal(aware[:, [0, 1, 2, 3, 6]], glorot[:, [0, 1, 2, 3, 6]])


@pytest.mark.parametrize("engine", ["compiled", "fit"])
def test_engines_train_it(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its weights after every epoch are those of Adam in float64, and a run can be printed."""
    fit = train(Experiment(engine=engine, **KNOBS))
    expected = train(Experiment(engine="toy", **KNOBS))

    assert np.abs(fit.weights[-1] - fit.experiment.initial_weights(7)).min() > 1e-3
    np.testing.assert_allclose(fit.weights, expected.weights, rtol=0, atol=1e-5)
    assert fit.coefficient_error[-1] == pytest.approx(expected.coefficient_error[-1], abs=1e-4)
    text.print_training(fit.summary())
    assert capsys.readouterr().out.startswith(f"toy, {engine} on cpu:0: 3 epochs of 999 samples")


def test_members_train_it() -> None:
    """Each member's last weights are those of Adam in float64; a cell of the map splits them by the output kernel."""
    spec, seeds = Experiment(**KNOBS), np.arange(8)
    members = Ensemble(spec, 8, workers=1).train(seeds, np.full(8, 0.01))
    expected = [
        train(Experiment(engine="toy", seed=seed, **KNOBS, learning_rate=0.01)).weights[-1] for seed in seeds.tolist()
    ]
    begun = spec.initial_weights(seeds)
    cell = cell_of(members)

    np.testing.assert_allclose(members.weights, expected, rtol=0, atol=1e-4)
    assert cell.positive_seeds == sum(bool(weights[4] > 0 and weights[5] > 0) for weights in begun) > 0


def test_the_reference_has_its_gradient() -> None:
    """An epoch of plain descent by `fit` has the weights that the gradient of the formula gives."""
    check_gradient(Experiment(engine="fit", **KNOBS))


@pytest.mark.parametrize("engine", ["compiled", "fit", "toy"])
def test_its_runs_are_verified(engine: str) -> None:
    """The check holds a run of it as of any network, by its formula alone; in every window a fault would be seen."""
    built = engines.build(Experiment(engine=engine, **KNOBS))
    checked = check_run(built)

    assert (checked.windows, checked.telling) == (3, 3)
    checked.hold(built.run(built.reset()), built.state())


def test_a_wrong_formula_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A formula that is not what the layers compute is found by its weights."""
    monkeypatch.setitem(registry.NETWORKS, "toy", f"{__name__}:Wrong")
    built = engines.build(Experiment(engine="compiled", **KNOBS))

    with pytest.raises(WrongRun, match="after epoch 1 weight "):
        check_run(built)


def test_native_refuses_it() -> None:
    """The hand-written kernel knows the two networks that it was written for."""
    with pytest.raises(ValueError, match=r"^engine native knows two_neuron, one_neuron only. Received: network='toy'$"):
        Experiment(engine="native", **KNOBS)


def test_the_regression_suite_asks_for_it() -> None:
    """Its seeds are to be pinned and its pass rates to be compared, on the target that it says, with either init."""
    pinned = runpy.run_path(str(pinned_seeds.__file__))
    toys_cells = [cell for cell in pinned["CELLS"] if cell.network == "toy"]

    assert pinned["TARGETS"]["toy"] == Parabola(2, -1, 3)
    assert {cell.target for cell in toys_cells} == {Parabola(2, -1, 3)}
    assert len(toys_cells) == 9
    assert pass_rates.initialisers("toy") == ("glorot", "sign-aware")
    assert pass_rates.initialisers("one_neuron") == ("glorot",)
