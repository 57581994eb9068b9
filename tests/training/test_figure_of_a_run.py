"""The picture of one run, as a reader needs it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.display import pictures, units
from parabola.training import figure
from parabola.training.experiment import Experiment


def make_figure(**changes: Any) -> Any:
    epochs = np.arange(1, 2001)
    shown: Any = SimpleNamespace(
        **{
            **{"experiment": Experiment(learning_rate=0.01), "coefficients": np.array([[1, 2, 2.1]])},
            **{"loss": 1 / epochs**2, "coefficient_error": 1 / epochs, "summary": lambda: {"diverged_epoch": 1}},
            **changes,
        }
    )
    return figure.training_figure(shown)


def test_figure_draws_every_test_input_and_a_screen_of_epochs() -> None:
    """A hundred inputs twice, the first and the last epoch, at most 800 points a line; the threshold is labelled."""
    drawn = json.dumps(make_figure().to_dict())

    assert drawn.count('"curve": "learnt"') == drawn.count('"curve": "true"') == 100
    assert '{"epoch": 1, "value": 1.0, "quantity": "loss"}' in drawn
    assert '{"epoch": 2000, "value": 0.0005, "quantity": "coefficient error"}' in drawn
    assert drawn.count('"quantity": "loss"') <= figure.MOST_POINTS
    assert "learning rate 0.01" in drawn


def test_figure_of_a_diverged_run_leaves_out_what_is_not_finite() -> None:
    """NaN and inf cannot be drawn, nor zero on a logarithmic axis; the rest is."""
    loss, error, coefficients = np.array([1, np.nan, np.inf]), np.array([1, 0, np.nan]), np.array([[np.nan, 2, 2]])
    chart = make_figure(loss=loss, coefficient_error=error, coefficients=coefficients)

    text = json.dumps(chart.to_dict(), allow_nan=False)
    assert text.count('"curve": "learnt"') == 0
    assert text.count('"quantity": "loss"') == 1
    assert text.count('"quantity": "coefficient error"') == 1


def test_a_failed_save_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all."""
    path = tmp_path / "a.svg"
    path.write_text("old")
    chart = make_figure()
    monkeypatch.setattr(type(chart), "save", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pictures.save(chart, path)

    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.114, "2.11 s"), (0.0451, "45.1 ms"), (2.5e-6, "2.5 µs"), (3e-9, "3 ns")]
)
def test_durations_have_the_unit_that_suits(seconds: float, text: str) -> None:
    """Three digits."""
    assert units.duration(seconds) == text
