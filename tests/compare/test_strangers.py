"""Which imported modules are strangers: told from made-up modules, folders and installed distributions."""

import importlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare.sides.start import PLUGIN

ENTRIES = ("checkout", "checkout/src", "checkout/python", "repository/src", "site")
Find = Callable[..., dict[str, str]]


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Find:
    """Return what finds strangers among modules, which are named by their files; folders are those of this test."""
    spec = importlib.util.spec_from_file_location("strangers", PLUGIN / "strangers.py")
    assert spec is not None
    assert spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)

    def found(
        modules: Mapping[str, Any],
        projects: Iterable[str] = (),
        own_modules: Iterable[str] = (),
        allowed: Iterable[str] = (),
        entries: Iterable[str] = ENTRIES,
        prefix: str = "installed",
        base_prefix: str = "python",
        kind: Callable[[Any], object] = lambda file: SimpleNamespace(__file__=file),
        finder: str = "importlib.metadata",
    ) -> dict[str, str]:
        files = {name: str(tmp_path / file) if isinstance(file, str) else file for name, file in modules.items()}
        process = SimpleNamespace(
            modules={name: kind(file) for name, file in files.items()},
            path=[5, *(str(tmp_path / entry) for entry in entries)],  # Python passes over what is no text
            prefix=str(tmp_path / prefix),
            base_prefix=str(tmp_path / base_prefix),
        )
        monkeypatch.setattr(plugin, "sys", process)
        discover = importlib.import_module(finder).Distribution.discover
        monkeypatch.setattr(plugin, "distributions", lambda: discover(path=[str(tmp_path / "site")]))
        given = {
            "top": str(tmp_path / "checkout"), "elsewhere": str(tmp_path / "repository"),
            "scratch": str(tmp_path / "repository/scratch"), "projects": list(projects), "modules": list(own_modules),
            "allowed": list(allowed),
        }  # fmt: skip
        told: dict[str, str] = plugin.strangers(given)
        return {name: str(Path(file).relative_to(tmp_path.resolve())) for name, file in told.items()}

    return found


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def install(site: Path, name: str, files: Iterable[str], url: dict[str, Any] | None = None, **texts: str) -> None:
    """Write what pip writes of a distribution; under-scores in the names of its text files stand for dots."""
    files = [*files]
    write(site, *(file for file in files if not file.startswith("..")))
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    if url:
        (folder / "direct_url.json").write_text(json.dumps(url))
    for kind, text in texts.items():
        (folder / f"{kind}.txt").write_text(text)


@pytest.mark.parametrize(
    ("own", "name", "file", "stranger"),
    [
        ("src/mylib/__init__.py", "mylib", "checkout/src/mylib/__init__.py", False),
        ("src/mylib/__init__.py", "mylib", "site/mylib/__init__.py", True),
        ("python/mylib/__init__.py", "mylib", "site/mylib/__init__.py", True),
        ("python/mylib/__init__.py", "mylib", "opt/mylib/__init__.py", True),  # however it came
        ("python/mylib/__init__.py", "mylib", "repository/scratch/base/mylib/__init__.py", True),  # of the other side
        ("mylib.py", "mylib", "site/mylib.py", True),  # a module that is a file
        ("mylib.py", "mylib", "site/mylib/__init__.py", True),
        ("mylib.abi3.so", "mylib", "site/mylib.py", True),
        ("src/mylib/core.py", "mylib.core", "site/mylib/core.py", True),  # of a namespace package
        ("src/mylib/core.py", "mylib.other", "site/mylib/other.py", False),  # to which others contribute
        ("src/mylib/core.py", "mylib", None, False),
        ("src/google/cloud/mine/__init__.py", "google", "site/google/__init__.py", False),
        ("src/google/cloud/mine/__init__.py", "google.cloud.mine", "site/google/cloud/mine/__init__.py", True),
        ("tests/numpy/__init__.py", "numpy", "site/numpy/__init__.py", False),  # tests of what is not its own
        ("numpy/notes.txt", "numpy", "site/numpy/__init__.py", False),
        ("mylib/__init__.py", "mylibs", "site/mylibs.py", False),
        ("mylib/__init__.py", "my", "site/my.py", False),
        ("src/code.py", "code", "python/lib/code.py", False),  # Python's own
        ("__main__.py", "__main__", "site/pytest/__main__.py", False),
        ("src/sitecustomize.py", "sitecustomize", "python/sitecustomize.py", False),
        ("src/usercustomize.py", "usercustomize", "home/usercustomize.py", False),
        ("src/mylib.py", "mylib", 5, False),
    ],
)
def test_names_that_an_entry_of_the_path_finds(
    own: str, name: str, file: Any, stranger: bool, find: Find, tmp_path: Path
) -> None:
    """A name is the checkout's if an entry of sys.path within it finds it, and a stranger if its file is not there."""
    write(tmp_path / "checkout", own)

    assert find({name: file}) == ({name: file} if stranger else {})


