"""What each benchmark has inside its clock, what it holds against the reference, and what it tells of itself."""

import json
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from benchmarks import bench_cold_start, bench_compile_time, bench_epoch_time, bench_time_to_accuracy
from benchmarks.harness import accuracy, fixed_cost, known_runs
from benchmarks.harness.cases import TimedCase
from benchmarks.harness.fixed_cost import FIXED_COSTS
from benchmarks.harness.machine.peak import device_lines, peak_mebibytes
from benchmarks.harness.options import SELECTION, Selection
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.state import State
from parabola.training.target import Array

NO_CONFIG: Any = None  # pytest's, which is asked only where there are times


class Clock:
    """In the place of pytest-benchmark's fixture: runs what it is given as often as asked, and notes in which order."""

    def __init__(self, events: list[Any], seconds: list[float] | None = None) -> None:
        self.events, self.extra_info, self.asked = events, dict[str, Any](), dict[str, Any]()
        self.stats: Any = None
        if seconds:
            times = SimpleNamespace(median=float(np.median(seconds)), min=min(seconds), data=seconds)
            self.stats = SimpleNamespace(stats=times, iterations=1)

    def pedantic(self, target: Any, args: Any = (), *, setup: Any = None, rounds: int, warmup_rounds: int = 0) -> Any:
        self.asked = {"rounds": rounds, "warmup_rounds": warmup_rounds}
        for _ in range(rounds + warmup_rounds):
            prepared = setup() if setup else None
            given, named = prepared or (args, {})
            self.events.append("clock on")
            result = target(*given, **named)
            self.events.append("clock off")
        return result


class Made:
    """An engine that learns nothing: its weights are those of a parabola whose coefficients are off as told.

    What it calls the steps of its optimizer is the number of its runs.
    """

    device, compile_seconds, runs = "gpu:3", 1.25, 0

    def __init__(self, events: list[Any], errors: Callable[[int], list[float]], experiment: Experiment) -> None:
        self.events, self.errors, self.experiment, self.seed = events, errors, experiment, experiment.seed

    def forget(self) -> None:
        self.events.append("forget")

    def build(self) -> None:
        self.events.append("build")

    def reset(self, seed: int | None = None) -> Array:
        self.seed = self.experiment.seed if seed is None else seed
        self.events.append(f"reset {self.seed}")
        return np.arange(len(self.errors(self.seed)))

    def run(self, rows: Array) -> Array:
        self.events.append(f"run {self.seed} for {len(rows)}")
        self.runs += 1
        return np.array([[1, 1, 1, 1 + error] for error in self.errors(self.seed)])[: len(rows)]

    def state(self) -> State:
        return State(np.array([1, 1, 1, 1.0]), {}, self.runs)


