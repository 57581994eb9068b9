"""The command: it says what will be done, has each stage done once, and makes the records of what was timed."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.studies.gpu import drift
from benchmarks.studies.gpu.device_check import check
from benchmarks.studies.gpu.running import NOT_DONE, run
from benchmarks.studies.gpu.stages import COMMAND_BUFFERS, FULL, PARTS, REPEAT, SMALL, Stage, stages
from parabola import files
from parabola.machine import backends, devices, ending
from parabola.records import finding

NAME = "python -m benchmarks.studies.gpu"
LIMIT_MINUTES = 8.0  # how long one stage may take
GOES_ON = "the same command goes on"


def main(
    folder: Annotated[Path, typer.Argument(help="Where all records go; what it has is not measured again.")] = Path(
        "benchmarks/records/gpu"
    ),
    backend: Annotated[str | None, typer.Option(help="tensorflow, jax or torch.")] = None,
    device: Annotated[str, typer.Option(help="To be held against the CPU; CUDA_VISIBLE_DEVICES says which.")] = "gpu:0",
    minutes: Annotated[float, typer.Option(help="Of this call; the next one goes on.")] = 1e9,
    limit_minutes: Annotated[float, typer.Option(help="Of one stage.")] = LIMIT_MINUTES,
    small: Annotated[bool, typer.Option("--small", help="A rehearsal: few small sizes, which say nothing.")] = False,
    only_check: Annotated[bool, typer.Option("--check", help="Only hold the device to what is asked of it.")] = False,
) -> None:
    """Check a GPU, hold its answers against the reference, time it beside the CPU, and draw the map on it."""
    try:
        backends.choose(backend)
        if only_check:
            check(device)
            return
        devices.resolve(device)
        own(folder, f"{'small' if small else 'full'} sizes on {device}, backend {backends.backend()}")
    except ValueError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    ending.end_as_by_ctrl_c()
    planned = [*stages(device, folder, SMALL if small else FULL)]
    left = [stage for stage in planned if not (folder / stage.leaves).exists()]
    print("\n".join(plan_lines(planned, left)), flush=True)
    try:
        failed = run_all(left, folder, minutes, limit_minutes)
        failed += write_records(folder)
    except KeyboardInterrupt:
        print(f"ended; {GOES_ON}", flush=True)
        raise typer.Exit(ending.exit_code()) from None
    raise typer.Exit(1 if failed else 0)


def own(folder: Path, study: str) -> None:
    """Make the study's folder, or check that it is of the same study: a rehearsal must not pass for a measurement.

    Raises:
        ValueError: if the folder is of another study, or cannot be made.
    """
    files.check_folder(folder, own=False)
    about = folder / "study.txt"
    before = about.read_text(encoding="utf-8").strip() if about.exists() else study
    if before != study:
        raise ValueError(f"{folder} is of another study: {before}. Name another folder for: {study}")
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(f"{study}\n", about)


def plan_lines(planned: Sequence[Stage], left: Sequence[Stage]) -> Iterator[str]:
    """Yield lines that say how many stages there are, which are left of them, and about how long these will take."""
    guesses = sum(stage.guess for stage in left)
    guessed = f" (guessed for {guesses} of them)" if guesses else ""
    took = f"about {sum(stage.seconds for stage in left) / 60:.0f} min in all{guessed}"
    if len(left) == len(planned):
        yield f"{len(planned)} stages: {took}"
    elif left:
        yield f"{len(left)} of {len(planned)} stages are left: {took}"
        yield f"left: {', '.join(stage.name for stage in left)}"
    else:
        yield f"all {len(planned)} stages are done"


def run_all(left: Sequence[Stage], folder: Path, minutes: float, limit_minutes: float) -> int:
    """Run the stages that are left, as long as the minutes of this call last; return how many have failed.

    Raises:
        typer.Exit: if the device has failed what decides on its times; there is no record of them then.
    """
    begun, failed = time.monotonic(), 0
    for number, stage in enumerate(left):
        stage_begun = time.monotonic()
        minutes_left = minutes - (stage_begun - begun) / 60
        if minutes_left <= 0 or (number and stage.seconds > 60 * minutes_left):  # the first has all there is
            print(f"the time is up; {GOES_ON}", flush=True)
            break
        print(f"{stage.name} … (about {stage.seconds:.0f} s{', a guess' if stage.guess else ''})", flush=True)
        reason = run(stage, folder, min(limit_minutes, minutes_left))
        ending.end_if_asked()
        print(f"{stage.name}: {reason or 'done'} ({time.monotonic() - stage_begun:.0f} s)", flush=True)
        failed += bool(reason)
        if reason and stage.decides:
            if reason.startswith(NOT_DONE):
                break
            for whole in whole_records(folder):
                whole.unlink(missing_ok=True)
            print(f"no times of a device that fails here: {stage.name}", flush=True)
            raise typer.Exit(1)
    return failed


def whole_records(folder: Path) -> list[Path]:
    """Return the paths of the study's records: of all that was timed, and of all that was with command buffers."""
    return [folder / "record.json", folder / COMMAND_BUFFERS / "record.json"]


def write_records(folder: Path) -> int:
    """Write the records of what was timed so far, and say where they are; return how many could not be written."""
    failed = 0
    for whole in whole_records(folder):
        parts = sorted((whole.parent / PARTS).glob("*.json"))
        try:
            if parts:
                files.write_text(json.dumps(finding.merge(parts), indent=1), whole)
                print(f"{whole} holds all that was timed: python -m parabola report {whole}")
        except ValueError as error:
            print(f"{NAME}: {error}: remove what is not to be in the record", file=sys.stderr)
            failed += 1
    for again in (folder / REPEAT).glob("*.json"):
        if (first := folder / PARTS / again.name).exists():
            said = drift.line(first, again)
            files.write_text(f"{said}\n", folder / "drift.txt")
            print(said)
    return failed


def start() -> None:
    """Run the command by the words that it was given."""
    typer.run(main)
