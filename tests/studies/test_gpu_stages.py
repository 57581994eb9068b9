"""The GPU script's stages without a GPU and without programs: commands, resumption, failures, and what is left."""

import inspect
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.studies.gpu import command, device_state, drift, prediction, running, stages
from benchmarks.studies.gpu.stages import Stage
from parabola.machine import backends, devices, ending
from parabola.records import finding, reading
from tests import made_records

SIZES = stages.Sizes({77: (5, 2), 8: (8,)}, (3, 1), map=("--seeds=6",), answers="few", learning="others")
FLAGS = "--xla_gpu_enable_command_buffer=+WHILE --xla_gpu_graph_min_graph_size=1"


def test_the_commands_of_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage has this command, leaves this file, and leaves a record or what it said; in this order."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found = [*stages.stages("gpu:1", tmp_path, SIZES)]
    timed = "pytest --benchmark-only -q -k"
    engines = {"gpu:1": "--engine=compiled", "cpu": "--engine=compiled --engine=native"}
    pairs = [
        *(
            (
                f"{kind}-samples_{samples}-batch_{size}.json",
                f"{timed} epoch_time {engines[place]} --samples={samples} --batch-size={size} --learning-rate=0.001 "
                f"--all --device={place}",
            )
            for samples, size in ((77, 5), (77, 2), (8, 8))
            for place, kind in (("gpu:1", "gpu_1"), ("cpu", "cpu"))
        ),
        *(
            (f"{kind}-members_{number}.json", f"{timed} members --members={number} --device={place}")
            for number in (3, 1)
            for place, kind in (("gpu:1", "gpu_1"), ("cpu", "cpu"))
        ),
    ]
    of_device = [(name, line) for name, line in pairs if name.startswith("gpu_1")]
    first, line = of_device[0]

    assert [(stage.name, " ".join(stage.command), stage.leaves, stage.record) for stage in found] == [
        ("state before", "benchmarks.studies.gpu.device_state", "state_before.txt", False),
        ("device checks", "benchmarks.studies.gpu --check --device gpu:1", "checks.txt", False),
        ("same answers", "pytest -q benchmarks/test_coefficients.py -k few", "answers.txt", False),
        *((name, line, f"parts/{name}", True) for name, line in pairs),
        *((f"command_buffers-{name}", line, f"command_buffers/parts/{name}", True) for name, line in of_device),
        ("map", f"parabola map --device=gpu:1 --seeds=6 --json={tmp_path}/map/learning_map.json", "map.txt", False),
        (f"repeat of {first}", line, f"repeat/{first}", True),
        ("state after", "benchmarks.studies.gpu.device_state", "state_after.txt", False),
        ("learning", "pytest -q benchmarks/test_coefficients.py -k others", "learning.txt", False),
    ]
    with_flags = {stage.name: dict(stage.environment) for stage in found if stage.environment}
    assert with_flags == {f"command_buffers-{name}": {"XLA_FLAGS": FLAGS} for name, _ in of_device}
    assert [stage.name for stage in found if stage.decides] == ["device checks", "same answers", "learning"]
    assert [stage.name for stage in found if not stage.guess] == [name for name, _ in pairs if name.startswith("cpu")]


def test_the_sizes_of_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These sizes are timed, the map has 200 seeds a cell, and each exact test is run by one of two stages."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found = {stage.name: stage for stage in stages.stages("gpu:0", tmp_path)}

    assert [name.removeprefix("cpu-") for name in found if name.startswith("cpu-")] == [
        *(f"samples_999-batch_{size}.json" for size in (1, 9, 27, 111, 999)),
        *(f"samples_1000000-batch_{size}.json" for size in (1_000, 10_000, 100_000, 1_000_000)),
        *(f"members_{number}.json" for number in (1, 10, 100, 1_000, 10_000, 100_000)),
    ]
    assert "--seeds=200" in found["map"].command
    assert found["same answers"].command[-1] == "references or agree or bits"
    assert found["learning"].command[-1] == "not (references or agree or bits or pass_rates)"
    assert len(found) == 3 + 30 + 15 + 4
    assert len([*stages.stages("cpu", tmp_path)]) == 3 + 15 + 15 + 4  # the CPU is not held against itself
    assert [stage.name for stage in stages.stages("cpu:0", tmp_path, stages.SMALL) if stage.record] == [
        "cpu-samples_999-batch_999.json",
        "cpu-members_8.json",
        "command_buffers-cpu-samples_999-batch_999.json",
        "command_buffers-cpu-members_8.json",
        "repeat of cpu-samples_999-batch_999.json",
    ]