def test_what_is_not_on_the_path_is_not_found(find: Find, tmp_path: Path) -> None:
    """A layout that no entry knows gives no name, nor does an entry beside the checkout or one that is not there."""
    write(tmp_path, "checkout/lib/mylib.py", "checkout2/mylib.py", "checkout/src/x.py")
    entries = (*ENTRIES, "checkout2", "checkout/nosuch", "checkout/src/x.py")

    assert find({"mylib": "site/mylib.py"}, entries=entries) == {}
    assert find({"mylib": "site/mylib.py"}, entries=["checkout/lib"]) == {"mylib": "site/mylib.py"}


LISTED = ["mylib/__init__.py", "mylib/core.py", "mylib/_fast.abi3.so", "single.py", "my-data/x.py", "../../bin/run.py"]


@pytest.mark.parametrize(
    ("installed_as", "projects", "url", "own"),
    [
        ("My.Lib", ["my_lib"], None, True),
        ("my-lib", ["other", "MY--LIB"], None, True),
        ("my-lib", ["mylib"], None, False),
        ("my-lib", [], {"url": "file://{}/repository", "dir_info": {}}, True),
        ("my-lib", [], {"url": "file://{}/repositor%79/a", "dir_info": {"editable": False}}, True),
        ("my-lib", [], {"url": "file://{}/repository", "vcs_info": {"vcs": "git"}}, True),
        ("my-lib", [], {"url": "file://{}/repository2", "dir_info": {}}, False),
        ("my-lib", [], {"url": "https://example.org{}/repository", "vcs_info": {"vcs": "git"}}, False),
        ("my-lib", [], {"url": "file://{}/repository/wheels/my_lib-1.0.whl", "archive_info": {}}, False),
    ],
)
def test_names_that_an_installed_project_lists(
    installed_as: str, projects: list[str], url: dict[str, Any] | None, own: bool, find: Find, tmp_path: Path
) -> None:
    """A distribution is the checkout's project by its name, or by a folder of the repository that it was made from."""
    url = {**url, "url": url["url"].format(tmp_path)} if url else None
    install(tmp_path / "site", installed_as, LISTED, url)
    install(tmp_path / "site", "numpy", ["numpy/__init__.py"])
    modules = {
        "mylib": "site/mylib/__init__.py", "mylib.core": "opt/mylib/core.py", "mylib._fast": "site/mylib/_fast.abi3.so",
        "single": "site/single.py", "numpy": "site/numpy/__init__.py", "run": "bin/run.py", "x": "site/my-data/x.py",
        "mylib.ours": "checkout/anywhere/mylib/ours.py",
    }  # fmt: skip
    strangers = ["mylib", "mylib.core", "mylib._fast", "single"]

    assert find(modules, projects) == ({name: modules[name] for name in strangers} if own else {})
    assert find({**modules, "mylib": "checkout/anywhere/mylib/__init__.py"}, projects).get("mylib") is None


@pytest.mark.parametrize("finder", ["importlib.metadata", "importlib_metadata"])
def test_a_distribution_whose_facts_are_gone(finder: str, find: Find, tmp_path: Path) -> None:
    """Has no name and ends nothing, though the backport, which some packages import, raises where Python says None."""
    pytest.importorskip(finder)
    (tmp_path / "site/broken-1.0.dist-info").mkdir(parents=True)
    install(tmp_path / "site", "my-lib", ["mylib/core.py"])
    modules = {"mylib.core": "opt/mylib/core.py"}

    assert find(modules, ["my-lib"], finder=finder) == modules


def test_names_of_modules_that_nobody_installed(find: Find, tmp_path: Path) -> None:
    """What a checkout has anywhere is its own name, unless it is another's distribution that lists it."""
    install(tmp_path / "site", "numpy", ["numpy/__init__.py"])
    modules = {"mylib": "opt/mylib.py", "numpy": "site/numpy/__init__.py", "mylib.core": "opt/core.py", "x": "opt/x.py"}

    assert find(modules, own_modules=["mylib", "numpy", "core"]) == {"mylib": "opt/mylib.py"}
    assert find({"mylib": "checkout/lib/mylib.py"}, own_modules=["mylib"]) == {}


def test_an_editable_installation_lists_its_top_level_alone(find: Find, tmp_path: Path) -> None:
    """Its files are what finds the modules, which is loaded in every process; a shared namespace is nobody's own."""
    url = {"url": f"file://{tmp_path}/repository", "dir_info": {"editable": True}}
    texts = {"top_level": "mylib\nspace\n", "namespace_packages": "space\n"}
    install(tmp_path / "site", "my-lib", ["__editable___my_lib_finder.py", "_my_lib.py"], url, **texts)
    modules = {
        "__editable___my_lib_finder": "site/__editable___my_lib_finder.py", "_my_lib": "site/_my_lib.py",
        "mylib": "opt/mylib/__init__.py", "space": "site/space/__init__.py",
    }  # fmt: skip

    assert find(modules) == {"mylib": "opt/mylib/__init__.py"}