class Checked:
    """Stands for the check of a run, and notes which weights were held, after which of the engine's runs."""

    seconds, windows, telling, alone, note = 0.25, 3, 2, False, ""
    end = State(np.array([1, 1, 1, 1.0005]), {}, 18)

    def __init__(self, events: list[Any], fit: Fit) -> None:
        self.events, self.fit = events, fit

    def hold(self, weights: Array, end: State) -> None:
        self.events.append(f"hold {len(weights)} of run {end.steps}")


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what happens, in its order; the check of a run is one of these events, and says how many epochs it saw."""
    happened = list[Any]()

    def check_run(engine: Made, subject: Any = None) -> Checked:
        weights = engine.run(engine.reset())
        happened.append(f"check {len(weights)}")
        return Checked(happened, Fit(engine.experiment, "cpu:0", weights, 0.0, 0.0))

    def check_first_epoch(experiment: Experiment, device: str, weights: Array) -> None:
        happened.append(f"check {experiment.engine} on {device}: {weights.dtype} {weights.tolist()}")

    for module in (bench_compile_time, known_runs, bench_time_to_accuracy):
        monkeypatch.setattr(module, "check_run", check_run)
    monkeypatch.delenv("PARABOLA_FOLDER", raising=False)
    monkeypatch.setattr(bench_cold_start, "check_first_epoch", check_first_epoch)
    return happened


@pytest.mark.parametrize(("last", "verdict"), [(0.0009, "pass"), (0.0011, "fail"), (float("nan"), "diverged")])
def test_an_epoch_time(last: float, verdict: str, events: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A round is a run from fresh weights; a time is an epoch's; and the record has the case with its answer.

    One run is checked before, and each round is held against it while the engine still is where it ended.
    """
    experiment = Experiment(engine="fused_fit", device="gpu:1", network="two_neuron", batch_size=111, epochs=3)
    made = Made(events, lambda seed: [0.5, 0.0005, last], experiment)
    monkeypatch.setattr(engines, "build", lambda asked, *, anew: made if asked == experiment and anew else None)
    clock = Clock(events, seconds=[0.5, 0.1, 0.3])
    told, short = list[str](), {made: 0.1}
    config: Any = SimpleNamespace(stash={FIXED_COSTS: told})
    monkeypatch.delenv("PARABOLA_SIDE", raising=False)
    monkeypatch.setattr(fixed_cost, "short_run_seconds", lambda engine: short[engine])
    bench_epoch_time.bench_epoch_time(clock, TimedCase(experiment, 2), True, config)

    # The shortest round took 0.3 s: two epochs more than a run of one, so that they take all of it.
    assert told == []
    before = ["reset 7", "run 7 for 3", "check 3", "reset 7"]
    timed = ["reset 7", "clock on", "run 7 for 3", "clock off"]
    rounds = [[*timed, f"hold 3 of run {run}"] for run in (2, 3, 4)]
    assert events == [*before, *chain.from_iterable(rounds)]
    assert clock.asked == {"rounds": 2, "warmup_rounds": 1}
    assert clock.stats.iterations == 3
    assert clock.extra_info == {
        "network": "two_neuron",
        "engine": "fused_fit",
        "device": "gpu:1",
        "optimizer": "adam",
        "batch_size": 111,
        "learning_rate": 0.001,
        "samples": 999,
        "epochs": 3,
        "seed": 7,
        "compile_seconds": 1.25,
        "coefficient_error": pytest.approx(last, nan_ok=True),
        "verdict": verdict,
        "passed": verdict == "pass",
        "check_seconds": 0.25,
        "checked_epochs": 3,
        "telling_epochs": 2,
        "samples_per_second": pytest.approx(3330),
        "steps_per_second": pytest.approx(30),
    }


