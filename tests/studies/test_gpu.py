"""The script for GPU machines, with a CPU in the GPU's place: its order of work, what it leaves, and how it resumes."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from benchmarks.studies import gpu
from parabola.machine import devices, host
from parabola.records import reading
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the timed stages one of each kind and each place, with few and small sizes; and of the exact tests one."""
    right = gpu.stages
    for name in os.environ.keys() - users_environment().keys():  # a suite of its own is run
        monkeypatch.delenv(name)

    left_out = ("cpu_0-samples_999-batch_999.json", "cpu-members_8.json")

    def few(device: str, folder: Path) -> Any:
        for stage in right(device, folder):
            if stage.name in left_out:
                continue
            command = tuple("bits and native" if word == "not pass_rates" else word for word in stage.command)
            if stage.name == "map":
                command += ("--learning-rates=0.1", "--batch-sizes=999", "--epochs=9")
            if stage.record:
                command += ("--rounds=3", "--epochs=9")
            yield gpu.Stage(stage.name, command, stage.leaves, stage.record)

    monkeypatch.setattr(gpu, "timed_engines", lambda: ("compiled",))
    monkeypatch.setattr(gpu, "BATCH_SIZES", {999: (999,)})
    monkeypatch.setattr(gpu, "MEMBERS", (8,))
    monkeypatch.setattr(gpu, "MAP_SEEDS", 4)
    monkeypatch.setattr(gpu, "stages", few)
    monkeypatch.chdir(ROOT)


def test_stages_cover_what_is_promised(tmp_path: Path) -> None:
    """Checks and answers first; then, on the CPU and the GPU alike, each size; the map last."""
    names = [stage.name for stage in gpu.stages("gpu:0", tmp_path)]
    timed = names[2:-1]
    assert all(stage.leaves == f"parts/{stage.name}" for stage in gpu.stages("gpu:0", tmp_path) if stage.record)
    half = len(timed) // 2

    assert (names[:2], names[-1]) == (["device checks", "same answers"], "map")
    assert [name.replace("cpu", "gpu_0") for name in timed[:half]] == timed[half:]
    assert {f"cpu-samples_1000000-batch_{10**power}.json" for power in (3, 4, 5, 6)} < set(timed)
    assert {f"cpu-members_{10**power}.json" for power in range(6)} < set(timed)
    assert {f"gpu_0-samples_999-batch_{size}.json" for size in (1, 9, 27, 111, 999)} < set(timed)


@pytest.mark.end_to_end
def test_it_runs_to_the_end_and_resumes(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every stage leaves its file; what is there is not run again; `report` reads the folder."""
    folder = tmp_path / "records"
    with pytest.raises(typer.Exit) as ended:
        gpu.main(folder, device="cpu:0", minutes=0.0)
    assert not ended.value.exit_code
    assert "the time is up" in capsys.readouterr().out
    with pytest.raises(typer.Exit) as ended:
        gpu.main(folder, device="cpu:0")
    said = capsys.readouterr().out
    assert ended.value.exit_code == 0, said + "".join(path.read_text() for path in (folder / "said").iterdir())
    assert said.count(": done (") == len([*gpu.stages("cpu:0", folder)])
    assert all((folder / stage.leaves).exists() for stage in gpu.stages("cpu:0", folder))
    assert {path.name for path in (folder / "parts").iterdir()} == {
        "cpu-samples_999-batch_999.json",
        "cpu_0-members_8.json",
    }
    left = {path.name for path in folder.iterdir()}
    assert left == {"said", "map", "parts", "checks.txt", "answers.txt", "map.txt", "record.json"}
    assert not list((folder / "said").glob("*.part"))
    assert "off by" in (folder / "checks.txt").read_text()
    assert json.loads((folder / "map/learning_map.json").read_text())["cells"]
    parts = [reading.read(path) for path in sorted((folder / "parts").iterdir())]
    whole = reading.read(folder / "record.json")
    assert whole.measurements == tuple(one for part in parts for one in part.measurements)
    assert {one.case.kind for one in whole.measurements} == {"epoch time", "members"}
    assert (whole.planned, whole.over) == (sum(part.planned for part in parts), sum(part.over for part in parts))
    assert whole.fingerprint == parts[0].fingerprint

    with pytest.raises(typer.Exit):
        gpu.main(folder, device="cpu:0")
    assert ": done" not in capsys.readouterr().out
    report = [sys.executable, "-m", "parabola", "report", str(folder / "record.json")]
    answer = subprocess.run(report, cwd=tmp_path, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert "compiled cpu" in answer.stdout


@pytest.mark.end_to_end
def test_no_time_of_a_device_that_is_not_right(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where its answers are wrong, the script ends there, and says where to look."""
    before = gpu.stages
    commands = {"same answers": ("pytest", "-q", "no/such/test.py")}  # wrong, and all others do nothing
    monkeypatch.setattr(
        gpu,
        "stages",
        lambda *where: [
            gpu.Stage(stage.name, commands.get(stage.name, ("platform",)), stage.leaves, stage.record)
            for stage in before(*where)
        ],
    )
    with pytest.raises(typer.Exit) as ended:
        gpu.main(tmp_path, device="cpu:0")

    assert ended.value.exit_code == 1
    assert "same answers: exit code 4; see" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"said", "map", "parts", "checks.txt"}


