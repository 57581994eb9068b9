"""How long does it take from nothing to the first epoch done, or to a command's answer, and how much memory?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.machine.peak import peak_mebibytes
from benchmarks.harness.options import SELECTION
from parabola import registry
from parabola.records.extra_info import ExtraInfo
from parabola.training.experiment import Experiment
from parabola.verification.check import check_first_epoch

ROUNDS, BATCH_SIZE = 3, 111
RECORDS = [str(path) for path in sorted((Path(__file__).parent / "records/two_cores_epyc").glob("*.json"))[:5]]
COMMANDS = {"help": (["--help"], "Usage: "), "report": (["report", *RECORDS], "Commit ")}  # with what each answers


@pytest.mark.benchmark(group="cold start: seconds per process")
def bench_cold_start(benchmark: Any, engine: str, device: str, timed: bool, pytestconfig: pytest.Config) -> None:
    """Inside the clock: a fresh Python process, from its start until it has trained one epoch, printed it and ended.

    Outside: the check of each epoch, and one more process, whose largest resident memory is kept.
    """
    experiment = Experiment(engine=engine, device=device, batch_size=BATCH_SIZE, epochs=1)
    command = [sys.executable, "-m", "parabola", "train", "--engine", engine, "--device", device, "--json"]
    command += ["--epochs", str(experiment.epochs), "--batch-size", str(BATCH_SIZE)]
    threads = pytestconfig.stash[SELECTION].threads
    if threads is not None and registry.ENGINES[engine].needs_backend:  # any other engine has no threads to set
        command += ["--threads", str(threads)]
    answers = list[str]()

    def start() -> None:
        answers.append(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout)

    benchmark.pedantic(start, rounds=ROUNDS if timed else 1)
    for run in map(json.loads, answers):
        check_first_epoch(experiment, run["device"], np.array(run["weights"], np.float32))
    peak = peak_mebibytes(command) if timed else None
    info = ExtraInfo(engine=engine, device=device, batch_size=BATCH_SIZE, peak_mebibytes=peak)
    benchmark.extra_info.update(info.known())


@pytest.mark.benchmark(group="start-up: seconds per process")
def bench_start_up(benchmark: Any, command: str, timed: bool) -> None:
    """Inside the clock: a fresh Python process with a command that trains nothing, from its start to its end.

    `report` reads five committed records. Outside: whether the answer is there and always the same, and one more
    process, whose largest resident memory is kept.
    """
    arguments, answered = COMMANDS[command]
    whole = [sys.executable, "-m", "parabola", *arguments]
    answers = set[str]()

    def start() -> None:
        answers.add(subprocess.run(whole, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout)

    benchmark.pedantic(start, rounds=ROUNDS if timed else 1)
    assert len(answers) == 1
    assert answered in answers.pop()
    peak = peak_mebibytes(whole) if timed else None
    benchmark.extra_info.update(ExtraInfo(engine="", device="cpu", peak_mebibytes=peak).known())
