"""The study of a GPU, with a CPU in the GPU's place: what a device is held to, and what becomes of a slow stage."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from benchmarks.studies.gpu import command, running
from benchmarks.studies.gpu.device_check import check
from benchmarks.studies.gpu.stages import Stage
from parabola.machine import devices, host


@pytest.mark.end_to_end
def test_a_stage_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """It leaves nothing, and what it said is kept."""
    stage = Stage("slow", ("timeit", "-n1", "-r1", "import time; time.sleep(60)"), "slow.txt", record=False)
    reason = running.run(stage, tmp_path, limit_minutes=0.02)

    assert reason.startswith("not done after 0.02 min")
    assert sorted(os.listdir(tmp_path)) == ["map", "said"]


def test_less_than_float32_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A product as TF32 makes it, with 10 bits of mantissa, is refused; float32's passes."""
    check("cpu:0")
    import keras

    right = keras.ops.matmul

    def tf32(one: Any, other: Any) -> Any:
        plain = [keras.ops.convert_to_numpy(value) for value in (one, other)]
        rounded = [value.view(np.uint32) + 0x1000 & 0xFFFFE000 for value in plain]
        return right(*(value.view(np.float32) for value in rounded))

    monkeypatch.setattr(keras.ops, "matmul", tf32)
    with pytest.raises(SystemExit, match="less than float32's precision"):
        check("cpu:0")


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
        check("cpu")
    else:
        with pytest.raises(SystemExit) as ended:
            check("cpu")
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
        check("gpu")


def test_a_device_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is written."""
    with pytest.raises(typer.Exit) as ended:
        command.main(tmp_path / "records", device="gpu:7")

    assert ended.value.exit_code == 2
    assert "device gpu:7 is not there; here: cpu:0" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