def test_an_epoch_time_of_a_comparison(events: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A second launch finds the run's bits among those that are right; it shares kernels, whose build nobody reads."""
    experiment = Experiment(engine="fused_fit", batch_size=111, epochs=2)
    made = Made(events, lambda seed: [0.5, 0.0005], experiment)
    monkeypatch.setenv("PARABOLA_FOLDER", str(tmp_path))
    monkeypatch.setattr(Made, "device", "cpu:0")
    monkeypatch.setattr(Made, "state", lambda engine: Checked.end)
    monkeypatch.setattr(engines, "build", lambda asked, *, anew: made if asked == experiment and not anew else None)
    (clock, again), untimed = (Clock(events), Clock(events)), TimedCase(experiment, 1)
    for one in (clock, again):
        bench_epoch_time.bench_epoch_time(one, untimed, True, NO_CONFIG)

    assert events.count("check 2") == 1
    assert [one.extra_info["checked_epochs"] for one in (clock, again)] == [3, 3]
    assert again.extra_info["coefficient_error"] == clock.extra_info["coefficient_error"]


def test_an_epoch_time_without_a_clock(events: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is timed there are no samples or steps a second, no kernel is compiled anew, and none warms up."""

    def build(asked: Experiment, *, anew: bool) -> Made | None:
        return None if anew else Made(events, lambda seed: [0.5], asked)

    monkeypatch.setattr(engines, "build", build)
    clock = Clock(events)
    bench_epoch_time.bench_epoch_time(clock, TimedCase(Experiment(engine="fit", epochs=1), 1), False, NO_CONFIG)

    assert clock.asked == {"rounds": 1, "warmup_rounds": 0}
    assert not {"samples_per_second", "steps_per_second"} & set(clock.extra_info)
    assert clock.extra_info["compile_seconds"] == 1.25


@pytest.mark.parametrize("timed", [True, False])
def test_a_compile_time(timed: bool, events: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Building alone is inside; before each build the kernel is forgotten; what was built is held to be right."""
    asked = list[Experiment]()

    def make(experiment: Experiment) -> Made:
        asked.append(experiment)
        return Made(events, lambda seed: [0.5] * 4, experiment)

    def make_first(experiment: Experiment) -> Made:
        events.append("first build")
        return make(experiment)

    monkeypatch.setattr(engines, "create", make)
    monkeypatch.setattr(engines, "build", make_first)
    clock = Clock(events)
    bench_compile_time.bench_compile_time(clock, "fused_fit", "gpu:1", timed)

    rounds = 3 if timed else 1
    before = ["first build"] if timed else []
    assert events == before + ["forget", "clock on", "build", "clock off"] * rounds + (
        ["reset 7", "run 7 for 4", "check 4", "reset 7", "run 7 for 4", "hold 4 of run 2"] * rounds
    )
    assert clock.asked["rounds"] == rounds
    assert set(asked) == {Experiment(engine="fused_fit", device="gpu:1", batch_size=111, epochs=4)}
    assert clock.extra_info == {"engine": "fused_fit", "device": "gpu:1", "batch_size": 111}


@pytest.mark.parametrize(
    ("timed", "engine", "threads", "more"),
    [
        (True, "fit", None, ""),
        (False, "fit", None, ""),
        (True, "fit", 3, " --threads 3"),
        (True, "native", 3, ""),  # which has one thread, and refuses the option
    ],
)
def test_a_cold_start(
    timed: bool, engine: str, threads: int | None, more: str, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round starts a process that trains one epoch with the session's threads; the weights of each are checked."""
    asked = list[Any]()
    config: Any = SimpleNamespace(stash=pytest.Stash())
    config.stash[SELECTION] = Selection(threads=threads)
    device = "cpu" if engine == "native" else "gpu:1"
    weights = [[number / 4, 2.0, 3.0, 4.0] for number in (1, 2, 3)]

    def run(command: list[str], **options: Any) -> Any:
        events.append("run")
        asked.append((command, options))
        run = {"device": "gpu:2", "weights": weights[len(asked) - 1]}
        return subprocess.CompletedProcess(command, 0, stdout=json.dumps(run))

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bench_cold_start, "peak_mebibytes", lambda command: 0.5 * len(command) if timed else None)
    clock = Clock(events)
    bench_cold_start.bench_cold_start(clock, engine, device, timed, config)

    rounds = 3 if timed else 1
    held = [f"check {engine} on gpu:2: float32 {weights[number]}" for number in range(rounds)]
    assert events == ["clock on", "run", "clock off"] * rounds + held
    command = f"-m parabola train --engine {engine} --device {device} --json --epochs 1 --batch-size 111{more}"
    options = {"check": True, "stdout": subprocess.PIPE, "text": True, "timeout": 300}
    assert asked == [([sys.executable, *command.split()], options)] * rounds
    peak = {"peak_mebibytes": 0.5 * len(["python", *command.split()])} if timed else {}  # of the same command
    assert clock.extra_info == {"engine": engine, "device": device, "batch_size": 111, **peak}


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("command", "arguments", "answers", "fails"),
    [
        ("help", "--help", ["Usage: python", "Usage: python", "Usage: python"], False),
        ("help", "--help", ["", "", ""], True),
        ("report", f"report {' '.join(bench_cold_start.RECORDS)}", ["a Commit b", "a Commit b", "a Commit b"], False),
        ("report", f"report {' '.join(bench_cold_start.RECORDS)}", ["a Commit b", "a Commit b", "a Commit c"], True),
    ],
)
def test_a_start_up(
    command: str, arguments: str, answers: list[str], fails: bool, timed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each round starts the command; what lacks its answer, or answers otherwise the next time, has no time."""
    events, asked = list[Any](), list[list[str]]()
    rounds = 3 if timed else 1

    def run(command: list[str], **options: Any) -> Any:
        asked.append(command)
        assert options["check"]
        return subprocess.CompletedProcess(command, 0, stdout=answers[len(asked) - 1])

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(bench_cold_start, "peak_mebibytes", lambda command: 0.5 * len(command))
    clock = Clock(events)
    if fails and len(set(answers[:rounds])) + (answers[0] == "") > 1:
        with pytest.raises(AssertionError):
            bench_cold_start.bench_start_up(clock, command, timed)
        assert clock.extra_info == {}
        return
    bench_cold_start.bench_start_up(clock, command, timed)

    assert events == ["clock on", "clock off"] * rounds
    assert asked == [[sys.executable, "-m", "parabola", *arguments.split()]] * rounds
    assert len(bench_cold_start.RECORDS) == 5
    peak = {"peak_mebibytes": 0.5 * len(asked[0])} if timed else {}
    assert clock.extra_info == {"engine": "", "device": "cpu", **peak}


@pytest.mark.end_to_end
def test_the_peak_of_a_process_is_its_own() -> None:
    """100 MiB that a child touches are found; those of the process that asks are not counted."""
    mine = bytearray(300 * 2**20)
    mine[:: 2**12] = b"x" * len(mine[:: 2**12])
    small, large = (peak_mebibytes([sys.executable, "-c", f"held = b'x' * ({size} * 2**20)"]) for size in (1, 101))

    assert 5 < small < 60
    assert large - small == pytest.approx(100, abs=5)


def test_the_most_memory_on_a_device_is_what_jax_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each device that tells it: 3 GiB are 3,072 MiB; a CPU tells nothing, other backends are not asked."""
    stats = [("cpu", 0, None), ("gpu", 0, {"peak_bytes_in_use": 3 * 2**30}), ("gpu", 1, {"bytes_in_use": 5})]
    found = [
        SimpleNamespace(platform=kind, id=number, memory_stats=lambda known=known: known)
        for kind, number, known in stats
    ]
    deaf = SimpleNamespace(platform="tpu", id=0, memory_stats=Mock(side_effect=NotImplementedError))
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(local_devices=lambda: [deaf, *found]))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert [*device_lines()] == ["most memory on gpu:0 in this process: 3,072.0 MiB"]

    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert [*device_lines()] == []
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "jax")
    assert [*device_lines()] == []


