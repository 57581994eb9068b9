"""Hold the engines against programs that others would write: python -m benchmarks.studies.compare_peers.

All run in turn on one machine. The peers lie beside this file: the limits in C, a JAX user's program, a Keras user's.
JAX is not installed with parabola: --jax-python names a Python that has it; without one, the JAX rows are left out.
Members are a block of 512, and their time is that of one of them.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.box import MARKDOWN
from rich.console import Console

from benchmarks.harness.member import Member
from parabola import registry
from parabola.display import console as display_console
from parabola.display.tables import for_terminal, table_of
from parabola.ensemble import members
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.verification import check

PEERS = Path(__file__).parent / "peers"
SAMPLES = 999
FAST_BATCH_SIZES, FIT_BATCH_SIZES = (1, 9, 27, 111, 500, 999), (1, 111, 999)  # 500 leaves a batch of 499
MEMBERS, MEMBERS_EPOCHS = 512, 60
FIT_EPOCHS = {1: 4, 111: 250, 999: 250}  # so many that what one call of `fit` costs by itself is little of it
PAIRS = (
    ("native", "limit.c"),
    ("compiled", "limit.c"),
    ("compiled", "jax_scan.py"),
    ("compiled", "jax_scan.py keras"),
    ("512 members, each", "limit_members.c"),
    ("fit", "keras_fit.py"),
    ("fused_fit", "keras_fit.py fused"),
    ("keras_fit.py", "compiled"),
)
Command = tuple[str, ...]


def time_engine(engine: str, epochs: int, batch_size: int) -> dict[str, float]:
    """Time an engine in this process as its peer times itself: by the median run or, of Keras' loop, median epoch."""
    keras = not registry.ENGINES[engine].fast  # Keras' own loop, whose epochs are timed one by one
    built: Any = engines.build(Experiment(engine=engine, epochs=epochs + keras, batch_size=batch_size))
    if keras:
        begin_epoch, clock = built.feed.begin_epoch, list[float]()

        def begin(epoch: int) -> None:
            clock.append(time.perf_counter())
            begin_epoch(epoch)

        built.feed.begin_epoch = begin
        weights = built.run(built.reset())
        seconds = statistics.median(after - before for before, after in pairwise(clock))
    else:
        weights, run_seconds = timed_runs(built.reset, built.run)
        seconds = run_seconds / epochs
    end = built.state()
    check.check_run(built).hold(weights, end)
    return {"seconds_per_epoch": seconds}


def time_members(epochs: int, batch_size: int) -> dict[str, float]:
    """Time a block of members in this process: the median of five runs after one, by how many they are."""
    program = members.members_program(Experiment(epochs=epochs, batch_size=batch_size), MEMBERS)
    seeds, rates = np.arange(MEMBERS), np.full(MEMBERS, program.experiment.learning_rate)
    weights, seconds = timed_runs(lambda: program.place(program.reset(seeds, rates)), program.run)
    member = Member(program, seeds, rates, 0)
    end = member.state()
    check.check_run(member, member.subject).hold(member.of(weights), end)
    return {"seconds_per_epoch": seconds / epochs / MEMBERS}


def timed_runs(begin: Callable[[], Any], run: Callable[[Any], Any]) -> tuple[Any, float]:
    """Return what the last of six runs has trained, and the median seconds of the last five without their begin."""
    seconds = []
    for _ in range(6):
        begun_with, begun = begin(), time.perf_counter()
        weights = run(begun_with)
        seconds.append(time.perf_counter() - begun)
    return weights, statistics.median(seconds[1:])


def commands(folder: Path, jax_python: str | None, jax_flags: str, keras: bool, batch_size: int) -> dict[str, Command]:
    """Return the command of each contestant at a batch size, by the contestant's name.

    Args:
        folder: where the compiled C programs are.
        jax_python: a Python that has JAX; None leaves the JAX peer out.
        jax_flags: XLA_FLAGS of the JAX peer.
        keras: whether Keras' programs take part, at the batch sizes that they have.
        batch_size: the batch size of all programs.
    """
    fast, here = ("999", "0.001", str(batch_size)), (sys.executable, "-m", "benchmarks.studies.compare_peers")
    contestants: dict[str, Command] = {"limit.c": (str(folder / "limit"), *fast)}
    if jax_python and SAMPLES % batch_size == 0:
        scan: Command = ("env", f"XLA_FLAGS={jax_flags}", jax_python, str(PEERS / "jax_scan.py"), *fast)
        contestants |= {"jax_scan.py": scan, "jax_scan.py keras": (*scan, "keras")}
    for engine in ("native", "compiled"):
        contestants[engine] = (*here, "--time", f"{engine},999,{batch_size}")
    contestants["limit_members.c"] = (str(folder / "limit_members"), f"{MEMBERS_EPOCHS}")
    contestants["512 members, each"] = (*here, "--time", f"members,{MEMBERS_EPOCHS},{batch_size}")
    if keras and batch_size in FIT_BATCH_SIZES:
        epochs = FIT_EPOCHS[batch_size]
        peer = (sys.executable, str(PEERS / "keras_fit.py"), str(epochs), "0.001", str(batch_size))
        contestants |= {"keras_fit.py": peer, "keras_fit.py fused": (*peer, "fused")}
        for engine in ("fit", "fused_fit"):
            contestants[engine] = (*here, "--time", f"{engine},{epochs},{batch_size}")
    return contestants


