"""The house: which way the arrows point, and how large the rooms are."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE, SUITE = ROOT / "parabola", ROOT / "benchmarks"
PLUGIN = PACKAGE / "compare/sides/lockstep_plugin"  # copied out of the package, into another's pytest
OTHERS = {"peers", "suites"}  # programs and suites, written as others would write them
FILES = [
    path
    for top in (PACKAGE, SUITE)
    for path in sorted(top.rglob("*.py"))
    if not OTHERS & {*path.relative_to(ROOT).parts}
]
MOST_LINES, MOST_MODULES, LARGEST_ROOM = 200, 12, 0.25
CODE_LINES = {PACKAGE: 9670, SUITE: 3220}

# What each room of the package may import of the others, from the ground up. A wing imports no other wing, but that
# many runs are made of single ones.
MAY_IMPORT: dict[str, set[str]] = {
    "files": set(),
    "git": set(),
    "statistics": set(),
    "machine": set(),
    "registry": {"machine"},
    "exit_codes": set(),
    "display": {"files"},
    "records": {"statistics", "files", "git"},
    "training": {"registry", "machine", "display", "files"},
    "verification": {"training", "machine"},
    "ensemble": {"training", "registry", "machine", "display", "files", "statistics"},
    "compare": {"git", "records", "machine", "display", "files", "statistics", "exit_codes"},
    "report": {"records", "registry", "machine", "display", "files", "statistics"},
    "commands": {
        *("training", "ensemble", "compare", "report", "records"),
        *("registry", "exit_codes", "machine", "display", "files", "statistics"),
    },
    "__init__": {"training"},
    "__main__": {"commands"},
}
KNOW_KERAS = {"training", "ensemble", "machine"}


def imports(path: Path) -> set[str]:
    """Return the modules that a file names in an import statement, wherever it stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or PLUGIN in path.parents, "absolute imports only"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows(path: Path) -> None:
    """No room imports one above or beside it, none pytest or the benchmarks, and only those that train a framework."""
    names = imports(path)
    rooms = {name.split(".")[1] for name in names if name.startswith("parabola.")}
    outside = {name.split(".")[0] for name in names}

    assert rooms - {room(path), "WRITTEN_BY", "__version__"} <= MAY_IMPORT[room(path)]
    if PLUGIN in path.parents:
        own = {module.stem for module in PLUGIN.glob("*.py")}
        assert outside <= {*sys.stdlib_module_names, "pytest", "pytest_benchmark", *own}
    else:
        assert not outside & {"pytest", "benchmarks", "conftest", "_pytest"}
    if room(path) not in KNOW_KERAS:
        assert not outside & {"tensorflow", "keras", "jax", "torch"}


def test_arrows_go_round_in_no_circle() -> None:
    """What each room may import has an order in which every room comes after those that it imports."""
    floors = dict(MAY_IMPORT)
    while ground := {name for name, below in floors.items() if not below & floors.keys()}:
        floors = {name: below for name, below in floors.items() if name not in ground}

    assert floors == {}


def code_lines(path: Path) -> int:
    """Count the lines that hold code: not blank, not a comment, not a docstring."""
    source = path.read_text()
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in skipped for line in range(token.start[0], token.end[0] + 1)}
    return len(lines - docstrings)


def test_dataclasses_are_frozen() -> None:
    """What passes from room to room cannot be changed on the way: every dataclass of the package is frozen."""
    decorators = [
        ast.unparse(decorator)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
    ]

    assert {text for text in decorators if "dataclass" in text} == {
        "dataclass(frozen=True)",
        "dataclass(frozen=True, slots=True)",
    }


def structs(base: Any) -> list[Any]:
    """Return the classes derived from one, and those derived from these."""
    return [found for derived in base.__subclasses__() for found in (derived, *structs(derived))]


