"""The machine's facts, as the driver and the kernel tell them."""

import platform
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import sharing
from parabola.machine import host


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


def test_a_driver_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the facts; who wants to deal out their memory deals out none."""

    def hang(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", timeout)

    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("subprocess.run", hang)

    assert host.gpus() == ["unknown: nvidia-smi did not answer"]
    assert sharing.memory_of_gpus() == {}