def errors_of(seed: int) -> list[float]:
    """Return 999 errors that are below 0.01 after epoch 20 + seed² // 2, then above, and below in the last 100 of odd.

    For seeds that 4 divides none is below: they never arrive.
    """
    errors = np.full(999, 0.02)
    if seed % 4:
        errors[19 + seed**2 // 2] = 0.00999
        errors[-100 if seed % 2 else 999 :] = 0.009
    return errors.tolist()


def of_first(seeds: int) -> Callable[[int], list[float]]:
    """Return errors of which those of the first so many seeds are below from the first epoch on."""
    return lambda seed: [0.0099 if seed < seeds else 0.0101] * 999


def time_to_accuracy(
    clock: Clock,
    device: str,
    timed: bool,
    devices: tuple[str, ...] = (),
    setting: str = "27-0.01",
    engine: str = "compiled",
) -> dict[str, Any]:
    request: Any = SimpleNamespace(config=SimpleNamespace(stash=pytest.Stash()))
    request.config.stash[SELECTION] = Selection(devices=devices)
    spec = accuracy.SETTINGS[setting]
    knobs = spec.batch_size, spec.learning_rate, setting
    bench_time_to_accuracy.bench_time_to_accuracy(clock, engine, device, *knobs, timed, request)
    return clock.extra_info


CASE = {"engine": "compiled", "device": "cpu:0", "batch_size": 27, "learning_rate": 0.01, "samples": 999}
CHECK = {"check_seconds": 0.25, "checked_epochs": 3, "telling_epochs": 2}


ON_A_GPU = "40 runs of small batches take minutes on a GPU; --device gpu:0 runs them"


@pytest.fixture
def fewer(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what was asked of the baseline; what it has said first is its answer: nothing, unless a test puts it."""
    asked = list[Any]()

    def fewer_than_before(*told: Any) -> str:
        asked.append(told)
        return str(asked[0]) if isinstance(asked[0], str) else ""

    monkeypatch.setattr(bench_time_to_accuracy, "fewer_than_before", fewer_than_before)
    return asked


def test_time_to_accuracy_untimed(events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Untimed, ten seeds are trained, and the first that arrives is run again, so far.

    The seeds 1, 2, 3, 5, 6, 7 and 9 arrive, after 20, 22, 24, 32, 38, 44 and 60 epochs. Of seven values the 95 %
    interval for the median goes from the smallest to the largest. After it, the odd ones are below in 101 epochs.
    """
    experiment = Experiment(device="cpu:0", batch_size=27, learning_rate=0.01)
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, errors_of, asked) if asked == experiment else None)
    clock = Clock(events)
    found = time_to_accuracy(clock, "cpu:0", timed=False)

    own = ["reset 7", "run 7 for 999", "check 999", "reset 7", "run 7 for 999", "hold 999 of run 2"]
    every = [event for seed in range(10) for event in (f"reset {seed}", f"run {seed} for 999")]
    assert events == [*own, *every, "reset 1", "clock on", "run 1 for 20", "clock off"]
    assert fewer == [("27-0.01", 7, 10)]
    assert found == CASE | CHECK | {
        "init": "glorot",
        "seeds": 10,
        "arrived_seeds": 7,
        "settled_seeds": 5,
        "epochs_to_accuracy": 32,
        "epochs_low": 20,
        "epochs_high": 60,
        "later_share_below": pytest.approx(101 / 976),
    }