def test_structs_are_frozen() -> None:
    """What is read from a file or from another process cannot be changed either: every struct of msgspec is frozen."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "msgspec.Struct" in path.read_text():
            import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    ours = [struct for struct in structs(msgspec.Struct) if struct.__module__.startswith("parabola.")]

    assert len(ours) > 20
    assert [struct.__name__ for struct in ours if not struct.__struct_config__.frozen] == []


def opens_text_as_the_system_likes(call: ast.Call) -> bool:
    """Say whether a call opens, reads or writes a file's text without naming an encoding."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    binary = any(
        isinstance(value, ast.Constant) and re.fullmatch("[rwaxbt+]*b[+]?", str(value.value)) for value in given
    )
    return (
        name in ("open", "fdopen", "read_text", "write_text", "makefile", "TextIOWrapper")
        and not binary
        and "encoding" not in {keyword.arg for keyword in call.keywords}
        # The first writes UTF-8, the second reads it, and the third opens no text.
        and not re.match(r"files\.|distribution\.|os\.open$", ast.unparse(call.func))
    )


@pytest.mark.parametrize("path", [*FILES, ROOT / "conftest.py"], ids=lambda path: str(path.relative_to(ROOT)))
def test_text_files_have_their_encoding(path: Path) -> None:
    """Else it would be the system's, and a file that one machine has written could not be read on another."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]

    assert [ast.unparse(call) for call in calls if opens_text_as_the_system_likes(call)] == []


@pytest.mark.parametrize("path", [*FILES, ROOT / "conftest.py"], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_200_lines(path: Path) -> None:
    """A file holds one concept: 200 lines of any kind are the most."""
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_rooms_stay_small(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed: lines of code by room. No package has more than a dozen modules, no room more than a quarter of all.

    A room is a folder, or a file on the ground floor; the folders within one are rooms of their own.
    """
    counts = {path: code_lines(path) for path in FILES}
    whole = {top: sum(count for path, count in counts.items() if top in path.parents) for top in CODE_LINES}
    rooms = Counter[str]()
    for path, count in counts.items():
        if PACKAGE in path.parents:
            folder = PLUGIN.parent if PLUGIN in path.parents else path.parent
            rooms[str((path if folder == PACKAGE else folder).relative_to(PACKAGE))] += count
    modules = Counter(path.parent for path in FILES if path.name != "__init__.py")
    with capsys.disabled():
        print()
        for name, count in rooms.most_common():
            print(f"{count:5} lines of code, {count / whole[PACKAGE]:4.0%}  parabola/{name}")
        for top, count in whole.items():
            print(f"{count:5} lines of code, of at most {CODE_LINES[top]}  {top.name}")

    assert {top.name for top, count in whole.items() if count > CODE_LINES[top]} == set()
    assert {name for name, count in rooms.items() if count > LARGEST_ROOM * whole[PACKAGE]} == set()
    assert {str(folder.relative_to(ROOT)) for folder, number in modules.items() if number > MOST_MODULES} == set()


def test_tests_mirror_the_rooms() -> None:
    """Each package of parabola/ has a folder of tests with its name; besides, the suite and its studies have theirs."""
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} | {"suite", "studies"}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert folders == rooms


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.name)
def test_every_test_says_in_a_sentence_what_it_holds(path: Path) -> None:
    """A test without a docstring is not finished."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]

    assert [node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)] == []


def test_recipes_name_tests_that_are_there() -> None:
    """Each test that CONTRIBUTING.md names as the one that fails exists under that name."""
    files = [path for top in ("tests", "benchmarks") for path in (ROOT / top).rglob("*.py")]
    known = {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))

    assert named
    assert named <= known


def test_a_program_needs_its_mark() -> None:
    """What a test starts without saying so is refused: `pytest -n auto` stays short."""
    with pytest.raises(AssertionError, match=r"mark it with @pytest\.mark\.end_to_end"):
        subprocess.run([sys.executable, "-c", ""], check=True)
