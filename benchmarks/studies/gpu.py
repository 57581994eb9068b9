"""What is a GPU worth? Stages, each of which is run once: python -m benchmarks.studies.gpu FOLDER --backend jax."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from parabola import files, registry
from parabola.machine import backends, devices, ending, host
from parabola.records import finding
from parabola.training.engines import missing

LIMIT_MINUTES = 8.0  # how long one stage may take

# What is timed: the batch sizes by number of samples, and the numbers of members that are trained together.
BATCH_SIZES = {999: (1, 9, 27, 111, 999), 1_000_000: (1_000, 10_000, 100_000, 1_000_000)}
MEMBERS = (1, 10, 100, 1_000, 10_000, 100_000)
MAP_SEEDS = 200  # in each cell of the map
PARTS = "parts"  # name of the folder in which each stage leaves a record of its own


@dataclass(frozen=True)
class Stage:
    """One command, which is done once it has left its file.

    Attributes:
        name: name of the stage, as it is printed.
        command: module that is run, and its arguments.
        leaves: path in the study's folder of the file that is there only after a command that did not fail.
        record: whether that file is a record of the speed suite; otherwise it is what the command has printed.
    """

    name: str
    command: tuple[str, ...]
    leaves: str
    record: bool = True


def stages(device: str, folder: Path) -> Iterator[Stage]:
    """Yield the stages in the order in which they are run.

    Args:
        device: name of the device that is held against the CPU: "gpu:0", …
        folder: the study's folder, in which the stages leave their files.
    """
    yield Stage("device checks", ("benchmarks.studies.gpu", "--check", "--device", device), "checks.txt", record=False)
    # Without --device they run on the CPU and the first GPU, and leave out small batches, which take a GPU hours.
    exact = ("benchmarks/test_coefficients.py", "-k", "not pass_rates")
    yield Stage("same answers", ("pytest", "-q", *exact), "answers.txt", record=False)
    for place in dict.fromkeys(("cpu", device)):
        kind = place.replace(":", "_")
        for samples, sizes in BATCH_SIZES.items():
            for size in sizes:
                name = f"{kind}-samples_{samples}-batch_{size}.json"
                engines = [f"--engine={engine}" for engine in timed_engines()]
                axes = [f"--samples={samples}", f"--batch-size={size}", "--learning-rate=0.001", f"--device={place}"]
                timed = ("pytest", "--benchmark-only", "--all", "-q", "-k", "epoch_time", *engines, *axes)
                yield Stage(name, timed, f"{PARTS}/{name}")
        for number in () if missing("members") else MEMBERS:
            name = f"{kind}-members_{number}.json"
            timed = ("pytest", "--benchmark-only", "-q", "-k", "members", f"--members={number}", f"--device={place}")
            yield Stage(name, timed, f"{PARTS}/{name}")
    if missing("members"):
        return
    path = folder / "map/learning_map.json"  # in a folder of its own, because it is no record
    drawn = ("parabola", "map", f"--device={device}", f"--seeds={MAP_SEEDS}", f"--json={path}")
    yield Stage("map", drawn, "map.txt", record=False)


def timed_engines() -> tuple[str, ...]:
    """Return the engines to time: whole runs and the limit; all engines where the backend has no whole runs."""
    there = [name for name in registry.timings() if not missing(name)]
    return tuple(name for name in there if registry.ENGINES[name].fast or missing(registry.DEFAULT_ENGINE))


def check(device: str) -> None:
    """Print what the backend sees, and check that a device holds tensors and multiplies them with float32's precision.

    Raises:
        RuntimeError: if a tensor is not on the device.
        SystemExit: if a product is less precise.
    """
    framework, full = backends.start(), devices.resolve(device)
    import keras
    import numpy as np

    with devices.scope(full)():
        variable = keras.Variable(np.full((64, 64), 1 + 2.0**-12, np.float32))
        devices.check_placement(variable.value, full)
        product = np.array(keras.ops.convert_to_numpy(keras.ops.matmul(variable, variable)))
    exact = 64 * (1 + 2.0**-12) ** 2  # TF32 has 10 bits of mantissa and would lose the 2⁻¹²
    print("\n".join(host.lines(host.facts())))
    print(f"{backends.backend()} {framework.__version__} has {', '.join(devices.available())}")
    print(f"a product of matrices on {full} is off by {abs(product[0, 0] / exact - 1):.1e} of it")
    if abs(product[0, 0] / exact - 1) > 1e-6:
        raise SystemExit(f"{full} multiplies with less than float32's precision")


def run(stage: Stage, folder: Path, limit_minutes: float) -> str:
    """Run a stage, which is ended after so many minutes; return what went wrong, or an empty text."""
    said = folder / "said" / f"{Path(stage.leaves).name}.txt"
    for name in ("said", "map", PARTS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    measured = folder / "said" / f"{Path(stage.leaves).name}.part"
    measured.unlink(missing_ok=True)
    command = [sys.executable, "-m", *stage.command, *([f"--benchmark-json={measured}"] if stage.record else [])]
    with said.open("w") as out:
        # In a session of its own, so that Ctrl-C reaches only this process, which then ends it.
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(limit_minutes * 60)
        except subprocess.TimeoutExpired:
            return f"not done after {limit_minutes:g} min; the next call goes on with it, or begins it anew"
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
    if code:
        return f"exit code {code}; see {said}"
    if stage.record and not measured.exists():
        return f"nothing was measured; see {said}"
    files.write_text((measured if stage.record else said).read_text(), folder / stage.leaves)
    measured.unlink(missing_ok=True)
    return ""


def main(
    folder: Annotated[Path, typer.Argument(help="Where all records go; what it has is not measured again.")] = Path(
        "benchmarks/records/gpu"
    ),
    backend: Annotated[str | None, typer.Option(help="tensorflow, jax or torch.")] = None,
    device: Annotated[str, typer.Option(help="To be held against the CPU; CUDA_VISIBLE_DEVICES says which.")] = "gpu:0",
    minutes: Annotated[float, typer.Option(help="After so many, no stage is begun; the next call goes on.")] = 1e9,
    limit_minutes: Annotated[float, typer.Option(help="Of one stage.")] = LIMIT_MINUTES,
    only_check: Annotated[bool, typer.Option("--check", help="Only hold the device to what is asked of it.")] = False,
) -> None:
    """Check a GPU, hold its answers against the reference, time it beside the CPU, and draw the map on it."""
    try:
        backends.choose(backend)
        if only_check:
            check(device)
            return
        devices.resolve(device)
    except ValueError as error:
        print(f"python -m benchmarks.studies.gpu: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    ending.end_as_by_ctrl_c()
    begun, failed = time.monotonic(), 0
    folder.mkdir(parents=True, exist_ok=True)
    for stage in stages(device, folder):
        if (folder / stage.leaves).exists():
            continue
        if time.monotonic() - begun > 60 * minutes:
            print("the time is up; the same command goes on")
            raise typer.Exit(failed and 1)
        stage_begun = time.monotonic()
        print(f"{stage.name} …", flush=True)
        reason = run(stage, folder, limit_minutes)
        ending.end_if_asked()
        print(f"{stage.name}: {reason or 'done'} ({time.monotonic() - stage_begun:.0f} s)", flush=True)
        failed += bool(reason)
        if reason and not stage.record and stage.name != "map":
            raise typer.Exit(1)  # no times of a device that is not right
    whole, parts = folder / "record.json", sorted((folder / PARTS).glob("*.json"))
    if not parts:
        print("nothing was timed; the same command goes on")
        raise typer.Exit(1)
    try:
        content = finding.merge(parts)
    except ValueError as error:
        print(f"python -m benchmarks.studies.gpu: {error}: remove what is not to be in the record", file=sys.stderr)
        raise typer.Exit(1) from None
    files.write_text(json.dumps(content, indent=1), whole)
    print(f"{whole} holds all that was timed: python -m parabola report {whole}")
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
