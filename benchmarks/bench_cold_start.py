"""How long does it take from nothing to the first epoch done?"""

import json
import subprocess
import sys
from typing import Any

import pytest

ROUNDS = 3


@pytest.mark.benchmark(group="cold start: seconds per process")
def bench_cold_start(benchmark: Any, engine: str, timed: bool) -> None:
    """Inside the clock: a fresh Python process, from its start until it has trained one epoch, printed it and ended."""
    command = [sys.executable, "-m", "parabola", "train", "--engine", engine, "--epochs", "1", "--json"]
    command += ["--batch-size", "111"]

    def start() -> str:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout

    run = json.loads(benchmark.pedantic(start, rounds=ROUNDS if timed else 1))
    assert run["epochs"] == 1
    assert 0 < run["coefficient_error"] < 10
    benchmark.extra_info.update(engine=engine, device=run["device"], batch_size=run["batch_size"])