def test_nothing_is_imported_from_the_repository(find: Find, tmp_path: Path) -> None:
    """Its own modules are strangers of any name, links followed; not what is installed in an environment within it."""
    (tmp_path / "repository").mkdir()
    (tmp_path / "link").symlink_to("repository")
    modules = {
        "thing": "repository/src/thing.py", "linked": "link/other.py", "numpy": "repository/.venv/lib/numpy.py",
        "plugin": "repository/scratch/launch-1/plugin.py", "beside": "repository2/beside.py",
    }  # fmt: skip
    strangers = {"thing": "repository/src/thing.py", "linked": "repository/other.py"}

    assert find(modules, prefix="link/.venv") == strangers
    assert find(modules, base_prefix="link/.venv") == strangers
    assert find(modules, prefix=".") == {**strangers, "numpy": modules["numpy"]}


def test_a_link_in_the_checkout(find: Find, tmp_path: Path) -> None:
    """What is behind it is the side's own; but not what is in the repository."""
    write(tmp_path, "shared/one.py", "repository/two.py", "checkout/src/x.py")
    (tmp_path / "checkout/src/one.py").symlink_to(tmp_path / "shared/one.py")
    (tmp_path / "checkout/src/two.py").symlink_to(tmp_path / "repository/two.py")

    assert find({"one": "checkout/src/one.py", "two": "checkout/src/two.py"}) == {"two": "repository/two.py"}


def test_modules_that_are_allowed(find: Find, tmp_path: Path) -> None:
    """A module is allowed with all that is in it, and none whose name only begins so."""
    write(tmp_path / "checkout", "mylib/__init__.py", "mylib/core.py", "mylib2.py")
    modules = {"mylib": "site/mylib/__init__.py", "mylib.core": "site/mylib/core.py", "mylib2": "site/mylib2.py"}

    assert find(modules, allowed=["mylib"]) == {"mylib2": "site/mylib2.py"}
    assert find(modules, allowed=["mylib.core", "mylib2"]) == {"mylib": "site/mylib/__init__.py"}
    assert find(modules) == modules


def test_a_package_comes_before_what_is_in_it(find: Find) -> None:
    """Whatever was imported first: modules within a package are complete before it is."""
    modules = {"mylib._fast": "site/mylib/_fast.so", "mylib": "site/mylib/__init__.py"}

    assert list(find(modules, own_modules=["mylib", "mylib._fast"])) == ["mylib", "mylib._fast"]


class Lazy:
    """A module that loads itself when it is asked for anything."""

    def __init__(self, file: str) -> None:
        self.__file__ = file

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


def test_modules_are_not_asked_for_anything(find: Find, tmp_path: Path) -> None:
    """A module that loads itself when it is asked is not loaded by this; what has no file is nobody's."""
    modules = {"builtin": None, "mylib": "site/mylib.py", "odd": object()}

    assert find(modules, own_modules=["mylib", "builtin", "odd"], kind=Lazy) == {"mylib": "site/mylib.py"}
    assert find({"slots": 5}, own_modules=["slots"], kind=lambda file: object()) == {}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ({"url": "file://{}/checkout", "dir_info": {}}, True),
        ({"url": "file://{}/checkout/python", "dir_info": {"editable": False}}, True),
        ({"url": "file://{}/checkout/dist/my_lib-1.0.whl", "archive_info": {}}, True),
        ({"url": "file://{}/checkout", "dir_info": {"editable": True}}, True),
        ({"url": "file://{}/checkout2", "dir_info": {}}, False),  # as the other side's
        ({"url": "https://example.org/checkout", "vcs_info": {"vcs": "git"}}, False),
        (None, False),
    ],
)
def test_what_was_installed_from_the_checkout_is_its_own(
    url: dict[str, Any] | None, own: bool, find: Find, tmp_path: Path
) -> None:
    """Be it a copy, a wheel that was built there, or a part of an editable one; but no file that it does not list."""
    write(tmp_path / "checkout", "src/mylib/__init__.py", "src/mylib/core.py")
    url = {**url, "url": url["url"].format(tmp_path)} if url else None
    install(tmp_path / "site", "my-lib", ["mylib/__init__.py"], url)
    modules = {"mylib": "site/mylib/__init__.py", "mylib.core": "opt/mylib/core.py"}

    assert find(modules, ["my-lib"]) == ({} if own else {"mylib": modules["mylib"]}) | {
        "mylib.core": "opt/mylib/core.py"
    }
