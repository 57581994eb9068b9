"""The speed suite, run as its users run it."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import options
from benchmarks.harness.cases import grid_cases
from benchmarks.harness.options import Selection
from parabola.records import schema
from parabola.training.experiment import Experiment
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
QUICK = ["--benchmark-only", "--engine", "native", "--batch-size", "111", "-k", "epoch_time"]

PLANTED = {
    "wrong": """
from parabola.training.engines.native import NativeEngine
from benchmarks import bench_epoch_time
right = NativeEngine.run
def wrong(self, rows):
    weights = right(self, rows)
    late = LATE and self.experiment.learning_rate == 0.1
    weights[300 if late else 1:, 3] += 9.0 if late else 0.001
    return weights
import parabola.training.engines as engines
build = engines.build
left = [1 + LATE]
def planted(experiment, **knobs):
    engine = build(experiment, **knobs)
    if experiment.epochs == 400 and left[0]:
        left[0] -= 1
        engine.run = wrong.__get__(engine)
    return engine
engines.build = planted
""",
    "slow_setup": """
import time
from parabola.training.engines.native import NativeEngine
load = NativeEngine.load
def slow(self, weights, learning_rate):
    time.sleep(0.2)
    load(self, weights, learning_rate)
NativeEngine.load = slow
""",
}


PLANTED |= {name: f"LATE = {late}\n{PLANTED['wrong']}" for name, late in (("wrong", 0), ("wrong and late", 1))}


def run_pytest(*options: str, plant: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = users_environment()
    plugin = []
    if plant and folder:
        (folder / "plant.py").write_text(PLANTED[plant])
        environment["PYTHONPATH"] = os.pathsep.join((str(folder), str(ROOT)))
        plugin = ["-p", "plant"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300)


Measured = tuple[dict[str, Any], str]  # a session's record, and what it printed


@pytest.fixture(scope="module", name="measured")
def _measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """A session of one case, in which fresh weights take 0.2 s."""
    folder = tmp_path_factory.mktemp("measured")
    options = (*QUICK, "--rounds", "3", "--epochs", "1998", f"--benchmark-json={folder}/record.json")
    answer = run_pytest(*options, plant="slow_setup", folder=folder)
    assert answer.returncode == 0, answer.stdout
    return json.loads((folder / "record.json").read_text()), answer.stdout


@pytest.mark.end_to_end
def test_record_is_in_seconds_per_epoch_with_its_answer(measured: Measured) -> None:
    """Iterations are the epochs, ids are stable, extra_info is flat, machine info names no host."""
    record, printed = measured
    (benchmark,) = record["benchmarks"]
    info = benchmark["extra_info"]

    assert benchmark["fullname"] == (
        "benchmarks/bench_epoch_time.py::bench_epoch_time[native-cpu-batch_111-learning_rate_0.001]"
    )
    assert benchmark["group"] == "epoch time: seconds per epoch"
    assert benchmark["stats"]["iterations"] == info["epochs"] == 1998
    assert benchmark["stats"]["rounds"] == 3
    assert all(isinstance(value, int | float | str) for value in info.values())
    assert info["samples_per_second"] == pytest.approx(999 / benchmark["stats"]["median"])
    assert info["steps_per_second"] == pytest.approx(9 / benchmark["stats"]["median"])
    assert info["passed"] == (info["coefficient_error"] < info["learning_rate"])
    assert benchmark["params"]["batch_size"] == 111
    assert record["parabola"]["version"] == schema.VERSION
    assert os.uname().nodename not in json.dumps(record["machine_info"])
    assert "hz_actual" not in json.dumps(record["machine_info"])
    assert record["machine_info"]["tensorflow"].startswith("2.")
    assert "Median time per epoch" in printed
    assert "machine: " in printed


@pytest.mark.end_to_end
def test_setup_is_outside_the_clock(measured: Measured) -> None:
    """Fresh weights that take 0.2 s are not in a round of a few milliseconds."""
    (benchmark,) = measured[0]["benchmarks"]

    assert max(benchmark["stats"]["data"]) * 1998 < 0.1  # per epoch, 1998 of them a round


@pytest.mark.end_to_end
def test_time_to_accuracy_counts_those_that_never_get_there(tmp_path: Path) -> None:
    """A round is a seed that arrives; the summary has medians with intervals, and how many arrived."""
    path = tmp_path / "record.json"
    answer = run_pytest("--benchmark-only", "--engine", "native", "-k", "time_to_accuracy", f"--benchmark-json={path}")
    assert answer.returncode == 0, answer.stdout
    benchmarks = json.loads(path.read_text())["benchmarks"]

    assert len(benchmarks) == 4
    assert {benchmark["group"] for benchmark in benchmarks} == {"time to accuracy: seconds to the first epoch below"}
    for benchmark in benchmarks:
        info, stats = benchmark["extra_info"], benchmark["stats"]
        assert info["settled_seeds"] <= stats["rounds"] == info["arrived_seeds"] < info["seeds"] == 40
        assert stats["iterations"] == 1
        assert info["seconds_to_accuracy"] == pytest.approx(stats["median"])
        assert info["seconds_low"] <= info["seconds_to_accuracy"] <= info["seconds_high"]
        assert 1 <= info["epochs_low"] <= info["epochs_to_accuracy"] <= info["epochs_high"] <= 999
        assert 0.5 < info["later_share_below"] < 1
        row = rf"{info['batch_size']} +{info['learning_rate']:g} +native cpu +{info['arrived_seeds']} of 40 "
        assert re.search(row, answer.stdout)


@pytest.mark.end_to_end
def test_a_wrong_answer_has_no_time(tmp_path: Path) -> None:
    """A fault in every call, or late in a round, fails its case in one line, and no table or record shows a time."""
    path = tmp_path / "record.json"
    rates = ("--learning-rate", "0.001", "--learning-rate", "0.1")
    options = (*QUICK, *rates, "--rounds", "2", "--epochs", "400", f"--benchmark-json={path}")
    answer = run_pytest(*options, "-vv", plant="wrong and late", folder=tmp_path)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("FAILED ")]

    assert answer.returncode == 1, answer.stdout
    assert len(lines) == 2
    assert " were returned, and the weights are " in lines[0]
    assert " in a timed round and " in lines[1]
    assert all(line.endswith(" --epochs 400 --all") for line in lines)
    assert "Median time per epoch" not in answer.stdout
    assert "Name (time in" not in answer.stdout
    assert not path.exists() or not path.read_text() or json.loads(path.read_text())["benchmarks"] == []


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("-n 2 --benchmark-only", "--benchmark-only times, and -n would run cases side by side"),
        ("-n 2 --benchmark-json=record.json", "--benchmark-json times"),
        ("--benchmark-only --learning-rate nan", "learning_rate must be finite and above 0. Received: nan"),
        ("--benchmark-only --engine eager", "invalid choice: 'eager'"),
        ("--benchmark-only --device cpu:5", "device cpu:5 is not there; here: cpu:0"),
        ("-n 2 --benchmark-autosave", "--benchmark-autosave times"),
    ],
)
def test_bad_options_are_pytests_usage_error(options: str, says: str) -> None:
    """Exit 4, one line, before anything runs."""
    answer = run_pytest(*options.split())

    assert answer.returncode == 4
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("batch_size", [0], "batch_size must be a whole number from 1 to 999. Received: 0"),
        ("batch_size", [9, 1000], "Received: 1000"),
        ("learning_rate", [0.1, float("inf")], "Received: inf"),
        ("epochs", 0, "epochs must be a whole number from 1"),
        ("samples", [0], "samples must be a whole number from 1"),
        ("rounds", 0, "rounds must be a whole number of at least 1. Received: 0"),
        ("threads", 0, "threads must be a whole number from 1 to 1024. Received: 0"),
        ("device", ["tpu"], "unknown device 'tpu'"),
        ("device", ["cpu:9"], "cpu:9 is not there"),
    ],
)
def test_options_are_checked_when_they_enter(option: str, value: Any, says: str, pytestconfig: pytest.Config) -> None:
    """The one door refuses what is out of bounds, by name, and the backend a device that is not there."""
    given = copy.copy(pytestconfig.option)
    setattr(given, option, value)

    def enter() -> None:
        options.read(given)
        options.start_backend(given)

    with pytest.raises(pytest.UsageError, match=re.escape(says)):
        enter()


LOADED = """
import sys
import pytest
code = pytest.main(sys.argv[1:])
print("loaded:", *sorted({"tensorflow", "keras", "jax", "torch", "numba"} & sys.modules.keys()))
raise SystemExit(code)
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("arguments", "code", "loaded"),
    [
        ("--help --device=cpu --threads=1", 0, ""),
        ("--engine=eager", 4, ""),
        ("--device=cpu --threads=1 --rounds=0", 4, ""),
        ("--collect-only --device=cpu --seeds=5", 4, ""),
        ("--collect-only --device=tpu", 4, ""),
        ("--collect-only -q benchmarks --engine=native", 0, ""),
        ("--collect-only -q benchmarks --engine=native --device=cpu", 0, "keras tensorflow"),
    ],
)
def test_reading_options_loads_no_framework(arguments: str, code: int, loaded: str) -> None:
    """Help, a wrong option, and collecting with an option that is refused answer without Keras and its backends.

    A device that is there is asked for when the session starts.
    """
    command = [sys.executable, "-c", LOADED, "-p", "no:cacheprovider", *arguments.split()]
    answer = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=users_environment(), timeout=300)

    assert answer.returncode == code, answer.stdout + answer.stderr
    assert answer.stdout.splitlines()[-1].removeprefix("loaded:").strip() == loaded


