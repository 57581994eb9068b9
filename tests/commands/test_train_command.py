"""The command `train` between its options and what it prints, keeps and exits with; no framework, no training."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from parabola.commands.app import app
from parabola.display import console, pictures
from parabola.machine import backends, devices
from parabola.training import figure
from parabola.training import train as training
from parabola.training.engines import PeerError
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Parabola

PASSES, FAILS, DIVERGES = [1, 1, 1, 1.0005], [1, 1, 1, 1.5], [1, 1, np.nan, 1]


class Bench:
    """Stands in for what trains, and notes what it is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.weights: list[list[float]] = [FAILS, PASSES]
        self.error: Exception | None = None
        monkeypatch.setattr(training, "train", self.train)
        monkeypatch.setattr(backends, "choose", lambda name: self.note("choose", name))
        monkeypatch.setattr(backends, "start", lambda **told: self.note("start", told))
        monkeypatch.setattr(devices, "resolve", lambda name: self.note("resolve", name))
        monkeypatch.setattr(devices, "resolve_all", lambda name: self.note("resolve all", name))
        monkeypatch.setattr(figure, "training_figure", lambda fit: str(fit.experiment.target))
        monkeypatch.setattr(pictures, "save", lambda chart, path: self.note("save", chart, str(path)))
        for name in ("KERAS_BACKEND", "TF_CONFIG"):
            monkeypatch.delenv(name, raising=False)

    def note(self, *call: Any) -> None:
        """Take note."""
        self.calls.append(call)

    def train(self, experiment: Experiment, **told: Any) -> Fit:
        """Train."""
        self.note("train", experiment, told)
        if self.error:
            raise self.error
        self.fit = Fit(experiment, "cpu:0", np.array(self.weights, np.float32), 2.0, 1.5)
        return self.fit

    def made(self, name: str) -> list[tuple[Any, ...]]:
        """Return what a thing was called with, call by call."""
        return [call[1:] for call in self.calls if call[0] == name]

    def run(self, options: str = "") -> Result:
        """Run the command."""
        return CliRunner().invoke(app, ["train", *options.split()])


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give it."""
    return Bench(monkeypatch)


def test_without_options_it_is_the_published_experiment(bench: Bench) -> None:
    """The backend is chosen and started, the device looked for, and then it is trained at once."""
    answer = bench.run()

    assert answer.exit_code == 0, answer.output
    assert bench.calls == [
        ("choose", None),
        ("start", {"threads": None}),
        ("resolve", "cpu"),
        ("train", Experiment(), {}),
    ]


def test_every_option_reaches_its_place(bench: Bench, tmp_path: Path) -> None:
    """Each one has a value that no other has."""
    options = (
        "--target 3,-1,0.5 --network one_neuron --engine fused_fit --backend tensorflow --device cpu:1 --optimizer sgd "
        "--learning-rate 0.25 --final-learning-rate 0.125 --init sign-aware --batch-size 4 --epochs 6 --samples 9 "
        f"--seed 2 --data-seed 3 --low -1.5 --high 2.5 --threads 8 --plot {tmp_path / 'run.svg'}"
    )
    bench.weights = [[1, 1]]
    answer = bench.run(options)
    experiment = Experiment(
        target=Parabola(3, -1, 0.5),
        network="one_neuron",
        engine="fused_fit",
        device="cpu:1",
        optimizer="sgd",
        learning_rate=0.25,
        final_learning_rate=0.125,
        init="sign-aware",
        batch_size=4,
        epochs=6,
        samples=9,
        seed=2,
        data_seed=3,
        low=-1.5,
        high=2.5,
    )

    assert answer.exit_code == 0, answer.output
    assert bench.calls == [
        ("choose", "tensorflow"),
        ("start", {"threads": 8}),
        ("resolve", "cpu:1"),
        ("train", experiment, {"progress": None}),
        ("save", "3x² - x + 0.5", str(tmp_path / "run.svg")),
    ]


@pytest.mark.parametrize(
    ("weights", "network", "code"),
    [
        ([FAILS, PASSES], "two_neuron", 0),
        ([PASSES, FAILS], "two_neuron", 1),
        ([PASSES, DIVERGES], "two_neuron", 1),
        ([[1, 1]], "one_neuron", 1),
    ],
)
def test_a_check_exits_0_for_a_pass_alone(weights: list[list[float]], network: str, code: int, bench: Bench) -> None:
    """What fails, diverges or cannot be represented exits 1; without --check each is merely reported."""
    bench.weights = weights

    assert bench.run(f"--network {network} --check").exit_code == code
    assert bench.run(f"--network {network} --check --json").exit_code == code
    assert bench.run(f"--network {network}").exit_code == 0


def test_json_is_the_summary_with_the_threads(bench: Bench) -> None:
    """One object in one line, and nothing else; without --json it is text."""
    answer = bench.run("--threads 3 --json")

    assert json.loads(answer.stdout) == {**bench.fit.summary(), "threads": 3}
    assert answer.stdout.count("\n") == 1
    assert answer.stderr == ""
    assert bench.run("--json").stdout.endswith('"threads": null}\n')
    text = bench.run().stdout
    assert text.startswith(
        "two_neuron, compiled on cpu:0: 999 epochs of 999 samples, batch size 1, learning rate 0.001,"
    )
    assert "\npass: coefficient error 0.0005 < learning rate 0.001\n" in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("options", "slow"),
    [
        ("--samples 1000 --epochs 50000", False),
        ("--samples 1000 --epochs 50001", True),
        ("--samples 1000 --epochs 50000 --engine native", False),
        ("--samples 1000 --epochs 50001 --engine native", True),
        ("--samples 9 --epochs 1 --engine fit", True),
        ("--samples 9 --epochs 1 --engine fused_fit", True),
        ("--samples 9 --epochs 1 --strategy mirrored", True),
    ],
)
def test_a_run_that_takes_long_tells_of_its_progress(options: str, slow: bool, bench: Bench) -> None:
    """From more than 50 million samples on, and always where an epoch is slow."""
    bench.run(options)
    ((_, told),) = bench.made("train")

    assert told.keys() == ({"progress"} if slow else set())


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PeerError("a worker is gone"), 7, "python -m parabola: a worker is gone\n"),
        (ValueError("mirrored is on cpu:0 here"), 2, "python -m parabola: mirrored is on cpu:0 here\n"),
    ],
)
def test_an_error_on_the_way_is_a_line(error: Exception, code: int, said: str, bench: Bench) -> None:
    """A peer that is gone exits 7, and a device that turns out to be another exits 2."""
    bench.error = error
    answer = bench.run("--strategy mirrored --json")

    assert (answer.exit_code, answer.stdout, answer.stderr) == (code, "", said)


def test_mirrored_takes_all_devices_of_a_name(bench: Bench) -> None:
    """The engine is then `distributed`, also where it is said twice."""
    for engine in ("", "--engine distributed"):
        bench.calls.clear()
        bench.run(f"--strategy mirrored --device gpu:all --threads 2 {engine}")

        assert bench.made("start") == [({"threads": 2},)]
        assert bench.made("resolve all") == [("gpu:all",)]
        assert bench.made("resolve") == []
        ((experiment, _),) = bench.made("train")
        assert (experiment.engine, experiment.strategy, experiment.device) == ("distributed", "mirrored", "gpu:all")


def test_native_starts_no_backend(bench: Bench) -> None:
    """It needs none, and looks for no device."""
    bench.run("--engine native")

    assert [call[0] for call in bench.calls] == ["choose", "train"]


def configuration(index: int) -> str:
    """Return a TF_CONFIG of two workers."""
    task = {"type": "worker", "index": index}
    return json.dumps({"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}, "task": task})


@pytest.mark.parametrize("index", [0, 1])
def test_the_first_worker_speaks_for_all(
    index: int, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others print and draw nothing, but exit as it does."""
    monkeypatch.setenv("TF_CONFIG", configuration(index))
    bench.weights = [FAILS]
    options = f"--strategy multi_worker --threads 2 --plot {tmp_path / 'run.svg'} --check"
    told = [bench.run(options), bench.run(f"{options} --json")]

    assert [answer.exit_code for answer in told] == [1, 1]
    assert bench.made("start") == [({"threads": 2},)] * 2
    assert bench.made("resolve") == bench.made("resolve all") == []
    assert len(bench.made("train")) == 2
    if index:
        assert [answer.stdout for answer in told] == ["", ""]
        assert bench.made("save") == []
    else:
        assert told[0].stdout.startswith("two_neuron, distributed on cpu:0")
        assert json.loads(told[1].stdout) == {**bench.fit.summary(), "threads": 2}
        assert bench.made("save") == [("x² + 2x + 2", str(tmp_path / "run.svg"))] * 2


