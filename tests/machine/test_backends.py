"""The same network, order and answer on every backend of Keras; each runs in processes of its own."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies import compare_backends
from parabola.machine import backends
from parabola.machine.backends import BACKENDS
from parabola.records import fingerprint, reading
from parabola.training import engines
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
WITHOUT = {name: f"backend {name} is not installed: pip install -e '.[{name}]'" for name in BACKENDS}
OTHERS = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(name) is None, reason=WITHOUT[name])) for name in BACKENDS[1:]
]
needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason=WITHOUT["jax"])

SAME_ANSWERS = """
from dataclasses import replace
import numpy as np
from parabola import registry
from parabola.training import engines
from parabola.machine.backends import backend
from parabola.training.experiment import Experiment

def run(spec):
    engine = engines.build(spec)
    weights = engine.run(engine.reset())
    assert type(weights) is np.ndarray and engine.device == "cpu:0", (type(weights), engine.device)
    return engine, weights

for network in ("two_neuron", "one_neuron"):
    for batch_size in (32, 111):
        spec = Experiment(network=network, batch_size=batch_size, epochs=4)
        for name in (name for name, engine in registry.ENGINES.items() if backend() in engine.classes):
            if (name, network, backend()) == ("fused_fit", "one_neuron", "torch"):
                continue  # a minute of torch.compile, which knows no network
            engine, weights = run(replace(spec, engine=name))
            _, right = run(replace(spec, engine="native"))
            np.testing.assert_allclose(weights, right, rtol=0, atol=1e-5, err_msg=name)
            assert np.abs(weights[-1] - spec.initial_weights(7)).min() > 1e-3
            rows = engine.reset()
            pieces = [engine.run(rows[:1]), engine.run(rows[1:])]
            np.testing.assert_array_equal(np.concatenate(pieces), weights, err_msg=name)
            other = replace(spec, engine="native", seed=3, learning_rate=0.02)
            rows = engine.reset(seed=3, learning_rate=0.02)
            np.testing.assert_allclose(engine.run(rows), run(other)[1], rtol=0, atol=2e-4, err_msg=name)
print("proven")
"""

ON_JAX = """
from dataclasses import replace
import numpy as np
from parabola.ensemble.members import members_program
from parabola.training import engines
from parabola.training.experiment import OPTIMIZERS, Experiment

seeds, rates = np.array([3, 2**40, 0, 11, 7]), np.array([0.001, 0.03, 0.003, 0.05, 0.01])
for spec in (
    Experiment(batch_size=1, samples=99, epochs=2),
    Experiment(batch_size=32, epochs=3),
    Experiment(network="one_neuron", batch_size=999, epochs=3),
    Experiment(batch_size=111, epochs=4, learning_rate=0.05, final_learning_rate=0.0005),
):
    program = members_program(spec, 6)  # one place stays empty
    found = program.run(program.place(program.reset(seeds, rates)))[..., :5]
    for place, (seed, rate) in enumerate(zip(seeds, rates)):
        one = replace(spec, seed=int(seed), learning_rate=float(rate))
        engine = engines.build(one if spec.final_learning_rate else replace(one, engine="native"))
        assert np.abs(found[..., place] - engine.run(engine.reset())).max() < rate / 100, spec

for optimizer in sorted(OPTIMIZERS):
    spec = Experiment(optimizer=optimizer, batch_size=111, epochs=2)
    engine, fit = engines.build(spec), engines.build(replace(spec, engine="fit"))
    first, again = engine.run(engine.reset()), engine.run(engine.reset())
    np.testing.assert_array_equal(first, again, err_msg=optimizer)
    np.testing.assert_allclose(first, fit.run(fit.reset()), rtol=0, atol=1e-5, err_msg=optimizer)
    program = members_program(spec, 2)
    members = program.run(program.place(program.reset(np.array([7, 11]), np.array([0.001, 0.003]))))
    other = engine.run(engine.reset(seed=11, learning_rate=0.003))
    np.testing.assert_allclose(np.moveaxis(members, 2, 0), [first, other], rtol=0, atol=1e-5, err_msg=optimizer)

spec = Experiment(batch_size=111, epochs=8)
engine = engines.build(spec)
for seed, rate, epochs in ((1, 0.1, 8), (2, 0.001, 3), (3, 0.02, 1)):
    engine.run(engine.reset(seed=seed, learning_rate=rate)[:epochs])
