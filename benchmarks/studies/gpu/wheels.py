"""A folder of wheels with all that the study needs besides JAX, for a machine without a network.

python -m benchmarks.studies.gpu.wheels FOLDER --python 3.12
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.studies.gpu import needs
from benchmarks.studies.gpu.wheel_files import Wheel, by_size, read, shrink_to
from parabola import files

NAME = "python -m benchmarks.studies.gpu.wheels"
JAX_BRINGS = ("jax", "jaxlib", "ml-dtypes", "numpy", "opt-einsum", "scipy")
# Of Linux on x86-64 with glibc 2.28, as any that JAX itself runs on, and of all before it.
PLATFORMS = *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)), "manylinux2014_x86_64"
LIMIT_MEBIBYTES = 64.0


def read_freeze(text: str) -> dict[str, str]:
    """Return the versions that pip has listed by the names of their packages; what has no version is left out."""
    pairs = re.findall(r"^([A-Za-z0-9][\w.-]*)==([^\s;#]+)", text, flags=re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pairs}


def constraints(installed: Mapping[str, str]) -> list[str]:
    """Return the versions that have to stay: those that are installed, but for those that are too old for the study."""
    floors = {need.name: need.floor for need in needs.read(needs.REQUIREMENTS.read_text(encoding="utf-8").splitlines())}
    return [
        f"{name}=={version}"
        for name, version in installed.items()
        if needs.release(version) >= needs.release(floors.get(name, "0"))
    ]


def fetch(folder: Path, python: str, wanted: Sequence[str], bounds: Sequence[str]) -> None:
    """Have pip fetch wheels, and those that they need in turn, for Linux on x86-64.

    Args:
        folder: where they are put.
        python: version of Python there, as "3.12".
        wanted: requirements.
        bounds: constraints.

    Raises:
        ValueError: if pip finds no such set of wheels, with its last words.
    """
    for path in folder.glob("*.whl"):
        path.unlink()
    for name, lines in (("wanted.txt", wanted), ("bounds.txt", bounds)):
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    target += [f"--platform={platform}" for platform in PLATFORMS]
    given = ["-r", str(folder / "wanted.txt"), "-c", str(folder / "bounds.txt"), "--dest", str(folder)]
    answer = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *target, *given],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        words = re.findall(r"ERROR: (.*)", answer.stderr) or answer.stderr.split("\n")  # Python's where there is no pip
        last = next((line for line in reversed(words) if line.strip()), f"exit code {answer.returncode}")
        raise ValueError(f"pip finds no wheels for Python {python}: {last}")


def gather(folder: Path, python: str, installed: Mapping[str, str]) -> list[Wheel]:
    """Fetch all that the study needs; return the wheels that the other machine lacks.

    Args:
        folder: an empty folder.
        python: version of Python of that machine.
        installed: versions by the names of the packages that are there.

    Raises:
        ValueError: if there is no such set of wheels.
    """
    wanted, bounds = needs.REQUIREMENTS.read_text(encoding="utf-8").splitlines(), constraints(installed)
    while True:
        fetch(folder, python, wanted, bounds)
        found = read(folder)
        # pip goes by this Python where a package is needed only by some versions of Python.
        left_out = [need for wheel in found.values() for need in wheel.requires(python) if key(need) not in found]
        if not left_out:
            break
        wanted += [f"{need.name}{need.specifier}" for need in left_out]
    there = {*read_freeze("\n".join(bounds)), *(name for name in JAX_BRINGS if name not in installed)}
    return [wheel for name, wheel in found.items() if name not in there]


def key(requirement: Requirement) -> str:
    """Return the name of the package that is required, in lower case and with hyphens."""
    return canonicalize_name(requirement.name)


def main(
    folder: Annotated[Path, typer.Argument(help="Where the wheels go, and wheels.txt; not there yet, or empty.")],
    python: Annotated[str, typer.Option(help="Version of Python of the other machine, as 3.12.")],
    installed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `pip list --format=freeze` says there.")
    ] = None,
    limit_mebibytes: Annotated[float, typer.Option(help="At most so much in all.")] = LIMIT_MEBIBYTES,
) -> None:
    """Fetch what the study of a GPU needs besides JAX, as wheels for Linux on x86-64."""
    try:
        if not re.fullmatch(r"3\.\d+", python):
            raise ValueError(f"--python should be a version such as 3.12. Received: {python!r}")
        files.check_folder(folder)
        there = read_freeze(installed.read_text(encoding="utf-8")) if installed else {}
        with TemporaryDirectory() as temporary:
            wheels = gather(Path(temporary), python, there)
            total = shrink_to(limit_mebibytes, wheels)
            if total > limit_mebibytes:
                largest = ", ".join(f"{wheel.name} {wheel.mebibytes:.1f}" for wheel in by_size(wheels)[:3])
                more = f"{total:.1f} MiB of wheels, more than --limit-mebibytes {limit_mebibytes:g}; largest: {largest}"
                raise ValueError(more)
            folder.mkdir(exist_ok=True)
            for wheel in wheels:
                shutil.copy(wheel.path, folder)
    except (OSError, ValueError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    files.write_text("".join(f"{wheel.name}=={wheel.version}\n" for wheel in wheels), folder / "wheels.txt")
    for wheel in by_size(read(folder).values()):
        print(f"{wheel.mebibytes:6.1f} MiB  {wheel.name} {wheel.version}")
    print(f"{total:6.1f} MiB in all, in {folder}. There, without a network:")
    print(f"python -m pip install --no-index --no-deps {folder}/*.whl")


if __name__ == "__main__":
    typer.run(main)
