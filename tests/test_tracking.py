"""Pictures, terminal tables and machine facts, from plain values."""

import io
import json
import platform
import stat
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from benchmarks.harness import sharing, summary
from parabola.display import pictures, units
from parabola.machine import host, workers
from parabola.training import figure


def make_figure(**changes: Any) -> Any:
    epochs = np.arange(1, 2001)
    values: dict[str, Any] = {"x": np.linspace(0, 1, 5), "true": np.arange(5), "learnt": np.arange(5) + 0.1}
    values |= {"loss": 1 / epochs**2, "coefficient_error": 1 / epochs, "learning_rate": 0.01}
    return figure.training_figure(**{**values, "title": "t", "subtitle": "s", **changes})


def test_figure_draws_every_test_input_and_a_screen_of_epochs() -> None:
    """Five inputs twice, the first and the last epoch, at most 800 points a line; the threshold is labelled."""
    drawn = json.dumps(make_figure().to_dict())

    assert drawn.count('"curve": "learnt"') == drawn.count('"curve": "true"') == 5
    assert '{"epoch": 1, "value": 1.0, "quantity": "loss"}' in drawn
    assert '{"epoch": 2000, "value": 0.0005, "quantity": "coefficient error"}' in drawn
    assert drawn.count('"quantity": "loss"') <= figure.MOST_POINTS
    assert "learning rate 0.01" in drawn


def test_figure_of_a_diverged_run_leaves_out_what_is_not_finite() -> None:
    """NaN and inf cannot be drawn, nor zero on a logarithmic axis; the rest is."""
    chart = make_figure(loss=[1, np.nan, np.inf], coefficient_error=[1, 0, np.nan], learnt=np.full(5, np.nan))

    text = json.dumps(chart.to_dict(), allow_nan=False)
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


def test_summary_has_ratios_to_native_and_cpu_to_gpu() -> None:
    """A row a batch size and learning rate; what did not pass is marked; what was left out is said."""
    cases = [
        {"engine": engine, "device": device, "batch_size": size, "learning_rate": 0.001, "samples": 999}
        | {"seconds_per_epoch": seconds, "verdict": verdict}
        for engine, device, size, seconds, verdict in (
            ("native", "cpu", 1, 2e-5, "pass"),
            ("compiled", "cpu", 1, 3e-5, "pass"),
            ("compiled", "gpu:0", 1, 6e-3, "fail"),
            ("compiled", "cpu", 9, 1e-5, "pass"),
        )
    ]
    console = Console(file=io.StringIO(), width=160)
    summary.print_epoch_times(cases, ["x: predicted 99 s"], console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [line.split() for line in text.splitlines() if line.split()[1:2] == ["0.001"]]

    assert rows[0] == ["1", "0.001", "20", "µs", "30", "µs", "(1.50×)", "6", "ms", "(300×)†", "0.005"]
    assert rows[1] == ["9", "0.001", "10", "µs"]
    assert "† a right run" in text
    assert "left out: x: predicted 99 s" in text


def test_machine_facts_are_flat_stable_and_do_not_name_the_host() -> None:
    """Two calls are equal; every value is a number or a string."""
    facts = host.facts(threads=3)

    assert facts == host.facts(threads=3)
    assert all(isinstance(value, int | str) for value in facts.values())
    assert platform.node() not in facts.values()
    assert facts["tensorflow"].startswith("2.")
    assert facts["threads"].startswith("--threads=3")
    assert any("tensorflow 2." in line for line in host.lines(facts))


def test_gpus_are_asked_of_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Model and driver version, as nvidia-smi prints them; none where it fails or is not there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert host.gpus() == []
    fake = tmp_path / "nvidia-smi"
    for script, expected in (("echo 'NVIDIA H200, 580.65'", ["NVIDIA H200, driver 580.65"]), ("echo no; exit 9", [])):
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
        assert host.gpus() == expected


def test_gpus_are_dealt_out_as_the_caller_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the driver has; only those named by CUDA_VISIBLE_DEVICES, and none where it is empty."""
    fake = tmp_path / "nvidia-smi"
    fake.write_text("#!/bin/sh\necho 0\necho 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert workers.gpus_here() == ["0", "1"]
    for visible, expected in (("3,1", ["3", "1"]), ("", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert workers.gpus_here() == expected


def test_a_driver_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the facts; who only wants to deal out GPUs deals out none."""

    def hang(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", timeout)

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("subprocess.run", hang)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    assert host.gpus() == ["unknown: nvidia-smi did not answer"]
    assert sharing.memory_of_gpus() == {}
    assert workers.gpus_here() == []
