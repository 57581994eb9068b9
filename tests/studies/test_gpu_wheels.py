"""The folder of wheels for a machine with a GPU: what is asked of pip, what is left out, and what is refused."""

import random
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import typer

from benchmarks.studies.gpu import needs, wheel_files, wheels

FREEZE = """
# made by hand
numpy==2.3.5
Jax_CUDA12.plugin==0.7.1 ; python_version > "3"
pytest==8.4.2
-e git+somewhere#egg=parabola
keras @ file:///somewhere/keras-3.12.0-py3-none-any.whl
rich==14.3.1
numba==0.62.1
"""
INSTALLED = {
    **{"numpy": "2.3.5", "jax-cuda12-plugin": "0.7.1", "pytest": "8.4.2"},
    **{"rich": "14.3.1", "numba": "0.62.1"},
}


def wheel(folder: Path, name: str, version: str = "1.0", requires: Sequence[str] = (), size: int = 0) -> Path:
    """Write a wheel that needs others, of about so many bytes."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {other}" for other in requires),
        "",
        "Text.",
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-{version}.dist-info/METADATA", "\n".join(lines))
        archive.writestr(f"{name}/data", b"0" * size)
    return path


def test_versions_are_read_from_what_pip_lists() -> None:
    """By the packages' names as they are compared; what is given by a place has no version."""
    assert wheels.read_freeze(FREEZE) == INSTALLED


def test_what_is_installed_stays_unless_it_is_too_old() -> None:
    """pytest 8 is not; a package that the study itself does not import stays, too."""
    assert wheels.constraints(INSTALLED) == [
        *("numpy==2.3.5", "jax-cuda12-plugin==0.7.1", "rich==14.3.1", "numba==0.62.1")
    ]


def test_pip_is_asked_for_wheels_of_that_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own command, so that its configuration holds; for that Python, and every tag from glibc 2.28 down."""
    asked = list[list[str]]()

    def run(command: list[str], **_: object) -> object:
        asked.append(command)
        assert (tmp_path / "wanted.txt").read_text() == "a>=1\nb"
        assert (tmp_path / "bounds.txt").read_text() == "c==2"
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    (tmp_path / "a-0-py3-none-any.whl").touch()
    wheels.fetch(tmp_path, "3.12", ["a>=1", "b"], ["c==2"])

    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)]
    assert asked == [
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:", "--implementation=cp"),
            *("--python-version=3.12", *platforms, "--platform=manylinux2014_x86_64"),
            *("-r", f"{tmp_path}/wanted.txt", "-c", f"{tmp_path}/bounds.txt", "--dest", str(tmp_path)),
        ]
    ]
    assert not list(tmp_path.glob("*.whl"))  # what an earlier call has fetched


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("ERROR: one\nERROR: No matching distribution found for a\n", "No matching distribution found for a"),
        ("python: No module named pip\n", "python: No module named pip"),
        ("", "exit code 1"),
    ],
)
def test_where_pip_finds_no_wheels_its_last_words_are_said(
    stderr: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them, its exit code is."""
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", stderr))
    with pytest.raises(ValueError, match=f"^pip finds no wheels for Python 3.12: {said}$"):
        wheels.fetch(tmp_path, "3.12", [], [])


class Pip:
    """In the place of pip: it fetches all that is wanted, and what that needs on the Python that runs it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = list[tuple[str, list[str], list[str]]]()
        self.size = 0
        monkeypatch.setattr(wheels, "fetch", self.fetch)

    def fetch(self, folder: Path, python: str, wanted: Sequence[str], bounds: Sequence[str]) -> None:
        self.calls.append((python, [*wanted], [*bounds]))
        later = [
            "packaging",
            'old-only; python_version < "3.12"',
            'new-only>=2; python_version >= "3.99"',
            'x; extra == "y"',
        ]
        wheel(folder, "keras", "3.12.0", ["numpy", *later], size=self.size)
        wheel(folder, "numba", "0.62.1", ["llvmlite", "numpy<2.4"])
        for name in ("numpy", "scipy", "ml_dtypes", "packaging", "llvmlite"):
            wheel(folder, name)
        if "old-only" in wanted or python == "3.12":
            wheel(folder, "old_only")
        if "new-only>=2" in wanted:
            wheel(folder, "new_only", "2.1")


@pytest.fixture(name="pip")
def _pip(monkeypatch: pytest.MonkeyPatch) -> Pip:
    return Pip(monkeypatch)


def names(found: Sequence[wheel_files.Wheel]) -> list[str]:
    return [one.name for one in found]


def test_what_jax_brings_and_what_is_there_is_left_out(pip: Pip, tmp_path: Path) -> None:
    """NumPy, SciPy and ml_dtypes are JAX's; of what is there only what is too old is brought, JAX's own too."""
    wanted = needs.REQUIREMENTS.read_text().splitlines()
    assert names(wheels.gather(tmp_path, "3.12", {})) == ["keras", "llvmlite", "numba", "old-only", "packaging"]
    old = {"numba": "0.62.1", "llvmlite": "1.0", "keras": "3.9.0", "numpy": "1.26.4", "scipy": "1.15.0"}
    assert names(wheels.gather(tmp_path, "3.12", old)) == ["keras", "numpy", "old-only", "packaging"]
    assert pip.calls == [("3.12", wanted, []), ("3.12", wanted, ["numba==0.62.1", "llvmlite==1.0", "scipy==1.15.0"])]


def test_what_only_the_other_python_needs_is_brought_too(pip: Pip, tmp_path: Path) -> None:
    """pip goes by the Python that runs it; it is asked again for what a newer one needs besides."""
    assert "new-only" in names(wheels.gather(tmp_path, "3.99", {}))
    assert [wanted[-1] for _, wanted, _ in pip.calls] == ["typer>=0.28", "new-only>=2"]


def test_the_folder_says_what_it_has_and_how_it_is_installed(
    pip: Pip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The largest comes first; wheels.txt has names and versions, and nothing else is in the folder."""
    pip.size = 3 * 2**20
    (tmp_path / "freeze.txt").write_text("llvmlite==1.0\n")
    folder = tmp_path / "wheels"
    wheels.main(folder, "3.12", tmp_path / "freeze.txt")
    lines = capsys.readouterr().out.splitlines()

    assert (folder / "wheels.txt").read_text() == "keras==3.12.0\nnumba==0.62.1\nold-only==1.0\npackaging==1.0\n"
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"{name}-py3-none-any.whl" for name in ("keras-3.12.0", "numba-0.62.1", "old_only-1.0", "packaging-1.0")),
        "wheels.txt",
    ]
    assert lines[0] == "   3.0 MiB  keras 3.12.0"
    assert sorted(line.partition("MiB  ")[2] for line in lines[1:4]) == [
        "numba 0.62.1",
        "old-only 1.0",
        "packaging 1.0",
    ]
    assert lines[4:] == [
        f"   3.0 MiB in all, in {folder}. There, without a network:",
        f"python -m pip install --no-index --no-deps {folder}/*.whl",
    ]


