"""What checkouts do not have is told, with what to do: ignored modules, empty submodules, git LFS pointers."""

import sysconfig
from collections.abc import Callable
from pathlib import Path

from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.missing import empty_submodules, ignored_modules, lfs_pointers, missing
from tests.conftest import git

Project = Callable[..., Path]
EXTENSION = sysconfig.get_config_var("EXT_SUFFIX")
IGNORED = "_version.py *.so *.pyd *.pyc *.txt __pycache__/ _gen/ build/ .venv/ *.egg-info/ assets/ no-name/"


def side(name: str, top: Path) -> Checkout:
    return Checkout(name, "main", "c" * 40, "first", top, top)


def write(folder: Path, *names: str, text: str = "") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_ignored_modules_beside_tracked_ones(project: Project) -> None:
    """Modules and extensions that Python would import are told, and no build, cache, data or foreign extension is."""
    folder = project()
    write(folder, ".gitignore", text=IGNORED.replace(" ", "\n"))
    write(folder, "src/pack/__init__.py", "src/pack/code.py", "src/pack/data/table.csv", "src/space/part.py")
    git(folder, "add", "--all")
    told = [
        f"src/_single{EXTENSION}", "src/pack/_gen/", f"src/pack/_fast{EXTENSION}", "src/pack/_stable.abi3.so",
        "src/pack/_version.py", "src/space/_version.py",
    ]  # fmt: skip
    write(folder, *(name + "inner.py" if name.endswith("/") else name for name in told))
    write(
        folder,
        *("src/pack/_old.cpython-27-x.so", "src/pack/notes.txt", "src/pack/code.pyc", "src/pack/data/_version.py"),
        *("src/pack/__pycache__/code.pyc", "src/pack/assets/picture", "src/pack/no-name/x.py", "_gen/x.py"),
        *("build/lib/pack/_version.py", "src/thing.egg-info/top.py", ".venv/lib/pack/__init__.py"),
        "src/pack/untracked.py",
    )

    assert sorted(ignored_modules(folder)) == sorted(told)


def test_what_is_ignored_is_told_in_one_sentence(project: Project, tmp_path: Path) -> None:
    """Three of the modules are named, and the others counted; none that both checkouts have made is told."""
    folder = project()
    write(folder, ".gitignore", text="_*.py\n")
    git(folder, "worktree", "add", "--quiet", "--detach", str(tmp_path / "base"))
    git(folder, "worktree", "add", "--quiet", "--detach", str(tmp_path / "head"))
    sides = [side("base", tmp_path / "base"), side("head", tmp_path / "head")]
    assert missing(folder, sides) == []
    write(folder, *(f"src/_{number}.py" for number in range(5)))

    (told,) = missing(folder, sides)
    assert told == (
        "not in the checkouts, as git ignores them: src/_0.py, src/_1.py, src/_2.py and 2 more; what imports them "
        "fails or falls back on something else: have each checkout make them, by --setup COMMAND"
    )
    write(tmp_path / "base", *(f"src/_{number}.py" for number in range(5)))
    write(tmp_path / "head", *(f"src/_{number}.py" for number in range(4)))
    assert missing(folder, sides)[0].startswith("not in the checkouts, as git ignores them: src/_4.py; ")
    write(tmp_path / "head", "src/_4.py")
    assert missing(folder, sides) == []


def test_submodules_that_are_not_here(project: Project, tmp_path: Path) -> None:
    """A submodule that was not fetched, and a commit of one that is not in this clone, are empty, and told by side."""
    folder = project()
    inner = folder / "libs/inner"
    inner.mkdir(parents=True)
    git(inner, "init", "--quiet", "--initial-branch=main")
    git(inner, "commit", "--quiet", "--allow-empty", "--message", "first")
    git(folder, "add", "libs/inner")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},never")
    git(folder, "commit", "--quiet", "--message", "with submodules")
    git(folder, "update-index", "--cacheinfo", f"160000,{'2' * 40},libs/inner")
    git(folder, "commit", "--quiet", "--message", "a commit that was never fetched")
    with Repository.find(folder).checkouts("main~1", "main") as (base, head, _):
        empty = [list(empty_submodules(one.top)) for one in (base, head)]
        told = missing(folder, [base, head])

    (folder / "never").mkdir()
    with Repository.find(folder).checkouts(None, None) as (base, head, _):
        stands = [list(empty_submodules(one.top)) for one in (base, head)]

    assert empty == [["never"], ["libs/inner", "never"]]
    assert stands == [["never"], ["never"]]
    what = "not all that they need is in this clone: git submodule update --init --recursive, and git fetch in each"
    assert told == [
        f"empty submodules in base: never; {what} of them",
        f"empty submodules in head: libs/inner, never; {what} of them",
    ]


def test_empty_submodules_of_submodules(project: Project) -> None:
    """Their paths are told from the top."""
    folder = project()
    inner = folder / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet", "--initial-branch=main")
    git(inner, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},deep")
    git(inner, "commit", "--quiet", "--message", "first")
    git(folder, "add", "inner")

    assert list(empty_submodules(folder)) == ["inner/deep"]


def test_pointers_of_git_lfs(project: Project) -> None:
    """Pointers are told where files should be; a file that is there, and a pointer that is no LFS file, are not."""
    folder = project()
    write(folder, ".gitattributes", text="*.bin filter=lfs diff=lfs merge=lfs -text\n")
    write(folder, "data/a.bin", "data/ä b.bin", "pointer.txt", text="version https://git-lfs.github.com/spec/v1\noid")
    write(folder, "real.bin", text="version 3")
    git(folder, "-c", "filter.lfs.required=false", "add", "--all")
    (folder / "gone.bin").symlink_to("nowhere")
    git(folder, "add", "gone.bin")

    assert lfs_pointers(folder) == ["data/a.bin", "data/ä b.bin"]
    assert missing(folder, [side("head", folder)]) == [
        "git LFS pointers in head in the place of files: data/a.bin, data/ä b.bin; install git-lfs, and have each "
        "checkout fetch them, by --setup 'git lfs pull'"
    ]
