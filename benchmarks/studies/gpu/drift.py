"""Does the machine drift? The first timed case once more at the end."""

from pathlib import Path

from parabola.records import reading


def line(first: Path, again: Path) -> str:
    """Return a line that says how many times as long each case took when it was repeated.

    Args:
        first: record of the cases at the beginning.
        again: record of the same cases at the end.
    """
    before, after = medians(first), medians(again)
    ratios = [f"{after[name] / before[name]:.3f}× ({name})" for name in before if name in after]
    return f"drift: repeated at the end, the first case took {', '.join(ratios)} its time at the beginning"


def medians(path: Path) -> dict[str, float]:
    """Return the median time of each case of a record, by the benchmark's name without its file."""
    return {one.case.name.rpartition("::")[2]: one.times.median for one in reading.read(path).measurements}