assert engine.program._cache_size() == 1, engine.program._cache_size()
print("proven")
"""

SHARDED = """
import numpy as np
from parabola.machine import backends, devices
from parabola.training import engines
backends.start().config.update("jax_num_cpu_devices", 4)
from parabola.ensemble.ensemble import Ensemble
from parabola.ensemble.members import members_program
from parabola.training.experiment import Experiment

assert devices.resolve_all("cpu:all") == ["cpu:0", "cpu:1", "cpu:2", "cpu:3"]
one, several = (Experiment(batch_size=32, epochs=3, device=name) for name in ("cpu", "cpu:all"))
seeds, rates = np.arange(10), np.geomspace(1e-3, 0.1, 10)
program = members_program(several, 10)
assert program.members == 12, program.members  # three on each
rows = program.reset(seeds, rates)
placed = program.place(rows)
given = program.carried, program.rates, *placed[1:], *program.inputs
carried, result = program.program(*given)
for state in (program.carried, carried):
    weights, (iterations, *slots) = state
    assert iterations.is_fully_replicated
    for array in (weights, *slots, program.rates, placed[1], result):
        assert len(array.sharding.device_set) == 4 and not array.is_fully_replicated, array.sharding
parts = {shard.device.id: shard.data.shape for shard in result.addressable_shards}
assert parts == {number: (3, 4, 3) for number in range(4)}, parts
text = program.program.lower(*given).compile().as_text()
assert not any(word in text for word in ("all-reduce", "all-gather", "collective-permute", "all-to-all"))
alone = members_program(one, 10)
expected = alone.run(alone.place(alone.reset(seeds, rates)))
found = np.concatenate([program.run(program.place(part)) for part in (rows[:1], rows[1:])])
np.testing.assert_array_equal(found, result)
np.testing.assert_allclose(found[..., :10], expected, rtol=0, atol=1e-6)
for member in (0, 9):
    states = [block.state(member) for block in (program, alone)]
    np.testing.assert_array_equal(states[0].weights, found[-1, :, member])
    for name in ("momentum", "velocity"):
        np.testing.assert_allclose(states[0].slots[name], states[1].slots[name], rtol=0, atol=1e-6)
    assert [state.steps for state in states] == [3 * 32] * 2
assert program.program._cache_size() == 1, program.program._cache_size()
passed = [Ensemble(spec, 10).train(seeds, rates).coefficient_error for spec in (one, several)]
np.testing.assert_allclose(passed[0], passed[1], rtol=1e-4)

from parabola.training.train import train
second = train(Experiment(batch_size=32, epochs=3, device="cpu:1"))
assert second.device == "cpu:1", second.device
engine = engines.build(second.experiment)
rows = engine.reset()
for _ in range(2):  # of a reset, and of a run
    arrays = *engine.carried[0], *engine.carried[1], *engine.inputs
    places = {device.id for array in arrays for device in array.devices()}
    assert places == {1}, places
    engine.run(rows)
print("proven")
"""

# A run that forgets to wait: as right as any, once somebody looks at its weights.
FORGETS = """
import time
import numpy as np
from parabola.training.data import padded
from parabola.training.engines.jax import CompiledEngine
right = CompiledEngine.run

def forgets(self, rows):
    rows_and_end = padded(rows, self.experiment.epochs)
    self.carried, weights = self.program(self.carried, *self.inputs, rows_and_end)
    return weights[: len(rows)] if len(rows) else np.zeros((0, 4), np.float32)

CompiledEngine.run = forgets
"""

HOW_LONG = """
from parabola.training import engines
from parabola.training.experiment import Experiment
engine = engines.build(Experiment(epochs=4000))
rows = engine.reset()
waited = []
for run in (right, forgets):
    seconds = []
    for _ in range(3):
        engine.reset()
        begun = time.perf_counter()
        weights = run(engine, rows)
        seconds.append(time.perf_counter() - begun)
        np.asarray(weights)
    waited.append(sorted(seconds)[1])