def seconds_per_epoch(command: Command) -> float:
    """Run a contestant once."""
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return float(json.loads(answer.stdout.splitlines()[-1])["seconds_per_epoch"])


def main(
    turns: Annotated[int, typer.Option(min=1, help="How often each is run, in turn.")] = 5,
    jax_python: Annotated[str | None, typer.Option(help="A Python that has JAX.")] = None,
    jax_flags: Annotated[str, typer.Option(help="XLA_FLAGS of the JAX peer.")] = "",
    keras: Annotated[bool, typer.Option(help="Also Keras' programs, which take long.")] = True,
    batch_size: Annotated[list[int] | None, typer.Option(help="Only these; repeatable.")] = None,
    timed: Annotated[str | None, typer.Option("--time", hidden=True)] = None,
) -> None:
    """Print a Markdown table: microseconds per epoch, a row a contestant, and the engines' ratios to their peers."""
    if timed:
        engine, *numbers = timed.split(",")
        time_it = time_members if engine == "members" else partial(time_engine, engine)
        print(json.dumps(time_it(*map(int, numbers))))
        return
    compiler = shutil.which("cc")
    if not compiler:
        raise SystemExit("compare_peers: no C compiler `cc` here; install one, the limit is a C program")
    sizes = batch_size or FAST_BATCH_SIZES
    if any(not 1 <= size <= SAMPLES for size in sizes):
        raise SystemExit(f"compare_peers: --batch-size must be from 1 to {SAMPLES}. Received: {sizes}")
    if jax_python and not shutil.which(jax_python):
        raise SystemExit(f"compare_peers: --jax-python must be a program. Received: {jax_python}")
    seconds: dict[str, dict[int, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("limit", "limit_members"):
            files = PEERS / f"{name}.c", "-o", Path(folder) / name
            subprocess.run([compiler, "-O3", "-march=native", "-ffast-math", *files, "-lm"], check=True)
        contestants = {size: commands(Path(folder), jax_python, jax_flags, keras, size) for size in sizes}
        runs = [(size, *run) for size, named in contestants.items() for _ in range(turns) for run in named.items()]
        for size, name, command in display_console.tracked(runs, "programs"):
            seconds.setdefault(name, {}).setdefault(size, []).append(seconds_per_epoch(command))
    show(seconds, sizes)


def show(seconds: dict[str, dict[int, list[float]]], sizes: Sequence[int]) -> None:
    """Print the medians, and the medians of the ratios turn by turn; a size that was not run has an empty cell."""
    medians = {name: {size: _microseconds(times) for size, times in run.items()} for name, run in seconds.items()}
    ratios = {
        f"{ours} : {theirs}": _ratios(seconds.get(ours, {}), seconds.get(theirs, {}), sizes) for ours, theirs in PAIRS
    }
    headings = "µs per epoch, median of turns", "ratio, median (smallest–largest) of turns"
    for heading, found in zip(headings, (medians, ratios), strict=True):
        rows = [
            {heading: name, **{f"batch {size}": cells.get(size, "") for size in sizes}}
            for name, cells in found.items()
            if cells
        ]
        table = table_of("", rows, left=(heading, *(f"batch {size}" for size in sizes)))
        Console(width=200).print(for_terminal(table, box=MARKDOWN))


def _microseconds(times: Sequence[float]) -> str:
    """Write the median of times in seconds as microseconds, to three digits."""
    median = float(f"{statistics.median(times) * 1e6:.3g}")
    return f"{median:,.0f}" if median >= 1000 else f"{median:g}"


def _ratios(ours: Mapping[int, list[float]], theirs: Mapping[int, list[float]], sizes: Sequence[int]) -> dict[int, str]:
    """Write the ratios of the sizes that both have run."""
    cells = dict[int, str]()
    for size in sizes:
        turns = zip(ours.get(size, []), theirs.get(size, []), strict=False)
        if ratios := sorted(our_seconds / their_seconds for our_seconds, their_seconds in turns):
            middle = statistics.median(ratios)
            digits = ",.0f" if middle > 100 else ".2f"
            cells[size] = f"{middle:{digits}} ({ratios[0]:{digits}}–{ratios[-1]:{digits}})"
    return cells


if __name__ == "__main__":
    typer.run(main)