@pytest.mark.end_to_end
def test_plain_pytest_runs_every_body_once_untimed() -> None:
    """Shortened, without a table."""
    files = ("benchmarks/bench_epoch_time.py", "benchmarks/bench_time_to_accuracy.py")
    answer = run_pytest(*files, "--engine", "native", "-v")

    assert answer.returncode == 0, answer.stdout
    assert "bench_epoch_time[native-cpu-batch_1-learning_rate_0.001] PASSED" in answer.stdout
    assert "bench_time_to_accuracy[native-cpu-1-0.001] PASSED" in answer.stdout
    assert "Name (time in" not in answer.stdout


@pytest.mark.end_to_end
def test_benchmark_only_collects_benchmarks_only() -> None:
    """So that the main job needs nothing that only tests need."""
    answer = run_pytest("--benchmark-only", "--collect-only", "-q", "--engine", "native")

    assert "benchmarks/bench_cold_start.py::" in answer.stdout
    assert "benchmarks/bench_time_to_accuracy.py::" in answer.stdout
    assert "test_" not in answer.stdout


@pytest.mark.end_to_end
def test_only_the_engines_asked_for_are_run() -> None:
    """Where none of them can, as `fit` cannot train 40 seeds to the end, nothing else steps in."""
    answer = run_pytest("--benchmark-only", "--collect-only", "-q", "--engine", "fit")

    assert "bench_epoch_time[fit-cpu-" in answer.stdout
    assert "bench_time_to_accuracy[NOTSET" in answer.stdout
    assert "compiled" not in answer.stdout
    assert "native" not in answer.stdout


