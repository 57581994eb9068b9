"""The pictures that the handbook shows beside the command that draws them."""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.studies.documents.pages import ROOT

COMMAND = re.compile(r"^(?:python -m (\S+)|parabola) (.*--plot (\S+\.svg).*)$", flags=re.MULTILINE)


def commands(texts: Mapping[Path, str]) -> dict[str, list[str]]:
    """Return the module and its arguments that draw each picture, by the picture's name.

    Args:
        texts: the text of each page; a command stands on a line of its own.
    """
    found = [command for text in texts.values() for command in COMMAND.findall(text)]
    return {name: [module or "parabola", *shlex.split(line)] for module, line, name in found}


def draw(texts: Mapping[Path, str]) -> None:
    """Run these commands, and put what they draw into docs/; this takes some minutes.

    Raises:
        subprocess.CalledProcessError: if a command fails otherwise than by a slower case, which is what one plants.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name, arguments in commands(texts).items():
            placed = [str(ROOT / "docs" / name) if argument == name else argument for argument in arguments]
            kept = ["--json", str(Path(scratch) / "map.json")] if placed[1] == "map" else []
            print(*arguments, flush=True)
            command = [sys.executable, "-m", *placed[:2], *kept, *placed[2:]]
            done = subprocess.run(command, cwd=ROOT, check=False)
            if done.returncode not in (0, 1):
                done.check_returncode()
