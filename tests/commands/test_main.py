"""The command line, as typed."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parabola.commands.app import app

COMMAND = [sys.executable, "-m", "parabola", "train"]
NATIVE = ["train", "--engine", "native"]


def test_default_is_the_published_run() -> None:
    """Learnt beside true, each error, the verdict and both times; which verdict may hang on rounding."""
    answer = CliRunner().invoke(app, ["train"])

    assert answer.exit_code == 0, answer.output
    for part in ("999 epochs of 999 samples, batch size 1, learning rate 0.001", "true    x² + 2x + 2", "learnt  "):
        assert part in answer.output
    assert re.search(r"(pass|fail): coefficient error 0\.00\d+ [<≥] learning rate 0\.001", answer.output)
    assert "s an epoch;" in answer.output


def test_check_exits_0_on_a_pass() -> None:
    """One neuron, a perfect square, a batch size at which it settles."""
    command = [*NATIVE, "--network", "one_neuron", "--target", "1,2,1", "--batch-size", "111", "--seed", "0"]

    assert CliRunner().invoke(app, [*command, "--check"]).exit_code == 0


def test_learning_rate_0_1_fails_to_learn() -> None:
    """As published; --check then exits 1, without it the run is merely reported."""
    command = [*NATIVE, "--learning-rate", "0.1"]

    assert CliRunner().invoke(app, command).exit_code == 0
    failed = CliRunner().invoke(app, [*command, "--check"])
    assert failed.exit_code == 1
    assert "≥ learning rate 0.1" in failed.output


def test_one_neuron_is_not_representable() -> None:
    """Neither pass nor fail; one line of warning, and --check exits 1."""
    answer = CliRunner().invoke(app, [*NATIVE, "--network", "one_neuron", "--check"])

    assert answer.exit_code == 1
    assert "not representable: coefficient error" in answer.stdout
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("warning: one_neuron cannot represent")


def test_json_is_one_object_of_plain_values() -> None:
    """Its verdict follows from its own numbers."""
    run = json.loads(CliRunner().invoke(app, [*NATIVE, "--epochs", "40", "--json"]).stdout)

    error = max(abs(a - b) for a, b in zip(run["coefficients"], run["target"], strict=True))
    assert run["coefficient_error"] == error
    assert run["verdict"] == ("pass" if error < run["learning_rate"] else "fail")
    assert {"seconds", "compile_seconds", "device", "batch_size", "seed"} <= run.keys()


def test_divergence_says_at_which_epoch() -> None:
    """It is reported, not raised, and keeps what was finite."""
    answer = CliRunner().invoke(app, ["train", "--optimizer", "sgd", "--learning-rate", "0.9", "--batch-size", "333"])

    assert answer.exit_code == 0, answer.output
    assert "diverged: a weight was NaN or infinite after epoch" in answer.output


@pytest.mark.parametrize("suffix", ["png", "svg", "html"])
def test_plot_is_written_in_each_format(suffix: str, tmp_path: Path) -> None:
    """The file is whole, and nothing else is left beside it; a page asks nothing of the network."""
    path = tmp_path / f"run.{suffix}"
    answer = CliRunner().invoke(app, [*NATIVE, "--plot", str(path)])

    assert answer.exit_code == 0, answer.output
    start = {"png": b"\x89PNG", "svg": b"<svg", "html": b"<!DOCTYPE html>"}[suffix]
    assert path.read_bytes().lstrip().startswith(start)
    assert os.listdir(tmp_path) == [path.name]
    if suffix == "html":
        assert b"cdn.jsdelivr" not in path.read_bytes()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--learning-rate 0", "learning_rate must be finite and above 0. Received: 0.0"),
        ("--learning-rate nan", "Received: nan"),
        ("--batch-size 1000", "batch_size must be a whole number from 1 to 999. Received: 1000"),
        ("--epochs 0", "Received: 0"),
        ("--samples 0", "Received: 0"),
        ("--engine eager", "unknown engine 'eager'; known: fit, fused_fit, compiled, native"),
        ("--network three", "unknown network 'three'"),
        ("--device tpu", "unknown device 'tpu'"),
        ("--device cpu:7", "device cpu:7 is not there; here: cpu:0"),
        ("--optimizer muon", "unknown optimizer 'muon'"),
        ("--engine native --optimizer sgd", "native knows adam only"),
        ("--engine native --threads 2", "--threads is the backend's. Received: 2"),
        ("--threads 0", "threads must be a whole number from 1 to 1024. Received: 0"),
        ("--threads 100000", "Received: 100000"),
        ("--target 0,1,2", "a ≠ 0: x + 2 is no parabola"),
        ("--target x", "three numbers a,b,c"),
        ("--plot run.pdf", "unknown format '.pdf' of run.pdf; known: .png, .svg, .html"),
        ("--plot no/such/folder/run.png", "cannot write no/such/folder/run.png"),
        ("--learning-rate fast", "'--learning-rate'"),
        ("--learning-rat 1", "No such option"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(options: str, says: str) -> None:
    """Before any training, without a traceback."""
    answer = CliRunner().invoke(app, ["train", *options.split()])

    assert answer.exit_code == 2
    assert says in answer.stderr
    assert "Traceback" not in answer.output
    assert answer.stdout == ""


def test_keras_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that would shorten the run is bad input, too."""
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "3")
    answer = CliRunner().invoke(app, NATIVE)

    assert answer.exit_code == 2
    assert "KERAS_MAX_EPOCHS=3 would silently shorten the run" in answer.stderr


@pytest.mark.end_to_end
def test_fit_shows_progress_on_a_terminal_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    """A bar with epochs and time left; Ctrl-C exits 130 at once, without a traceback, a process or a file left."""
    ours, theirs = pty.openpty()
    command = [*COMMAND, "--engine", "fit", "--plot", str(tmp_path / "run.png")]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, start_new_session=True, env=environment)
    os.close(theirs)
    said, deadline = "", time.monotonic() + 120
    try:
        while not re.search(r"[1-9]\d*/999 epochs, \d+:\d+:\d+ left", said) and time.monotonic() < deadline:
            if not select.select([ours], [], [], 10)[0]:
                continue
            said += re.sub(r"\x1b\[[\d;?]*\w", "", os.read(ours, 4096).decode(errors="replace"))
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=60) == 130
    finally:
        process.kill()

    assert time.monotonic() < deadline, said
    assert "Traceback" not in said + os.read(ours, 65536).decode(errors="replace")
    assert os.listdir(tmp_path) == []


@pytest.mark.end_to_end
def test_quiet_in_a_pipe() -> None:
    """Nothing but the report: no bar, no framework's log lines."""
    answer = subprocess.run(
        [*COMMAND, "--engine", "fused_fit", "--epochs", "3", "--batch-size", "333"], capture_output=True, text=True
    )

    assert answer.returncode == 0
    assert answer.stderr == ""
    assert "\r" not in answer.stdout