def test_commands_that_are_named_can_be_run() -> None:
    """A module that the documents or a message of the suite tell the reader to run is a program."""
    texts = [path.read_text(encoding="utf-8") for path in (*ROOT.glob("*.md"), *ROOT.glob("benchmarks/**/*.py"))]
    named = {name.rstrip(".") for text in texts for name in re.findall(r"python -m (benchmarks\.[\w.]+)", text)}
    programs = {name: ROOT / f"{name.replace('.', '/')}.py" for name in named}
    packages = {name: path.with_suffix("") / "__main__.py" for name, path in programs.items() if not path.exists()}
    programs |= packages

    assert len(named) > 5
    assert [name for name, path in programs.items() if "__main__" not in path.read_text(encoding="utf-8")] == []


def test_grids_have_what_they_promise() -> None:
    """The full one has all batch sizes and sample counts; its slow cases are left out with a prediction."""
    cases, left_out = grid_cases(Selection("full"), ["cpu"])
    everything, none = grid_cases(Selection("full", everything=True), ["cpu"])
    ids = [case.id for case in everything]

    assert {case.experiment.batch_size for case in everything} >= {1, 3, 9, 27, 32, 111, 333, 999}
    assert max(case.experiment.samples for case in everything) == 1_000_000
    assert len(set(ids)) == len(ids) == len(cases) + len(left_out)
    assert none == []
    assert all(case.predicted_seconds <= 60 for case in cases)
    assert any("fit-cpu-batch_1-learning_rate_0.001-samples_1000000: predicted" in line for line in left_out)


def test_quick_rounds_are_long_enough() -> None:
    """10 rounds, fewer only where they are slow: `fit` at batch size 1 has 3, of one epoch."""
    cases, left_out = grid_cases(Selection(), ["cpu"])
    by_id = {case.id: case for case in cases}
    slowest = by_id["fit-cpu-batch_1-learning_rate_0.001"]

    assert left_out == []
    assert (slowest.rounds, slowest.experiment.epochs) == (3, 1)
    assert by_id["compiled-cpu-batch_1-learning_rate_0.001"].experiment == Experiment()
    assert all(case.rounds == 10 for case in cases if case.experiment.engine in ("compiled", "native"))
    assert np.isfinite([case.predicted_seconds for case in cases]).all()
