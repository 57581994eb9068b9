"""One stage as a process of its own, which leaves its file or nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.studies.gpu.stages import Stage
from parabola import files
from parabola.machine import ending

PATIENCE_SECONDS = 20  # for a stage that was asked to end
NOT_DONE = "not done after"


def run(stage: Stage, folder: Path, limit_minutes: float) -> str:
    """Run a stage, which is ended after so many minutes; return what went wrong, or an empty text."""
    name = stage.leaves.replace("/", "-")
    said, measured = folder / "said" / f"{name}.txt", folder / "said" / f"{name}.part"
    for place in (said.parent, folder / "map", (folder / stage.leaves).parent):
        place.mkdir(parents=True, exist_ok=True)
    measured.unlink(missing_ok=True)
    command = [sys.executable, "-m", *stage.command, *([f"--benchmark-json={measured}"] if stage.record else [])]
    with said.open("w", encoding="utf-8") as out:
        # In a session of its own, so that Ctrl-C reaches only this process, which then ends it.
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=environment(stage)
        )
        try:
            code = process.wait(limit_minutes * 60)
        except subprocess.TimeoutExpired:
            return f"{NOT_DONE} {limit_minutes:.3g} min; the next call goes on with it, or begins it anew"
        finally:
            with ending.uninterrupted():
                end(process)
    if code:
        return f"exit code {code}; see {said}"
    if stage.record and not measured.exists():
        return f"nothing was measured; see {said}"
    files.write_text((measured if stage.record else said).read_text(encoding="utf-8"), folder / stage.leaves)
    measured.unlink(missing_ok=True)
    return ""


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, as Ctrl-C does; kill it where that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment(stage: Stage) -> dict[str, str]:
    """Return the environment of a stage: that of the study, to whose own values the stage's are appended."""
    own = {name: f"{os.environ.get(name, '')} {value}".strip() for name, value in stage.environment.items()}
    return {**os.environ, **own}
