"""The GPU script's stages without a GPU and without programs: commands, resumption, failures, and what is left."""

import inspect
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.studies import gpu
from parabola.machine import backends, devices, ending
from parabola.records import finding, reading
from tests import made_records


def test_the_commands_of_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage has this command, leaves this file, and leaves a record or what it said."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(gpu, "BATCH_SIZES", {77: (5, 2), 8: (8,)})
    monkeypatch.setattr(gpu, "MEMBERS", (3, 1))
    monkeypatch.setattr(gpu, "MAP_SEEDS", 6)
    stages = [*gpu.stages("gpu:1", tmp_path)]
    timed = "pytest --benchmark-only --all -q -k epoch_time --engine=compiled --engine=native"
    members = "pytest --benchmark-only -q -k members"

    assert [(stage.name, " ".join(stage.command), stage.leaves, stage.record) for stage in stages] == [
        ("device checks", "benchmarks.studies.gpu --check --device gpu:1", "checks.txt", False),
        ("same answers", "pytest -q benchmarks/test_coefficients.py -k not pass_rates", "answers.txt", False),
        *(
            stage
            for device, kind in (("cpu", "cpu"), ("gpu:1", "gpu_1"))
            for stage in (
                *(
                    (
                        f"{kind}-samples_{samples}-batch_{size}.json",
                        f"{timed} --samples={samples} --batch-size={size} --learning-rate=0.001 --device={device}",
                        f"parts/{kind}-samples_{samples}-batch_{size}.json",
                        True,
                    )
                    for samples, size in ((77, 5), (77, 2), (8, 8))
                ),
                *(
                    (
                        f"{kind}-members_{number}.json",
                        f"{members} --members={number} --device={device}",
                        f"parts/{kind}-members_{number}.json",
                        True,
                    )
                    for number in (3, 1)
                ),
            )
        ),
        (
            "map",
            f"parabola map --device=gpu:1 --seeds=6 --json={tmp_path}/map/learning_map.json",
            "map.txt",
            False,
        ),
    ]
    assert stages[1].command[-1] == "not pass_rates"


def test_the_sizes_of_the_stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """These sizes are timed, and the map has 200 seeds a cell."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    stages = [*gpu.stages("gpu:0", tmp_path)]

    assert [stage.name.removeprefix("cpu-") for stage in stages if stage.name.startswith("cpu-")] == [
        *(f"samples_999-batch_{size}.json" for size in (1, 9, 27, 111, 999)),
        *(f"samples_1000000-batch_{size}.json" for size in (1_000, 10_000, 100_000, 1_000_000)),
        *(f"members_{number}.json" for number in (1, 10, 100, 1_000, 10_000, 100_000)),
    ]
    assert "--seeds=200" in stages[-1].command
    assert len([*gpu.stages("cpu", tmp_path)]) == 3 + 15  # the CPU is not held against itself


def test_stages_of_a_backend_without_whole_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch Keras' own loops are timed, and there are no members and no map."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(gpu, "BATCH_SIZES", {999: (9,)})
    stages = [*gpu.stages("gpu:0", tmp_path)]

    assert [stage.leaves for stage in stages] == [
        "checks.txt",
        "answers.txt",
        "parts/cpu-samples_999-batch_9.json",
        "parts/gpu_0-samples_999-batch_9.json",
    ]
    engines = [word for word in stages[-1].command if word.startswith("--engine")]
    assert engines == ["--engine=fit", "--engine=fused_fit", "--engine=native"]


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


RECORD = gpu.Stage("a.json", ("pytest", "-q"), "parts/a.json")
SAID = gpu.Stage("map", ("parabola", "map"), "map.txt", record=False)


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_stage_leaves_its_record(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """A stage's record has the place that it is to have, whole; what was measured before is never taken for it."""
    folder = tmp_path / "new/folder"
    process = start(Process(says="some words\n", measures="{}"))

    assert gpu.run(RECORD, folder, 2.5) == ""
    part = folder / "said/a.json.part"
    assert process.command == [sys.executable, "-m", "pytest", "-q", f"--benchmark-json={part}"]
    assert process.options == {"stderr": subprocess.STDOUT, "start_new_session": True}
    assert process.waited == [150.0]
    assert process.signals == []
    assert files_in(folder) == {"parts/a.json": "{}", "said/a.json.txt": "some words\n"}
    assert {path.name for path in folder.iterdir()} == {"said", "map", "parts"}


