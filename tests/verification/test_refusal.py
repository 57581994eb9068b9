"""What is said of a run that is not right: one line, and a command that the suite takes."""

import argparse
import re
import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.harness import options
from benchmarks.harness.cases import grid_cases
from parabola.machine.backends import backend
from parabola.training.experiment import Experiment
from parabola.verification.refusal import WrongRun, subject_of


def said(experiment: Experiment, device: str = "cpu:0", what: str = "it is wrong") -> str:
    """Return the message of a refusal."""
    with pytest.raises(WrongRun) as raised:
        subject_of(experiment, device).refuse(what)
    return str(raised.value)


def test_a_refusal_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the setting, what is wrong, and the command that repeats it, with the backend that was used."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    experiment = Experiment(
        engine="fused_fit", device="gpu:1", batch_size=9, learning_rate=1e-5, samples=50, epochs=3, seed=11
    )

    assert said(experiment, "gpu:1", "after epoch 2 it is off") == (
        "fused_fit on gpu:1 (jax), batch size 9, learning rate 1e-05, 50 samples, seed 11: after epoch 2 it is off. "
        "Repeat: pytest benchmarks/bench_epoch_time.py --benchmark-only --engine fused_fit --backend jax "
        "--device gpu:1 --batch-size 9 --learning-rate 1e-05 --samples 50 --epochs 3 --all"
    )


def test_a_refusal_may_have_a_label_and_a_command_of_its_own() -> None:
    """The label stands before all else, and the command takes the place of that of an epoch time."""
    experiment = Experiment(engine="native", epochs=3)
    subject = subject_of(experiment, "cpu:0", "member 2 of 8: ", "benchmarks/bench_members.py --members 8")

    assert subject.again == "pytest benchmarks/bench_members.py --members 8"
    with pytest.raises(WrongRun) as raised:
        subject.refuse("after epoch 2 it is off")
    assert str(raised.value) == (
        f"member 2 of 8: native on cpu:0 ({backend()}), batch size 1, learning rate 0.001, 999 samples, seed 7: "
        "after epoch 2 it is off. Repeat: pytest benchmarks/bench_members.py --members 8"
    )


def test_a_refusal_names_the_final_rate_and_the_init() -> None:
    """Where the learning rate decays, or weights do not begin as Glorot has them."""
    experiment = Experiment(learning_rate=0.1, final_learning_rate=2e-05, init="sign-aware")

    assert "learning rate 0.1 to 2e-05, init sign-aware, 999 samples" in said(experiment)


def test_a_wrong_run_is_a_failed_assertion() -> None:
    """So that pytest reports a failure, and not an error."""
    assert issubclass(WrongRun, AssertionError)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"engine": "native", "learning_rate": 0.1 + 0.2, "epochs": 1},
        {"engine": "fit", "samples": 10_000, "batch_size": 10_000, "learning_rate": 1e30},
    ],
)
def test_the_command_repeats_the_case(knobs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite takes its options, and has one case for them: the experiment that was refused."""
    monkeypatch.setenv("KERAS_BACKEND", backend())  # which reading the options sets, and this puts back
    experiment = Experiment(**knobs)
    program, file, *arguments = shlex.split(said(experiment).split(" Repeat: ")[1])
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--benchmark-only", action="store_true")
    groups: Any = SimpleNamespace(getgroup=lambda *_: SimpleNamespace(addoption=parser.add_argument))
    options.declare(groups)
    selection = options.read(parser.parse_args(arguments))
    cases, left_out = grid_cases(selection, list(selection.devices))

    assert (program, file) == ("pytest", "benchmarks/bench_epoch_time.py")
    assert selection.backend == backend()
    assert [case.experiment for case in cases] == [experiment]
    assert left_out == []


def test_the_summary_of_pytest_has_the_line() -> None:
    """Pytest's summary shows a message up to its first line end, of which there is none."""
    assert not re.search(r"[\n\r]", said(Experiment()))