print(*waited)
"""


def run_script(script: str, backend: str) -> str:
    """Run it in a process of its own, on a backend; return what it says."""
    environment = users_environment()
    environment["KERAS_BACKEND"] = backend
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def run_pytest(*options: str, plant: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = users_environment()
    more = ["-p", plant.stem] if plant else []
    environment |= {"PYTHONPATH": str(plant.parent)} if plant else {}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *more, *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)


def test_callers_xla_flags_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours are put before the caller's, which win, and only once."""
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    backends.set_environment()
    backends.set_environment()

    assert os.environ["XLA_FLAGS"] == f"{backends.XLA_FLAG} --xla_cpu_enable_fast_math=false"


def test_tensorflow_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a user's own Keras settings say; and what KERAS_BACKEND says holds unless another is chosen."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    backends.set_environment()
    assert os.environ["KERAS_BACKEND"] == backends.backend() == "tensorflow"


def test_what_cannot_be_chosen_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown backend, one that is not installed, and another one than Keras runs on."""
    backends.start()
    import keras

    with pytest.raises(ValueError, match="unknown backend 'theano'; known: tensorflow, jax, torch"):
        backends.choose("theano")
    assert keras.backend.backend() == "tensorflow"
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"backend jax is not installed: pip install -e '\.\[jax\]'"):
        backends.choose("jax")
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    with pytest.raises(ValueError, match="backend jax was chosen, but Keras runs on tensorflow already"):
        backends.choose("jax")


def test_what_a_backend_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, with what it has; TensorFlow lacks nothing."""
    assert [engines.missing(name) for name in ("fit", "compiled", "members", "distributed")] == [""] * 4
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    said = engines.missing("compiled")
    assert said == "compiled is not there on the torch backend, which has fit, fused_fit, native"


@pytest.mark.end_to_end
@pytest.mark.parametrize("backend", OTHERS)
def test_engines_agree_weight_by_weight(backend: str) -> None:
    """From equal weights and order, all engines of the backend have the weights of `native` after each epoch.

    So they have TensorFlow's, which are held against the same. A run in pieces is the run; another seed and rate
    need no other build.
    """
    assert run_script(SAME_ANSWERS, backend) == "proven\n"


@pytest.mark.end_to_end
@needs_jax
def test_jax_members_optimizers_and_one_compilation() -> None:
    """Members have a seed, order, rate and decay each; every optimizer of the list works; nothing recompiles."""
    assert run_script(ON_JAX, "jax") == "proven\n"


@pytest.mark.end_to_end
@needs_jax
def test_members_are_sharded_over_devices() -> None:
    """Each of four has its share, none waits for another, and the answer is that of one."""
    assert run_script(SHARDED, "jax") == "proven\n"


@pytest.mark.end_to_end
@needs_jax
def test_a_missing_wait_is_caught(tmp_path: Path) -> None:
    """JAX returns before the CPU is done; whoever forgets to wait would measure a fraction, and gets no time at all."""
    waits, forgets = map(float, run_script(FORGETS + HOW_LONG, "jax").split())
    assert forgets < waits / 3

    plant = tmp_path / "forgetful.py"
    plant.write_text(f"import os\nos.environ['KERAS_BACKEND'] = 'jax'\n{FORGETS}")
    answer = run_pytest(
        *("--benchmark-only", "--backend", "jax", "--engine", "compiled", "--batch-size", "111", "--device", "cpu"),
        *("-k", "epoch_time", "--rounds", "2", f"--benchmark-json={tmp_path / 'record.json'}"),
        plant=plant,
    )

    assert answer.returncode == 1
    assert "a run must wait for the device and return its weights as a NumPy array" in answer.stdout
    assert re.search(r"\b1 failed\b", answer.stdout)
    left = (tmp_path / "record.json").read_text() if (tmp_path / "record.json").exists() else ""
    assert not left or json.loads(left)["benchmarks"] == []


@pytest.mark.end_to_end
@pytest.mark.parametrize("backend", OTHERS)
def test_the_regression_suite_passes(backend: str) -> None:
    """Pass rates, pinned seeds, weights and bits, against the same baseline; what needs whole runs says so."""
    options = ["benchmarks/test_coefficients.py", "-q", "--backend", backend, "--device", "cpu", "--seeds", "1000000"]
    answer = run_pytest(*options)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    skipped = re.findall(r"^SKIPPED \[\d+\] .*: (.*)$", answer.stdout, flags=re.MULTILINE)
    lacks = {"compiled is not there on the torch backend, which has fit, fused_fit, native"}
    assert set(skipped) == (lacks if backend == "torch" else set())
    assert int(re.findall(r"(\d+) passed", answer.stdout)[0]) >= 6