def test_stages_of_a_backend_without_whole_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch Keras' own loops are timed, and there are no members and no map."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = [*stages.stages("gpu:0", tmp_path, stages.Sizes({999: (9,)}, (8,)))]

    assert [stage.leaves for stage in found if stage.record or stage.name == "map"] == [
        "parts/gpu_0-samples_999-batch_9.json",
        "parts/cpu-samples_999-batch_9.json",
        "command_buffers/parts/gpu_0-samples_999-batch_9.json",
        "repeat/gpu_0-samples_999-batch_9.json",
    ]
    engines = [[word for word in stage.command if word.startswith("--engine")] for stage in found[3:5]]
    assert engines == [
        ["--engine=fit", "--engine=fused_fit"],
        ["--engine=fit", "--engine=fused_fit", "--engine=native"],
    ]


def test_what_a_stage_is_predicted_to_take() -> None:
    """A start, and what the suite's cost model says: 2 s to build, and a round to warm up beside the timed ones.

    An epoch of 999 steps by `native` on a CPU takes 1e-6 + 999 · 2.5e-8 + 999 · 2e-9 s = 27.97 µs, and 716 of them fill
    a round of 20 ms, which is more than half a run: so a round is a run of 999 epochs, and 11 of them take 0.3074 s. On
    a GPU an epoch of one step takes 1e-4 + 2e-5 s, and 167 fill a round.
    """
    assert prediction.epoch_time_seconds("native", "cpu", 999, 1) == pytest.approx(2 + 0.30740, rel=1e-4)
    assert prediction.epoch_time_seconds("compiled", "gpu:0", 999, 999) == pytest.approx(2 + 11 * 167 * 1.2e-4)
    assert prediction.members_seconds("cpu", 10) == pytest.approx(2 + 11 * 0.03)
    # A block is trained once more in a process of its own from 512 members on; one epoch of many fills a round.
    assert prediction.members_seconds("cpu", 100_000) == pytest.approx(2 + 12 * 0.40002 + 8)
    assert prediction.members_seconds("gpu:0", 512) == pytest.approx(2 + 12 * 0.03 + 15)
    # 999 epochs of 999, 333, 111, 37, 27, 9, 3 and 1 steps of 35 ns, with 1 µs and 999 samples of 2 ns each
    assert prediction.map_seconds("cpu") == pytest.approx(8 * 2 + 999 * (1520 * 3.5e-8 + 8 * (1e-6 + 999 * 2e-9)))
    # The exact tests run on the CPU, and on a GPU besides.
    assert [prediction.answers_seconds(device) for device in ("cpu", "gpu:0")] == [8 + 12, 15 + 12 + 60]
    assert [prediction.learning_seconds(device) for device in ("cpu", "gpu:0")] == [8 + 6, 15 + 6 + 120]
    assert [prediction.start_seconds(device) for device in ("cpu", "gpu:0", "gpu")] == [8, 15, 15]


def test_a_stage_is_predicted_with_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage of two engines takes a start and both; those of members, the map and the tests a start and their own."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(stages, "missing", lambda name: "")
    monkeypatch.setattr(prediction, "epoch_time_seconds", lambda engine, *_: {"native": 1000.0}.get(engine, 2000.0))
    monkeypatch.setattr(prediction, "members_seconds", lambda *_: 4000.0)
    monkeypatch.setattr(prediction, "map_seconds", lambda _: 5000.0)
    sizes = stages.Sizes({9: (9,)}, (1,), engines=("compiled", "native"))

    assert {stage.name: stage.seconds for stage in stages.stages("gpu:0", tmp_path, sizes)} == {
        "state before": 1,
        "device checks": 15,
        "same answers": 87,
        "gpu_0-samples_9-batch_9.json": 2015,
        "cpu-samples_9-batch_9.json": 3008,
        "gpu_0-members_1.json": 4015,
        "cpu-members_1.json": 4008,
        "command_buffers-gpu_0-samples_9-batch_9.json": 2015,
        "command_buffers-gpu_0-members_1.json": 4015,
        "map": 5015,
        "repeat of gpu_0-samples_9-batch_9.json": 2015,
        "state after": 1,
        "learning": 141,
    }


