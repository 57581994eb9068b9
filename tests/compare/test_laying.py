"""Head's harness over base: which files lie there then, what is refused, and what is said where base cannot run it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare import session
from parabola.compare.environments import making
from parabola.compare.findings import judged
from parabola.compare.harness.laying import lay
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.failure import Failure, SideFailed, in_words
from parabola.compare.sides.working_tree import listed
from tests import scripted_conductor
from tests.conftest import git
from tests.made_comparisons import SETUP, STEADY, made_launch

Project = Callable[..., Path]
Sides = tuple[Repository, Checkout, Checkout]


def texts(top: Path) -> dict[str, str]:
    """Return each file of a checkout with its text."""
    found = [path for path in top.rglob("*") if ".git" not in path.parts and path.is_file()]
    return {str(path.relative_to(top)): path.read_text() for path in sorted(found)}


@pytest.fixture(name="folder")
def _folder(project: Project) -> Path:
    """A repository with a harness in several places, of which the working tree has another."""
    folder = project()
    for name in ("tests/test_a.py", "tests/deep/helpers.py", "tests/old.py", "conftest.py", "python/bench.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "second")
    for name in ("tests/test_a.py", "tests/deep/helpers.py", "tests/new [1]*.py", "conftest.py", "python/bench.py"):
        (folder / name).write_text("new")
    (folder / "tests/old.py").unlink()
    (folder / ".gitignore").write_text("*.so")
    (folder / "tests/made.so").touch()
    return folder


@pytest.fixture(name="sides")
def _sides(folder: Path) -> Iterator[Sides]:
    repository = Repository.find(folder)
    with repository.checkouts("main", None) as (base, head, _):
        yield repository, base, head


def test_a_folder_of_head_takes_the_place_of_bases(folder: Path, sides: Sides) -> None:
    """Uncommitted and untracked files come, ignored ones do not, those that head lacks go; all else stays as it was."""
    repository, base, head = sides
    before, user, index = texts(base.top), texts(folder), (folder / ".git/index").read_bytes()
    new = {name: "new" for name in ("tests/test_a.py", "tests/deep/helpers.py", "tests/new [1]*.py")}

    assert lay(["tests"], repository, base, head) == ["tests"]
    assert texts(base.top) == {name: text for name, text in before.items() if not name.startswith("tests/")} | new
    assert {*listed(base.top, "tests")} == {*new}  # so that its modules are known for base's own
    assert (texts(folder), (folder / ".git/index").read_bytes()) == (user, index)


def test_several_paths_from_a_folder_of_the_repository(folder: Path, sides: Sides) -> None:
    """They are as they are seen from there, or absolute; the signs of patterns stand for themselves."""
    repository, base, head = sides
    laid = ["python/bench.py", "tests/new [1]*.py", "conftest.py"]
    paths = ["bench.py", "../tests/new [1]*.py", str(folder / "conftest.py")]

    assert lay(paths, Repository.find(folder / "python"), base, head) == laid
    found = texts(base.top)
    assert {name for name, text in found.items() if text == "new"} == {*laid}
    assert lay([], repository, base, head) == []
    assert texts(base.top) == found


def test_links_on_the_way(folder: Path, tmp_path: Path) -> None:
    """What a link leads to is laid; a link of base that leads out of its checkout is replaced, and not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "test_a.py").write_text("not ours")
    shutil.rmtree(folder / "tests")
    (folder / "tests").symlink_to(outside)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "third")
    (folder / "tests").unlink()
    (folder / "tests").mkdir()
    (folder / "tests/test_a.py").write_text("new")
    (folder / "alias").symlink_to("tests")
    repository = Repository.find(folder)
    with repository.checkouts("main", None) as (base, head, _):
        assert (base.top / "tests").is_symlink()
        assert lay(["alias/test_a.py"], repository, base, head) == ["tests/test_a.py"]
        assert not (base.top / "tests").is_symlink()
        assert (base.top / "tests/test_a.py").read_text() == "new"

    assert texts(outside) == {"test_a.py": "not ours"}