def test_time_to_accuracy_timed(events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Timed, each of the 30 seeds of 40 that arrive has one round of so many epochs; the rest are only counted.

    Of 30 values the 95 % interval for the median goes from the 10th to the 21st. By size these are of the seeds 13
    and 27, and in the middle are 19 and 21: they arrive after 20 + seed² // 2 epochs. Of those that arrive, 20 are odd
    and below in 101 of the epochs from there on, most often the latest; by this share the middle are the 15th and 16th.
    """
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, errors_of, asked))
    seconds = [number**2 / 1000 for number in (*range(30, 0, -2), *range(1, 31, 2))]
    clock = Clock(events, seconds=seconds)
    found = time_to_accuracy(clock, "cpu:0", timed=True)

    learnt = [seed for seed in range(40) if seed % 4]
    assert events[6 + 80 :] == [
        event
        for seed in learnt
        for event in (f"reset {seed}", "clock on", f"run {seed} for {20 + seed**2 // 2}", "clock off")
    ]
    assert clock.asked["rounds"] == 30
    assert fewer == [("27-0.01", 30, 40)]
    shares = [(101 if seed % 2 else 1) / (980 - seed**2 // 2) for seed in learnt]
    assert found == CASE | CHECK | {
        "init": "glorot",
        "seeds": 40,
        "arrived_seeds": 30,
        "settled_seeds": 20,
        "epochs_to_accuracy": 220,
        "epochs_low": 104,
        "epochs_high": 384,
        "later_share_below": pytest.approx(np.median(shares)),
        "seconds_to_accuracy": pytest.approx(0.2405),
        "seconds_low": pytest.approx(0.1),
        "seconds_high": pytest.approx(0.441),
    }


@pytest.mark.parametrize(("timed", "seeds", "least"), [(True, 40, 6), (False, 10, 1)])
def test_too_few_seeds_that_learn_fail(
    timed: bool, seeds: int, least: int, events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six seeds that arrive are enough for an interval, and one where nothing is timed; one less is a failure."""
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, of_first(least), asked))
    assert time_to_accuracy(Clock(events), "cpu", timed)["arrived_seeds"] == least
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, of_first(least - 1), asked))
    with pytest.raises(AssertionError) as raised:
        time_to_accuracy(Clock(events), "cpu", timed)

    assert str(raised.value).splitlines()[0] == f"{least - 1} of {seeds} seeds arrive: too few"