@pytest.mark.parametrize(
    ("options", "config", "message"),
    [
        ("--threads 0", "", "threads must be a whole number from 1 to 1024. Received: 0"),
        ("--threads 1025", "", "threads must be a whole number from 1 to 1024. Received: 1025"),
        (
            "--engine native --threads 1",
            "",
            "engine native has one thread; --threads is the backend's. Received: 1",
        ),
        (
            "--strategy multi_worker --device cpu:0",
            configuration(0),
            "strategy multi_worker takes cpu or gpu, without a number. Received: cpu:0",
        ),
        (
            "--strategy multi_worker --device gpu:all",
            "",
            "unknown device 'gpu:all'; devices are named cpu, cpu:1, gpu, gpu:0, …",
        ),
        ("--plot run.pdf", "", "unknown format '.pdf' of run.pdf; known: .png, .svg, .html"),
        ("--target 1,2", "", "target needs three numbers a,b,c, as in 1,2,2. Received: '1,2'"),
        (
            "--low=-1e308",
            "",
            "samples must be within float32, up to 3.40282e+38. Received: x in [-1e+308, 1), y up to inf in size",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_begins(
    options: str, config: str, message: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with what was received, exit 2, and neither a backend nor a process is started."""
    monkeypatch.setenv("TF_CONFIG", config)
    answer = bench.run(options)

    assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", f"python -m parabola: {message}\n")
    assert {call[0] for call in bench.calls} <= {"choose"}


@pytest.mark.parametrize(
    ("backend", "options", "lacks"),
    [
        ("torch", "", "engine compiled is not there on the torch backend, which has fit, fused_fit, native"),
        (
            "jax",
            "--strategy mirrored",
            "engine distributed is not there on the jax backend, which has fit, fused_fit, compiled, native, members",
        ),
    ],
)
def test_an_engine_that_the_backend_lacks_is_refused(
    backend: str, options: str, lacks: str, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has what it has instead."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    answer = bench.run(options)

    assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", f"python -m parabola: {lacks}\n")
    assert bench.made("start") == []


def test_tf_config_is_read_for_workers_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of another kind does not mind it."""
    monkeypatch.setenv("TF_CONFIG", "nonsense")

    assert bench.run().exit_code == 0
    assert bench.run("--strategy multi_worker").exit_code == 2


@pytest.mark.parametrize("engine", ["compiled", "fit"])
def test_a_bar_on_a_terminal_shows_the_epochs(engine: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it takes long the bar is what is told of progress, out of the run's number of epochs."""
    bars = list[tuple[str, float]]()

    class Bar:
        """Stands in for a bar."""

        def __init__(self, form: str, total: float) -> None:
            bars.append((form, total))

        def __enter__(self) -> str:
            return "the bar"

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(console, "progress_bar", Bar)
    bench.run(f"--engine {engine} --epochs 7")
    monkeypatch.setenv("TF_CONFIG", configuration(0))
    bench.run("--strategy multi_worker --epochs 8")
    slow = engine == "fit"

    form = "{task.completed}/{task.total} epochs,"
    assert bars == [*([(form, 7)] if slow else []), (form, 8)]
    assert bench.made("train")[0][1] == ({"progress": "the bar"} if slow else {})
    assert bench.made("train")[1][1] == {"progress": "the bar"}