def test_what_is_too_large_is_refused(pip: Pip, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line with the largest wheels, and no folder is made; a higher limit lets it pass."""
    pip.size = 3 * 2**20
    with pytest.raises(typer.Exit) as ended:
        wheels.main(tmp_path / "wheels", "3.12", limit_mebibytes=2.5)

    assert ended.value.exit_code == 2
    said = "3.0 MiB of wheels, more than --limit-mebibytes 2.5; largest: keras 3.0, "
    assert capsys.readouterr().err.startswith(f"python -m benchmarks.studies.gpu.wheels: {said}")
    assert not (tmp_path / "wheels").exists()
    wheels.main(tmp_path / "wheels", "3.12", limit_mebibytes=3.5)
    assert (tmp_path / "wheels/wheels.txt").exists()


def test_the_largest_wheels_are_compressed_anew_where_all_are_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, until all are small enough; small ones never; it is said, as it takes long."""
    shrunk = list[str]()
    monkeypatch.setattr(wheel_files, "LARGE_MEBIBYTES", 2.0)

    def shrink(path: Path) -> None:
        shrunk.append(path.name[0])
        path.write_bytes(b"0" * 2**20)

    monkeypatch.setattr(wheel_files, "shrink", shrink)
    for limit, expected, total in ((12.0, "", 12.0), (11.9, "d", 8.0), (7.9, "dc", 6.0), (1.0, "dcb", 5.0)):
        shrunk.clear()
        for name, size in (("a", 1.5), ("b", 2.5), ("c", 3.0), ("d", 5.0)):
            (tmp_path / f"{name}-1-py3-none-any.whl").write_bytes(b"0" * int(size * 2**20))
        assert wheel_files.shrink_to(limit, [*wheel_files.read(tmp_path).values()]) == pytest.approx(total, abs=0.51)
        assert "".join(shrunk) == expected
    assert capsys.readouterr().err.splitlines()[:2] == [
        *("compressing d anew, which may take minutes …", "d: 5.0 MiB became 1.0 MiB")
    ]


@pytest.mark.end_to_end
def test_a_wheel_that_is_compressed_anew_is_smaller_and_installed_by_pip(tmp_path: Path) -> None:
    """Its contents and their permissions are the same; what repeats itself far apart is where LZMA wins."""
    path, far_apart = wheel(tmp_path, "thing"), random.Random(1).randbytes(100_000) * 2
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("thing/__init__.py", "WORDS = 'as they were'\n")
        archive.writestr(zipfile.ZipInfo("thing/library.so"), far_apart, zipfile.ZIP_DEFLATED)
        archive.getinfo("thing/library.so").external_attr = 0o755 << 16
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "".join(f"{name},,\n" for name in archive.namelist()))
        before = {about.filename: (archive.read(about), about.external_attr) for about in archive.infolist()}
    size = path.stat().st_size
    wheel_files.shrink(path)
    with zipfile.ZipFile(path) as archive:
        after = {about.filename: (archive.read(about), about.external_attr) for about in archive.infolist()}
    target = tmp_path / "target"
    install = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--target", str(target), str(path)]
    subprocess.run(install, check=True, capture_output=True)

    assert after == before
    assert path.stat().st_size < 0.6 * size
    assert list(tmp_path.glob("*.smaller")) == []
    assert (target / "thing/library.so").read_bytes() == far_apart
    assert (target / "thing/__init__.py").read_text() == "WORDS = 'as they were'\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"python": "3"}, "--python should be a version such as 3.12. Received: '3'"),
        ({"python": "3.12.4"}, "--python should be a version such as 3.12. Received: '3.12.4'"),
        ({"installed": Path("none.txt")}, "[Errno 2] No such file or directory: 'none.txt'"),
        ({"folder": Path("full")}, "cannot fill full: a file, not empty, in no folder, or not writable"),
    ],
)
def test_bad_input_is_one_line(
    options: Mapping[str, object],
    said: str,
    pip: Pip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And exit code 2; pip is not asked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(typer.Exit) as ended:
        wheels.main(**{"folder": tmp_path / "wheels", "python": "3.12", **options})  # type: ignore[arg-type]

    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == f"python -m benchmarks.studies.gpu.wheels: {said}\n"
    assert pip.calls == []