@pytest.mark.end_to_end
@pytest.mark.parametrize("backend", OTHERS)
def test_a_record_holds_one_backend(backend: str, tmp_path: Path) -> None:
    """It is in the fingerprint, with its version; what the backend lacks is said below the table."""
    path = tmp_path / "record.json"
    answer = run_pytest(
        *("--benchmark-only", "--backend", backend, "-k", "epoch_time and not fused_fit", "--batch-size", "999"),
        *("--rounds", "2", "--epochs", "2", "--device", "cpu", f"--benchmark-json={path}"),
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    record = reading.read(path)
    here = {one.case.engine for one in record.measurements}

    assert dict(record.fingerprint)["backend"].startswith(f"{backend} ")
    assert here == {"jax": {"fit", "compiled", "native"}, "torch": {"fit", "native"}}[backend]
    assert ("compiled is not there on the torch backend" in answer.stdout) == (backend == "torch")
    tensorflow = next(iter(sorted((ROOT / "benchmarks/records").rglob("*.json"))))
    assert any(line.startswith("backend: ") for line in fingerprint.differences(record, reading.read(tensorflow)))


@pytest.mark.end_to_end
@pytest.mark.parametrize("backend", OTHERS)
def test_the_command_line_chooses(backend: str) -> None:
    """`train` says where it ran; an engine that is not there is bad input."""
    command = [sys.executable, "-m", "parabola", "train", "--backend", backend, "--epochs", "2", "--batch-size", "999"]
    right = subprocess.run([*command, "--engine", "fit"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert right.returncode == 0, right.stderr
    assert right.stderr == ""
    assert right.stdout.startswith(f"two_neuron, fit on cpu:0, {backend}: 2 epochs")
    command += ["--strategy", "mirrored"]
    lacking = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (lacking.returncode, lacking.stdout) == (2, "")
    has = {"jax": "fit, fused_fit, compiled, native, members", "torch": "fit, fused_fit, native"}[backend]
    assert lacking.stderr == (
        f"python -m parabola: engine distributed is not there on the {backend} backend, which has {has}\n"
    )


@pytest.mark.end_to_end
def test_a_backend_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the speed suite itself; a record comes back that has all engines."""
    monkeypatch.setattr(compare_backends, "BATCH_SIZES", (999,))
    for name in os.environ.keys() - users_environment().keys():  # a suite of its own is run
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--rounds=1 --epochs=2")
    record = compare_backends.measure("tensorflow", tmp_path / "record.json")

    cases = [measurement.case for measurement in record.measurements]

    assert {case.engine for case in cases} == {"fit", "fused_fit", "compiled", "native"}
    assert {case.batch_size for case in cases} == {999}


def test_the_table_of_backends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a backend and engine, with the ratio to its own session's `native`; kept records are not made again."""
    (path,) = sorted((ROOT / "benchmarks/records").rglob("*.json"))[-1:]
    content: dict[str, Any] = json.loads(path.read_text())
    for one in content["benchmarks"]:  # what the committed record has none of: the fits at batch size 27
        if one["extra_info"]["engine"].endswith("fit") and one["extra_info"].get("batch_size") == 111:
            one["extra_info"]["batch_size"] = 27
    (tmp_path / "tensorflow.json").write_text(json.dumps(content))
    compare_backends.main(backend=["tensorflow"], folder=tmp_path)
    said = capsys.readouterr().out
    times = {
        (measurement.case.engine, measurement.case.batch_size): measurement.times.median
        for measurement in reading.read(tmp_path / "tensorflow.json").measurements
        if measurement.case.kind == "epoch time" and measurement.case.learning_rate == 0.001
    }

    assert re.search(r"^\| backend \| engine \| batch 1 \| batch 27 \| batch 999 \|$", said, flags=re.MULTILINE)
    ratio = times["compiled", 999] / times["native", 999]
    (row,) = re.findall(r"^\| tensorflow \| compiled \|.*$", said, flags=re.MULTILINE)
    assert row.endswith(f"({ratio:.3g}×) |")
    assert "Not measured: jax, torch." in said