class Process:
    """In the place of a program: it says something, leaves its measurements where told, and ends as told."""

    def __init__(self, code: int = 0, says: str = "", measures: str = "", ends_after: int = 1) -> None:
        self.code, self.says, self.measures, self.ends_after = code, says, measures, ends_after
        self.command, self.options = list[str](), dict[str, Any]()
        self.waited, self.signals = list[float | None](), list[Any]()

    def __call__(self, command: list[str], stdout: io.TextIOWrapper, **options: Any) -> "Process":
        self.command, self.options = command, options
        stdout.write(self.says)
        for word in command:
            if self.measures and word.startswith("--benchmark-json="):
                Path(word.partition("=")[2]).write_text(self.measures)
        return self

    def wait(self, seconds: float | None = None) -> int:
        self.waited.append(seconds)
        if len(self.waited) < self.ends_after and seconds is not None:
            raise subprocess.TimeoutExpired(self.command, seconds)
        return self.code

    def poll(self) -> int | None:
        return self.code if len(self.waited) >= self.ends_after else None

    def send_signal(self, which: int) -> None:
        self.signals.append(which)

    def kill(self) -> None:
        self.signals.append("kill")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Process], Process]:
    """Return what has the next stage start a process."""

    def put(process: Process) -> Process:
        monkeypatch.setattr(subprocess, "Popen", process)
        return process

    return put


