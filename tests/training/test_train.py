"""The one way to train."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import parabola
from parabola.training import engines
from parabola.training import train as training
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array, Parabola
from parabola.training.train import NotRepresentableWarning, train


def test_progress_reports_every_piece_and_changes_nothing() -> None:
    """The numbers rise to the number of epochs, and the result is that of one call."""
    spec, done = Experiment(engine="native", batch_size=9, epochs=50), list[int]()
    fit = train(spec, progress=done.append)

    assert done == sorted(set(done))
    assert done[-1] == 50
    np.testing.assert_array_equal(fit.weights, train(spec).weights)


def test_every_piece_is_taken_to_the_host_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a device answers before it is done, a piece's time would else be that of asking for it."""
    taken, done = list[Array](), list[int]()
    monkeypatch.setattr(training, "on_host", taken.append)
    fit = train(Experiment(engine="native", batch_size=9, epochs=50), progress=lambda epochs: done.append(len(taken)))

    assert done == [*range(1, len(done) + 1)]
    assert len(done) > 1
    np.testing.assert_array_equal(np.concatenate(taken), fit.weights)


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
    with pytest.raises(AttributeError, match=r"^module 'parabola' has no attribute 'trian'$"):
        parabola.trian  # noqa: B018


def test_public_names_are_the_modules_own() -> None:
    """Each but the version is the class or function of the module that has it."""
    assert sorted(parabola.__all__) == ["Experiment", "Fit", "Parabola", "__version__", "train"]
    assert (parabola.Experiment, parabola.Fit, parabola.Parabola) == (Experiment, Fit, Parabola)
    assert parabola.train is train


class Clock:
    """Stands still but for what is added to it."""

    now = 100.0

    def perf_counter(self) -> float:
        """Return the time, as the module that it stands in for does."""
        return self.now


class Paced:
    """An engine whose epochs take as long as it is told, and whose weights are the numbers of its rows."""

    device, compile_seconds, width = "cpu:0", 8.0, 4

    def __init__(self, clock: Clock, seconds: list[float], wrong: bool = False) -> None:
        self.clock, self.seconds, self.wrong = clock, seconds, wrong
        self.calls: list[list[int]] = []

    def reset(self) -> Array:
        """Return as many rows as there are times."""
        return np.arange(10, 10 + len(self.seconds))

    def run(self, rows: Array) -> Any:
        """Let the time of each row pass."""
        self.calls.append(rows.tolist())
        self.clock.now += sum(self.seconds[row - 10] for row in rows)
        return [0.0] if self.wrong else np.repeat(rows.reshape(-1, 1), self.width, axis=1).astype(np.float32)


def train_paced(
    monkeypatch: pytest.MonkeyPatch, seconds: list[float], *, report: bool = True, wrong: bool = False
) -> tuple[Fit, list[int], list[int]]:
    """Train with such times; return the Fit, the number of epochs of each call, and what was reported."""
    clock, done = Clock(), list[int]()
    engine = Paced(clock, seconds, wrong)

    def tell(epochs: int) -> None:
        clock.now += 1000  # telling is outside the clock
        done.append(epochs)

    monkeypatch.setattr(training, "time", clock)
    monkeypatch.setattr(engines, "build", lambda experiment: engine)
    fit = train(Experiment(epochs=len(seconds)), progress=tell if report else None)
    return fit, [len(call) for call in engine.calls], done


@pytest.mark.parametrize(
    ("seconds", "pieces"),
    [
        ([1 / 128] * 140, [1, 4, 16, 38, 38, 38, 5]),  # 0.3 s are 38.4 epochs; four times as many at most
        ([1.0] * 3, [1, 1, 1]),  # never none, however slow
        ([1 / 16] * 14, [1, 4, 4, 4, 1]),  # 4.8 epochs
        ([1 / 1024] * 5 + [1 / 8] * 7, [1, 4, 7]),  # slower than it seemed: 16 are asked for, and 7 are left
        ([1 / 64, *[1 / 8] * 4, *[1 / 64] * 20], [1, 4, 2, 8, 10]),  # slower, then faster again
    ],
)
def test_a_piece_lasts_three_tenths_of_a_second(
    seconds: list[float], pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first piece is one epoch; each next fills 0.3 s by the pace of the last, and grows fourfold at most."""
    fit, lengths, done = train_paced(monkeypatch, seconds)

    assert lengths == pieces
    assert done == np.cumsum(pieces).tolist()
    assert fit.seconds == pytest.approx(sum(seconds), rel=1e-12)
    assert fit.weights[:, 2].tolist() == list(range(10, 10 + len(seconds)))


def test_without_progress_a_run_is_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows go at once, and the Fit has the engine's device and times."""
    fit, lengths, done = train_paced(monkeypatch, [0.25] * 7, report=False)

    assert (lengths, done) == ([7], [])
    assert (fit.device, fit.seconds, fit.compile_seconds) == ("cpu:0", 1.75, 8.0)
    assert fit.experiment == Experiment(epochs=7)


def test_weights_that_are_no_array_end_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first piece shows it, before any other is trained."""
    with pytest.raises(TypeError, match=r"Received: builtins\.list"):
        train_paced(monkeypatch, [1.0] * 3, wrong=True)


def test_the_warning_points_at_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the explanation for the run's own target and range, and the line of whoever called."""
    engine = Paced(Clock(), [1.0])
    engine.width = 2
    monkeypatch.setattr(engines, "build", lambda experiment: engine)
    spec = Experiment(network="one_neuron", low=-0.5, high=2.0, epochs=1)
    with pytest.warns(NotRepresentableWarning) as record:
        train(spec)

    assert [str(warning.message) for warning in record] == [spec.net.explain(Parabola(), -0.5, 2.0)]
    assert record[0].filename == __file__
