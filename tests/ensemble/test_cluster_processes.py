"""Maps and a study on a real Dask cluster here: a scheduler, workers that die, join late and are of another version."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import users_environment

pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]'")
ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/cluster.md").read_text(encoding="utf-8"), flags=re.M | re.S)
MAP = ["--epochs=120", "--learning-rates=0.1,0.2", "--batch-sizes=111", "--seeds=4000"]
# The late worker has all that it needs in memory before it joins, so that it comes while there is work.
LATE = """
import sys, time
from pathlib import Path
from parabola.machine import backends
backends.start()
import parabola.ensemble.cluster
from distributed.cli.dask_worker import main
while not Path("join").exists():
    time.sleep(0.02)
sys.exit(main())
"""
ASK = """
import sys
from distributed import Client
from parabola.ensemble.cluster import _built
with Client(sys.argv[1], timeout=20) as client:
    print(len(client.nthreads()), sorted(info.misses > 0 for info in client.run(_built.cache_info).values()))
"""
STUDY = """
import sys
from pathlib import Path
from benchmarks.studies import time_to_accuracy as study
from parabola.training.experiment import Experiment
study.BASELINE_SEEDS = 1100  # four blocks
study.SETTINGS = {"small": Experiment(batch_size=27, learning_rate=0.3, epochs=30)}
found, count = [], study.count
study.count = lambda setting, below: found.append(below) or count(setting, below)
study.FILE = Path("found_here.json")
study.main()
assert "distributed" not in sys.modules
study.FILE = Path("found_there.json")
study.main(sys.argv[1])
assert found[0].tobytes() == found[1].tobytes()
print(found[1].shape, 0.3 < found[1].mean() < 0.5)
"""


def command(start: str) -> list[str]:
    """Return the one command of the page that begins so, with this Python for the programs that it names."""
    (line,) = re.findall(rf"^{re.escape(start)}.*$", "".join(BLOCKS), flags=re.MULTILINE)
    words = line.split()
    kinds = {"dask": ["-m", "dask"], "parabola": ["-m", "parabola"]}
    return [sys.executable, *kinds[words[0]], *words[1:]]


class Processes:
    """Programs that a test has started in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, list["subprocess.Popen[str]"]()
        self.environment = {**users_environment(), "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "200"}

    def start(self, words: list[str], **options: Any) -> "subprocess.Popen[str]":
        """Start a program."""
        given: dict[str, Any] = {
            "cwd": self.folder,
            "env": self.environment,
            "text": True,
            "stdout": subprocess.DEVNULL,
        }
        self.running.append(subprocess.Popen(words, **{**given, "stderr": subprocess.DEVNULL, **options}))
        return self.running[-1]

    def worker(self, address: str, *options: str, **knobs: Any) -> "subprocess.Popen[str]":
        """Start a worker of one thread, without a nanny that would start it again."""
        words = [*command("dask worker")[:4], address, "--nthreads=1", "--no-nanny", "--no-dashboard", *options]
        return self.start(words, **knobs)

    def run(self, *words: str) -> str:
        """Run a program to its end, and return what it prints."""
        answer = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600, check=True
        )
        return answer.stdout


class Terminal:
    """What a program says on a terminal, as far as it was read."""

    def __init__(self) -> None:
        self.reader, self.writer = pty.openpty()
        self.said = ""

    def wait_for(self, text: str, seconds: float = 600) -> None:
        """Read until a text is there, or to the end."""
        deadline = time.monotonic() + seconds
        with suppress(OSError):  # once no process has the other end
            while (
                text not in self.said and select.select([self.reader], [], [], max(0, deadline - time.monotonic()))[0]
            ):
                self.said += os.read(self.reader, 4096).decode(errors="replace")


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Give them, and end them all in the end."""
    made = Processes(tmp_path_factory.mktemp("cluster"))
    yield made
    for process in made.running:
        process.kill()
        process.communicate()


def start_map(processes: Processes, *options: str) -> tuple["subprocess.Popen[str]", Terminal]:
    """Start the page's map on a terminal; return it once its first members are done."""
    terminal = Terminal()
    process = processes.start([*command("parabola map --cluster")[:5], *options], stderr=terminal.writer)
    os.close(terminal.writer)
    terminal.wait_for("members a second")
    return process, terminal