def test_a_path_that_is_a_link(folder: Path) -> None:
    """It is laid as well as each link after it and their end, so that base runs head's by the path that was given."""
    (folder / "alias").mkdir()
    (folder / "alias/test_a.py").write_text("base's own")
    git(folder, "add", "alias")
    git(folder, "commit", "--quiet", "--message", "third")
    shutil.rmtree(folder / "alias")
    (folder / "alias").symlink_to("python/../python/link")
    (folder / "python/link").symlink_to("../tests")
    (folder / "loop").symlink_to("loop")
    repository = Repository.find(folder)
    with repository.checkouts("main", None) as (base, head, _):
        assert (base.top / "alias/test_a.py").read_text() == "base's own"
        assert lay(["alias"], repository, base, head) == ["alias", "python/link", "tests"]
        assert {path.name: path.read_text() for path in (base.top / "alias").iterdir() if path.is_file()} == {
            "test_a.py": "new",
            "new [1]*.py": "new",
        }
        assert (base.top / "python/bench.py").read_text() == "old"
        assert lay(["loop"], repository, base, head) == ["loop"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("tests/data", "tests/data"),
        ("tests/data/x.csv", "tests/data"),
        ("tests", "tests/data"),
        ("alias", "tests/data"),
        ("python", "python/gone"),
    ],
)
def test_submodules_are_not_laid(path: str, where: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is refused that is one, lies in one or has one in it, on either side, and before anything is laid."""
    commit = git(folder, "rev-parse", "HEAD").strip()
    for place in ("tests/data", "python/gone"):
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},{place}")
    (folder / "tests/data").mkdir()
    git(folder, "commit", "--quiet", "--message", "third")
    git(folder, "update-index", "--force-remove", "python/gone")
    (folder / "alias").symlink_to("tests")
    monkeypatch.setattr(making, "Setup", None)
    with pytest.raises(ValueError, match=r"^--harness") as error:
        session.compare(Options("main", harness=("conftest.py", path)), folder)

    assert str(error.value) == f"--harness lays no submodules, as {where} is. Received: {path!r}"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nosuch", "--harness: head (working tree) has no file or folder 'nosuch' that git knows"),
        ("tests/old.py", "--harness: head (working tree) has no file or folder 'tests/old.py' that git knows"),
        ("tests/made.so", "--harness: head (working tree) has no file or folder 'tests/made.so' that git knows"),
        ("t*", "--harness: head (working tree) has no file or folder 't*' that git knows"),
        ("../elsewhere", "--harness needs a file or a folder within {}. Received: '../elsewhere'"),
        ("/etc", "--harness needs a file or a folder within {}. Received: '/etc'"),
        (".", "--harness needs a file or a folder within {}. Received: '.'"),
        ("", "--harness needs a file or a folder within {}. Received: ''"),
        ("out", "--harness: in head (working tree) 'out' is a link out of the repository"),
        ("out/hosts", "--harness needs a file or a folder within {}. Received: 'out/hosts'"),
    ],
)
def test_paths_that_cannot_be_laid(path: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, before anything is made or measured."""
    (folder / "out").symlink_to("/etc")
    monkeypatch.setattr(making, "Setup", None)
    with pytest.raises(ValueError, match=r"^--harness") as error:
        session.compare(Options("main", harness=("tests", path)), folder)

    assert str(error.value) == says.format(folder)


BASE, HEAD = Failure("base", "failed", "odd", output=["E odd"]), Failure("head", "failed", "no", in_head_alone=True)


@pytest.mark.parametrize(
    ("failure", "file", "says"),
    [
        (BASE, "/x/head/tests/a.py", "base {}: odd"),
        (BASE, "/x/head/conftest.py", "base {}: odd"),
        (BASE, "/x/head/tests2/a.py", "base failed: odd"),
        (BASE, "/x/base/tests/a.py", "base failed: odd"),
        (HEAD, "/x/head/tests/a.py", "head failed in one launch, which no other could confirm: no"),
        (Failure("both sides", "failed", "odd"), "/x/head/tests/a.py", "both sides failed: odd"),
        (Failure("base", "was killed by SIGSEGV", ""), "/x/head/tests/a.py", "base {}: was killed by SIGSEGV"),
        (Failure("base", "could not collect a", "b"), "/x/head/tests/a.py", "base {}: could not collect a: b"),
    ],
)
def test_what_base_cannot_run_of_heads_harness(failure: Failure, file: str, says: str) -> None:
    """It is said of cases whose file, or a conftest.py above it, was laid over base, and where base alone fails."""
    launch = made_launch(0, [STEADY])
    launch.setup = replace(SETUP, laid=["conftest.py", "tests"])
    launch.files = BySide({}, {STEADY: ["/x/head/bench/a.py", file]})
    del launch.measured[STEADY]
    launch.failed[STEADY] = failure
    (said,) = judged([launch]).values()

    assert said.why == says.format("cannot run head's harness")
    assert said.output == failure.output


def test_a_case_of_heads_harness_that_is_measured_has_no_failure() -> None:
    """Whether its file was laid over base or not."""
    launch = made_launch(0, [STEADY])
    launch.setup = replace(SETUP, laid=["tests"])
    launch.files = BySide({}, {STEADY: ["/x/head/tests/a.py"]})

    assert judged([launch]) == {}


def test_a_base_that_cannot_even_begin() -> None:
    """Where head can, it is head's harness that it cannot run, if that was laid over it."""
    base, head = SideFailed("base failed in a.py: odd"), SideFailed("head failed in a.py: odd")

    assert in_words([base], ["tests"]) == "base cannot run head's harness: failed in a.py: odd"
    assert in_words([base], []) == in_words([base, head], ["tests"]) == "base failed in a.py: odd"
    assert in_words([head], ["tests"]) == in_words([head, base], ["tests"]) == "head failed in a.py: odd"


class ConftestImportFailure(Exception):
    """What stands in for pytest's own, by its name."""


@pytest.mark.parametrize("passes", [True, False])
@pytest.mark.parametrize("error", [AttributeError("odd"), ConftestImportFailure("odd"), ValueError("odd")])
def test_a_conftest_that_base_cannot_load(
    error: Exception, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends no session where head's harness was laid over base: pytest loads it again for what lies below it."""
    config: Any = SimpleNamespace(
        known_args_namespace=SimpleNamespace(), invocation_params=SimpleNamespace(args=["--benchmark-only"])
    )
    with scripted_conductor.loading(tmp_path, monkeypatch) as load:
        plugin = load()
        monkeypatch.setattr(plugin.addopts, "PASSES_CONFTESTS", passes)
        hook = plugin.pytest_load_initial_conftests(config)
        next(hook)
        with pytest.raises(StopIteration if passes and isinstance(error, ConftestImportFailure) else type(error)):
            hook.throw(error)


def test_the_files_of_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own, and each conftest.py that pytest has loaded above it; not those of other folders, nor other plugins."""
    names = ["/r/conftest.py", "/r/t/conftest.py", "/r/t/deep/conftest.py", "/r/other/conftest.py", "cov", "/r/x.py"]
    manager = SimpleNamespace(list_name_plugin=lambda: [(name, None) for name in names])
    item = SimpleNamespace(path=Path("/r/t/test_a.py"), config=SimpleNamespace(pluginmanager=manager))
    with scripted_conductor.loading(tmp_path, monkeypatch) as load:
        told = load().files({"t/test_a.py::test_a": item})

    assert told == {"t/test_a.py::test_a": ["/r/t/test_a.py", "/r/conftest.py", "/r/t/conftest.py"]}
