"""What is printed of one run."""

from typing import Any

import pytest

from parabola.training import text as training_text
from tests.screens import as_screen

RUN: dict[str, Any] = {
    **{"network": "one_neuron", "engine": "compiled", "device": "cpu", "backend": "tensorflow", "init": "glorot"},
    **{"epochs": 32, "samples": 998, "batch_size": 27, "learning_rate": 0.25, "smallest_learning_rate": 0.25},
    **{"seed": 7, "target": (2.0, -3.0, 0.5), "coefficients": (2.125, -3.0, 0.25), "diverged_epoch": None},
    **{"true": "y = 2x² - 3x + 0.5", "learnt": "y = 2.125x² - 3x + 0.25", "verdict": "pass"},
    **{"coefficient_error": 0.24999, "seconds": 0.125, "compile_seconds": 2.046},
}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, "pass: coefficient error 0.25 < learning rate 0.25"),
        ({"coefficient_error": 0.25, "verdict": "fail"}, "fail: coefficient error 0.25 ≥ learning rate 0.25"),
        (
            {"coefficient_error": 0.012345, "smallest_learning_rate": 0.0125},
            "pass: coefficient error 0.0123 < learning rate 0.0125",
        ),
        (
            {"coefficient_error": 0.012345, "smallest_learning_rate": 1e-05},
            "pass: coefficient error 0.0123 ≥ learning rate 1e-05",
        ),
        ({"diverged_epoch": 3}, "diverged: a weight was NaN or infinite after epoch 3"),
        ({"diverged_epoch": 0}, "diverged: a weight was NaN or infinite after epoch 0"),
    ],
)
def test_what_became_of_a_run_is_one_line(changed: dict[str, Any], says: str) -> None:
    """The error is held against the smallest learning rate of the run; a diverged run tells the epoch instead."""
    assert training_text.verdict_line({**RUN, **changed}) == says


def test_a_run_is_printed_with_its_parabola_and_its_times(capsys: pytest.CaptureFixture[str]) -> None:
    """The setting comes first, then true and learnt coefficients, the verdict, and the times per run and per epoch."""
    training_text.print_training(RUN)

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "one_neuron, compiled on cpu: 32 epochs of 998 samples, batch size 27, learning rate 0.25, seed 7",
        "",
        "   true  learnt    error",
        "a     2   2.125  1.2e-01",
        "b    -3      -3  0.0e+00",
        "c   0.5    0.25  2.5e-01",
        "",
        "true    y = 2x² - 3x + 0.5",
        "learnt  y = 2.125x² - 3x + 0.25",
        "",
        "pass: coefficient error 0.25 < learning rate 0.25",
        "0.125 s, 3.91e-03 s an epoch; 2 s to build before",
    ]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"backend": "jax 0.7.1"}, "one_neuron, compiled on cpu, jax 0.7.1: 32 epochs of"),
        ({"backend": "torch"}, "one_neuron, compiled on cpu, torch: 32 epochs of"),
        ({"init": "sign-aware"}, "learning rate 0.25, init sign-aware, seed 7\n"),
        ({"smallest_learning_rate": 0.0625}, "learning rate 0.25 decaying to 0.0625, seed 7\n"),
        ({"smallest_learning_rate": 0.2499999}, "learning rate 0.25 decaying to 0.25, seed 7\n"),
        ({"diverged_epoch": 4}, "learnt  y = 2.125x² - 3x + 0.25 (after epoch 3)\n\ndiverged: a weight was NaN or "),
        ({"seconds": 1234.0, "compile_seconds": 0.01234}, "\n1.23e+03 s, 3.86e+01 s an epoch; 0.012 s to build before"),
        ({"coefficients": (2.12345678, 0, 0)}, "a     2  2.123457  1.2e-01\n"),
    ],
)
def test_what_is_not_usual_in_a_run_is_said(
    changed: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backend, a first choice of weights, a decay and a divergence are each named where they belong."""
    training_text.print_training({**RUN, **changed})

    assert says in capsys.readouterr().out


def test_a_run_that_diverged_at_once_has_no_coefficients(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither table nor formulas are printed where nothing was learnt."""
    training_text.print_training({**RUN, "coefficients": None, "diverged_epoch": 1, "verdict": "fail"})

    assert capsys.readouterr().out.splitlines()[2:] == [
        "diverged: a weight was NaN or infinite after epoch 1",
        "0.125 s, 3.91e-03 s an epoch; 2 s to build before",
    ]


@pytest.mark.parametrize(("verdict", "colour"), [("pass", 32), ("fail", 31)])
def test_a_verdict_is_green_or_red(verdict: str, colour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other line of a run is coloured, and none is wrapped, however narrow the terminal."""
    screen = as_screen(monkeypatch)
    training_text.print_training({**RUN, "verdict": verdict})
    said = screen.getvalue()

    assert f"\x1b[{colour}m{verdict}: coefficient error 0.25 < learning rate 0.25\x1b[0m\n" in said
    assert said.count("\x1b[3") == 1
    assert said.startswith("one_neuron, compiled on cpu: 32 epochs of 998 samples, batch size 27, learning rate 0.25, ")
