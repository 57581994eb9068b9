"""The one way to train."""

import subprocess
import sys

import numpy as np
import pytest

import parabola
from parabola.experiment import Experiment
from parabola.target import Parabola
from parabola.training import NotRepresentableWarning, train


def test_progress_reports_every_piece_and_changes_nothing() -> None:
    """The numbers rise to the number of epochs, and the result is that of one call."""
    spec, done = Experiment(engine="native", batch_size=9, epochs=50), list[int]()
    fit = train(spec, progress=done.append)

    assert done == sorted(set(done))
    assert done[-1] == 50
    np.testing.assert_array_equal(fit.weights, train(spec).weights)


def test_fit_has_one_row_an_epoch_and_both_times() -> None:
    """Weights, coefficients, error and loss by epoch; seconds inside the clock and before it."""
    fit = train(Experiment(engine="native", epochs=5))

    assert fit.weights.shape == (5, 4)
    assert fit.coefficients.shape == (5, 3)
    assert fit.coefficient_error.shape == fit.loss.shape == (5,)
    assert fit.seconds > 0
    assert fit.compile_seconds > 0


def test_a_target_out_of_reach_warns_with_the_closest() -> None:
    """The closest perfect square is named to five digits; a perfect square does not warn."""
    with pytest.warns(NotRepresentableWarning, match=r"cannot represent x² \+ 2x \+ 2: .* is 0\.69136x² \+ 2\.3183x"):
        train(Experiment(engine="native", network="one_neuron", epochs=1))
    train(Experiment(engine="native", network="one_neuron", target=Parabola(1, 2, 1), epochs=1))


@pytest.mark.end_to_end
def test_importing_parabola_loads_nothing_heavy() -> None:
    """Its public names come when they are used, and the command line waits with all that is slow."""
    heavy = "{'tensorflow', 'keras', 'scipy', 'altair', 'numba', 'pytest'}"
    code = f"import sys, parabola, parabola.__main__; print({heavy} & set(sys.modules), parabola.Parabola())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "set() x² + 2x + 2\n"


def test_public_names_are_there_and_no_others() -> None:
    """What __all__ lists can be had; a typing error is an AttributeError."""
    assert all(getattr(parabola, name) for name in parabola.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        parabola.trian  # noqa: B018