def test_a_stage_without_a_record_leaves_what_it_said(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """Such a stage's file is what its command said, and its command is told of no record."""
    process = start(Process(says="a map\n"))

    assert gpu.run(SAID, tmp_path, 8) == ""
    assert process.command == [sys.executable, "-m", "parabola", "map"]
    assert files_in(tmp_path) == {"map.txt": "a map\n", "said/map.txt.txt": "a map\n"}


@pytest.mark.parametrize("stage", [RECORD, SAID])
@pytest.mark.parametrize("code", [1, -9])
def test_a_stage_that_fails_leaves_nothing(
    stage: gpu.Stage, code: int, tmp_path: Path, start: Callable[[Process], Process]
) -> None:
    """The code and where the words are is said; the stage's file is not there, so that it is run again."""
    start(Process(code=code, says="why\n", measures="{}"))
    said = tmp_path / f"said/{Path(stage.leaves).name}.txt"

    assert gpu.run(stage, tmp_path, 8) == f"exit code {code}; see {said}"
    assert not (tmp_path / stage.leaves).exists()
    assert said.read_text() == "why\n"


def test_a_stage_that_measures_nothing_has_failed(tmp_path: Path, start: Callable[[Process], Process]) -> None:
    """A record that was begun by an earlier call does not stand for one that this call did not write."""
    (tmp_path / "said").mkdir()
    (tmp_path / "said/a.json.part").write_text("old")
    start(Process(says="all skipped\n"))

    assert gpu.run(RECORD, tmp_path, 8) == f"nothing was measured; see {tmp_path / 'said/a.json.txt'}"
    assert files_in(tmp_path) == {"said/a.json.txt": "all skipped\n"}


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
        gpu.run(RECORD, tmp_path, 0.25) == "not done after 0.25 min; the next call goes on with it, or begins it anew"
    )
    assert process.waited == waited
    assert process.signals == signals
    assert not (tmp_path / "parts/a.json").exists()
    assert (tmp_path / "said/a.json.txt").read_text() == "half\n"


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
        gpu.run(RECORD, tmp_path, 8)

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
        self.ran, self.prepared, self.limits = list[str](), list[Any](), set[float]()
        monkeypatch.setattr(gpu, "stages", self.stages)
        monkeypatch.setattr(gpu, "run", self.run)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(backends, "choose", lambda name: self.prepared.append(("backend", name)))
        monkeypatch.setattr(devices, "resolve", lambda name: self.prepared.append(("device", name)))
        monkeypatch.setattr(ending, "end_as_by_ctrl_c", lambda: self.prepared.append("signals"))

    def stages(self, device: str, folder: Path) -> list[gpu.Stage]:
        assert (device, folder) == ("gpu:1", self.folder)
        return [
            gpu.Stage("device checks", (), "checks.txt", record=False),
            gpu.Stage("same answers", (), "answers.txt", record=False),
            gpu.Stage("b.json", (), "parts/b.json"),
            gpu.Stage("a.json", (), "parts/a.json"),
            gpu.Stage("map", (), "map.txt", record=False),
        ]

    def run(self, stage: gpu.Stage, folder: Path, limit_minutes: float) -> str:
        assert folder == self.folder
        assert folder.is_dir()
        self.ran.append(stage.name)
        self.limits.add(limit_minutes)
        self.now += self.seconds
        if reason := self.reasons.get(stage.name):
            return reason
        path = folder / stage.leaves
        path.parent.mkdir(exist_ok=True)
        machine = self.machines.get(stage.name, {})
        path.write_text(json.dumps(record_of(stage.name, **machine)) if stage.record else "said")
        return ""

    def __call__(self, **options: Any) -> tuple[Any, list[str]]:
        """Run the script; return its exit code, and which stages it has run."""
        self.ran = []
        with pytest.raises(typer.Exit) as ended:
            gpu.main(self.folder, device="gpu:1", **options)
        return ended.value.exit_code, self.ran

    def left(self) -> set[str]:
        return set(files_in(self.folder))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(tmp_path / "some/records", monkeypatch)


EVERY = ["device checks", "same answers", "b.json", "a.json", "map"]


