"""How long does it take from nothing to the first epoch done?"""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.options import SELECTION
from parabola import registry
from parabola.records.extra_info import ExtraInfo
from parabola.training.experiment import Experiment
from parabola.verification.check import check_first_epoch

ROUNDS, BATCH_SIZE = 3, 111


@pytest.mark.benchmark(group="cold start: seconds per process")
def bench_cold_start(benchmark: Any, engine: str, device: str, timed: bool, pytestconfig: pytest.Config) -> None:
    """Inside the clock: a fresh Python process, from its start until it has trained one epoch, printed it and ended."""
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
    benchmark.extra_info.update(ExtraInfo(engine=engine, device=device, batch_size=BATCH_SIZE).known())
