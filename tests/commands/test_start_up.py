"""What a command imports, which is most of what its start takes: what it has no use for is not there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import users_environment

ROOT = Path(__file__).parents[2]
RECORDS = [str(path) for path in sorted((ROOT / "benchmarks/records/two_cores_epyc").glob("*.json"))[:5]]
ONE_EPOCH = ["--epochs", "1", "--batch-size", "111"]
# Each of these takes a tenth of a second or more to import, up to three seconds for a framework.
DRAWS, COMPUTES, SEARCHES = {"altair", "vl_convert", "jinja2"}, {"numpy", "scipy", "numba"}, {"ruptures", "scipy.stats"}
TRAINS = {"keras", "tensorflow", "jax", "torch", "numba"}
COMMANDS = {  # its arguments, and what none of its imports may bring
    "help": (["--help"], DRAWS | COMPUTES | SEARCHES | TRAINS),
    "help of a command": (["train", "--help"], DRAWS | COMPUTES | SEARCHES | TRAINS),
    "report": (["report", *RECORDS], DRAWS | SEARCHES | TRAINS),
    "native": (["train", "--engine", "native", *ONE_EPOCH], DRAWS | SEARCHES | TRAINS - {"numba"}),
    "compiled": (["train", "--backend", "tensorflow", *ONE_EPOCH], DRAWS | SEARCHES | {"jax", "torch", "numba"}),
}
PROGRAM = """
import atexit, gc, sys
from pathlib import Path
from parabola.__main__ import main
told = Path(sys.argv.pop())
say = lambda: told.write_text(" ".join(map(str, [gc.get_threshold()[0], gc.get_freeze_count(), *sys.modules])))
atexit.register(say)
main()
"""


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_nothing_heavy_that_it_does_not_use(command: str, tmp_path: Path) -> None:
    """In a fresh process, from its first line to its last; it looks for garbage rarely, and not at all as it ends."""
    arguments, unused = COMMANDS[command]
    whole = [sys.executable, "-c", PROGRAM, *arguments, str(tmp_path / "modules")]
    answer = subprocess.run(whole, cwd=tmp_path, env=users_environment(), capture_output=True, text=True, timeout=300)
    threshold, frozen, *imported = (tmp_path / "modules").read_text().split()

    assert answer.returncode == 0, answer.stderr
    assert "parabola.commands.app" in imported
    assert unused.intersection(imported) == set()
    assert int(threshold) == 50_000
    assert int(frozen) > len(imported)
