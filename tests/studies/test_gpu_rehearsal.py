"""The study of a GPU from its wheels to its report, on a CPU, by the handbook's commands and with nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.studies.gpu import stages
from benchmarks.studies.gpu.wheels import JAX_BRINGS
from parabola.records import reading
from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/backends-and-devices.md").read_text(encoding="utf-8")
FREEZE, WHEELS, INSTALL, STUDY = (
    line
    for line in PAGE.splitlines()
    if re.match(r"python -m (pip|benchmarks\.studies\.gpu)\b.*(freeze|wheels|small)", line)
)
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# Refuses what leaves this machine, and writes it down, in every process of Python that finds it as sitecustomize.
GUARD = """
import sys
HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None)
def refuse(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in HERE:
        with open({written!r}, "a") as file:
            print(event, host, file=file)
        raise ConnectionRefusedError(f"there is no network here: {{host}}")
sys.addaudithook(refuse)
"""


@pytest.mark.end_to_end
def test_the_study_runs_with_its_wheels_and_without_a_network(tmp_path: Path) -> None:
    """JAX, exactly these wheels, and no TensorFlow: every stage leaves its file, none is run twice, `report` reads it.

    The commands are the handbook's, but for the version of Python, the folders, and a limit that spares the minutes in
    which wheels are compressed anew.
    """
    python, written, folder = tmp_path / "environment/bin/python", tmp_path / "written", tmp_path / "rehearsal"
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard/sitecustomize.py").write_text(GUARD.format(written=str(written)))
    online = {**users_environment(), "PYTHONPATH": "", "PATH": f"{python.parent}:{os.environ['PATH']}"}
    for name in ("KERAS_BACKEND", "XLA_FLAGS"):
        online.pop(name, None)
    offline = {**online, "PYTHONPATH": str(tmp_path / "guard")}

    def run(command: str, environment: dict[str, str] = offline) -> str:
        """Run a command with the paths of this test; return what it says."""
        here = re.sub(r"(?<![\w.])(wheels|freeze\.txt|rehearsal)\b", rf"{tmp_path}/\1", command)
        answer = subprocess.run(
            here, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        said = [path.read_text() for path in folder.glob("said/*.txt")]
        assert answer.returncode == 0, "\n".join([here, answer.stdout, answer.stderr, *said])
        return answer.stdout

    run(f"{sys.executable} -m venv {tmp_path}/environment", online)
    run("python -m pip install --quiet --no-compile 'jax>=0.5'", online)
    run(FREEZE, online)
    gathered = f"{WHEELS.replace('3.12', VERSION).replace('python', sys.executable, 1)} --limit-mebibytes 200"
    assert run(gathered, online).splitlines()[-1] == INSTALL.replace("wheels", f"{tmp_path}/wheels")
    run(f"{INSTALL} --no-compile --quiet")
    there = {
        line.partition("==")[0].lower().replace("_", "-") for line in run("python -m pip list --format=freeze").split()
    }
    brought = {line.partition("==")[0] for line in (tmp_path / "wheels/wheels.txt").read_text().split()}
    first = run(STUDY).splitlines()
    left = {
        str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file() and "said" not in path.parts
    }
    planned = [*stages.stages("cpu:0", folder, stages.SMALL)]
    left["state_after.txt"].unlink()
    again = run(STUDY).splitlines()
    report = run("python -m parabola report rehearsal/record.json")
    whole, buffers = reading.read(left["record.json"]), reading.read(left["command_buffers/record.json"])
    map_cells = json.loads(left["map/learning_map.json"].read_text())["cells"]

    assert there - {"pip", "setuptools", "wheel"} == brought | {*JAX_BRINGS}
    assert not there & {"tensorflow", "altair", "vl-convert-python", "ruptures", "jinja2", "pytest-xdist"}
    assert not written.exists(), written.read_text()
    refused = subprocess.run([python, "-c", "import socket; socket.create_connection(('192.0.2.1', 9))"], env=offline)
    assert (refused.returncode, written.read_text()) == (1, "socket.getaddrinfo 192.0.2.1\n")

    assert re.fullmatch(rf"{len(planned)} stages: about \d+ min in all \(guessed for \d+ of them\)", first[0])
    done = [line.partition(": done (")[0] for line in first if ": done (" in line]
    assert done == [stage.name for stage in planned]
    assert {*left} == {stage.leaves for stage in planned} | {
        *("study.txt", "record.json", "command_buffers/record.json", "drift.txt", "map/learning_map.json")
    }
    assert [line.partition(": done (")[0] for line in again if ": done (" in line] == ["state after"]
    assert again[:2] == [again[0], "left: state after"]
    assert not list((folder / "said").glob("*.part"))
    assert "off by" in left["checks.txt"].read_text()
    assert "jax" in left["checks.txt"].read_text()
    assert map_cells
    parts = [reading.read(path) for name, path in sorted(left.items()) if name.startswith("parts/")]
    assert whole.measurements == tuple(one for part in parts for one in part.measurements)
    assert {one.case.kind for one in whole.measurements} == {"epoch time", "members"}
    assert (whole.planned, whole.over) == (sum(part.planned for part in parts), sum(part.over for part in parts))
    assert whole.fingerprint == parts[0].fingerprint
    assert stages.COMMAND_BUFFER_FLAGS in dict(buffers.fingerprint)["xla_flags"]
    assert stages.COMMAND_BUFFER_FLAGS not in dict(whole.fingerprint)["xla_flags"]
    assert re.fullmatch(r"drift: .* took \d+\.\d+× \(\S+\) its time at the beginning\n", left["drift.txt"].read_text())
    assert "compiled cpu" in report
