"""In a comparison every launch checks the same runs: one whose bits were found to be right is not checked again."""

import hashlib
import os
import time
from pathlib import Path

import msgspec
import numpy as np

from parabola import files
from parabola.training.fit import Fit, on_host
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.check import Check, check_run
from parabola.verification.refusal import subject_of
from parabola.verification.windowed import Trained

FOLDER = "PARABOLA_FOLDER"  # names the folder that `compare` keeps for each side from launch to launch


def in_comparison() -> bool:
    """Return whether this process is a side of a comparison, whose build and check times nobody reads."""
    return FOLDER in os.environ


class Found(msgspec.Struct, frozen=True):
    """What the check of a run found, as `Check` has it."""

    windows: int
    telling: int
    alone: bool


def checked_run(engine: Trained) -> Check:
    """Return the check of an engine's run; in a comparison's later launches, that of the run with the same bits.

    The first launch of a side keeps the digest of each run that it has found to be right. A later one trains once,
    outside of any clock: if all bits of that run are those of such a digest, this is the run that rounds are held
    against; if not, it is checked as in the first launch. A device other than a CPU may not repeat its bits, so there
    every launch checks.

    Args:
        engine: has been built; its optimizer is Adam.

    Raises:
        WrongRun: if the run is not a right one.
    """
    if not in_comparison() or not engine.device.startswith("cpu"):
        return check_run(engine)
    begun = time.perf_counter()
    weights = on_host(engine.run(engine.reset()))
    end = engine.state()
    kept = _kept(engine, weights, end)
    if not kept.exists():
        check = check_run(engine)
        text = msgspec.json.encode(Found(check.windows, check.telling, check.alone)).decode()
        files.write_text(text, _kept(engine, check.fit.weights, check.end))
        return check
    found = msgspec.json.decode(kept.read_bytes(), type=Found)
    return Check(
        subject=subject_of(engine.experiment, engine.device),
        fit=Fit(engine.experiment, engine.device, weights, 0.0, 0.0),
        end=end,
        windows=found.windows,
        telling=found.telling,
        alone=found.alone,
        first_tolerance=np.zeros(engine.experiment.net.size),  # of devices that do not repeat their bits
        seconds=time.perf_counter() - begun,
    )


def _kept(engine: Trained, weights: Array, end: State) -> Path:
    """Return the path that a run's check has: its name is a digest of all that decides the run, and of all its bits."""
    digest = hashlib.sha256(repr((engine.experiment, engine.device, weights.shape, end.steps)).encode())
    for values in (weights, end.weights, *(end.slots[name] for name in sorted(end.slots))):
        digest.update(np.ascontiguousarray(values).tobytes())
    return Path(os.environ[FOLDER]) / f"right-{digest.hexdigest()}.json"