RECORD = Stage("a.json", ("pytest", "-q"), "parts/a.json")
SAID = Stage("map", ("parabola", "map"), "map.txt", record=False)


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_stage_leaves_its_record(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """A stage's record has the place that it is to have, whole; what was measured before is never taken for it."""
    folder = tmp_path / "new/folder"
    process = start(Process(says="some words\n", measures="{}"))

    assert running.run(RECORD, folder, 2.5) == ""
    part = folder / "said/parts-a.json.part"
    assert process.command == [sys.executable, "-m", "pytest", "-q", f"--benchmark-json={part}"]
    assert process.options == {"stderr": subprocess.STDOUT, "start_new_session": True, "env": dict(os.environ)}
    assert process.waited == [150.0]
    assert process.signals == []
    assert files_in(folder) == {"parts/a.json": "{}", "said/parts-a.json.txt": "some words\n"}
    assert {path.name for path in folder.iterdir()} == {"said", "map", "parts"}


def test_a_stage_without_a_record_leaves_what_it_said(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """Such a stage's file is what its command said, and its command is told of no record."""
    process = start(Process(says="a map\n"))

    assert running.run(SAID, tmp_path, 8) == ""
    assert process.command == [sys.executable, "-m", "parabola", "map"]
    assert files_in(tmp_path) == {"map.txt": "a map\n", "said/map.txt.txt": "a map\n"}


def test_a_stage_with_variables_of_its_own(
    tmp_path: Path, start: Callable[[Process], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage's XLA flags follow those that the study was given; the study's own environment stays as it is."""
    monkeypatch.setenv("XLA_FLAGS", "--a=1")
    process = start(Process(measures="{}"))
    running.run(replace(RECORD, environment={"XLA_FLAGS": "--b=2"}), tmp_path, 8)

    assert process.options["env"] == {**os.environ, "XLA_FLAGS": "--a=1 --b=2"}
    monkeypatch.delenv("XLA_FLAGS")
    running.run(replace(RECORD, environment={"XLA_FLAGS": "--b=2"}), tmp_path, 8)
    assert process.options["env"] == {**os.environ, "XLA_FLAGS": "--b=2"}


@pytest.mark.parametrize("stage", [RECORD, SAID])
@pytest.mark.parametrize("code", [1, -9])
def test_a_stage_that_fails_leaves_nothing(
    stage: Stage, code: int, tmp_path: Path, start: Callable[[Process], Process]
) -> None:
    """The code and where the words are is said; the stage's file is not there, so that it is run again."""
    start(Process(code=code, says="why\n", measures="{}"))
    said = tmp_path / {"parts/a.json": "said/parts-a.json.txt", "map.txt": "said/map.txt.txt"}[stage.leaves]

    assert running.run(stage, tmp_path, 8) == f"exit code {code}; see {said}"
    assert not (tmp_path / stage.leaves).exists()
    assert said.read_text() == "why\n"


def test_a_stage_that_measures_nothing_has_failed(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """A record that was begun by an earlier call does not stand for one that this call did not write."""
    (tmp_path / "said").mkdir()
    (tmp_path / "said/parts-a.json.part").write_text("old")
    start(Process(says="all skipped\n"))

    assert running.run(RECORD, tmp_path, 8) == f"nothing was measured; see {tmp_path / 'said/parts-a.json.txt'}"
    assert files_in(tmp_path) == {"said/parts-a.json.txt": "all skipped\n"}


@pytest.mark.parametrize(
    ("ends_after", "waited", "signals"),
    [(2, [15.0, 20], [signal.SIGINT]), (3, [15.0, 20, None], [signal.SIGINT, "kill"])],
)
def test_a_stage_that_takes_too_long(
    ends_after: int, waited: list[Any], signals: list[Any], tmp_path: Path, start: Callable[[Process], Process]
) -> None:
    """A stage over its limit is asked to end as by Ctrl-C, and killed where it has not within 20 seconds."""
    process = start(Process(says="half\n", measures="{}", ends_after=ends_after))

    assert (
        running.run(RECORD, tmp_path, 0.25)
        == "not done after 0.25 min; the next call goes on with it, or begins it anew"
    )
    assert process.waited == waited
    assert process.signals == signals
    assert not (tmp_path / "parts/a.json").exists()
    assert (tmp_path / "said/parts-a.json.txt").read_text() == "half\n"


def test_ctrl_c_ends_the_stage(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """Who ends the script ends its program, which is in a session of its own."""

    class Interrupted(Process):
        def wait(self, seconds: float | None = None) -> int:
            self.waited.append(seconds)
            if len(self.waited) == 1:
                raise KeyboardInterrupt
            return 0

    process = start(Interrupted(ends_after=2))
    with pytest.raises(KeyboardInterrupt):
        running.run(RECORD, tmp_path, 8)

    assert process.signals == [signal.SIGINT]
    assert not (tmp_path / "parts/a.json").exists()


def record_of(name: str, **machine: Any) -> dict[str, Any]:
    """Return a record of one case, which has a stage's name."""
    info = {"engine": "native", "device": "cpu", "batch_size": 1, "learning_rate": 0.001, "samples": 999}
    return made_records.record([made_records.benchmark("epoch time", name, 1e-5, **info)], machine=machine)


class Script:
    """The script with stages that end at once, each after 60 seconds of a clock that is made up."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now, self.seconds = folder, 5000.0, 60.0
        self.reasons, self.machines = dict[str, str](), dict[str, dict[str, Any]]()  # by a stage's name
        self.ran, self.prepared, self.limits = list[str](), list[Any](), list[float]()
        monkeypatch.setattr(command, "stages", self.stages)
        monkeypatch.setattr(command, "run", self.run)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(backends, "choose", lambda name: self.prepared.append(("backend", name)))
        monkeypatch.setattr(backends, "backend", lambda: "jax")
        monkeypatch.setattr(devices, "resolve", lambda name: self.prepared.append(("device", name)))
        monkeypatch.setattr(ending, "end_as_by_ctrl_c", lambda: self.prepared.append("signals"))

    def stages(self, device: str, folder: Path, sizes: stages.Sizes) -> list[Stage]:
        assert (device, folder) == ("gpu:1", self.folder)
        self.sizes = sizes
        return [
            Stage("device checks", (), "checks.txt", record=False, seconds=30, guess=False, decides=True),
            Stage("same answers", (), "answers.txt", record=False, seconds=60, decides=True),
            Stage("b.json", (), "parts/b.json", seconds=12.4),
            Stage("a.json", (), "parts/a.json", seconds=90, guess=False),
            Stage("buffers-a.json", (), "command_buffers/parts/a.json", seconds=90),
            Stage("repeat of b.json", (), "repeat/b.json", seconds=12.4),
            Stage("learning", (), "learning.txt", record=False, seconds=120, decides=True),
        ]

    def run(self, stage: Stage, folder: Path, limit_minutes: float) -> str:
        assert folder == self.folder
        assert folder.is_dir()
        self.ran.append(stage.name)
        self.limits.append(limit_minutes)
        self.now += self.seconds
        if reason := self.reasons.get(stage.name):
            return reason
        path = folder / stage.leaves
        path.parent.mkdir(parents=True, exist_ok=True)
        machine = self.machines.get(stage.name, {})
        content = record_of(stage.name.removeprefix("repeat of "), **machine)
        path.write_text(json.dumps(content) if stage.record else "said")
        return ""

    def __call__(self, **options: Any) -> tuple[Any, list[str]]:
        """Run the script; return its exit code, and which stages it has run."""
        self.ran, self.limits = [], []
        with pytest.raises(typer.Exit) as ended:
            command.main(self.folder, device="gpu:1", **options)
        return ended.value.exit_code, self.ran

    def left(self) -> set[str]:
        return set(files_in(self.folder))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(tmp_path / "some/records", monkeypatch)


EVERY = ["device checks", "same answers", "b.json", "a.json", "buffers-a.json", "repeat of b.json", "learning"]
ABOUT = {
    **{"device checks": "30 s", "same answers": "60 s, a guess", "b.json": "12 s, a guess", "a.json": "90 s"},
    **{"buffers-a.json": "90 s, a guess", "repeat of b.json": "12 s, a guess", "learning": "120 s, a guess"},
}
TIMES = {"parts/a.json", "parts/b.json", "command_buffers/parts/a.json", "repeat/b.json"}
RECORDS = {"record.json", "command_buffers/record.json"}


def test_all_stages_run_in_their_order_and_never_again(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan comes first; each stage says what it will take and has taken; the records become one; nothing twice.

    All stages together are predicted to take 414.8 s, which are 7 minutes.
    """
    script.seconds = 60.6
    assert script(backend="jax") == (0, EVERY)
    wholes = [script.folder / "record.json", script.folder / "command_buffers/record.json"]
    last = [f"{whole} holds all that was timed: python -m parabola report {whole}" for whole in wholes]
    drift = (
        "drift: repeated at the end, the first case took 1.000× (bench_epoch_time[b.json]) its time at the beginning"
    )
    said = [line for name in EVERY for line in (f"{name} … (about {ABOUT[name]})", f"{name}: done (61 s)")]
    plan = "7 stages: about 7 min in all (guessed for 5 of them)"
    assert capsys.readouterr().out.splitlines() == [plan, *said, *last, drift]
    assert script.prepared == [("backend", "jax"), ("device", "gpu:1"), "signals"]
    assert script.limits == [8.0] * 7
    assert script.sizes is stages.FULL
    texts = {"study.txt", "checks.txt", "answers.txt", "learning.txt", "drift.txt"}
    assert script.left() == {*texts, *TIMES, *RECORDS}
    assert (script.folder / "drift.txt").read_text() == f"{drift}\n"
    assert (script.folder / "study.txt").read_text() == "full sizes on gpu:1, backend jax\n"
    parts = [script.folder / "parts/a.json", script.folder / "parts/b.json"]
    assert wholes[0].read_text() == json.dumps(finding.merge(parts), indent=1)
    names = [[one.case.name.partition("[")[2] for one in reading.read(whole).measurements] for whole in wholes]
    assert names == [["a.json]", "b.json]"], ["buffers-a.json]"]]

    assert script() == (0, [])
    assert capsys.readouterr().out.splitlines() == ["all 7 stages are done", *last, drift]


def test_how_much_the_machine_has_drifted(tmp_path: Path) -> None:
    """A line has, for each case of the repeat, how many times its first time it took; 2e-5 s after 1.6e-5 s: 1.25."""
    info = {"device": "cpu", "batch_size": 1, "learning_rate": 0.001, "samples": 999}
    for name, compiled, native in (("first", 1.6e-5, 4e-5), ("again", 2e-5, 3.8e-5)):
        cases = [
            made_records.benchmark("epoch time", engine, seconds, engine=engine, **info)
            for engine, seconds in (("compiled", compiled), ("native", native))
        ]
        (tmp_path / name).write_text(json.dumps(made_records.record(cases)))

    assert drift.line(tmp_path / "first", tmp_path / "again") == (
        "drift: repeated at the end, the first case took 1.250× (bench_epoch_time[compiled]), "
        "0.950× (bench_epoch_time[native]) its time at the beginning"
    )


def test_a_later_call_says_what_is_left(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of stages, about how long they take, and their names: 132 s and 2 minutes."""
    (script.folder / "parts").mkdir(parents=True)
    for name in ("checks.txt", "answers.txt", "parts/a.json", "parts/b.json", "command_buffers"):
        path = script.folder / name
        path.write_text(json.dumps(record_of(path.name))) if path.suffix else (path / "parts").mkdir(parents=True)
    (script.folder / "command_buffers/parts/a.json").write_text(json.dumps(record_of("a.json")))
    script()

    assert capsys.readouterr().out.splitlines()[:2] == [
        "2 of 7 stages are left: about 2 min in all (guessed for 2 of them)",
        "left: repeat of b.json, learning",
    ]


def test_a_ctrl_c_that_python_dropped_ends_it(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once the stage is over in which it came no other is begun, what is done stays, and a line says how to go on."""
    monkeypatch.setattr(ending, "_asked", [signal.SIGINT])
    assert script() == (130, EVERY[:1])

    assert capsys.readouterr().out.splitlines()[-1] == "ended; the same command goes on"
    assert script.left() == {"study.txt", "checks.txt"}
    monkeypatch.setattr(ending, "_asked", [])
    assert script() == (0, EVERY[1:])


def test_a_limit_of_a_stage_is_passed_on(script: Script) -> None:
    """The limit of one stage is the one that was asked for, or what is left of the call, where that is less."""
    script(limit_minutes=2.5)
    assert script.limits == [2.5] * 7

    for name in script.left() - {"study.txt"}:
        (script.folder / name).unlink()
    script(minutes=4.5, limit_minutes=3)
    assert script.limits == [3, 3, 2.5, 1.5]


@pytest.mark.parametrize("name", ["device checks", "same answers", "learning"])
def test_no_time_of_a_device_that_is_wrong(name: str, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """After checks or answers that fail no stage is begun, and no record is left, not even that of an earlier call."""
    script.reasons[name] = "exit code 1; see there"
    before = EVERY[: EVERY.index(name)]
    if name == "learning":
        script(minutes=6.5)
        assert script.left() >= RECORDS

    assert script()[0] == 1
    assert script.ran == ([*before, name] if name != "learning" else [name])
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{name}: exit code 1; see there (60 s)",
        f"no times of a device that fails here: {name}",
    ]
    assert not script.left() & RECORDS
    assert script.left() >= (TIMES if name == "learning" else {"study.txt"})


@pytest.mark.parametrize(("name", "left"), [("same answers", set()), ("learning", RECORDS)])
def test_a_check_that_takes_too_long_ends_the_call(name: str, left: set[str], script: Script) -> None:
    """Nothing is timed before it is done; what was timed before it began is in the records, as nothing was wrong."""
    script.reasons[name] = "not done after 8 min; the next call goes on with it, or begins it anew"

    assert script() == (1, EVERY[: EVERY.index(name) + 1])
    assert script.left() & RECORDS == left


@pytest.mark.parametrize(("name", "cases"), [("b.json", ["a.json]"]), ("repeat of b.json", ["a.json]", "b.json]"])])
def test_a_time_that_is_missing_does_not_stop_the_others(name: str, cases: list[str], script: Script) -> None:
    """After a stage that is no check the script goes on, and ends with 1; the next call runs that stage alone."""
    script.reasons[name] = "not done after 8 min"

    assert script() == (1, EVERY)
    whole = script.folder / "record.json"
    assert [one.case.name.partition("[")[2] for one in reading.read(whole).measurements] == cases
    script.reasons.clear()
    assert script() == (0, [name])
    assert len(reading.read(whole).measurements) == 2


@pytest.mark.parametrize(
    ("minutes", "ran"),
    [
        (0.0, EVERY[:0]),
        (0.1, EVERY[:1]),  # the first has all the time that there is, whatever it is predicted to take
        (1.999, EVERY[:1]),
        (2.0, EVERY[:2]),
        (2.2, EVERY[:2]),
        (2.3, EVERY[:3]),
        (4.4, EVERY[:3]),
        (4.5, EVERY[:4]),
        (7.999, EVERY[:6]),
        (8.0, EVERY),
    ],
)
def test_no_stage_is_begun_that_would_not_be_done_in_time(
    minutes: float, ran: list[str], script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage begins where what it is predicted to take is left of the minutes; stages here take a minute each.

    What was timed by then is in a record.
    """
    assert script(minutes=minutes) == (0, ran)
    said = capsys.readouterr().out
    assert ("the time is up; the same command goes on" in said.splitlines()) == (ran != EVERY)
    assert (script.folder / "record.json").exists() == (len(ran) > 2)


def test_what_failed_before_the_time_was_up_is_not_forgotten(script: Script) -> None:
    """The exit code is 1 where the time is up after a stage that failed."""
    script.reasons["b.json"] = "exit code 1"

    assert script(minutes=4.0) == (1, EVERY[:3])


def test_records_of_two_machines_do_not_become_one(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Where another machine has gone on, the differences are said, with what to do, and no record is written."""
    script.machines["b.json"] = {"gpu": "another"}

    assert script() == (1, EVERY)
    parts = script.folder / "parts"
    error = capsys.readouterr().err
    assert error.startswith(
        f"python -m benchmarks.studies.gpu: {parts}/a.json and {parts}/b.json are not of one machine"
    )
    assert "gpu: " in error
    assert error.endswith(": remove what is not to be in the record\n")
    assert script.left() & RECORDS == {"command_buffers/record.json"}


def test_a_call_that_times_nothing_fails(script: Script) -> None:
    """Where every stage that times has failed there is no record, and the exit code is 1."""
    script.reasons = {name: "exit code 1" for name in EVERY if name.endswith(".json")}

    assert script() == (1, EVERY)
    assert script.left() == {"study.txt", "checks.txt", "answers.txt", "learning.txt"}


def test_a_folder_has_one_study(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """A rehearsal has small sizes, and the folder of one study takes no other: no rehearsal passes for measured."""
    assert script(small=True) == (0, EVERY)
    assert script.sizes is stages.SMALL
    capsys.readouterr()

    assert script() == (2, [])
    assert capsys.readouterr().err == (
        f"python -m benchmarks.studies.gpu: {script.folder} is of another study: small sizes on gpu:1, backend jax. "
        "Name another folder for: full sizes on gpu:1, backend jax\n"
    )
    assert script(small=True) == (0, [])


def test_a_device_that_cannot_be_is_bad_input(
    script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the backend or the device refuses is one line and exit code 2, and no folder is made."""
    for name in ("choose", "resolve"):

        def refuse(_: Any, name: str = name) -> None:
            raise ValueError(f"{name} says no")

        monkeypatch.setattr(backends if name == "choose" else devices, name, refuse)
        assert script() == (2, [])
        assert capsys.readouterr() == ("", f"python -m benchmarks.studies.gpu: {name} says no\n")
        monkeypatch.setattr(backends, "choose", lambda _: None)
    assert not script.folder.exists()


def test_only_the_check(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --check the device is checked on the backend that was asked for, and nothing else happens."""
    checked = list[str]()
    monkeypatch.setattr(command, "check", checked.append)
    command.main(script.folder, backend="torch", device="gpu:1", only_check=True)

    assert checked == ["gpu:1"]
    assert script.prepared == [("backend", "torch")]
    assert not script.folder.exists()


def test_what_the_script_does_unless_told_otherwise() -> None:
    """Without options the first GPU is held against the CPU, in a folder of the records, without a limit in all."""
    defaults = {name: one.default for name, one in inspect.signature(command.main).parameters.items()}

    assert defaults == {
        "folder": Path("benchmarks/records/gpu"),
        "backend": None,
        "device": "gpu:0",
        "minutes": 1e9,
        "limit_minutes": 8.0,
        "small": False,
        "only_check": False,
    }


@pytest.mark.parametrize(
    ("there", "answer", "said"),
    [
        (False, None, "nvidia-smi is not there, so nothing is known of a GPU's clocks and power"),
        (True, (0, "Clocks: 1980 MHz\n", ""), "Clocks: 1980 MHz\n"),
        (True, (9, "", "no driver\n"), "nvidia-smi failed with exit code 9:\nno driver\n"),
        (True, None, "nvidia-smi did not answer within 60 s"),
    ],
)
def test_the_state_of_the_device(
    there: bool, answer: tuple[int, str, str] | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what the driver says of clocks, power, throttling and temperature, or why it says nothing."""

    def ask(asked: list[str], **options: Any) -> Any:
        assert [*asked] == ["nvidia-smi", "-q", "-d", "CLOCK,POWER,PERFORMANCE,TEMPERATURE"]
        if answer is None:
            raise subprocess.TimeoutExpired(asked, options["timeout"])
        return subprocess.CompletedProcess(asked, *answer)

    monkeypatch.setattr(shutil, "which", lambda name: name if there else None)
    monkeypatch.setattr(subprocess, "run", ask)

    assert device_state.state() == said