def test_all_stages_run_in_their_order_and_never_again(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Each stage says that it begins and how long it took; the records become one; a second call runs nothing."""
    script.seconds = 60.6
    assert script(backend="jax") == (0, EVERY)
    whole = script.folder / "record.json"
    last = f"{whole} holds all that was timed: python -m parabola report {whole}"
    said = [line for name in EVERY for line in (f"{name} …", f"{name}: done (61 s)")]
    assert capsys.readouterr().out.splitlines() == [*said, last]
    assert script.prepared == [("backend", "jax"), ("device", "gpu:1"), "signals"]
    assert script.limits == {8.0}
    assert script.left() == {"checks.txt", "answers.txt", "parts/a.json", "parts/b.json", "map.txt", "record.json"}
    parts = [script.folder / "parts/a.json", script.folder / "parts/b.json"]
    assert whole.read_text() == json.dumps(finding.merge(parts), indent=1)
    assert [one.case.name.partition("[")[2] for one in reading.read(whole).measurements] == ["a.json]", "b.json]"]

    assert script() == (0, [])
    assert capsys.readouterr().out.splitlines() == [last]


def test_a_ctrl_c_that_python_dropped_ends_it(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the stage is over in which it came no other is begun, and what is done stays."""
    monkeypatch.setattr(ending, "_asked", [2])
    with pytest.raises(KeyboardInterrupt):
        script()

    assert script.ran == ["device checks"]
    assert script.left() == {"checks.txt"}


def test_a_limit_of_a_stage_is_passed_on(script: Script) -> None:
    """The limit of one stage is the one that was asked for."""
    script(limit_minutes=2.5)

    assert script.limits == {2.5}


@pytest.mark.parametrize("name", ["device checks", "same answers"])
def test_no_time_of_a_device_that_is_wrong(name: str, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """After checks or answers that fail no stage is begun, and no record is made."""
    script.reasons[name] = "exit code 1; see there"
    before = EVERY[: EVERY.index(name)]

    assert script() == (1, [*before, name])
    assert capsys.readouterr().out.splitlines()[-1] == f"{name}: exit code 1; see there (60 s)"
    assert script.left() == {"checks.txt"} & {"checks.txt" for _ in before}


@pytest.mark.parametrize(("name", "cases"), [("b.json", ["a.json]"]), ("map", ["a.json]", "b.json]"])])
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
    ("minutes", "ran"), [(0.0, EVERY[:1]), (1.999, EVERY[:2]), (2.0, EVERY[:3]), (3.999, EVERY[:4]), (4.0, EVERY)]
)
def test_no_stage_is_begun_after_the_time(
    minutes: float, ran: list[str], script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage begins as long as no more than the minutes have gone by; stages here take a minute each."""
    assert script(minutes=minutes) == (0, ran)
    said = capsys.readouterr().out
    assert ("the time is up; the same command goes on" in said.splitlines()) == (ran != EVERY)
    assert (script.folder / "record.json").exists() == (ran == EVERY)


def test_what_failed_before_the_time_was_up_is_not_forgotten(script: Script) -> None:
    """The exit code is 1 where the time is up after a stage that failed."""
    script.reasons["b.json"] = "exit code 1"

    assert script(minutes=2.0) == (1, EVERY[:3])


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
    assert not (script.folder / "record.json").exists()


def test_a_call_that_times_nothing_says_so(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Where every stage that times has failed there is no record, one line says so, and the exit code is 1."""
    script.reasons = {"a.json": "exit code 1", "b.json": "exit code 2"}

    assert script() == (1, EVERY)
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was timed; the same command goes on"
    assert script.left() == {"checks.txt", "answers.txt", "map.txt"}


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
    monkeypatch.setattr(gpu, "check", checked.append)
    gpu.main(script.folder, backend="torch", device="gpu:1", only_check=True)

    assert checked == ["gpu:1"]
    assert script.prepared == [("backend", "torch")]
    assert not script.folder.exists()


def test_what_the_script_does_unless_told_otherwise() -> None:
    """Without options the first GPU is held against the CPU, in a folder of the records, without a limit in all."""
    defaults = {name: one.default for name, one in inspect.signature(gpu.main).parameters.items()}

    assert defaults == {
        "folder": Path("benchmarks/records/gpu"),
        "backend": None,
        "device": "gpu:0",
        "minutes": 1e9,
        "limit_minutes": 8.0,
        "only_check": False,
    }