@pytest.mark.end_to_end
def test_a_stage_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """It leaves nothing, and what it said is kept."""
    stage = gpu.Stage("slow", ("timeit", "-n1", "-r1", "import time; time.sleep(60)"), "slow.txt", record=False)
    reason = gpu.run(stage, tmp_path, limit_minutes=0.02)

    assert reason.startswith("not done after 0.02 min")
    assert sorted(os.listdir(tmp_path)) == ["map", "parts", "said"]


def test_less_than_float32_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product as TF32 makes it, with 10 bits of mantissa, is refused; float32's passes."""
    gpu.check("cpu:0")
    import keras

    right = keras.ops.matmul

    def tf32(one: Any, other: Any) -> Any:
        plain = [keras.ops.convert_to_numpy(value) for value in (one, other)]
        rounded = [value.view(np.uint32) + 0x1000 & 0xFFFFE000 for value in plain]
        return right(*(value.view(np.float32) for value in rounded))

    monkeypatch.setattr(keras.ops, "matmul", tf32)
    with pytest.raises(SystemExit, match="less than float32's precision"):
        gpu.check("cpu:0")


@pytest.mark.parametrize(
    ("off", "right"), [(0.0, True), (9.9e-7, True), (-9.9e-7, True), (1.01e-6, False), (-1.01e-6, False)]
)
def test_a_product_may_be_off_by_a_millionth(
    off: float, right: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A product that is off by more than a millionth is refused; how much it is off is printed before, with the facts.

    The product of two matrices of 64 × 64, whose values are all 1 + 2⁻¹², has the values 64 (1 + 2⁻¹²)².
    """
    import keras

    monkeypatch.setattr(keras.ops, "matmul", lambda *_: np.full((64, 64), 64 * (1 + 2**-12) ** 2 * (1 + off)))
    if right:
        gpu.check("cpu")
    else:
        with pytest.raises(SystemExit) as ended:
            gpu.check("cpu")
        assert str(ended.value) == "cpu:0 multiplies with less than float32's precision"
    said = capsys.readouterr().out.splitlines()

    assert said[:4] == host.lines(host.facts())
    version = host.installed("tensorflow")
    assert said[4:] == [
        f"tensorflow {version} has {', '.join(devices.available())}",
        f"a product of matrices on cpu:0 is off by {abs(off):.1e} of it",
    ]


def test_where_the_check_puts_its_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check refuses a device on which its tensors are not."""
    monkeypatch.setattr(devices, "resolve", lambda name: "gpu:0")
    monkeypatch.setattr(devices, "scope", lambda name: nullcontext)
    with pytest.raises(RuntimeError, match=r"^weights were asked to be on gpu:0, but are on cpu:0$"):
        gpu.check("gpu")


def test_a_device_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is written."""
    with pytest.raises(typer.Exit) as ended:
        gpu.main(tmp_path / "records", device="gpu:7")

    assert ended.value.exit_code == 2
    assert "device gpu:7 is not there; here: cpu:0" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