@dataclass(frozen=True)
class Cluster:
    """A scheduler, and two workers that have the package, but no benchmarks."""

    address: str
    scheduler: "subprocess.Popen[str]"
    workers: list["subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def cluster(processes: Processes) -> Cluster:
    """Give the page's scheduler at a free port; the last test ends it."""
    folder = processes.folder
    scheduler = processes.start([*command("dask scheduler"), "--port=0", "--scheduler-file=where", "--no-dashboard"])
    (folder / "package").mkdir()
    (folder / "package/parabola").symlink_to(ROOT / "parabola")
    while not (folder / "where").exists():
        assert scheduler.poll() is None
        time.sleep(0.05)
    address, variables = json.loads((folder / "where").read_text())["address"], processes.environment
    environment = {**variables, "PYTHONPATH": str(folder / "package")}
    return Cluster(address, scheduler, [processes.worker(address, env=environment) for _ in range(2)])


@pytest.mark.end_to_end
def test_a_study_on_a_cluster_has_the_bits_of_a_local_one(processes: Processes, cluster: Cluster) -> None:
    """Workers say after which epochs each seed's error is below; without a cluster Dask is not even imported."""
    said = processes.run(sys.executable, "-c", STUDY, cluster.address)

    assert said.count("| small ") == 2
    assert said.endswith("(30, 1100) True\n")
    assert (processes.folder / "found_there.json").read_bytes() == (processes.folder / "found_here.json").read_bytes()


@pytest.mark.end_to_end
def test_a_map_on_a_cluster_has_the_bits_of_a_local_one(processes: Processes, cluster: Cluster) -> None:
    """Though one worker is killed, one joins late and one is refused; a scheduler that is gone loses nothing."""
    folder, address, scheduler = processes.folder, cluster.address, cluster.scheduler
    doomed, stays = cluster.workers
    late = processes.start([sys.executable, "-c", LATE, "--scheduler-file=where", "--nthreads=1", "--no-nanny"])
    (folder / "other").mkdir()
    shutil.copytree(ROOT / "parabola", folder / "other/parabola", ignore=shutil.ignore_patterns("__pycache__"))
    init = folder / "other/parabola/__init__.py"
    init.write_text(re.sub(r'__version__ = ".*"', '__version__ = "0.0.1"', init.read_text()))
    processes.worker(address, env={**processes.environment, "PYTHONPATH": str(folder / "other")})
    whole = processes.start([sys.executable, "-m", "parabola", "map", *MAP, "--json=local.json"])
    process, terminal = start_map(processes, address, *MAP, "--json=there.json")
    doomed.kill()
    stays.send_signal(signal.SIGSTOP)  # until the late one is there, so that something is left for it
    (folder / "join").touch()
    asked = "0"
    while not asked.startswith("3 "):
        asked = processes.run(
            sys.executable,
            "-c",
            "import sys; from distributed import Client; print(len(Client(sys.argv[1]).nthreads()), '')",
            address,
        )
    stays.send_signal(signal.SIGCONT)
    terminal.wait_for("no such text")
    assert (process.wait(100), whole.wait(600)) == (0, 0), terminal.said
    assert (folder / "there.json").read_bytes() == (folder / "local.json").read_bytes()
    assert re.search(r"worker tcp://\S+ is refused: it has parabola 0\.0\.1, not ", terminal.said)
    assert re.search(r"\d+ % of the map: \d workers, [\d,]+ members a second,.*left", terminal.said)
    assert processes.run(sys.executable, "-c", ASK, address) == "3 [False, True, True]\n"  # the late one trained, too
    assert late.poll() is None

    others = [*MAP, "--first-seed=10000", "--json=cut.json"]
    process, terminal = start_map(processes, address, *others)
    scheduler.kill()
    terminal.wait_for("no such text")
    assert process.wait(100) == 7
    kept = (
        r"python -m parabola: the scheduler at \S+ is gone; cut\.json keeps 0 of 2 cells, and [\d,]+ runs of others; "
    )
    assert re.search(kept + "the same command goes on from there", terminal.said)
    assert "Traceback" not in terminal.said
    pieces = json.loads((folder / "cut.json").read_text())["pieces"]
    assert sum(len(piece["outcomes"]) for piece in pieces) >= 20 * 500