def test_fewer_seeds_than_before_are_a_failure(
    events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is timed, and nothing told but what the baseline has to say."""
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, of_first(40), asked))
    fewer.append("40 of 40 is not enough")
    clock = Clock(events)
    with pytest.raises(AssertionError) as raised:
        time_to_accuracy(clock, "cpu:0", True, setting="111-0.1")

    line = "compiled on cpu:0, setting 111-0.1: 40 of 40 is not enough"
    assert str(raised.value).splitlines()[0] == line
    assert fewer[1:] == [("111-0.1", 40, 40)]
    assert "clock on" not in events
    assert clock.extra_info == {}


def test_the_recommended_setting_decays(events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its seeds arrive where the error is below the rate at which it ends; the record says that rate, and the init."""
    built = list[Experiment]()

    def build(asked: Experiment) -> Made:
        built.append(asked)
        return Made(events, lambda seed: [0.0011] * 500 + [0.0009] * 499, asked)

    monkeypatch.setattr(engines, "build", build)
    found = time_to_accuracy(Clock(events), "cpu", False, setting="recommended")

    decay = {"learning_rate": 0.1, "final_learning_rate": 0.001, "init": "sign-aware"}
    assert built == [Experiment(batch_size=111, init="sign-aware", learning_rate=0.1, final_learning_rate=0.001)]
    assert {name: found[name] for name in decay} == decay
    assert (found["arrived_seeds"], found["epochs_to_accuracy"], found["later_share_below"]) == (10, 501, 1.0)


@pytest.mark.parametrize(
    ("device", "setting", "devices", "engine", "reason"),
    [
        (
            "gpu:0",
            "27-0.01",
            (),
            "compiled",
            ON_A_GPU,
        ),
        ("gpu:0", "111-0.1", (), "compiled", ""),
        ("gpu:0", "27-0.01", ("gpu:0",), "compiled", ""),
        ("cpu", "1-0.001", (), "compiled", ""),
        ("cpu", "111-0.1", (), "native", ""),
        ("cpu", "recommended", (), "compiled", ""),
        ("cpu", "recommended", (), "native", "native has no learning-rate schedule"),
    ],
)
def test_what_takes_minutes_or_cannot_be_is_skipped(
    device: str,
    setting: str,
    devices: tuple[str, ...],
    engine: str,
    reason: str,
    events: list[Any],
    fewer: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Batches of fewer than 111 samples on a GPU that was not asked for, and a decay without a schedule; it is said."""
    monkeypatch.setattr(engines, "build", lambda asked: Made(events, lambda seed: [1e-4] * 999, asked))
    said = ""
    try:
        time_to_accuracy(Clock(events), device, False, devices, setting, engine)
    except pytest.skip.Exception as skip:  # which would skip this test, too
        said = str(skip)

    assert said == reason
    assert bool(events) == (not reason)


def test_a_timed_run_that_learns_otherwise_is_wrong(
    events: list[Any], fewer: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a timed run learns must be what the untimed one has learnt, to the bit, and must be on the host."""
    made = Made(events, of_first(40), Experiment())
    monkeypatch.setattr(engines, "build", lambda _: made)
    right = made.run
    answers: dict[str, Callable[[Array], Any]] = {
        "Arrays are not equal": lambda weights: weights + 1e-12,
        "return its weights as a NumPy array": lambda weights: weights.tolist(),
    }
    for says, wrong in answers.items():
        events.clear()

        def run(rows: Array, wrong: Callable[[Array], Any] = wrong) -> Any:
            return wrong(right(rows)) if "clock on" in events else right(rows)

        monkeypatch.setattr(made, "run", run)
        with pytest.raises((AssertionError, TypeError), match=says):
            time_to_accuracy(Clock(events), "cpu", timed=False)


def test_the_settings_that_learn() -> None:
    """Times to accuracy are of the published setting, three along the ridge of the map, and the recommended one.

    Histories hang on the names, and other readers on the two parameters that records have had from the first.
    """
    (mark, _) = bench_time_to_accuracy.bench_time_to_accuracy.pytestmark
    values = [(1, 0.001, "1-0.001"), (9, 0.001, "9-0.001"), (27, 0.01, "27-0.01"), (111, 0.1, "111-0.1")]

    assert mark.args == (("batch_size", "learning_rate", "setting"), [*values, (111, 0.1, "recommended")])
    assert [*mark.kwargs["ids"]] == ["1-0.001", "9-0.001", "27-0.01", "111-0.1", "recommended"]


@pytest.mark.parametrize(
    ("function", "group"),
    [
        (bench_cold_start.bench_cold_start, "cold start: seconds per process"),
        (bench_cold_start.bench_start_up, "start-up: seconds per process"),
        (bench_compile_time.bench_compile_time, "compile time: seconds per build"),
        (bench_epoch_time.bench_epoch_time, "epoch time: seconds per epoch"),
        (bench_time_to_accuracy.bench_time_to_accuracy, "time to accuracy: seconds to the first epoch below"),
    ],
)
def test_groups_say_the_kind_and_the_unit(function: Any, group: str) -> None:
    """A benchmark's group is its kind and its unit, which readers of records split."""
    assert [mark.kwargs for mark in function.pytestmark if mark.name == "benchmark"] == [{"group": group}]
